//! Wave images: the meaning of a file's samples, the mask of the tissue, and warnings.

pub mod analytic;
pub mod image;
mod unwrap;
pub mod warning;

pub use image::{FrameLayout, FrameLayoutChoice, ReadOptions, WaveImage, ZeroChoice, ZeroLevel};
pub use warning::Warning;
