//! Convolutions of 3 × 3 and 1 × 1 pixels, the transposed one of 2 × 2, and their data gradients:
//! `kernels/nn/convolve.wgsl`.

mod finish;
mod native;
pub(crate) mod tiles;

use super::{convolve_half, flip, winograd};
use crate::kernel::form::Form;
use crate::plan::{Bound, Cost, Kernel, MOST_GROUPS, Params, Place, Recorder, Spec, params, read, write};
use crate::shader::{Binding, ParamsLayout};
use crate::size::Size;
use crate::tensor::{Shape, Tensor};
use serde::{Deserialize, Serialize};

params! {
    struct ConvolveParams { src: Place, statistics: Place, dst: Place, n: u32, h: u32, w: u32, ci4: u32, co4: u32, weights_first: u32, shift_first: u32, scale_first: u32, slope: f32 }
}

/// The geometry of a convolution: the source pixels of each output pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Geometry {
    /// 3 × 3 with a border of zeros; the size stays the same.
    Three,
    /// 1 × 1.
    One,
    /// Transposed 2 × 2 with stride 2; the size doubles.
    Up,
    /// 2 × 2 with stride 2; the size halves. It is the data gradient of [`Geometry::Up`].
    Down,
    /// Images of 16 pixels, each pixel with its own tap: the products of Winograd's algorithm.
    Tiles,
}

impl Geometry {
    pub(crate) const ALL: [Self; 5] = [Self::Three, Self::One, Self::Up, Self::Down, Self::Tiles];

    /// The number of taps, that is, of pixels of weights.
    pub const fn taps(self) -> usize {
        match self {
            Self::Three => 9,
            Self::One => 1,
            Self::Up | Self::Down => 4,
            Self::Tiles => 16,
        }
    }

    /// The size of the result for images of this size.
    pub const fn result(self, size: Size) -> Size {
        match self {
            Self::Three | Self::One | Self::Tiles => size,
            Self::Up => Size::new(2 * size.nx, 2 * size.ny),
            Self::Down => Size::new(size.nx / 2, size.ny / 2),
        }
    }

    /// The geometry of the data gradient.
    pub const fn gradient(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            same => same,
        }
    }

    /// The shape of the weights, `[taps, 1, ci, co]` with ci rounded up to a multiple of four. Each tap and input
    /// channel is a "pixel", so that weights are a tensor like others.
    pub const fn weights(self, ci: usize, co: usize) -> Shape {
        Shape::new(self.taps(), 1, ci.next_multiple_of(4), co)
    }

    pub(crate) fn constant(self) -> (&'static str, u32) {
        ("GEOMETRY", self as u32)
    }
}

/// The operation applied to each sum before it is stored.
#[derive(Clone, Copy, Debug)]
pub enum Finish {
    /// Nothing.
    Plain,
    /// Adds one value per channel, `[1, 1, 1, co]`, from the buffer of the weights.
    Bias(Tensor),
    /// A norm over all images with known statistics, followed by Leaky ReLU, as in `super::norm::record`.
    Norm {
        /// Mean and 1/σ, `[1, 1, 2, co]`.
        statistics: Tensor,
        /// γ and β, `[1, 1, 1, co]` each, in the buffer of the weights.
        affine: [Tensor; 2],
        /// The slope of the Leaky ReLU below 0; 1 for the norm alone.
        slope: f32,
    },
}

impl Finish {
    /// The statistics, the first quads of scale and shift, and the slope, as the shaders expect them.
    pub(crate) fn places(self) -> (Option<Tensor>, [u32; 2], f32) {
        match self {
            Self::Plain => (None, [0; 2], 1.0),
            Self::Bias(bias) => (None, [0, bias.first], 1.0),
            Self::Norm { statistics, affine, slope } => (Some(statistics), affine.map(|t| t.first), slope),
        }
    }

    pub(crate) const fn kind(self) -> FinishKind {
        match self {
            Self::Plain => FinishKind::Plain,
            Self::Bias(_) => FinishKind::Bias,
            Self::Norm { .. } => FinishKind::Norm,
        }
    }

    /// The extent of the buffer that holds `weights` and the values of this finish.
    pub(crate) fn bound_with(self, weights: Tensor) -> Bound {
        let end = |t: Tensor| t.first as usize + t.shape.quads();
        let more = match self {
            Self::Plain => 0,
            Self::Bias(bias) => end(bias),
            Self::Norm { affine, .. } => affine.map(end).into_iter().fold(0, usize::max),
        };
        let own = weights.first as usize + weights.shape.floats() / 4;
        weights.buf.first::<[f32; 4]>(own.max(more))
    }
}

/// The kind of a [`Finish`]. Its number is the constant `FINISH` of the shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FinishKind {
    Plain,
    Bias,
    Norm,
}

impl FinishKind {
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Bias, Self::Norm];

    pub(crate) fn constant(self) -> (&'static str, u32) {
        ("FINISH", self as u32)
    }
}

/// The bindings of the kernels `convolve` and `convolve_half`.
pub(crate) const BINDINGS: &[Binding] =
    &[read("src", "Stored"), read("weights", "Stored"), read("statistics", "vec4f"), write("dst", "vec4f")];

/// The parameters of both kernels.
pub(crate) const LAYOUT: ParamsLayout = ConvolveParams::LAYOUT;

/// The row of the table of kernels.
pub static CONVOLVE: Kernel = Kernel {
    name: "convolve",
    source: include_str!("../../../kernels/nn/convolve.wgsl"),
    bindings: BINDINGS,
    params: LAYOUT,
    specs: || {
        let each = |form: Form| {
            Geometry::ALL.into_iter().flat_map(move |g| FinishKind::ALL.map(|f| spec(form, g, f)))
        };
        Form::all_direct().flat_map(each).collect()
    },
    native: Some(native::native),
};

/// The specialisation that [`record`] uses.
fn spec(form: Form, geometry: Geometry, finish: FinishKind) -> Spec {
    let own = [geometry.constant(), finish.constant()];
    match form {
        Form::Half(units) => convolve_half::spec(units, geometry, finish),
        Form::Tiled([loads, _]) => form.spec(&CONVOLVE, &[own.as_slice(), &[("ROWS", 4 * loads)]].concat()),
        _ => form.spec(&CONVOLVE, &own),
    }
}

impl Form {
    /// The specialisations of a convolution of `geometry` in this form; empty if the geometry has no such form.
    pub fn convolves(self, geometry: Geometry, finish: Finish) -> Vec<Spec> {
        match (self, geometry) {
            (Self::Winograd(inner), Geometry::Three) => vec![
                Spec::new(&winograd::WINOGRAD_INPUT, &[]),
                Spec::new(&winograd::WINOGRAD_WEIGHTS, &[]),
                spec(inner.form(), Geometry::Tiles, FinishKind::Plain),
                winograd::spec_output(finish.kind()),
            ],
            (Self::Winograd(_), _) => Vec::new(),
            _ => vec![spec(self, geometry, finish.kind())],
        }
    }
}

/// Records a convolution with `weights` ([`Geometry::weights`]): `src` `[n, h, w, ci]`, `dst` `[n, h', w', co]`.
pub(crate) fn record(
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

/// Reports whether each output pixel has a single tap.
fn apart(geometry: Geometry) -> bool {
    matches!(geometry, Geometry::Up | Geometry::Tiles)
}

/// Records a convolution in one dispatch, whose cost counts `flops`.
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
        // Each pixel of a tile is an image of its own.
        Geometry::Tiles => Shape { h: 1, w: 1, ..src.shape },
        _ => src.shape,
    };
    let (ci4, co4) = (src.shape.quads(), dst.shape.quads());
    let (statistics, [scale, shift], slope) = finish.places();
    let params = ConvolveParams {
        n: n as u32,
        h: h as u32,
        w: w as u32,
        ci4: ci4 as u32,
        co4: co4 as u32,
        src: src.place(),
        weights_first: weights.first,
        shift_first: shift,
        scale_first: scale,
        statistics: statistics.map_or(Place::default(), Tensor::place),
        dst: dst.place(),
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
    // Without statistics the binding is never read.
    let statistics = statistics.map_or_else(|| weights.buf.first::<u8>(0), Tensor::bound);
    let resources = [src.bound(), finish.bound_with(weights), statistics, dst.bound()];
    rec.groups(spec(form, geometry, finish.kind()), &params, &resources, groups, cost);
}

/// Records a 3 × 3 convolution by Winograd's algorithm.
fn transformed(
    rec: &mut Recorder,
    form: Form,
    src: Tensor,
    (weights, finish): (Tensor, Finish),
    dst: Tensor,
) {
    let tiles = Tensor::scratch(rec, "Winograd's tiles", winograd::tiles(src.shape));
    winograd::record_input(rec, src, tiles);
    let own = winograd::record_weights(rec, weights);
    let products = Tensor::scratch(rec, "Winograd's products", winograd::tiles(dst.shape));
    // The cost counts the flops of the plain convolution, so that rates can be compared.
    let flops = 2.0 * (9 * dst.shape.pixels()) as f64 * (src.shape.c * dst.shape.c) as f64;
    direct(rec, form, Geometry::Tiles, [tiles, products], (own, Finish::Plain), flops);
    winograd::record_output(rec, products, (weights, finish), dst);
}

/// Records the data gradient of a convolution of `geometry`: `grad` `[n, h', w', co]`, `dst` `[n, h, w, ci]`.
pub(crate) fn record_gradient(
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
