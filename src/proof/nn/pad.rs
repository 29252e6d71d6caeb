//! Oracles and trials of `pad`, `pad_grad`.

use crate::size::Size;
use ndarray::Array4;

/// Pads `x` `[n][h][w][c]` to `to` by reflection at its last row and column.
pub fn pad(x: &Array4<f64>, to: Size) -> Array4<f64> {
    let (n, h, w, c) = x.dim();
    Array4::from_shape_fn((n, to.ny, to.nx, c), |(n, row, column, c)| {
        x[(n, mirror(row, h), mirror(column, w), c)]
    })
}

/// Returns the source index of index `i`, for `n` source pixels.
pub(super) fn mirror(i: usize, n: usize) -> usize {
    if i < n { i } else { 2 * (n - 1) - i }
}

/// The gradient of [`super::pad()`] in its input of `size`, from the upstream gradient `grad`.
pub fn pad_grad(grad: &Array4<f64>, size: Size) -> Array4<f64> {
    let (n, _, _, c) = grad.dim();
    let mut out = Array4::zeros((n, size.ny, size.nx, c));
    for ((n, row, column, c), g) in grad.indexed_iter() {
        out[(n, mirror(row, size.ny), mirror(column, size.nx), c)] += g;
    }
    out
}

pub(super) mod trial {
    use crate::kernel::nn::pad;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &pad::PAD, sizes: made_up::SIZES, record: pad },
        Trial { kernel: &pad::PAD_GRAD, sizes: made_up::SIZES, record: pad_grad },
    ];

    /// The shape with one more pixel along odd axes, as networks need it. Axes of a single pixel stay unchanged.
    pub(crate) fn evened(shape: Shape) -> Shape {
        let even = |n: usize| if n == 1 { 1 } else { n.next_multiple_of(2) };
        Shape { h: even(shape.h), w: even(shape.w), ..shape }
    }

    fn pad(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let x = made_up::random(rng, size.shape(size.channels[0]));
        let src = made_up::upload(rec, "input", &x);
        let dst = made_up::room(rec, "padded", evened(src.shape));
        pad::record(rec, src, dst);
        vec![made_up::expect(dst, &oracle::pad(&x, dst.shape.size()), 0.0)]
    }

    fn pad_grad(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let shape = size.shape(size.channels[0]);
        let g = made_up::random(rng, evened(shape));
        let grad = made_up::upload(rec, "upstream", &g);
        let dst = made_up::room(rec, "gradient", shape);
        pad::record_grad(rec, grad, dst);
        vec![made_up::expect(dst, &oracle::pad_grad(&g, shape.size()), 1e-7)]
    }
}

#[cfg(test)]
mod pad_tests {
    use super::*;

    #[test]
    fn a_new_column_equals_the_last_but_one() {
        let x = Array4::from_shape_vec((1, 1, 3, 1), vec![1.0, 2.0, 3.0]).unwrap();
        assert_eq!(pad(&x, Size::new(4, 1)).into_raw_vec_and_offset().0, [1.0, 2.0, 3.0, 2.0]);
    }
}

#[cfg(test)]
mod pad_grad_tests {
    use super::*;
    use crate::proof::differences::assert_gradient;
    use crate::proof::oracle::pad;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    #[test]
    fn is_the_derivative_of_padding() {
        let mut rng = fastrand::Rng::with_seed(3);
        for [rows, columns] in [[4, 6], [4, 5], [3, 6], [3, 5]] {
            let to = Size::new(columns, rows);
            let x = random(&mut rng, Shape::new(2, 3, 5, 3));
            let upstream = random(&mut rng, Shape::images(2, to, 3));
            assert_gradient(&x, &upstream, &pad_grad(&upstream, Size::new(5, 3)), |x| pad(x, to));
        }
    }
}
