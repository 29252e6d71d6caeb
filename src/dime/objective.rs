//! The loss of DIME (Iftikhar, Ahmad, Kolipaka 2025, §2.3).

use crate::error::{Error, Result};
use crate::tape::{Tape, Var};
use crate::tensor::Shape;
use crate::train::{LossPart, Objective};
use serde::{Deserialize, Serialize};

/// The mean square error + λ · the mean total variation of the prediction, over the pixels with a mask above 0. Inputs:
/// the true modulus `[n, h, w, 1]`, kPa, and the mask `[n, h, w, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MseTv {
    /// The factor λ of the total variation.
    pub total_variation: f32,
}

impl Default for MseTv {
    fn default() -> Self {
        Self { total_variation: 0.01 }
    }
}

impl Objective for MseTv {
    fn parts(&self) -> Vec<LossPart> {
        vec![
            LossPart { name: "mse", unit: "kPa²", factor: 1.0 },
            LossPart { name: "total_variation", unit: "kPa per pixel", factor: self.total_variation },
        ]
    }

    fn inputs(&self, output: Shape) -> Vec<Shape> {
        vec![output, Shape { c: 1, ..output }]
    }

    fn record(&self, tape: &mut Tape, output: Var, inputs: &[Var]) -> Result<Vec<Var>> {
        let (target, mask) = (inputs[0], Some(inputs[1]));
        Ok(vec![tape.mse(output, target, mask)?, tape.total_variation(output, mask)?])
    }

    /// The sum of the mask, and the number of pixels inside.
    fn weights(&self, inputs: &[Vec<f32>]) -> Vec<f64> {
        let mask = &inputs[1];
        let sum = mask.iter().map(|&w| f64::from(w)).sum();
        vec![sum, mask.iter().filter(|w| **w > 0.0).count() as f64]
    }

    fn check(&self) -> Result<()> {
        let factor = self.total_variation;
        if factor.is_finite() && factor >= 0.0 {
            return Ok(());
        }
        Err(Error::setting("total_variation", factor, "it must be a number from 0 on"))
    }
}
