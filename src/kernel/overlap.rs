//! Predictions that overlap, brought together; `kernels/overlap.wgsl`.

use super::cut::Lattice;
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, clear, read, trial, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/overlap.wgsl`.
    struct Uniform { nx: u32, ny: u32, side: u32, stride: u32, batch: u32, src_first: u32, src_pitch: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "overlap",
    source: include_str!("../../kernels/overlap.wgsl"),
    bindings: &[
        uniform("p"),
        read("image"),
        read("patches"),
        read("lattice"),
        read("window"),
        read("counter"),
        read("src"),
        write("state"),
    ],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 3, 5), Size::new(7, 41, 47), Size::new(128, 256, 256)],
    trial,
};

/// What predictions are brought together over.
#[derive(Clone, Copy, Debug)]
pub struct Overlap {
    /// Columns and rows of the image.
    pub size: [usize; 2],
    /// Pixels from one patch to the next.
    pub stride: usize,
    /// vec4f `[ny][nx]`: what is inside, in z.
    pub image: Buf,
    /// f32: the weight of each row, and of each column, of a patch.
    pub window: Buf,
    /// The patches.
    pub lattice: Lattice,
}

/// Records that the predictions `src` of the batch's patches join the `state`, vec4f `[ny][nx]` of (mean, squares,
/// weights, count).
pub fn record(rec: &mut Recorder, over: Overlap, src: Tensor, state: Buf) {
    let Overlap { size: [nx, ny], stride, image, window, lattice } = over;
    let Shape { n: batch, h: side, .. } = src.shape;
    let [wide, high, side, stride, batch] = [nx, ny, side, stride, batch].map(|n| n as u32);
    let params =
        Uniform { nx: wide, ny: high, side, stride, batch, src_first: src.first, src_pitch: src.pitch };
    let Lattice { patches, lattice, counter } = lattice;
    let buffers = [image, patches, lattice, window, counter, src.buf, state];
    // Each prediction is taken once; every pixel is looked at.
    let predictions = src.shape.pixels();
    let cost = Cost { flops: (10 * predictions) as f64, bytes: (24 * predictions + 48 * nx * ny) as f64 };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &buffers.map(Into::into), nx * ny, cost);
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [nx, ny] = [size.nx, size.ny];
    let side = ny.min(30) - 1;
    let stride = if ny < 10 { 1 } else { 3 };
    let mask = oracle::blot(rng, ny, nx);
    // A lattice that begins before the image, with gaps.
    let corner = [-1i32, -(stride as i32)];
    let points = [nx, ny].map(|n| n / stride + 1);
    let mut lattice = vec![0, points[1] as i32, points[0] as i32, corner[1], corner[0]];
    let (mut patches, mut numbers) = (vec![], vec![]);
    for row in 0..points[1] {
        lattice.push(patches.len() as i32);
        for column in 0..points[0] {
            let there = rng.f32() < 0.8;
            numbers.push(if there { patches.len() as i32 } else { -1 });
            if there {
                let [x, y] = [column, row].map(|i| (i * stride) as f32);
                patches.push([
                    x + corner[0] as f32,
                    y + corner[1] as f32,
                    0.5 + rng.f32(),
                    rng.u32(..32) as f32,
                ]);
            }
        }
    }
    lattice[0] = patches.len() as i32;
    lattice.push(patches.len() as i32);
    lattice.extend(numbers);
    let window: Vec<f32> = (0..side).map(|_| 0.2 + rng.f32()).collect();
    let image: Vec<[f32; 4]> = mask.iter().map(|m| [f32::NAN, f32::NAN, *m, 0.0]).collect();
    let over = |rec: &mut Recorder, first: u32| Overlap {
        size: [nx, ny],
        stride,
        image: rec.constant("image", &image),
        window: rec.constant("window", &window),
        lattice: Lattice {
            patches: rec.constant("patches", &patches),
            lattice: rec.constant("lattice", &lattice),
            counter: rec.constant("counter", &[first; 4]),
        },
    };
    // Two batches of predictions, one after the other.
    let state = rec.output::<[f32; 4]>("state", nx * ny);
    clear::record(rec, state, 4 * nx * ny);
    let mut all = vec![];
    for batch in 0..2 {
        let values = trial::random(rng, Shape::new(size.planes, side, side, 1));
        let src = trial::upload(rec, "predictions", &values);
        let over = over(rec, (batch * size.planes) as u32);
        record(rec, over, src, state);
        all.push(values);
    }
    let values = ndarray::concatenate(ndarray::Axis(0), &[all[0].view(), all[1].view()]).expect("alike");
    let patches: Vec<_> = patches.into_iter().take(2 * size.planes).collect();
    let expected = oracle::overlap(&oracle::wide(&mask), [nx, ny], &patches, &window, &values);
    vec![Expect::in_buffer(state, oracle::flat_real(&expected), 1e-5)]
}
