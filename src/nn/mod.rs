//! The network: a U-Net of the DIME family on a tape, and its weights at rest as PyTorch's state dictionaries.

mod forward;
mod layout;
pub(crate) mod rest;
mod unet;
mod weights;

pub use forward::Forward;
pub use layout::{Entry, Kind, Layout, Registered};
pub use rest::Precision;
pub use unet::{Mode, Norm, Unet, UnetSettings, Up};
pub use weights::Weights;
