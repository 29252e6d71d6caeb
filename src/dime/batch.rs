//! One batch of patches: cut with their surroundings, and answered by the network.

use super::model::Model;
use crate::error::{Error, Result};
use crate::kernel::core::clear;
use crate::kernel::form::Chooser;
use crate::kernel::tiles::coarsen;
use crate::kernel::tiles::cut::{self, LatticeBuffers, Scene};
use crate::nn::{Channels, Network as _, NetworkMode, Weights};
use crate::patches::{FAINTEST, LEAST_COVER, Normalisation};
use crate::plan::Recorder;
use crate::tape::{Leaves, Lowering, Tape};
use crate::tensor::{Shape, Tensor};

/// The images that the patches of all batches are cut from.
pub struct Scenes {
    image: Scene,
    /// The shape of a batch of patches.
    patches: Shape,
    surroundings: Option<Surrounding>,
    faintest: Option<f32>,
}

struct Surrounding {
    /// The coarsened images, one of each view.
    views: Vec<Scene>,
    shape: Shape,
    /// Surroundings that tell nothing, as the training shows to a share of the patches.
    nothing: Tensor,
}

/// Checks that a network has the inputs of `model` and one output.
///
/// # Errors
/// [`Error::Data`] if it has others.
pub fn check(weights: &Weights, model: &Model) -> Result<()> {
    let own = weights.network.channels();
    let needed = Channels { inputs: model.channels(), output: 1 };
    if own == needed {
        return Ok(());
    }
    let surroundings = match model.surroundings.is_empty() {
        true => "its metadata state no surroundings".into(),
        false => format!("its metadata state surroundings = '{}'", model.surroundings),
    };
    Err(Error::Data(format!("the network has {own}, but an inversion needs {needed}, as {surroundings}")))
}

impl Scenes {
    /// Records the coarsened images of the views of `model`. A batch has `batch` patches of `side` rows and columns.
    pub fn new(rec: &mut Recorder, image: Scene, model: &Model, batch: usize, side: usize) -> Self {
        let shape = |channels: usize| Shape::new(batch, side, side, channels);
        let inputs = model.channels();
        let surroundings = inputs.get(1).map(|&channels| {
            let coarsened = |scale: &usize| coarsen::record(rec, image, *scale, LEAST_COVER);
            let views = model.surroundings.scales().iter().map(coarsened).collect();
            let nothing = Tensor::scratch(rec, "no surroundings", shape(channels));
            clear::record(rec, nothing.buf(), shape(channels).floats());
            Surrounding { views, shape: shape(channels), nothing }
        });
        let faintest = (model.normalisation == Normalisation::Patch).then_some(FAINTEST);
        Self { image, patches: shape(inputs[0]), surroundings, faintest }
    }

    /// The number of answers to a patch: one, or two with surroundings.
    pub fn answers(&self) -> usize {
        if self.surroundings.is_some() { 2 } else { 1 }
    }

    /// Records the cutting of the next batch's patches, and the network's answers to them: that with surroundings, or the
    /// only one, and that without surroundings.
    ///
    /// # Errors
    /// Those of the network on a tape.
    pub fn record(
        &self,
        rec: &mut Recorder,
        chooser: &Chooser,
        weights: &Weights,
        leaves: Leaves,
        lattice: LatticeBuffers,
    ) -> Result<Vec<Tensor>> {
        rec.stage("patches");
        let (network, mode) = (&weights.network, NetworkMode::Infer);
        let mut tape = Tape::new();
        let registered = network.layout().register(&mut tape);
        let patch = tape.input(self.patches);
        let cuttings = Tensor::scratch(rec, "patches of the wave", self.patches);
        cut::record(rec, self.image, lattice, self.faintest, cuttings, 0);
        let mut inputs = vec![(patch, cuttings)];
        let outputs = match &self.surroundings {
            None => vec![network.forward(&mut tape, &registered, &[patch], mode)?],
            Some(Surrounding { views, shape, nothing }) => {
                let around = Tensor::scratch(rec, "surroundings of the patches", *shape);
                for (pair, view) in views.iter().enumerate() {
                    cut::record(rec, *view, lattice, self.faintest, around, pair);
                }
                let both = [around, *nothing].map(|tensor| (tape.input(*shape), tensor));
                inputs.extend(both);
                let both = both.map(|(input, _)| input);
                network.forward_twice(&mut tape, &registered, patch, both, mode)?.into()
            }
        };
        rec.stage("network");
        let results: Vec<_> = outputs.iter().map(|output| (*output, None)).collect();
        let lowering = Lowering::new(&tape, rec, chooser, leaves, &inputs, &results)?;
        Ok(outputs.into_iter().map(|output| lowering.tensor(output)).collect())
    }
}
