//! Wave images: what the samples of a file mean, where the tissue is, and what is doubtful.

pub mod analytic;
pub mod image;
mod unwrap;
pub mod warning;

pub use image::{Layout, LayoutChoice, ReadOptions, WaveImage, ZeroChoice, ZeroLevel};
pub use warning::Warning;
