//! Networks: the trait [`Network`], its implementation [`Unet`] of the DIME family, and their weights as PyTorch's
//! state dictionaries.

mod forward;
mod layout;
mod network;
pub(crate) mod state_dict;
mod unet;
mod weights;

pub use forward::Forward;
pub use layout::{EntryKind, LayoutEntry, ParameterLayout, Registered};
pub use network::{Channels, Network, NetworkMode, Stored};
pub use state_dict::Precision;
pub use unet::{NormKind, Unet, UnetSettings, Up};
pub use weights::Weights;
