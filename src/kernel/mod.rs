//! The kernels: one row of [`TABLE`] ties a shader, its label, its specialisations and a trial together; the
//! trial records the kernel by its wrapper, which states its cost, and asks its oracle what to expect. Tests,
//! benches and `palpate shaders` all walk the table; a kernel cannot exist without a row.
//!
//! One stem names a kernel everywhere: `kernels/fft.wgsl`, `src/kernel/fft.rs`,
//! `src/oracle/fft.rs`, the row `fft`, the GPU label `fft RADIX=8`.

pub mod adam;
pub mod add;
pub mod advance;
pub mod channel_sums;
pub mod chirp;
pub mod choose;
pub mod clear;
pub mod colour;
pub mod combine;
pub mod combine_losses;
pub mod concatenate;
pub mod confidence;
pub mod confine;
pub mod convolve;
pub mod convolve_half;
pub mod convolve_weights;
pub mod copy;
pub mod cut;
pub mod dropout;
pub mod erode;
pub mod extract;
pub mod fft;
pub mod fit;
pub mod flip;
pub mod fma;
pub mod fma_units;
pub mod form;
pub mod gradient_norm;
pub mod harmonic;
pub mod local_mean;
pub mod moments;
pub mod mse;
pub mod mse_grad;
pub mod norm;
pub mod norm_grad;
pub mod norm_moments;
pub mod norm_running;
pub mod norm_statistics;
pub mod norm_sums;
pub mod normalise;
pub mod overlap;
pub mod pack;
pub mod pad;
pub mod pad_grad;
pub(crate) mod params;
pub mod pipeline;
pub mod planes;
pub mod pool;
pub mod pool_grad;
pub mod reduce;
pub mod reflect;
pub mod resample;
pub mod residual;
pub mod restore;
pub mod row_moments;
pub mod settle;
pub mod source;
pub mod spectral;
pub mod sum_groups;
pub mod total;
pub mod total_variation;
pub mod total_variation_grad;
pub(crate) mod trial;
pub mod tune;
pub mod unpack;
pub mod unstack;
pub mod upsample;
pub mod upsample_grad;
pub mod weigh;
pub mod weighted_mean;
pub mod window;
pub mod winograd_input;
pub mod winograd_output;
pub mod winograd_weights;

pub use params::{Field, Layout, Params};
pub use pipeline::{Checks, Pipelines};
pub use planes::Plane;

use crate::error::Result;
use crate::gpu::Caps;
use crate::plan::{Buf, Recorder, Tex};
use crate::tensor::Shape;

/// Every kernel there is.
pub static TABLE: &[&Kernel] = &[
    &harmonic::KERNEL,
    &moments::KERNEL,
    &total::KERNEL,
    &normalise::KERNEL,
    &fft::KERNEL,
    &chirp::KERNEL,
    &spectral::KERNEL,
    &restore::KERNEL,
    &residual::KERNEL,
    &row_moments::KERNEL,
    &fit::KERNEL,
    &erode::KERNEL,
    &weigh::KERNEL,
    &window::KERNEL,
    &combine::KERNEL,
    &local_mean::KERNEL,
    &confidence::KERNEL,
    &colour::KERNEL,
    &confine::KERNEL,
    &resample::KERNEL,
    &clear::KERNEL,
    &copy::KERNEL,
    &cut::KERNEL,
    &overlap::KERNEL,
    &advance::KERNEL,
    &settle::KERNEL,
    &unstack::KERNEL,
    &convolve::KERNEL,
    &convolve_half::KERNEL,
    &convolve_weights::KERNEL,
    &flip::KERNEL,
    &fma::KERNEL,
    &fma_units::KERNEL,
    &pool::KERNEL,
    &pool_grad::KERNEL,
    &upsample::KERNEL,
    &upsample_grad::KERNEL,
    &pad::KERNEL,
    &pad_grad::KERNEL,
    &concatenate::KERNEL,
    &extract::KERNEL,
    &add::KERNEL,
    &dropout::KERNEL,
    &pack::KERNEL,
    &unpack::KERNEL,
    &adam::KERNEL,
    &channel_sums::KERNEL,
    &combine_losses::KERNEL,
    &gradient_norm::KERNEL,
    &mse::KERNEL,
    &mse_grad::KERNEL,
    &norm::KERNEL,
    &norm_grad::KERNEL,
    &norm_moments::KERNEL,
    &norm_running::KERNEL,
    &norm_statistics::KERNEL,
    &norm_sums::KERNEL,
    &reduce::KERNEL,
    &sum_groups::KERNEL,
    &total_variation::KERNEL,
    &total_variation_grad::KERNEL,
    &weighted_mean::KERNEL,
    &winograd_input::KERNEL,
    &winograd_output::KERNEL,
    &winograd_weights::KERNEL,
];

/// One row of the table.
pub struct Kernel {
    /// The stem of its files, and its label.
    pub name: &'static str,
    /// `kernels/NAME.wgsl`, before assembly.
    pub source: &'static str,
    /// Group 0 in order; the first is always the uniform parameters.
    pub bindings: &'static [Binding],
    /// The host's side of the parameters.
    pub params: Layout,
    /// Every specialisation there is.
    pub specs: fn() -> Vec<Spec>,
    /// Sizes to try it on: odd, prime, and one of the real thing last (which benches use).
    pub sizes: &'static [Size],
    /// Records the kernel, by its wrapper, on made-up input of `Size`, and tells what its oracle
    /// expects in which buffer.
    pub trial: fn(&mut Recorder, &Spec, Size, &mut fastrand::Rng) -> Vec<Expect>,
}

/// The size of a trial: planes of `ny` rows and `nx` columns; with channels in the network's kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Planes, frames or directions, as the kernel has them; the images of a batch.
    pub planes: usize,
    /// Rows (axis 1 of an image).
    pub ny: usize,
    /// Columns (axis 0 of an image, the fastest in memory).
    pub nx: usize,
    /// Channels in and out.
    pub channels: [usize; 2],
}

impl Size {
    /// `planes` × `ny` × `nx`.
    pub const fn new(planes: usize, ny: usize, nx: usize) -> Self {
        Self { planes, ny, nx, channels: [1, 1] }
    }

    /// `n` images of `h` × `w` with `ci` channels in and `co` out.
    pub const fn batch(n: usize, [h, w]: [usize; 2], ci: usize, co: usize) -> Self {
        Self { planes: n, ny: h, nx: w, channels: [ci, co] }
    }

    /// The images with `c` channels.
    pub const fn shape(self, c: usize) -> Shape {
        Shape::new(self.planes, self.ny, self.nx, c)
    }

    /// Pixels of one plane.
    pub const fn pixels(self) -> usize {
        self.ny * self.nx
    }
}

/// What the oracle expects of a trial.
pub struct Expect {
    /// Where.
    pub place: Place,
    /// The oracle's values, as many as the place holds.
    pub values: Vec<f64>,
    /// The largest relative error ‖a−b‖₂/‖b‖₂ that rounding explains.
    pub tolerance: f64,
}

/// Where a trial leaves its result.
pub enum Place {
    /// A buffer of f32.
    Buffer(Buf),
    /// An RGBA texture, as bytes.
    Texture(Tex),
}

impl Expect {
    /// `values` in `buffer`.
    pub fn in_buffer(buffer: Buf, values: Vec<f64>, tolerance: f64) -> Self {
        Self { place: Place::Buffer(buffer), values, tolerance }
    }
}

/// What a kernel binds, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The variable's name in the shader.
    pub name: &'static str,
    /// How it is accessed.
    pub access: Access,
}

/// How a binding is accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The uniform parameters.
    Uniform,
    /// A storage buffer that is only read.
    Read,
    /// A storage buffer that is written.
    ReadWrite,
    /// An rgba8unorm texture that is written.
    Texture,
}

/// Shorthands for the rows.
pub(crate) const fn uniform(name: &'static str) -> Binding {
    Binding { name, access: Access::Uniform }
}
pub(crate) const fn read(name: &'static str) -> Binding {
    Binding { name, access: Access::Read }
}
pub(crate) const fn write(name: &'static str) -> Binding {
    Binding { name, access: Access::ReadWrite }
}

/// One specialisation of a kernel: the constants it is assembled with, the features it needs.
#[derive(Clone)]
pub struct Spec {
    /// The row.
    pub kernel: &'static Kernel,
    /// Constants in front of the source.
    pub constants: Vec<(&'static str, u32)>,
    /// Features beyond WebGPU's defaults.
    pub features: wgpu::Features,
    /// How many neighbouring threads have to be of one subgroup.
    pub lanes: u32,
}

impl Spec {
    /// `kernel` with `constants`, on WebGPU's defaults.
    pub fn new(kernel: &'static Kernel, constants: &[(&'static str, u32)]) -> Self {
        Self { kernel, constants: constants.to_vec(), features: wgpu::Features::empty(), lanes: 0 }
    }

    /// Whether a device has what it needs.
    pub fn runs_on(&self, caps: &Caps) -> bool {
        caps.features.contains(self.features) && (self.lanes == 0 || caps.subgroups_hold(self.lanes))
    }

    /// `fft RADIX=8`: how it is called in errors, timings and GPU debuggers.
    pub fn label(&self) -> String {
        let constants = self.constants.iter().map(|(name, value)| format!(" {name}={value}"));
        std::iter::once(self.kernel.name.to_string()).chain(constants).collect()
    }

    /// The assembled WGSL.
    pub fn source(&self) -> Result<String> {
        let body = source::assemble(self.kernel.name, self.kernel.source, &self.constants)?;
        // Features that naga wants to be told of.
        let extensions = [
            (wgpu::Features::SHADER_F16, "enable f16;\n"),
            (wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, "enable wgpu_cooperative_matrix;\n"),
        ];
        let wanted = extensions.iter().filter(|(feature, _)| self.features.contains(*feature));
        Ok(wanted.map(|(_, line)| *line).chain([body.as_str()]).collect())
    }

    /// The value of constant `name`, or 0.
    pub fn constant(&self, name: &str) -> u32 {
        self.constants.iter().find(|(n, _)| *n == name).map_or(0, |c| c.1)
    }
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.kernel.name == other.kernel.name && self.constants == other.constants
    }
}
impl Eq for Spec {}
impl std::hash::Hash for Spec {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.kernel.name, &self.constants).hash(state);
    }
}

/// What one dispatch costs, for rooflines: arithmetic as written, and the bytes that have to move
/// when every input is read once and every output written once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Floating-point operations.
    pub flops: f64,
    /// Bytes.
    pub bytes: f64,
}

impl Cost {
    /// `flops` and `bytes` for each of `n` elements.
    pub fn each(n: usize, flops: usize, bytes: usize) -> Self {
        Self { flops: (n * flops) as f64, bytes: (n * bytes) as f64 }
    }
}
