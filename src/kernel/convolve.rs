//! Convolutions of 3 × 3 and 1 × 1 pixels, the transposed one of 2 × 2, and their data gradients;
//! `kernels/convolve.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, flip, read, trial, uniform, write};
use crate::gpu::Caps;
use crate::oracle;
use crate::plan::{MOST_GROUPS, Recorder};
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/convolve.wgsl`.
    struct Uniform {
        n: u32, h: u32, w: u32, ci4: u32, co4: u32, src_first: u32, src_pitch: u32, weights_first: u32,
        bias_first: u32, dst_first: u32, dst_pitch: u32,
    }
}

/// Which pixels a convolution brings together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Geometry {
    /// 3 × 3 with a border of zeros: as large as it was.
    Three,
    /// 1 × 1.
    One,
    /// Transposed 2 × 2 with stride 2: twice as large.
    Up,
    /// 2 × 2 with stride 2, half as large: the data gradient of [`Geometry::Up`].
    Down,
}

impl Geometry {
    const ALL: [Self; 4] = [Self::Three, Self::One, Self::Up, Self::Down];

    /// How many pixels of weights there are.
    pub const fn taps(self) -> usize {
        match self {
            Self::Three => 9,
            Self::One => 1,
            Self::Up | Self::Down => 4,
        }
    }

    /// Rows and columns of the result.
    pub const fn result(self, [h, w]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Three | Self::One => [h, w],
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

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Many accumulators a thread and values shared among so many lanes (4 or 8): for software adapters.
    Register(u32),
    /// The same with loads of 64 bits: for software adapters, which load number by number.
    Wide(u32),
    /// Tiles in workgroup memory: for GPUs.
    Tiled,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 5] =
        [Self::Wide(8), Self::Wide(4), Self::Register(8), Self::Register(4), Self::Tiled];

    /// The forms a device can run, the most promising first, for a result of `co` channels.
    ///
    /// 16 channels fill teams of four lanes and leave half of eight idle (`kernels/README.md`).
    pub fn candidates(caps: &Caps, co: usize) -> Vec<Self> {
        let mut forms = Self::ALL.to_vec();
        if co <= 16 {
            forms.swap(0, 1);
            forms.swap(2, 3);
        }
        if !caps.software() {
            forms.rotate_right(1);
        }
        forms.retain(|form| form.spec(&KERNEL, &[]).runs_on(caps));
        forms
    }

    pub(super) fn spec(self, kernel: &'static Kernel, constants: &[(&'static str, u32)]) -> Spec {
        let own: &[(&'static str, u32)] = match self {
            Self::Register(lanes) => &[("TILED", 0), ("LANES", lanes), ("WIDE", 0)],
            Self::Wide(lanes) => &[("TILED", 0), ("LANES", lanes), ("WIDE", 1)],
            Self::Tiled => &[("TILED", 1), ("WIDE", 0)],
        };
        let features = match self {
            Self::Register(_) => wgpu::Features::SUBGROUP,
            Self::Wide(_) => wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64,
            Self::Tiled => wgpu::Features::empty(),
        };
        let lanes = self.lanes().unwrap_or_default();
        Spec { features, lanes, ..Spec::new(kernel, &[own, constants].concat()) }
    }

    pub(super) fn of(spec: &Spec) -> Self {
        match [spec.constant("TILED"), spec.constant("WIDE")] {
            [1, _] => Self::Tiled,
            [_, 1] => Self::Wide(spec.constant("LANES")),
            _ => Self::Register(spec.constant("LANES")),
        }
    }

    /// How many lanes share values, if they do.
    pub(super) fn lanes(self) -> Option<u32> {
        match self {
            Self::Register(lanes) | Self::Wide(lanes) => Some(lanes),
            Self::Tiled => None,
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Register(lanes) => write!(f, "in registers, shared among {lanes} lanes"),
            Self::Wide(lanes) => write!(f, "in registers, shared among {lanes} lanes, loads of 64 bits"),
            Self::Tiled => f.write_str("tiled in workgroup memory"),
        }
    }
}

/// What a convolution has learned. Both lie in one buffer.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// As [`Geometry::weights`].
    pub weights: Tensor,
    /// `[1, 1, 1, co]`.
    pub bias: Option<Tensor>,
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "convolve",
    source: include_str!("../../kernels/convolve.wgsl"),
    bindings: &[uniform("p"), read("src"), read("weights"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || {
        let each =
            |form: Form| Geometry::ALL.into_iter().flat_map(move |g| [0, 1].map(|b| spec(form, g, b == 1)));
        Form::ALL.into_iter().flat_map(each).collect()
    },
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(5, [3, 2], 2, 3),
        Size::batch(1, [7, 13], 5, 37),
        Size::batch(128, [1, 3], 3, 2),
        Size::batch(33, [2, 3], 18, 5),
        Size::batch(1, [41, 47], 3, 5),
        Size::batch(1, [1, 55], 1, 70),
        Size::batch(4, [15, 15], 32, 32),
    ],
    trial,
};

/// The specialisation that [`record`] uses.
pub fn spec(form: Form, geometry: Geometry, bias: bool) -> Spec {
    form.spec(&KERNEL, &[geometry.constant(), ("BIAS", bias.into())])
}

/// Records a convolution: `src` `[n, h, w, ci]`, `dst` `[n, h', w', co]`.
pub fn record(
    rec: &mut Recorder,
    form: Form,
    geometry: Geometry,
    src: Tensor,
    Filter { weights, bias }: Filter,
    dst: Tensor,
) {
    let Shape { n, h, w, .. } = if geometry == Geometry::Down { dst.shape } else { src.shape };
    let (ci4, co4) = (src.shape.quads(), dst.shape.quads());
    let params = Uniform {
        n: n as u32,
        h: h as u32,
        w: w as u32,
        ci4: ci4 as u32,
        co4: co4 as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        weights_first: weights.first,
        bias_first: bias.map_or(0, |b| b.first),
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let [pixels, quads] = form.lanes().map_or([64, 16], |lanes| [32, lanes as usize]);
    let along_z = if geometry == Geometry::Up { 4 } else { 1 };
    let tiles = (n * h * w).div_ceil(pixels);
    let folds = tiles.div_ceil(MOST_GROUPS);
    let groups = [tiles.div_ceil(folds), co4.div_ceil(quads), along_z * folds];
    let taps = if geometry == Geometry::Up { 1 } else { geometry.taps() };
    let cost = Cost {
        flops: 2.0 * (dst.shape.pixels() * taps) as f64 * (src.shape.c * dst.shape.c) as f64,
        bytes: 4.0 * (src.shape.floats() + weights.shape.floats() + dst.shape.floats()) as f64,
    };
    let resources = [src.buf.into(), weights.buf.into(), dst.buf.into()];
    rec.groups(spec(form, geometry, bias.is_some()), &params, &resources, groups, cost);
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
    record(rec, form, geometry.gradient(), grad, Filter { weights: flipped, bias: None }, dst);
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [ci, co] = size.channels;
    let geometry = Geometry::ALL[spec.constant("GEOMETRY") as usize];
    let small = size.shape(ci);
    let [h, w] = if geometry == Geometry::Down { [2 * small.h, 2 * small.w] } else { [small.h, small.w] };
    let src = trial::random(rng, Shape { h, w, ..small });
    let weights = trial::weights(rng, geometry, [ci, co]);
    let bias: Vec<f64> = (0..co).map(|_| f64::from(rng.f32())).collect();
    let bias = (spec.constant("BIAS") == 1).then_some(bias.as_slice());
    let expected = oracle::convolve(&src, &weights, bias, geometry);
    let (src, filter) = (trial::upload(rec, "source", &src), trial::upload_filter(rec, &weights, bias));
    let (n, h, w, _) = expected.dim();
    let dst = trial::room(rec, "result", Shape::new(n, h, w, co));
    record(rec, Form::of(spec), geometry, src, filter, dst);
    vec![trial::expect(dst, &expected, 1e-6)]
}
