//! Weight gradients of convolutions, in parts over the pixels; `kernels/convolve_weights.wgsl`.

use super::convolve::{Form, Geometry};
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, reduce, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/convolve_weights.wgsl`.
    struct Uniform {
        n: u32, h: u32, w: u32, ci4: u32, co4: u32, src_first: u32, src_pitch: u32, grad_first: u32,
        grad_pitch: u32, taps: u32, parts: u32,
    }
}

const GEOMETRIES: [Geometry; 3] = [Geometry::Three, Geometry::One, Geometry::Up];

/// Pixels that one thread sums one after the other, at most: more would cost accuracy.
const LONGEST: usize = 4096;

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "convolve_weights",
    source: include_str!("../../kernels/convolve_weights.wgsl"),
    bindings: &[uniform("p"), read("src"), read("grad"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || {
        let shapes = [[1, 1], [32, 1], [1, 64], [32, 64]];
        let each = |form: Form| GEOMETRIES.iter().flat_map(move |&g| shapes.map(|s| spec(form, g, s)));
        let mut specs: Vec<Spec> = Vec::new();
        for spec in Form::all_direct().flat_map(each) {
            if !specs.contains(&spec) {
                specs.push(spec);
            }
        }
        specs
    },
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(5, [3, 2], 2, 3),
        Size::batch(2, [3, 5], 133, 150),
        Size::batch(1, [7, 13], 5, 37),
        Size::batch(128, [1, 3], 3, 2),
        Size::batch(33, [2, 3], 18, 5),
        Size::batch(1, [41, 47], 3, 5),
        Size::batch(1, [1, 55], 41, 70),
        Size::batch(4, [15, 15], 32, 32),
    ],
    trial,
};

/// The specialisation for `ci` and `co` channels. A first layer's few input channels, and results of more than 32
/// channels, have forms of their own on software adapters (`kernels/README.md`).
pub fn spec(form: Form, geometry: Geometry, [ci, co]: [usize; 2]) -> Spec {
    match form.lanes() {
        None => form.spec(&KERNEL, &[geometry.constant()]),
        Some(lanes) => {
            let rows = if ci <= 4 { 1 } else { lanes };
            let width = if lanes == 8 && co > 32 { 2 } else { 1 };
            form.spec(&KERNEL, &[geometry.constant(), ("ROWS", rows), ("WIDTH", width)])
        }
    }
}

/// Records the weight gradient of a convolution in parts: `src` `[n, h, w, ci]` and the gradient of the result,
/// `grad` `[n, h', w', co]`. Returns the parts, each of [`Geometry::weights`] one after another, and how many there
/// are. `workgroups` is how many keep the device busy.
pub fn record(
    rec: &mut Recorder,
    form: Form,
    geometry: Geometry,
    src: Tensor,
    grad: Tensor,
    workgroups: usize,
) -> (Tensor, usize) {
    let spec = spec(form, geometry, [src.shape.c, grad.shape.c]);
    record_spec(rec, spec, geometry, src, grad, workgroups)
}

fn record_spec(
    rec: &mut Recorder,
    spec: Spec,
    geometry: Geometry,
    src: Tensor,
    grad: Tensor,
    workgroups: usize,
) -> (Tensor, usize) {
    let Shape { n, h, w, c: ci } = src.shape;
    let (ci4, co4, taps) = (src.shape.quads(), grad.shape.quads(), geometry.taps());
    let weights = geometry.weights(ci, grad.shape.c);
    // Where a part can be cut, and how many parts each makes of itself.
    let (blocks, cuts, teams) = match Form::of(&spec).lanes() {
        None => {
            let [rows, columns] = ["LOADS", "QUADS"].map(|name| 16 * spec.constant(name) as usize);
            ([ci4.div_ceil(rows), co4.div_ceil(columns)], (n * h * w).div_ceil(16), 1)
        }
        Some(lanes) => {
            let width = (lanes * spec.constant("WIDTH")) as usize;
            let teams = 8 / lanes as usize;
            (
                [ci4.div_ceil(spec.constant("ROWS") as usize), co4.div_ceil(width)],
                h * n.div_ceil(teams),
                teams,
            )
        }
    };
    let parts =
        workgroups.div_ceil(blocks[0] * blocks[1] * taps).max((n * h * w).div_ceil(LONGEST)).min(cuts);
    let all = parts * teams;
    let dst = Tensor::scratch(rec, "weight gradient in parts", Shape { n: all * taps, ..weights });
    let params = Uniform {
        n: n as u32,
        h: h as u32,
        w: w as u32,
        ci4: ci4 as u32,
        co4: co4 as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        grad_first: grad.first,
        grad_pitch: grad.pitch,
        taps: taps as u32,
        parts: parts as u32,
    };
    let cost = Cost {
        flops: 2.0 * (n * h * w * taps) as f64 * (ci * grad.shape.c) as f64,
        bytes: 4.0 * (src.shape.floats() + grad.shape.floats() + dst.shape.floats()) as f64,
    };
    let resources = [src.buf.into(), grad.buf.into(), dst.buf.into()];
    rec.groups(spec, &params, &resources, [blocks[0], blocks[1], taps * parts], cost);
    (dst, all)
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [ci, co] = size.channels;
    let geometry = GEOMETRIES[spec.constant("GEOMETRY") as usize];
    let src = trial::random(rng, size.shape(ci));
    let [h, w] = geometry.result([size.ny, size.nx]);
    let grad = trial::random(rng, Shape { h, w, ..size.shape(co) });
    let expected = oracle::convolve_weights(&src, &grad, geometry);
    let (src, grad) = (trial::upload(rec, "source", &src), trial::upload(rec, "gradient", &grad));
    let (parts, count) = record_spec(rec, spec.clone(), geometry, src, grad, 64);
    let dst = Tensor::scratch(rec, "weight gradient", geometry.weights(ci, co));
    reduce::record(rec, parts.buf, count, dst);
    vec![trial::expect_weights(dst, &expected, 1e-6)]
}
