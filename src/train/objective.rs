//! Objectives: the loss that a training minimises.

use crate::error::Result;
use crate::nn::Stored;
use crate::tape::{Tape, Var};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// A part of a loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossPart {
    /// The name in the log, in checkpoints and in metadata, such as `mse`.
    pub name: &'static str,
    /// The unit, such as "kPa²"; empty if there is none.
    pub unit: &'static str,
    /// The factor of this part in the total. A part with factor 0 is measured, but has no gradient.
    pub factor: f32,
}

/// A loss: the sum of its parts, each times its factor. The fields of the implementing type are the loss' settings, and
/// checkpoints store them.
pub trait Objective: Stored {
    /// The parts, 1 or more. At most 4 of them may have a factor other than 0.
    fn parts(&self) -> Vec<LossPart>;

    /// The shapes of the inputs besides the network's own, for an `output` of the network. All have `n = output.n`.
    fn inputs(&self, output: Shape) -> Vec<Shape>;

    /// Puts the parts on `tape`, as scalars in the order of [`Objective::parts`]. `inputs` are those of
    /// [`Objective::inputs`], and each must be used.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if the shapes do not fit.
    fn record(&self, tape: &mut Tape, output: Var, inputs: &[Var]) -> Result<Vec<Var>>;

    /// The weight of each part of one batch in a mean over batches. `inputs` holds the batch. If the first weight is 0,
    /// nothing counts in the batch, and a training refuses it.
    ///
    /// The last batch of a validation may be short. It is then filled with samples whose inputs are all 0. They must
    /// neither count in the parts nor in the weights.
    fn weights(&self, inputs: &[Vec<f32>]) -> Vec<f64>;

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) that names the setting.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// The mean square error over all pixels with a mask above 0. Inputs: the target `[n, h, w, c]`, and the mask
/// `[n, h, w, 1]`, which holds the weight of each pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeanSquareError {}

impl Objective for MeanSquareError {
    fn parts(&self) -> Vec<LossPart> {
        vec![LossPart { name: "mse", unit: "", factor: 1.0 }]
    }

    fn inputs(&self, output: Shape) -> Vec<Shape> {
        vec![output, Shape { c: 1, ..output }]
    }

    fn record(&self, tape: &mut Tape, output: Var, inputs: &[Var]) -> Result<Vec<Var>> {
        Ok(vec![tape.mse(output, inputs[0], Some(inputs[1]))?])
    }

    fn weights(&self, inputs: &[Vec<f32>]) -> Vec<f64> {
        vec![inputs[1].iter().map(|&w| f64::from(w)).sum()]
    }
}
