//! Oracles and trials of `winograd_input`, `winograd_weights`, `winograd_output`.

use crate::size::Size;
use ndarray::{Array2, Array3, Array4, array};

/// The matrix Bᵀ of Winograd's F(2 × 2, 3 × 3).
fn input_transform() -> Array2<f64> {
    array![[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]]
}

/// Returns Bᵀ d B for every tile of 4 × 4 pixels of `src` `[n][h][w][c]`: `[tiles][16][1][c]`. Tiles are 2 pixels
/// apart.
pub fn winograd_input(src: &Array4<f64>) -> Array4<f64> {
    let (n, h, w, c) = src.dim();
    let [rows, columns] = [h.div_ceil(2), w.div_ceil(2)];
    let b = input_transform();
    let mut dst = Array4::zeros((n * rows * columns, 16, 1, c));
    for ((tile, z, _, channel), v) in dst.indexed_iter_mut() {
        let (image, row, column) = (tile / columns / rows, tile / columns % rows, tile % columns);
        for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (y, x))) {
            let at = [2 * row + y, 2 * column + x].map(|i: usize| i.checked_sub(1));
            if let [Some(i), Some(j)] = at
                && i < h
                && j < w
            {
                *v += b[[z / 4, y]] * src[[image, i, j, channel]] * b[[z % 4, x]];
            }
        }
    }
    dst
}

/// The matrix G of Winograd's F(2 × 2, 3 × 3).
fn weight_transform() -> Array2<f64> {
    array![[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]]
}

/// Returns G g Gᵀ of weights `[9][ci][co]`: `[16][ci][co]`.
pub fn winograd_weights(src: &Array3<f64>) -> Array3<f64> {
    let (_, ci, co) = src.dim();
    let g = weight_transform();
    Array3::from_shape_fn((16, ci, co), |(z, i, o)| {
        (0..9).map(|t| g[[z / 4, t / 3]] * src[[t, i, o]] * g[[z % 4, t % 3]]).sum()
    })
}

/// The matrix Aᵀ of Winograd's F(2 × 2, 3 × 3).
fn output_transform() -> Array2<f64> {
    array![[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, -1.0]]
}

/// Returns Aᵀ m A of the products `src` `[tiles][16][1][c]` for `n` images: `[n][ny][nx][c]`.
pub fn winograd_output(src: &Array4<f64>, n: usize, Size { nx, ny }: Size) -> Array4<f64> {
    let [rows, columns] = [ny.div_ceil(2), nx.div_ceil(2)];
    let a = output_transform();
    Array4::from_shape_fn((n, ny, nx, src.dim().3), |(image, y, x, channel)| {
        let tile = (image * rows + y / 2) * columns + x / 2;
        (0..16).map(|z| a[[y % 2, z / 4]] * src[[tile, z, 0, channel]] * a[[x % 2, z % 4]]).sum()
    })
}

pub(super) mod trial {
    use crate::kernel::nn::convolve::{FinishKind, Geometry};
    use crate::kernel::nn::winograd::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &winograd::WINOGRAD_INPUT, sizes: made_up::SIZES, record: winograd_input },
        Trial {
            kernel: &winograd::WINOGRAD_WEIGHTS,
            sizes: &[
                TrialSize::batch(1, Size::square(1), 1, 1),
                TrialSize::batch(1, Size::square(1), 5, 37),
                TrialSize::batch(1, Size::square(1), 18, 3),
                TrialSize::batch(1, Size::square(1), 64, 64),
            ],
            record: winograd_weights,
        },
        Trial { kernel: &winograd::WINOGRAD_OUTPUT, sizes: made_up::SIZES, record: winograd_output },
    ];

    fn winograd_input(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let values = made_up::random(rng, size.shape(size.channels[0]));
        let src = made_up::upload(rec, "images", &values);
        let dst = made_up::room(rec, "tiles", tiles(src.shape));
        winograd::record_input(rec, src, dst);
        vec![made_up::expect(dst, &oracle::winograd_input(&values), 1e-6)]
    }

    fn winograd_weights(
        rec: &mut Recorder,
        _: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
        let [ci, co] = size.channels;
        let values = made_up::weights(rng, Geometry::Three, [ci, co]);
        let src = made_up::upload_filter(rec, &values, &[vec![], vec![]]).weights;
        let dst = winograd::record_weights(rec, src);
        vec![made_up::expect_weights(dst, &oracle::winograd_weights(&values), 1e-6)]
    }

    fn winograd_output(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
        let shape = size.shape(size.channels[0]);
        let values = made_up::random(rng, tiles(shape));
        let products = oracle::winograd_output(&values, shape.n, shape.size());
        let finish = made_up::finish(
            rec,
            rng,
            FinishKind::ALL[constant(spec, "FINISH") as usize],
            &Array3::zeros((1, 1, shape.c)),
        );
        let src = made_up::upload(rec, "products", &values);
        let dst = made_up::room(rec, "images", shape);
        winograd::record_output(rec, src, (finish.weights, finish.finish), dst);
        vec![made_up::expect(dst, &finish.oracle(products), 1e-6)]
    }
}
