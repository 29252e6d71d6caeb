//! The weights included in palpate: trained in this project and compiled in.

use crate::error::{Error, Result};
use crate::nn::Weights;

/// A network included in palpate, named after the forward model of its training. `weights/` has its model card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DimeWeights {
    /// Bodies and slabs of any outline, which the network tells apart by the surroundings of a patch. The default.
    #[default]
    Mixed,
    /// Waves in a body as thick as it is wide: cylinders driven at one end.
    Bulk,
    /// Bending waves of a slab.
    Slab,
}

impl DimeWeights {
    /// All networks.
    pub const ALL: [Self; 3] = [Self::Mixed, Self::Bulk, Self::Slab];

    /// The name of the forward model.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Bulk => "bulk",
            Self::Slab => "slab",
        }
    }

    /// The storage moduli of the training phantoms, kPa, at the frequency and the grid of the training.
    pub const fn range_kpa(self) -> [f64; 2] {
        match self {
            Self::Mixed | Self::Bulk => [0.75, 10.0],
            Self::Slab => [1.0, 8.0],
        }
    }

    /// Reads the weights.
    ///
    /// # Errors
    /// [`Error::Data`] if they cannot be read; a test excludes this.
    pub fn weights(self) -> Result<Weights> {
        let bytes: &[u8] = match self {
            Self::Mixed => include_bytes!("../../weights/mixed.safetensors"),
            Self::Bulk => include_bytes!("../../weights/bulk.safetensors"),
            Self::Slab => include_bytes!("../../weights/slab.safetensors"),
        };
        Weights::parse(bytes).map_err(|what| {
            Error::Data(format!("the weights included in palpate cannot be used: the file {what}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dime::{Model, Views};

    #[test]
    fn built_in_weights_say_what_they_are() {
        for builtin in DimeWeights::ALL {
            let weights = builtin.weights().unwrap();
            let model = Model::from_metadata(&weights.metadata).unwrap();
            assert_eq!(model.forward_model, builtin.name());
            assert_eq!(model.views, Views::All);
            assert!(model.calibration.is_some());
            assert_eq!(model.surroundings.is_empty(), builtin != DimeWeights::Mixed);
            assert_eq!(model.usual.is_some(), builtin == DimeWeights::Mixed);
        }
    }
}
