//! The perceptron of examples/mlp.rs: its training step against PyTorch's, and a training that is interrupted and
//! resumed. The fixture and its origin: tests/fixtures.

#[allow(dead_code, reason = "the example's main is not called")]
#[path = "../../examples/mlp.rs"]
mod example;

use crate::common::compare::{assert_agrees, assert_below};
use example::{Mlp, Sine};
use palpate::Size;
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::nn::{Channels, LayoutEntry, Network, Weights};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::train::{
    Checkpoint, DataSummary, End, Learned, MeanSquareError, Request, Source, Subset, TrainEvent, TrainFolder,
    TrainSettings, TrainStep, Training,
};
use palpate::{Error, Result};
use safetensors::{SafeTensors, tensor::Dtype};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

tests![
    a_step_and_ten_steps_equal_pytorchs,
    an_interrupted_training_continues_to_the_same_bits,
    divergence_is_reported_with_its_step_and_leaves_the_checkpoint,
];

type MlpCheckpoint = Checkpoint<Mlp, MeanSquareError, ()>;

/// The tensors of the fixture in f64, its initial weights, and its learning rate.
fn fixture() -> (HashMap<String, Vec<f64>>, Weights<Mlp>, f32) {
    let bytes =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/training_mlp.safetensors"))
            .expect("a fixture");
    let (_, header) = SafeTensors::read_metadata(&bytes).expect("metadata");
    let metadata = header.metadata().clone().expect("metadata");
    let parsed = SafeTensors::deserialize(&bytes).expect("tensors");
    let all = parsed.tensors();
    let wide = |data: &[u8], dtype| -> Vec<f64> {
        match dtype {
            Dtype::F64 => data.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
            Dtype::F32 => data.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect(),
            other => panic!("{other:?}"),
        }
    };
    let initial = all.iter().filter_map(|(name, view)| Some((name.strip_prefix("initial.")?, view.clone())));
    let own = [("network".to_string(), metadata["width"].clone())].into();
    let weights = safetensors::serialize(initial, Some(own)).expect("weights");
    let weights = Weights::<Mlp>::parse(&weights).unwrap_or_else(|e| panic!("{e}"));
    let tensors = all.iter().map(|(name, view)| (name.clone(), wide(view.data(), view.dtype()))).collect();
    (tensors, weights, metadata["lr"].parse().expect("lr"))
}

/// The values of `entry` in PyTorch's order.
fn at_rest(entry: &LayoutEntry, values: &[f32]) -> Vec<f64> {
    entry.places().into_iter().map(|place| values[place].into()).collect()
}

fn a_step_and_ten_steps_equal_pytorchs(pipelines: &Pipelines) {
    let (expected, weights, rate) = fixture();
    let narrow = |name: &str| expected[name].iter().map(|&v| v as f32).collect::<Vec<_>>();
    let (input, target) = (narrow("input"), narrow("target"));
    let (n, mask) = (input.len(), vec![1.0; input.len()]);
    let learned = Learned::new(pipelines.device(), &weights).expect("upload");
    let objective = MeanSquareError {};
    let step = TrainStep::new(
        &Chooser::new(pipelines),
        &learned,
        (n, Size::square(1)),
        &objective,
        Default::default(),
        &|_, _| {},
    )
    .unwrap_or_else(|e| panic!("{e}"));
    step.poison().expect("poison");
    let check = |what: &str, got: &[f64], expected: &[f64], tolerance: f64| {
        let error = assert_agrees(got, expected, tolerance, what);
        note!("{what}: {error:.1e}");
    };
    let layout = weights.network.layout();
    let check_parameters = |after: &str| {
        let now = learned.weights().expect("weights");
        for entry in &layout.parameters {
            let of = |set: &str| expected[&format!("{set}.{}", entry.name)].clone();
            let (got, expected, initial) = (at_rest(entry, &now.parameters), of(after), of("initial"));
            let moved = |v: &[f64]| v.iter().zip(&initial).map(|(a, b)| a - b).collect::<Vec<_>>();
            check(&format!("{after} {}", entry.name), &got, &expected, 1e-5);
            check(&format!("movement {}", entry.name), &moved(&got), &moved(&expected), 1e-3);
        }
    };
    let first = step.run(&[&input, &target, &mask], 0, 1, rate).expect("step");
    let output: Vec<f64> = step.output().expect("output").iter().step_by(4).map(|&v| v.into()).collect();
    check("output", &output[..n], &expected["output"], 1e-5);
    check("loss", &[first.total.into()], &expected["loss"], 1e-5);
    assert_eq!(first.parts, [first.total]);
    let gradients = learned.gradients().expect("gradients");
    for entry in &layout.parameters {
        let name = format!("gradient.{}", entry.name);
        check(&name, &at_rest(entry, &gradients), &expected[&name], 1e-4);
    }
    check_parameters("after1");
    // The other nine steps without waiting for their losses.
    for t in 2..=10 {
        step.start(&[&input, &target, &mask], 0, t, rate).expect("step");
    }
    assert_eq!((step.unread(), step.losses().expect("losses").len(), step.unread()), (9, 9, 0));
    check_parameters("after10");
}

/// Samples of a sine that fail or become NaN at a batch for training, counted from 1.
struct Faulty {
    fail_at: usize,
    nan_at: usize,
    batches: AtomicUsize,
}

impl Faulty {
    fn new(fail_at: usize, nan_at: usize) -> Self {
        Self { fail_at, nan_at, batches: AtomicUsize::new(0) }
    }
}

impl Source for Faulty {
    type Settings = ();

    fn summary(&self) -> DataSummary {
        Sine.summary()
    }

    fn channels(&self) -> Channels {
        Sine.channels()
    }

    fn batch(&self, settings: &(), request: Request, into: &mut [&mut [f32]]) -> Result<()> {
        Sine.batch(settings, request, into)?;
        if request.subset == Subset::Train {
            let number = self.batches.fetch_add(1, Ordering::Relaxed) + 1;
            if number == self.fail_at {
                return Err(Error::Data("interrupted".into()));
            }
            if number == self.nan_at {
                into[1][0] = f32::NAN;
            }
        }
        Ok(())
    }
}

const EPOCHS: u32 = 4;

fn begin<S: Source<Settings = ()>>(source: S, folder: &TrainFolder) -> Training<Mlp, MeanSquareError, S> {
    let settings = TrainSettings { batch: 48, epochs: EPOCHS, learning_rate: 1e-2, ..Default::default() };
    let weights = Weights::random(Mlp::new(16).expect("a network"), 1);
    Training::new(weights, settings, source, folder.clone()).unwrap_or_else(|e| panic!("{e}"))
}

fn bits(checkpoint: &MlpCheckpoint) -> Vec<Vec<u32>> {
    let own = [&checkpoint.weights.parameters, &checkpoint.best.as_ref().expect("a best epoch").parameters];
    let all = own.into_iter().chain(&checkpoint.moments);
    all.map(|values| values.iter().map(|v| v.to_bits()).collect()).collect()
}

/// Losses of each epoch as text.
fn losses(checkpoint: &MlpCheckpoint) -> Vec<String> {
    let history = checkpoint.progress.history.iter();
    history.map(|e| format!("{:?} {:?} {}", e.train, e.validation, e.gradient_norm)).collect()
}

fn an_interrupted_training_continues_to_the_same_bits(pipelines: &Pipelines) {
    let (chooser, folder) = (Chooser::new(pipelines), tempfile::tempdir().expect("folder"));
    let [whole, every, parts] =
        ["whole", "every", "parts"].map(|name| TrainFolder::new(folder.path().join(name)));
    let mut steps = Vec::new();
    let mut tell = |event: TrainEvent| {
        if let TrainEvent::Step { epoch, done, steps: all, losses, .. } = event {
            assert_eq!((all, losses.parts.len()), (10, 1));
            steps.push((epoch, done));
        }
    };
    assert_eq!(begin(Sine, &whole).run(&chooser, &mut tell).expect("a training"), End::Done);
    let each: Vec<_> = (0..EPOCHS).flat_map(|epoch| (1..=10).map(move |done| (epoch, done))).collect();
    assert_eq!(steps, each, "each step is reported once, in order");
    let expected = MlpCheckpoint::load(&whole.checkpoint()).expect("a checkpoint");
    assert_eq!((expected.progress.step, expected.progress.history.len()), (40, 4));
    let rmse = expected.progress.history.last().expect("an epoch").validation["mse"].sqrt();
    assert_below(rmse, 0.6, "RMSE of a sine");

    // A checkpoint after each step: losses are then read after each step too.
    let mut training = begin(Sine, &every);
    training.checkpoint_every(Duration::ZERO);
    training.run(&chooser, &mut |_| {}).expect("a training");
    let read = MlpCheckpoint::load(&every.checkpoint()).expect("a checkpoint");
    assert!(bits(&read) == bits(&expected) && losses(&read) == losses(&expected));

    // Interrupted in the third epoch, after a checkpoint within it.
    let mut training = begin(Faulty::new(26, 0), &parts);
    training.checkpoint_every(Duration::ZERO);
    let error = training.run(&chooser, &mut |_| {}).expect_err("an interruption");
    assert!(error.to_string().contains("interrupted"), "{error}");
    let checkpoint = MlpCheckpoint::load(&parts.checkpoint()).expect("a checkpoint");
    let at = &checkpoint.progress;
    assert!(at.epoch == 2 && at.batches > 0 && at.step == 20 + at.batches as u32, "{at:?}");
    Training::resume(checkpoint, Sine, parts.clone())
        .expect("data")
        .run(&chooser, &mut |_| {})
        .expect("rest");
    let resumed = MlpCheckpoint::load(&parts.checkpoint()).expect("a checkpoint");
    assert!(bits(&resumed) == bits(&expected), "the resumed training gave other weights");
    assert_eq!(losses(&resumed), losses(&expected));

    // The weights know their network; the metadata know the settings.
    let weights = Weights::<Mlp>::load(&parts.weights()).expect("weights");
    assert_eq!(weights.network.settings(), &16);
    assert!(weights.metadata["training_settings"].contains(r#""learning_rate":0.01"#));
    assert!(Weights::<palpate::lowlevel::nn::Unet>::load(&parts.weights()).is_err());
}

fn divergence_is_reported_with_its_step_and_leaves_the_checkpoint(pipelines: &Pipelines) {
    let (chooser, folder) = (Chooser::new(pipelines), tempfile::tempdir().expect("folder"));
    let folder = TrainFolder::new(folder.path().join("new"));
    let error = begin(Faulty::new(0, 17), &folder).run(&chooser, &mut |_| {}).expect_err("NaN");
    assert!(matches!(&error, Error::Diverged(_)) && error.to_string().contains("step 17 "), "{error}");
    let checkpoint = MlpCheckpoint::load(&folder.checkpoint()).expect("a checkpoint that can be read");
    assert!(checkpoint.progress.step < 17);
    assert!(checkpoint.weights.parameters.iter().all(|v| v.is_finite()));
    // Nothing is written if the first step diverges.
    let other = tempfile::tempdir().expect("folder");
    let folder = TrainFolder::new(other.path());
    let error = begin(Faulty::new(0, 1), &folder).run(&chooser, &mut |_| {}).expect_err("NaN");
    assert!(error.to_string().contains("step 1 "), "{error}");
    assert_eq!(std::fs::read_dir(other.path()).expect("folder").count(), 0);
}
