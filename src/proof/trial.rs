//! Trials. Each trial records one kernel by its wrapper on random input, and has the expected results of its oracle.
//! Tests, benches and the qualification of forms use the same table. A kernel without a trial fails the tests.

use super::{core, learning, mre, nn, signal, tiles};

// Names that all trials use.
#[cfg(test)]
pub(crate) use super::made_up::random;
pub(super) use super::{made_up, oracle};
pub(crate) use crate::kernel::mre::planes::MmdiMap;
pub(crate) use crate::plan::{Buf, Kernel, Recorder, Spec, Tex};
pub(crate) use crate::size::Size;
pub(crate) use crate::tensor::{Shape, Tensor};
pub(crate) use ndarray::{Array1, Array2, Array3, Array4, s};
pub(crate) use num_complex::Complex32;

/// The trial of one kernel.
pub struct Trial {
    /// The row of the table of kernels.
    pub kernel: &'static Kernel,
    /// The sizes of the trial: odd and prime ones, and at the end a real one, which benches use.
    pub sizes: &'static [TrialSize],
    /// Records the kernel on random input and returns the results that its oracle expects.
    pub record: fn(&mut Recorder, &Spec, TrialSize, &mut fastrand::Rng) -> Vec<Expect>,
}

/// The trials of every kernel.
pub fn trials() -> impl Iterator<Item = &'static Trial> {
    let families = [core::TRIALS, signal::TRIALS, mre::TRIALS, tiles::TRIALS, nn::TRIALS, learning::TRIALS];
    families.into_iter().flatten().flat_map(|file| file.iter())
}

/// The trial of `kernel`.
///
/// # Panics
/// If there is none, which a test excludes.
pub fn trial(kernel: &Kernel) -> &'static Trial {
    let found = trials().find(|trial| trial.kernel.name == kernel.name);
    found.unwrap_or_else(|| panic!("kernel {} has no trial", kernel.name))
}

/// The size of a trial: planes of one size, and channels for the kernels of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialSize {
    /// The number of planes, frames or directions, or of images in a batch.
    pub planes: usize,
    /// The size of a plane.
    pub image: Size,
    /// Input and output channels.
    pub channels: [usize; 2],
}

impl TrialSize {
    /// The size of `planes` planes of `image`.
    pub const fn new(planes: usize, image: Size) -> Self {
        Self { planes, image, channels: [1, 1] }
    }

    /// The size of `n` images of `image` with `ci` input and `co` output channels.
    pub const fn batch(n: usize, image: Size, ci: usize, co: usize) -> Self {
        Self { planes: n, image, channels: [ci, co] }
    }

    /// The shape of the images with `c` channels.
    pub const fn shape(self, c: usize) -> Shape {
        Shape::images(self.planes, self.image, c)
    }

    /// The number of pixels of one plane.
    pub const fn pixels(self) -> usize {
        self.image.pixels()
    }
}

/// A result that an oracle expects.
pub struct Expect {
    /// The place of the result.
    pub place: At,
    /// The oracle's values, as many as the place holds.
    pub values: Vec<f64>,
    /// The largest relative error ‖a−b‖₂/‖b‖₂ that rounding explains.
    pub tolerance: f64,
}

/// The place where a trial leaves a result.
pub enum At {
    /// A buffer of f32.
    Buffer(Buf),
    /// An RGBA texture, as bytes.
    Texture(Tex),
}

impl Expect {
    /// Expects `values` in `buffer`.
    pub fn in_buffer(buffer: Buf, values: Vec<f64>, tolerance: f64) -> Self {
        Self { place: At::Buffer(buffer), values, tolerance }
    }
}

/// The value of a constant of `spec`.
///
/// # Panics
/// If there is no such constant, because a trial that misspells it cannot run.
pub(crate) fn constant(spec: &Spec, name: &str) -> u32 {
    spec.constant(name).unwrap_or_else(|error| panic!("{error}"))
}
