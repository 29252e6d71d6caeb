//! Weight gradients of convolutions, in parts over the pixels: `kernels/nn/convolve_weights.wgsl`.

mod native;
pub(crate) mod tiles;

use super::convolve::Geometry;
use crate::kernel::form::Form;
use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct ConvolveWeightsParams { src: Place, grad: Place, n: u32, h: u32, w: u32, ci4: u32, co4: u32, taps: u32, parts: u32 }
}

pub(crate) const GEOMETRIES: [Geometry; 3] = [Geometry::Three, Geometry::One, Geometry::Up];

/// The largest number of pixels that one thread sums one after the other; more would cost accuracy.
const LONGEST: usize = 4096;

/// The row of the table of kernels.
pub static CONVOLVE_WEIGHTS: Kernel = Kernel {
    name: "convolve_weights",
    source: include_str!("../../../kernels/nn/convolve_weights.wgsl"),
    bindings: &[read("src", "Stored"), read("grad", "Stored"), write("dst", "vec4f")],
    params: ConvolveWeightsParams::LAYOUT,
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
    native: Some(native::native),
};

/// A form with the size of its blocks. The size matters for software adapters only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    /// The form.
    pub form: Form,
    /// Quads of input channels per block.
    pub rows: u32,
    /// Quads of output channels per lane.
    pub width: u32,
}

impl Variant {
    /// The variant for `ci` and `co` channels. On software adapters, the few input channels of a first layer and
    /// results of more than 32 channels have their own variants (`docs/measurements.md`).
    fn new(form: Form, [ci, co]: [usize; 2]) -> Self {
        let lanes = form.lanes().unwrap_or(1);
        let rows = if ci <= 4 { 1 } else { lanes };
        let width = if lanes == 8 && co > 32 { 2 } else { 1 };
        Self { form, rows, width }
    }

    pub(crate) fn spec(self, geometry: Geometry) -> Spec {
        let own = [geometry.constant(), ("ROWS", self.rows), ("WIDTH", self.width)];
        self.form.spec(&CONVOLVE_WEIGHTS, if self.form.lanes().is_some() { &own } else { &own[..1] })
    }
}

/// The specialisation for channels `[ci, co]`.
pub(crate) fn spec(form: Form, geometry: Geometry, channels: [usize; 2]) -> Spec {
    Variant::new(form, channels).spec(geometry)
}

/// Records the weight gradient of a convolution in parts, from `src` `[n, h, w, ci]` and the upstream gradient `grad`
/// `[n, h', w', co]`. Returns the parts, each of shape [`Geometry::weights`], one after another, and their number.
/// `workgroups` is a number of workgroups that keeps the device busy.
pub(crate) fn record(
    rec: &mut Recorder,
    form: Form,
    geometry: Geometry,
    src: Tensor,
    grad: Tensor,
    workgroups: usize,
) -> (Tensor, usize) {
    let variant = Variant::new(form, [src.shape.c, grad.shape.c]);
    record_variant(rec, variant, geometry, [src, grad], workgroups)
}

/// Records the weight gradient in one variant.
pub(crate) fn record_variant(
    rec: &mut Recorder,
    variant: Variant,
    geometry: Geometry,
    [src, grad]: [Tensor; 2],
    workgroups: usize,
) -> (Tensor, usize) {
    let Shape { n, h, w, c: ci } = src.shape;
    let (ci4, co4, taps) = (src.shape.quads(), grad.shape.quads(), geometry.taps());
    let weights = geometry.weights(ci, grad.shape.c);
    // The blocks of channels, the number of places at which parts can be cut, and the results per part (one per team).
    let (blocks, cuts, teams) = match variant.form.lanes() {
        None => {
            let [pixels, columns] = variant.form.tile();
            let rows = pixels / 4;
            ([ci4.div_ceil(rows), co4.div_ceil(columns)], (n * h * w).div_ceil(16), 1)
        }
        Some(lanes) => {
            let width = (lanes * variant.width) as usize;
            let teams = 8 / lanes as usize;
            ([ci4.div_ceil(variant.rows as usize), co4.div_ceil(width)], h * n.div_ceil(teams), teams)
        }
    };
    let parts =
        workgroups.div_ceil(blocks[0] * blocks[1] * taps).max((n * h * w).div_ceil(LONGEST)).min(cuts);
    let all = parts * teams;
    let dst = Tensor::scratch(rec, "weight gradient in parts", Shape { n: all * taps, ..weights });
    let params = ConvolveWeightsParams {
        n: n as u32,
        h: h as u32,
        w: w as u32,
        ci4: ci4 as u32,
        co4: co4 as u32,
        src: src.place(),
        grad: grad.place(),
        taps: taps as u32,
        parts: parts as u32,
    };
    let cost = Cost {
        flops: 2.0 * (n * h * w * taps) as f64 * (ci * grad.shape.c) as f64,
        bytes: 4.0 * (src.shape.floats() + grad.shape.floats() + dst.shape.floats()) as f64,
    };
    let resources = [src.bound(), grad.bound(), dst.bound()];
    rec.groups(variant.spec(geometry), &params, &resources, [blocks[0], blocks[1], taps * parts], cost);
    (dst, all)
}
