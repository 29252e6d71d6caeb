//! A whole U-Net of awkward sizes: its gradient against the f64 tape, and its dropout.

use super::graph::{Forms, random};
use super::reference::{Probes, Values, evaluate};
use crate::common::compare::assert_at_most;
use ndarray::Array4;
use palpate::Size;
use palpate::lowlevel::dime::MseTv;
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::nn::pool::Pooling;
use palpate::lowlevel::nn::{Network, NetworkMode, NormKind, Unet, UnetSettings, Up, Weights};
use palpate::lowlevel::tape::{Tape, Var};
use palpate::lowlevel::tensor::Shape;
use palpate::lowlevel::train::{Learned, Losses, TrainStep};
use std::collections::HashSet;

tests![a_networks_gradient_is_that_of_the_f64_tape, dropout_is_decided_by_seed_and_step,];

/// Both pools drop a row or a column, both decoding blocks pad.
const SIZE: (usize, Size) = (3, Size::new(11, 13));
const OBJECTIVE: MseTv = MseTv { total_variation: 0.05 };
const RATE: f32 = 3e-4;

fn settings(chans: usize, norm: NormKind, pooling: Pooling, up: Up) -> UnetSettings {
    UnetSettings { chans, pools: 2, norm, pooling, up, dropout: 0.3, ..UnetSettings::default() }
}

fn every() -> impl Iterator<Item = UnetSettings> {
    let ups = |norm, pooling| [Up::Transpose, Up::Bilinear].map(|up| (norm, pooling, up));
    let pools = move |norm| Pooling::ALL.into_iter().flat_map(move |p| ups(norm, p));
    let all = [NormKind::Instance, NormKind::Batch].into_iter().flat_map(pools);
    all.zip([3, 5, 5, 3].into_iter().cycle())
        .map(|((norm, pooling, up), chans)| settings(chans, norm, pooling, up))
        .chain(with_surroundings())
}

/// Features that fill no quad, and features that do.
fn with_surroundings() -> [UnetSettings; 2] {
    [(3, NormKind::Batch, Pooling::Max, 2), (4, NormKind::Instance, Pooling::Average, 1)].map(
        |(chans, norm, pooling, surroundings)| UnetSettings {
            surroundings,
            ..settings(chans, norm, pooling, Up::Transpose)
        },
    )
}

/// Weights and a batch, on the host.
struct Setup {
    weights: Weights,
    /// The network's inputs, target, mask.
    batch: Vec<Array4<f64>>,
}

impl Setup {
    fn new(settings: UnetSettings, seed: u64) -> Self {
        let (n, size) = SIZE;
        let mut rng = fastrand::Rng::with_seed(seed);
        let unet = Unet::new(settings).expect("settings");
        let random = |c| random(&mut rng, Shape::images(n, size, c));
        let mut batch: Vec<_> = unet.channels().inputs.into_iter().chain([1, 1]).map(random).collect();
        let mask = batch.last_mut().expect("a mask");
        mask.mapv_inplace(|v| if v > -0.6 { 1.0 } else { 0.0 });
        Self { weights: Weights::random(unet, seed), batch }
    }

    /// `steps` steps on a device that holds NaN, of dropouts that `seed` decides.
    fn train(&self, chooser: &Chooser, seed: u32, steps: u32) -> (Learned, Vec<Losses>) {
        let learned = Learned::new(chooser.pipelines().device(), &self.weights).expect("room");
        let step = TrainStep::new(chooser, &learned, SIZE, &OBJECTIVE, Default::default(), &|_, _| {})
            .unwrap_or_else(|e| panic!("{e}"));
        let planes = |values: &Array4<f64>| {
            values.view().permuted_axes([0, 3, 1, 2]).iter().map(|&v| v as f32).collect::<Vec<_>>()
        };
        let batch: Vec<_> = self.batch.iter().map(planes).collect();
        let batch: Vec<_> = batch.iter().map(Vec::as_slice).collect();
        step.poison().expect("poison");
        let losses = (1..=steps).map(|t| step.run(&batch, seed, t, RATE).expect("a step")).collect();
        (learned, losses)
    }

    /// The same tape with its leaves' values, the loss, and the parameters.
    fn tape(&self) -> (Tape, Values, Var, Vec<Var>) {
        let (n, size) = SIZE;
        let unet = &self.weights.network;
        let mut tape = Tape::new();
        let registered = unet.layout().register(&mut tape);
        let channels = self.batch.iter().map(|array| array.dim().3);
        let all: Vec<_> = channels.map(|c| tape.input(Shape::images(n, size, c))).collect();
        let [inputs @ .., target, mask] = &all[..] else { panic!("{all:?}") };
        let output = unet.forward(&mut tape, &registered, inputs, NetworkMode::Train).expect("sizes");
        let mse = tape.mse(output, *target, Some(*mask)).expect("a loss");
        let variation = tape.total_variation(output, Some(*mask)).expect("a loss");
        let loss = tape.combine(&[(mse, 1.0), (variation, OBJECTIVE.total_variation)]).expect("a number");

        let mut leaves: Values = all.iter().copied().zip(self.batch.clone()).collect();
        let layout = unet.layout();
        for (entry, var) in layout.parameters.iter().zip(&registered.parameters) {
            leaves.insert(*var, read(&self.weights.parameters, entry.first, entry.shape()));
        }
        for (entry, var) in layout.state.iter().zip(&registered.state) {
            leaves.insert(*var, read(&self.weights.state, entry.first, entry.shape()));
        }
        (tape, leaves, loss, registered.parameters)
    }
}

/// A tensor of a flat buffer.
fn read(values: &[f32], first: usize, shape: Shape) -> Array4<f64> {
    let pitch = 4 * shape.quads();
    Array4::from_shape_fn((shape.n, shape.h, shape.w, shape.c), |(n, y, x, c)| {
        values[first + ((n * shape.h + y) * shape.w + x) * pitch + c].into()
    })
}

fn a_networks_gradient_is_that_of_the_f64_tape(forms: Forms) {
    for settings in every() {
        let what = settings.to_string();
        let (setup, (tape, leaves, loss, parameters), exact) = (0..)
            .find_map(|seed| {
                let setup = Setup::new(settings.clone(), seed);
                let taped = setup.tape();
                let exact = evaluate(&taped.0, &taped.1, [9, 1]);
                (exact.margin > 1e-5).then_some((setup, taped, exact))
            })
            .expect("seeds enough");
        let (learned, losses) = setup.train(forms.first(), 9, 1);
        let off = (f64::from(losses[0].total) / exact.values[&loss][[0, 0, 0, 0]] - 1.0).abs();
        assert_at_most(off, 1e-5, format!("{what}: loss"));
        let all = learned.gradients().expect("gradients");
        let weights = learned.weights().expect("weights");
        let finite = |values: &[f32]| values.iter().all(|v| v.is_finite());
        assert!(finite(&all) && finite(&weights.parameters) && finite(&weights.state), "{what}");
        let layout = setup.weights.network.layout();
        let own: HashSet<_> = layout.parameters.iter().flat_map(|e| e.places()).collect();
        let padding = (0..all.len()).filter(|i| !own.contains(i));
        for i in padding {
            assert_eq!((all[i], weights.parameters[i]), (0.0, 0.0), "{what}: padding at {i}");
        }

        let mut rng = fastrand::Rng::with_seed(1);
        let mut worst = 0f64;
        for (entry, var) in layout.parameters.iter().zip(parameters) {
            let gradient = read(&all, entry.first, entry.shape());
            let probes = Probes::new((&tape, &leaves, [9, 1]), loss, var, [0, 3], &mut rng);
            let [_, error] = probes.errors(&gradient);
            assert_at_most(error, 1e-4, format!("{what}: {}", entry.name));
            worst = worst.max(error);
        }
        note!("{what}: loss {off:.1e}, gradients {worst:.1e}");
    }
}

fn dropout_is_decided_by_seed_and_step(forms: Forms) {
    let setup = Setup::new(settings(5, NormKind::Batch, Pooling::Max, Up::Transpose), 3);
    let trained = |seed| {
        let (learned, losses) = setup.train(forms.first(), seed, 4);
        let weights = learned.weights().expect("weights");
        let bits =
            [weights.parameters, weights.state].map(|v| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>());
        (bits, losses)
    };
    let (first, losses) = trained(1);
    assert!(losses.iter().all(|l| l.total.is_finite() && l.gradient_norm > 0.0), "{losses:?}");
    assert_eq!(trained(1), (first.clone(), losses.clone()));
    let (other, others) = trained(2);
    assert_ne!(first, other);
    assert_ne!(losses[0], others[0], "the first step's masks");
}
