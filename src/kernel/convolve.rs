//! Convolutions of 3 × 3 and 1 × 1 pixels, the transposed one of 2 × 2, and their data gradients;
//! `kernels/convolve.wgsl`.

use super::params::params;
use super::{
    Binding, Cost, Expect, Kernel, Layout, Params, Size, Spec, convolve_half, flip, read, trial, uniform,
    winograd_input, winograd_output, winograd_weights, write,
};
use crate::oracle;
use crate::plan::{MOST_GROUPS, Recorder};
use crate::tensor::{Shape, Tensor};
use ndarray::{Array3, Array4};
use serde::{Deserialize, Serialize};

pub use super::form::{Form, Inner, Product, Units};

params! {
    /// `Params` of `kernels/lib/convolution.wgsl`.
    pub(super) struct Uniform {
        n: u32, h: u32, w: u32, ci4: u32, co4: u32, src_first: u32, src_pitch: u32, weights_first: u32,
        shift_first: u32, scale_first: u32, statistics_first: u32, statistics_pitch: u32,
        dst_first: u32, dst_pitch: u32, slope: f32,
    }
}

/// Which pixels a convolution brings together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Geometry {
    /// 3 × 3 with a border of zeros: as large as it was.
    Three,
    /// 1 × 1.
    One,
    /// Transposed 2 × 2 with stride 2: twice as large.
    Up,
    /// 2 × 2 with stride 2, half as large: the data gradient of [`Geometry::Up`].
    Down,
    /// Of images of 16 pixels each its own tap: Winograd's products.
    Tiles,
}

impl Geometry {
    pub(super) const ALL: [Self; 5] = [Self::Three, Self::One, Self::Up, Self::Down, Self::Tiles];

    /// How many pixels of weights there are.
    pub const fn taps(self) -> usize {
        match self {
            Self::Three => 9,
            Self::One => 1,
            Self::Up | Self::Down => 4,
            Self::Tiles => 16,
        }
    }

    /// Rows and columns of the result.
    pub const fn result(self, [h, w]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Three | Self::One | Self::Tiles => [h, w],
            Self::Up => [2 * h, 2 * w],
            Self::Down => [h / 2, w / 2],
        }
    }

    /// That of the data gradient.
    pub const fn gradient(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            same => same,
        }
    }

    /// The weights' shape: a "pixel" for each tap and input channel, so that they are a tensor like others.
    pub const fn weights(self, ci: usize, co: usize) -> Shape {
        Shape::new(self.taps(), 1, ci.next_multiple_of(4), co)
    }

    pub(super) fn constant(self) -> (&'static str, u32) {
        ("GEOMETRY", self as u32)
    }
}

/// What becomes of each sum before it is stored.
#[derive(Clone, Copy, Debug)]
pub enum Finish {
    /// Nothing.
    Plain,
    /// A value a channel is added, `[1, 1, 1, co]`, in the buffer of the weights.
    Bias(Tensor),
    /// A norm over all images, by statistics known before, and Leaky ReLU, as of [`super::norm`].
    Norm {
        /// Mean and 1/σ, `[1, 1, 2, co]`.
        statistics: Tensor,
        /// γ and β, `[1, 1, 1, co]` each, in the buffer of the weights.
        affine: [Tensor; 2],
        /// The slope below 0; 1 for the norm alone.
        slope: f32,
    },
}

impl Finish {
    /// Statistics, the first quads of scale and shift, and the slope, as shaders take them.
    pub(super) fn places(self) -> (Option<Tensor>, [u32; 2], f32) {
        match self {
            Self::Plain => (None, [0; 2], 1.0),
            Self::Bias(bias) => (None, [0, bias.first], 1.0),
            Self::Norm { statistics, affine, slope } => (Some(statistics), affine.map(|t| t.first), slope),
        }
    }

    /// The constant `FINISH` of the shader.
    pub(super) const fn constant(self) -> u32 {
        match self {
            Self::Plain => 0,
            Self::Bias(_) => 1,
            Self::Norm { .. } => 2,
        }
    }
}

/// What both kernels of convolutions bind.
pub(super) const BINDINGS: &[Binding] =
    &[uniform("p"), read("src"), read("weights"), read("statistics"), write("dst")];

/// Their parameters.
pub(super) const LAYOUT: Layout = Uniform::LAYOUT;

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "convolve",
    source: include_str!("../../kernels/convolve.wgsl"),
    bindings: BINDINGS,
    params: LAYOUT,
    specs: || {
        let each =
            |form: Form| Geometry::ALL.into_iter().flat_map(move |g| [0, 1, 2].map(|f| spec(form, g, f)));
        Form::all_direct().flat_map(each).collect()
    },
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(5, [3, 2], 2, 3),
        Size::batch(2, [3, 5], 133, 150),
        Size::batch(1, [7, 13], 5, 37),
        Size::batch(128, [1, 3], 3, 2),
        Size::batch(33, [2, 3], 18, 5),
        Size::batch(1, [41, 47], 3, 5),
        Size::batch(1, [1, 55], 1, 70),
        Size::batch(4, [15, 15], 32, 32),
    ],
    trial,
};

/// The specialisation that [`record`] uses; `finish` is [`Finish`]'s number.
fn spec(form: Form, geometry: Geometry, finish: u32) -> Spec {
    let own = [geometry.constant(), ("FINISH", finish)];
    match form {
        Form::Half(units) => convolve_half::spec(units, geometry, finish),
        Form::Tiled([loads, _]) => form.spec(&KERNEL, &[own.as_slice(), &[("ROWS", 4 * loads)]].concat()),
        _ => form.spec(&KERNEL, &own),
    }
}

impl Form {
    /// The specialisations that a convolution of `geometry` consists of in this form; none where it has no such form.
    pub fn convolves(self, geometry: Geometry, finish: Finish) -> Vec<Spec> {
        match (self, geometry) {
            (Self::Winograd(inner), Geometry::Three) => vec![
                Spec::new(&winograd_input::KERNEL, &[]),
                Spec::new(&winograd_weights::KERNEL, &[]),
                spec(inner.form(), Geometry::Tiles, 0),
                winograd_output::spec(finish.constant()),
            ],
            (Self::Winograd(_), _) => Vec::new(),
            _ => vec![spec(self, geometry, finish.constant())],
        }
    }
}

/// Records a convolution with `weights` ([`Geometry::weights`]): `src` `[n, h, w, ci]`, `dst` `[n, h', w', co]`.
pub fn record(
    rec: &mut Recorder,
    form: Form,
    geometry: Geometry,
    src: Tensor,
    (weights, finish): (Tensor, Finish),
    dst: Tensor,
) {
    if let (Form::Winograd(inner), Geometry::Three) = (form, geometry) {
        return transformed(rec, inner.form(), src, (weights, finish), dst);
    }
    let taps = if apart(geometry) { 1 } else { geometry.taps() };
    let flops = 2.0 * (dst.shape.pixels() * taps) as f64 * (src.shape.c * dst.shape.c) as f64;
    direct(rec, form, geometry, [src, dst], (weights, finish), flops);
}

/// Whether each pixel has a tap of its own.
fn apart(geometry: Geometry) -> bool {
    matches!(geometry, Geometry::Up | Geometry::Tiles)
}

/// Records a convolution in one dispatch that counts as `flops`.
fn direct(
    rec: &mut Recorder,
    form: Form,
    geometry: Geometry,
    [src, dst]: [Tensor; 2],
    (weights, finish): (Tensor, Finish),
    flops: f64,
) {
    let Shape { n, h, w, .. } = match geometry {
        Geometry::Down => dst.shape,
        // Each pixel of a tile is a plane of its own.
        Geometry::Tiles => Shape { h: 1, w: 1, ..src.shape },
        _ => src.shape,
    };
    let (ci4, co4) = (src.shape.quads(), dst.shape.quads());
    let (statistics, [scale, shift], slope) = finish.places();
    let params = Uniform {
        n: n as u32,
        h: h as u32,
        w: w as u32,
        ci4: ci4 as u32,
        co4: co4 as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        weights_first: weights.first,
        shift_first: shift,
        scale_first: scale,
        statistics_first: statistics.map_or(0, |s| s.first),
        statistics_pitch: statistics.map_or(0, |s| s.pitch),
        dst_first: dst.first,
        dst_pitch: dst.pitch,
        slope,
    };
    let [pixels, quads] = form.tile();
    let along_z = if apart(geometry) { geometry.taps() } else { 1 };
    let tiles = (n * h * w).div_ceil(pixels);
    let folds = tiles.div_ceil(MOST_GROUPS);
    let groups = [tiles.div_ceil(folds), co4.div_ceil(quads), along_z * folds];
    let cost = Cost {
        flops,
        bytes: 4.0 * (src.shape.floats() + weights.shape.floats() + dst.shape.floats()) as f64,
    };
    let statistics = statistics.unwrap_or(weights);
    let resources = [src, weights, statistics, dst].map(|t| t.buf.into());
    rec.groups(spec(form, geometry, finish.constant()), &params, &resources, groups, cost);
}

/// Records a 3 × 3 convolution as products of transformed tiles.
fn transformed(
    rec: &mut Recorder,
    form: Form,
    src: Tensor,
    (weights, finish): (Tensor, Finish),
    dst: Tensor,
) {
    let tiles = Tensor::scratch(rec, "Winograd's tiles", winograd_input::tiles(src.shape));
    winograd_input::record(rec, src, tiles);
    let own = winograd_weights::record(rec, weights);
    let products = Tensor::scratch(rec, "Winograd's products", winograd_input::tiles(dst.shape));
    // They count as the convolution they stand for, or rates would not compare.
    let flops = 2.0 * (9 * dst.shape.pixels()) as f64 * (src.shape.c * dst.shape.c) as f64;
    direct(rec, form, Geometry::Tiles, [tiles, products], (own, Finish::Plain), flops);
    winograd_output::record(rec, products, (weights, finish), dst);
}

/// Records the gradient in the source of a convolution of `geometry`: `grad` `[n, h', w', co]`, `dst`
/// `[n, h, w, ci]`.
pub fn record_gradient(
    rec: &mut Recorder,
    form: Form,
    geometry: Geometry,
    grad: Tensor,
    weights: Tensor,
    dst: Tensor,
) {
    let flipped = flip::record(rec, weights, geometry);
    record(rec, form, geometry.gradient(), grad, (flipped, Finish::Plain), dst);
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    tried(
        rec,
        Form::of(spec),
        spec,
        size,
        rng,
        (&|src, weights, g| oracle::convolve(src, weights, None, g), 1e-6),
    )
}

/// An oracle, and how near to it a kernel comes.
type Judge<'a> = (&'a dyn Fn(&Array4<f64>, &Array3<f64>, Geometry) -> Array4<f64>, f64);

/// The trial of either kernel.
pub(super) fn tried(
    rec: &mut Recorder,
    form: Form,
    spec: &Spec,
    size: Size,
    rng: &mut fastrand::Rng,
    (oracle, tolerance): Judge,
) -> Vec<Expect> {
    let [ci, co] = size.channels;
    let geometry = Geometry::ALL[spec.constant("GEOMETRY") as usize];
    let small = size.shape(ci);
    let src = match geometry {
        Geometry::Down => Shape { h: 2 * small.h, w: 2 * small.w, ..small },
        Geometry::Tiles => Shape::new(small.pixels(), 16, 1, ci),
        _ => small,
    };
    let src = trial::random(rng, src);
    let weights = trial::weights(rng, geometry, [ci, co]);
    let finishing = trial::finish(rec, rng, spec.constant("FINISH"), &weights);
    let (weights, expected) = (finishing.weights, oracle(&src, &weights, geometry));
    let (src, finish) = (trial::upload(rec, "source", &src), finishing.finish);
    let (n, h, w, _) = expected.dim();
    let dst = trial::room(rec, "result", Shape::new(n, h, w, co));
    record(rec, form, geometry, src, (weights, finish), dst);
    vec![trial::expect(dst, &finishing.oracle(expected), tolerance)]
}
