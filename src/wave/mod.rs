//! Wave images: the meaning of a file's samples, the mask of the tissue, and warnings.

pub mod analytic;
mod evidence;
pub mod image;
pub mod join;
pub mod note;
mod reading;
mod unwrap;
pub mod warning;

pub use image::{
    Certainty, FrameLayout, FrameLayoutChoice, Origin, ReadOptions, TurnChoice, WaveImage, ZeroChoice,
    ZeroLevel,
};
pub use join::join;
pub use note::Note;
pub use warning::Warning;
