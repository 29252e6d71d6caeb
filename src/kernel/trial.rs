//! Made-up tensors for the trials of the network's kernels. Every tensor is a window of a wider buffer, so that
//! a kernel that forgets a pitch is found out; what lies around an input is NaN, and what lies around a result
//! is expected to stay as it was.

use super::Expect;
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};
use ndarray::Array4;

/// Quads before and after each pixel's own.
const AROUND: [usize; 2] = [1, 2];

/// f32 values in ±1, as f64 `[n][h][w][c]`.
pub fn random(rng: &mut fastrand::Rng, shape: Shape) -> Array4<f64> {
    let Shape { n, h, w, c } = shape;
    Array4::from_shape_simple_fn((n, h, w, c), || f64::from(rng.f32() * 2.0 - 1.0))
}

/// `values` on the device.
pub fn upload(rec: &mut Recorder, label: &'static str, values: &Array4<f64>) -> Tensor {
    let (n, h, w, c) = values.dim();
    let data: Vec<f32> = lay_out(values).into_iter().map(|v| v as f32).collect();
    within(rec.constant(label, &data), Shape::new(n, h, w, c))
}

/// Room for a result.
pub fn room(rec: &mut Recorder, label: &'static str, shape: Shape) -> Tensor {
    within(rec.output::<[f32; 4]>(label, shape.pixels() * pitch(shape.c)), shape)
}

fn within(buf: Buf, shape: Shape) -> Tensor {
    Tensor { buf, shape, first: AROUND[0] as u32, pitch: pitch(shape.c) as u32 }
}

fn pitch(c: usize) -> usize {
    c.div_ceil(4) + AROUND[0] + AROUND[1]
}

/// What is expected of a result in [`room`].
pub fn expect(tensor: Tensor, values: &Array4<f64>, tolerance: f64) -> Expect {
    let (n, h, w, c) = values.dim();
    assert_eq!(tensor.shape, Shape::new(n, h, w, c), "the oracle's shape");
    Expect::in_buffer(tensor.buf, lay_out(values), tolerance)
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
