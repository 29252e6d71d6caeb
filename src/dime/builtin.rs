//! The weights that come with palpate: trained here, compiled in.

use crate::error::{Error, Result};
use crate::nn::Weights;

/// A network that comes with palpate, named by the forward model it was trained with. `weights/` has its card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// Waves in a body as thick as wide: cylinders driven at one end.
    Bulk,
    /// Bending waves of a slab.
    Slab,
}

impl Builtin {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Bulk, Self::Slab];

    /// The forward model's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Slab => "slab",
        }
    }

    /// Its weights.
    ///
    /// # Errors
    /// [`Error::Data`] where they cannot be read, which a test excludes.
    pub fn weights(self) -> Result<Weights> {
        let bytes: &[u8] = match self {
            Self::Bulk => include_bytes!("../../weights/bulk.safetensors"),
            Self::Slab => include_bytes!("../../weights/slab.safetensors"),
        };
        Weights::parse(bytes).map_err(|what| Error::Data(format!("palpate's own weights: the file {what}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dime::{Model, Views};

    #[test]
    fn built_in_weights_say_what_they_are() {
        for builtin in Builtin::ALL {
            let weights = builtin.weights().unwrap();
            let model = Model::from_metadata(&weights.metadata).unwrap();
            assert_eq!(model.forward_model, builtin.name());
            assert_eq!(model.views, Views::All);
            assert!(model.calibration.is_some());
        }
    }
}
