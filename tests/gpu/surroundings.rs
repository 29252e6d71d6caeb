//! A network that sees the surroundings of a patch is trained by a source of three arrays. The patch tells nothing there,
//! so the network must learn from the second input.

use crate::common::compare::assert_below;
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::nn::{Channels, Network, NormKind, Unet, UnetSettings, Weights};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::train::{
    Checkpoint, DataSummary, End, MeanSquareError, Request, Source, Subset, TrainFolder, TrainSettings,
    Training,
};
use palpate::{Result, Size};

tests![a_training_learns_from_the_second_input, data_of_one_input_are_refused,];

const SIZE: Size = Size::square(7);

/// Samples whose target is the value of the second view. The patch and the first view are noise.
struct Around;

impl Source for Around {
    type Settings = ();

    fn summary(&self) -> DataSummary {
        DataSummary { train: 96, validation: 20, size: SIZE, about: "what is around".into() }
    }

    fn channels(&self) -> Channels {
        Channels { inputs: vec![2, 4], output: 1 }
    }

    fn batch(&self, _: &(), request: Request, into: &mut [&mut [f32]]) -> Result<()> {
        let [patch, views, target, mask] = into else { panic!("{} arrays", into.len()) };
        let pixels = SIZE.pixels();
        let inputs = patch.chunks_mut(2 * pixels).zip(views.chunks_mut(4 * pixels));
        let targets = target.chunks_mut(pixels).zip(mask.chunks_mut(pixels));
        for ((sample, (patch, views)), (target, mask)) in request.samples.iter().zip(inputs).zip(targets) {
            let first = if request.subset == Subset::Train { 0 } else { 1 << 20 };
            let mut rng = fastrand::Rng::with_seed(first + u64::from(*sample));
            let value = rng.f32();
            let (noise, told) = views.split_at_mut(2 * pixels);
            patch.fill_with(|| rng.f32() - 0.5);
            noise.fill_with(|| rng.f32() - 0.5);
            told.fill(value);
            target.fill(value);
            mask.fill(1.0);
        }
        Ok(())
    }
}

type Begun<S> = Result<Training<Unet, MeanSquareError, S>>;

fn begin<S: Source<Settings = ()>>(source: S, epochs: u32, folder: &TrainFolder) -> Begun<S> {
    let settings = TrainSettings { batch: 16, epochs, learning_rate: 1e-2, ..Default::default() };
    let unet =
        UnetSettings { chans: 4, pools: 1, norm: NormKind::Batch, surroundings: 2, ..Default::default() };
    Training::new(Weights::random(Unet::new(unet)?, 1), settings, source, folder.clone())
}

fn a_training_learns_from_the_second_input(pipelines: &Pipelines) {
    let (chooser, folder) = (Chooser::new(pipelines), tempfile::tempdir().expect("folder"));
    let [whole, parts] = ["whole", "parts"].map(|name| TrainFolder::new(folder.path().join(name)));
    let load = |folder: &TrainFolder| {
        Checkpoint::<Unet, MeanSquareError, ()>::load(&folder.checkpoint()).expect("a checkpoint")
    };
    let done = begin(Around, 12, &whole).expect("data").run(&chooser, &mut |_| {}).expect("a training");
    assert_eq!(done, End::Done);
    let checkpoint = load(&whole);
    let mse = |epoch: usize| checkpoint.progress.history[epoch].validation["mse"];
    note!("mean square error {:.4} after one epoch, {:.4} after 12", mse(0), mse(11));
    // A network that does not see the views can do no better than the variance, 1/12.
    assert_below(mse(11), 0.01, "the mean square error");

    begin(Around, 5, &parts).expect("data").run(&chooser, &mut |_| {}).expect("a training");
    let mut half = load(&parts);
    half.progress.settings.epochs = 12;
    Training::resume(half, Around, parts.clone())
        .expect("data")
        .run(&chooser, &mut |_| {})
        .expect("the rest");
    assert!(load(&parts).weights.parameters == checkpoint.weights.parameters, "the resumed training differs");

    let weights = Weights::<Unet>::load(&whole.weights()).expect("weights");
    assert_eq!(weights.network.settings(), checkpoint.weights.network.settings());
}

/// Patches without views.
struct Alone;

impl Source for Alone {
    type Settings = ();

    fn summary(&self) -> DataSummary {
        Around.summary()
    }

    fn channels(&self) -> Channels {
        Channels { inputs: vec![2], output: 1 }
    }

    fn batch(&self, _: &(), _: Request, _: &mut [&mut [f32]]) -> Result<()> {
        Ok(())
    }
}

fn data_of_one_input_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let error = begin(Alone, 1, &TrainFolder::new(folder.path())).err().expect("refused").to_string();
    let says = "the data have 2 channels in and 1 out, but the network has 2 and 4 channels in and 1 out";
    assert!(error.contains(says), "{error}");
}
