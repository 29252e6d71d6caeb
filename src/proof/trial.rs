//! Trials: each records one kernel, by its wrapper, on made-up input, and asks its oracle what to expect. Tests, benches and
//! the qualification of forms walk the same table; a kernel without a trial fails `tests`.

use super::{core, learning, mre, nn, signal, tiles};

// Shared by the trials.
#[cfg(test)]
pub(crate) use super::made_up::random;
pub(super) use super::{made_up, oracle};
pub(crate) use crate::kernel::mre::planes::Plane;
pub(crate) use crate::plan::{Buf, Kernel, Recorder, Spec, Tex};
pub(crate) use crate::tensor::{Shape, Tensor};
pub(crate) use ndarray::{Array1, Array2, Array3, Array4, s};
pub(crate) use num_complex::Complex32;

/// The trial of one kernel.
pub struct Trial {
    /// The row of the table of kernels.
    pub kernel: &'static Kernel,
    /// Sizes to try it on: odd, prime, and last a real one, which benches use.
    pub sizes: &'static [Size],
    /// Records the kernel on made-up input and returns the results that its oracle expects.
    pub record: fn(&mut Recorder, &Spec, Size, &mut fastrand::Rng) -> Vec<Expect>,
}

/// The trials of every kernel.
pub fn trials() -> impl Iterator<Item = &'static Trial> {
    let families = [core::TRIALS, signal::TRIALS, mre::TRIALS, tiles::TRIALS, nn::TRIALS, learning::TRIALS];
    families.into_iter().flatten().flat_map(|file| file.iter())
}

/// The trial of `kernel`.
///
/// # Panics
/// When there is none, which a test excludes.
pub fn trial(kernel: &Kernel) -> &'static Trial {
    let found = trials().find(|trial| trial.kernel.name == kernel.name);
    found.unwrap_or_else(|| panic!("kernel {} has no trial", kernel.name))
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
/// When there is no such constant: a trial that misspells it cannot run.
pub(crate) fn constant(spec: &Spec, name: &str) -> u32 {
    spec.constant(name).unwrap_or_else(|error| panic!("{error}"))
}
