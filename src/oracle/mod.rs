//! The kernels once more, in f64 on the CPU: the same names, written for clarity. Tests compare every
//! kernel with its oracle; nothing falls back to them.

mod chirp;
mod colour;
mod combine;
mod confidence;
mod erode;
mod fft;
mod fit;
mod harmonic;
mod input;
mod local_mean;
mod moments;
mod normalise;
mod residual;
mod restore;
mod row_moments;
mod spectral;
mod stencil;
mod total;
mod weigh;
mod window;

pub use chirp::chirp;
pub use colour::colour;
pub use combine::{Combined, combine};
pub use confidence::confidence;
pub use erode::erode;
pub use fft::{fft, fft2};
pub use fit::fit;
pub use harmonic::harmonic;
pub use input::{blot, flat, flat_real, waves, wide, wide_complex, wide4};
pub use local_mean::local_mean;
pub use moments::moments;
pub use normalise::normalise;
pub use residual::residual;
pub use restore::restore;
pub use row_moments::row_moments;
pub use spectral::spectral;
pub use stencil::stencil;
pub use total::total;
pub use weigh::weigh;
pub use window::window;
