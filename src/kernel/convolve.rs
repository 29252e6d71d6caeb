//! Convolutions of 3 × 3 and 1 × 1 pixels, the transposed one of 2 × 2, and their data gradients;
//! `kernels/convolve.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, flip, norm, read, trial, uniform, write};
use crate::gpu::Caps;
use crate::oracle;
use crate::plan::{MOST_GROUPS, Recorder};
use crate::tensor::{Shape, Tensor};
use serde::{Deserialize, Serialize};

params! {
    /// `Params` of `kernels/convolve.wgsl`.
    struct Uniform {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Form {
    /// Many accumulators a thread and values shared among so many lanes (4 or 8): for software adapters.
    Register(u32),
    /// The same with loads of 64 bits: for software adapters, which load number by number.
    Wide(u32),
    /// Tiles in workgroup memory, of so many times 64 pixels by so many times 64 channels: for GPUs.
    Tiled([u32; 2]),
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 7] = [
        Self::Wide(8),
        Self::Wide(4),
        Self::Register(8),
        Self::Register(4),
        Self::Tiled([2, 2]),
        Self::Tiled([2, 1]),
        Self::Tiled([1, 1]),
    ];

    /// The forms a device can run, the most promising first, for a result of `co` channels; on GPUs, of `pixels`.
    ///
    /// On software adapters 16 channels fill teams of four lanes and leave half of eight idle; on GPUs large tiles read
    /// less, where there are channels to fill them, and pixels for more tiles than there are processors
    /// (`kernels/README.md`).
    pub fn candidates(caps: &Caps, co: usize, pixels: usize) -> Vec<Self> {
        let mut forms = Self::ALL.to_vec();
        let unlike = |form: &Self| match *form {
            Self::Register(lanes) | Self::Wide(lanes) => (!caps.software(), (lanes == 4) != (co <= 16)),
            Self::Tiled([loads, quads]) => {
                let broad = 64 * quads as usize > co.next_multiple_of(64);
                let few =
                    pixels / (64 * loads as usize) * co.div_ceil(64 * quads as usize) < 256 && loads > 1;
                (caps.software(), broad || few)
            }
        };
        // Those of the adapter's kind before others, of these what loads in 64 bits before what does not; among likes in
        // the order of ALL.
        forms.sort_by_key(|form| {
            let (other, ill) = unlike(form);
            (other, matches!(form, Self::Register(_)), ill)
        });
        forms.retain(|form| form.spec(&KERNEL, &[]).runs_on(caps));
        forms
    }

    pub(super) fn spec(self, kernel: &'static Kernel, constants: &[(&'static str, u32)]) -> Spec {
        let own: &[(&'static str, u32)] = match self {
            Self::Register(lanes) => &[("TILED", 0), ("LANES", lanes), ("WIDE", 0)],
            Self::Wide(lanes) => &[("TILED", 0), ("LANES", lanes), ("WIDE", 1)],
            Self::Tiled([loads, quads]) => &[("TILED", 1), ("LOADS", loads), ("QUADS", quads), ("WIDE", 0)],
        };
        let features = match self {
            Self::Register(_) => wgpu::Features::SUBGROUP,
            Self::Wide(_) => wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64,
            Self::Tiled(_) => wgpu::Features::empty(),
        };
        let lanes = self.lanes().unwrap_or_default();
        Spec { features, lanes, ..Spec::new(kernel, &[own, constants].concat()) }
    }

    pub(super) fn of(spec: &Spec) -> Self {
        match [spec.constant("TILED"), spec.constant("WIDE")] {
            [1, _] => Self::Tiled(["LOADS", "QUADS"].map(|name| spec.constant(name))),
            [_, 1] => Self::Wide(spec.constant("LANES")),
            _ => Self::Register(spec.constant("LANES")),
        }
    }

    /// How it goes about it, in words.
    pub fn described(self) -> String {
        match self {
            Self::Register(lanes) => format!("in registers, shared among {lanes} lanes"),
            Self::Wide(lanes) => format!("in registers, shared among {lanes} lanes, loads of 64 bits"),
            Self::Tiled([loads, quads]) => {
                format!("tiles of {} pixels by {} channels in workgroup memory", 64 * loads, 64 * quads)
            }
        }
    }

    /// How many lanes share values, if they do.
    pub(super) fn lanes(self) -> Option<u32> {
        match self {
            Self::Register(lanes) | Self::Wide(lanes) => Some(lanes),
            Self::Tiled(_) => None,
        }
    }
}

impl std::fmt::Display for Form {
    /// `wide 8`, `register 4`, `tiles 128 x 64`.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Register(lanes) => write!(f, "register {lanes}"),
            Self::Wide(lanes) => write!(f, "wide {lanes}"),
            Self::Tiled([loads, quads]) => write!(f, "tiles {} x {}", 64 * loads, 64 * quads),
        }
    }
}

impl From<Form> for String {
    fn from(form: Form) -> Self {
        form.to_string()
    }
}

impl TryFrom<String> for Form {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|form| form.to_string() == name);
        found.ok_or_else(|| format!("there is no form '{name}' of a convolution"))
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
    /// The constant `FINISH` of the shader.
    pub(super) const fn constant(self) -> u32 {
        match self {
            Self::Plain => 0,
            Self::Bias(_) => 1,
            Self::Norm { .. } => 2,
        }
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "convolve",
    source: include_str!("../../kernels/convolve.wgsl"),
    bindings: &[uniform("p"), read("src"), read("weights"), read("statistics"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || {
        let each =
            |form: Form| Geometry::ALL.into_iter().flat_map(move |g| [0, 1, 2].map(|f| spec(form, g, f)));
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

/// The specialisation that [`record`] uses; `finish` is [`Finish`]'s number.
fn spec(form: Form, geometry: Geometry, finish: u32) -> Spec {
    let own = [geometry.constant(), ("FINISH", finish)];
    match form {
        Form::Tiled([loads, _]) => form.spec(&KERNEL, &[own.as_slice(), &[("ROWS", 4 * loads)]].concat()),
        _ => form.spec(&KERNEL, &own),
    }
}

impl Form {
    /// The specialisation for a convolution of `geometry` in this form.
    pub fn convolves(self, geometry: Geometry, finish: Finish) -> Spec {
        spec(self, geometry, finish.constant())
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
    let Shape { n, h, w, .. } = if geometry == Geometry::Down { dst.shape } else { src.shape };
    let (ci4, co4) = (src.shape.quads(), dst.shape.quads());
    let (statistics, [scale, shift], slope) = match finish {
        Finish::Plain => (None, [0; 2], 1.0),
        Finish::Bias(bias) => (None, [0, bias.first], 1.0),
        Finish::Norm { statistics, affine, slope } => (Some(statistics), affine.map(|t| t.first), slope),
    };
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
    let [pixels, quads] = match form {
        Form::Register(lanes) | Form::Wide(lanes) => [32, lanes as usize],
        Form::Tiled([loads, quads]) => [64 * loads as usize, 16 * quads as usize],
    };
    let along_z = if geometry == Geometry::Up { 4 } else { 1 };
    let tiles = (n * h * w).div_ceil(pixels);
    let folds = tiles.div_ceil(MOST_GROUPS);
    let groups = [tiles.div_ceil(folds), co4.div_ceil(quads), along_z * folds];
    let taps = if geometry == Geometry::Up { 1 } else { geometry.taps() };
    let cost = Cost {
        flops: 2.0 * (dst.shape.pixels() * taps) as f64 * (src.shape.c * dst.shape.c) as f64,
        bytes: 4.0 * (src.shape.floats() + weights.shape.floats() + dst.shape.floats()) as f64,
    };
    let statistics = statistics.unwrap_or(weights);
    let resources = [src, weights, statistics, dst].map(|t| t.buf.into());
    rec.groups(form.convolves(geometry, finish), &params, &resources, groups, cost);
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
    let [ci, co] = size.channels;
    let geometry = Geometry::ALL[spec.constant("GEOMETRY") as usize];
    let small = size.shape(ci);
    let [h, w] = if geometry == Geometry::Down { [2 * small.h, 2 * small.w] } else { [small.h, small.w] };
    let src = trial::random(rng, Shape { h, w, ..small });
    let weights = trial::weights(rng, geometry, [ci, co]);
    let row = Shape::new(1, 1, 1, co);
    // A shift large enough that in the smallest trials, of one value, nothing cancels.
    let [gamma, beta] = [0.0, 4.0].map(|shift| trial::random(rng, row) + shift);
    let rows = [gamma, beta].map(|v| v.into_raw_vec_and_offset().0);
    let filter = trial::upload_filter(rec, &weights, &rows);
    let bias = (spec.constant("FINISH") == 1).then_some(rows[1].as_slice());
    let mut expected = oracle::convolve(&src, &weights, bias, geometry);
    let finish = match spec.constant("FINISH") {
        0 => Finish::Plain,
        1 => Finish::Bias(filter.rows[1]),
        _ => {
            let mut statistics = trial::random(rng, Shape::new(1, 1, 2, co));
            statistics.slice_mut(ndarray::s![.., .., 1, ..]).mapv_inplace(|v| v.abs() + 0.5);
            let statistics = norm::narrow(statistics);
            let place = trial::upload(rec, "statistics", &statistics);
            let [gamma, beta] = rows.map(|v| ndarray::Array4::from_shape_fn((1, 1, 1, co), |(.., o)| v[o]));
            let slope = 0.25;
            let affine = Some((gamma, beta));
            expected = oracle::norm(&oracle::Norm { x: expected, statistics, affine, slope });
            Finish::Norm { statistics: place, affine: filter.rows, slope: slope as f32 }
        }
    };
    let src = trial::upload(rec, "source", &src);
    let (n, h, w, _) = expected.dim();
    let dst = trial::room(rec, "result", Shape::new(n, h, w, co));
    record(rec, Form::of(spec), geometry, src, (filter.weights, finish), dst);
    vec![trial::expect(dst, &expected, 1e-6)]
}
