//! Random tensors for the trials of network kernels. Every tensor is a window of a wider buffer, so that a kernel that
//! ignores a pitch fails. Values around an input are NaN. Values around a result must stay unchanged.

use super::nn::norm::trial::narrow;
use super::{Expect, TrialSize};
use crate::kernel::nn::convolve::{Finish, FinishKind, Geometry};
use crate::plan::{Buf, Recorder};
use crate::proof::oracle;
use crate::size::Size;
use crate::tensor::{Shape, Tensor};
use ndarray::{Array3, Array4, s};

/// The number of quads before and after the quads of each pixel.
const AROUND: [usize; 2] = [1, 2];

/// The number of quads behind a result. Nothing may be written there, which tests check.
const BEHIND: usize = 16;

/// Sizes for kernels that only move, pool or draw: axes of one pixel, odd and prime axes, channels that fill their
/// quads or not, and real sizes.
pub const SIZES: &[TrialSize] = &[
    TrialSize::batch(1, Size::square(1), 1, 2),
    TrialSize::batch(5, Size::new(5, 1), 3, 4),
    TrialSize::batch(1, Size::new(47, 41), 5, 3),
    TrialSize::batch(2, Size::new(7, 55), 2, 5),
    TrialSize::batch(128, Size::new(2, 3), 4, 1),
    TrialSize::batch(8, Size::square(30), 32, 32),
];

/// Random f32 values in ±1, as f64 `[n][h][w][c]`.
pub fn random(rng: &mut fastrand::Rng, shape: Shape) -> Array4<f64> {
    let Shape { n, h, w, c } = shape;
    Array4::from_shape_simple_fn((n, h, w, c), || f64::from(rng.f32() * 2.0 - 1.0))
}

/// Uploads `values`, followed by an image of NaN, so that a kernel that reads beyond the end fails.
pub fn upload(rec: &mut Recorder, label: &'static str, values: &Array4<f64>) -> Tensor {
    let (n, h, w, c) = values.dim();
    let mut data: Vec<f32> = lay_out(values).into_iter().map(|v| v as f32).collect();
    data.resize(data.len() / n * (n + 1), f32::NAN);
    within(rec.constant(label, &data), Shape::new(n, h, w, c))
}

/// Allocates a result.
pub fn room(rec: &mut Recorder, label: &'static str, shape: Shape) -> Tensor {
    within(rec.output::<[f32; 4]>(label, shape.pixels() * pitch(shape.c) + BEHIND), shape)
}

fn within(buf: Buf, shape: Shape) -> Tensor {
    Tensor { buf, shape, first: AROUND[0] as u32, pitch: pitch(shape.c) as u32 }
}

fn pitch(c: usize) -> usize {
    c.div_ceil(4) + AROUND[0] + AROUND[1]
}

/// The expected values of a result from [`room`].
pub fn expect(tensor: Tensor, values: &Array4<f64>, tolerance: f64) -> Expect {
    let (n, h, w, c) = values.dim();
    assert_eq!(tensor.shape, Shape::new(n, h, w, c), "the oracle's shape");
    Expect::in_buffer(tensor.buf, lay_out(values), tolerance)
}

/// Random weights `[taps][ci][co]` in ±1.
pub fn weights(rng: &mut fastrand::Rng, geometry: Geometry, [ci, co]: [usize; 2]) -> Array3<f64> {
    Array3::from_shape_simple_fn((geometry.taps(), ci, co), || f64::from(rng.f32() * 2.0 - 1.0))
}

/// The parameters of a convolution, in one buffer.
pub struct Filter {
    /// The weights, of shape [`Geometry::weights`].
    pub weights: Tensor,
    /// Two values per channel, `[1, 1, 1, co]` each.
    pub rows: [Tensor; 2],
}

/// Uploads a convolution's weights and two rows of values per channel to one buffer, with other values in between.
pub fn upload_filter(rec: &mut Recorder, weights: &Array3<f64>, rows: &[Vec<f64>; 2]) -> Filter {
    let mut data = vec![f32::NAN; 4];
    let mut append = |values: Vec<f64>, shape: Shape| {
        let first = (data.len() / 4) as u32;
        data.extend(values.into_iter().map(|v| v as f32));
        move |buf| Tensor { first, ..Tensor::whole(buf, shape) }
    };
    let (taps, ci, co) = weights.dim();
    let at = append(pad_weights(weights), Shape::new(taps, 1, ci.next_multiple_of(4), co));
    let rows = rows.each_ref().map(|row| {
        let mut padded = row.clone();
        padded.resize(co.next_multiple_of(4), 0.0);
        append(padded, Shape::new(1, 1, 1, co))
    });
    // A tile's rows of input channels may extend beyond the last one.
    data.resize(data.len() + 16 * co.next_multiple_of(4), f32::NAN);
    let buf = rec.constant("parameters", &data);
    Filter { weights: at(buf), rows: rows.map(|at| at(buf)) }
}

/// A convolution's weights on the device, and the operation on its sums.
pub struct Finishing {
    /// The weights.
    pub weights: Tensor,
    /// The operation on each sum.
    pub finish: Finish,
    bias: Option<Vec<f64>>,
    norm: Option<oracle::Norm>,
}

/// Uploads `weights`, and random values for a [`Finish`] of this kind.
pub fn finish(
    rec: &mut Recorder,
    rng: &mut fastrand::Rng,
    kind: FinishKind,
    weights: &Array3<f64>,
) -> Finishing {
    let co = weights.dim().2;
    let row = Shape::new(1, 1, 1, co);
    // The shift is large enough that nothing cancels in the smallest trials, of a single value.
    let [gamma, beta] = [0.0, 4.0].map(|shift| narrow(random(rng, row) + shift));
    let rows = [&gamma, &beta].map(|v| v.iter().copied().collect::<Vec<_>>());
    let filter = upload_filter(rec, weights, &rows);
    let (mut bias, mut norm) = (None, None);
    let finish = match kind {
        FinishKind::Plain => Finish::Plain,
        FinishKind::Bias => {
            bias = Some(rows[1].clone());
            Finish::Bias(filter.rows[1])
        }
        FinishKind::Norm => {
            let mut statistics = random(rng, Shape::new(1, 1, 2, co));
            statistics.slice_mut(s![.., .., 1, ..]).mapv_inplace(|v| v.abs() + 0.5);
            let statistics = narrow(statistics);
            let (place, slope) = (upload(rec, "statistics", &statistics), 0.25);
            let (affine, x) = (Some((gamma, beta)), Array4::zeros((0, 0, 0, 0)));
            norm = Some(oracle::Norm { x, statistics, affine, slope });
            Finish::Norm { statistics: place, affine: filter.rows, slope: slope as f32 }
        }
    };
    Finishing { weights: filter.weights, finish, bias, norm }
}

impl Finishing {
    /// The expected values of `sums` after the finish.
    pub fn oracle(self, sums: Array4<f64>) -> Array4<f64> {
        match (self.bias, self.norm) {
            (Some(bias), _) => sums + &ndarray::Array1::from(bias),
            (_, Some(norm)) => oracle::norm(&oracle::Norm { x: sums, ..norm }),
            _ => sums,
        }
    }
}

/// The expected values of weights.
pub fn expect_weights(tensor: Tensor, values: &Array3<f64>, tolerance: f64) -> Expect {
    Expect::in_buffer(tensor.buf, pad_weights(values), tolerance)
}

fn pad_weights(weights: &Array3<f64>) -> Vec<f64> {
    let (taps, ci, co) = weights.dim();
    let mut padded = Array3::zeros((taps, ci.next_multiple_of(4), co.next_multiple_of(4)));
    padded.slice_mut(s![.., ..ci, ..co]).assign(weights);
    padded.into_raw_vec_and_offset().0
}

fn lay_out(values: &Array4<f64>) -> Vec<f64> {
    let (n, h, w, c) = values.dim();
    let mut out = vec![f64::NAN; n * h * w * 4 * pitch(c)];
    let mut values = values.iter();
    for pixel in out.chunks_mut(4 * pitch(c)) {
        let own = &mut pixel[4 * AROUND[0]..][..c.next_multiple_of(4)];
        own.fill(0.0);
        own[..c].iter_mut().zip(&mut values).for_each(|(to, from)| *to = *from);
    }
    out
}
