//! Trains a network of its own: 1 × 1 convolutions learn y = sin x on 1 × 1 images. A training that is interrupted and
//! resumed gives the same bits as one that is not. `docs/training.md` explains the traits.

use palpate::Size;
use palpate::lowlevel::kernel::nn::convolve::Geometry;
use palpate::lowlevel::nn::{Channels, Network, NetworkMode, ParameterLayout, Registered};
use palpate::train::*;
use palpate::{Activation, AdapterChoice, Checks, Chooser, Device, Pipelines, Tape, Var, Weights};

/// Three layers with this many hidden channels. The names are those of PyTorch's `nn.Sequential`.
#[derive(Clone, Debug)]
pub struct Mlp(usize, ParameterLayout);

impl Network for Mlp {
    type Settings = usize;
    fn new(width: usize) -> palpate::Result<Self> {
        let mut layout = ParameterLayout::default();
        for (name, [ci, co]) in [("0", [1, width]), ("2", [width; 2]), ("4", [width, 1])] {
            layout.weights(&format!("{name}.weight"), Geometry::One, ci, co);
            layout.vector(&format!("{name}.bias"), co);
        }
        Ok(Self(width, layout))
    }
    fn settings(&self) -> &usize {
        &self.0
    }
    fn layout(&self) -> &ParameterLayout {
        &self.1
    }
    fn forward(&self, tape: &mut Tape, all: &Registered, x: &[Var], _: NetworkMode) -> palpate::Result<Var> {
        let activations = [Some(Activation::Sigmoid), Some(Activation::LeakyRelu(0.1)), None];
        all.parameters.chunks(2).zip(activations).try_fold(x[0], |x, (layer, activation)| {
            let x = tape.convolve(x, layer[0], Some(layer[1]), Geometry::One)?;
            activation.map_or(Ok(x), |activation| tape.activate(x, activation))
        })
    }
}

/// Samples of y = sin x, x from -4 to 4.
pub struct Sine;

impl Source for Sine {
    type Settings = ();
    fn summary(&self) -> DataSummary {
        DataSummary { train: 512, validation: 100, size: Size::square(1), about: "y = sin x".into() }
    }
    fn channels(&self) -> Channels {
        Channels { inputs: vec![1], output: 1 }
    }
    fn batch(&self, _: &(), request: Request, into: &mut [&mut [f32]]) -> palpate::Result<()> {
        for (i, sample) in request.samples.iter().enumerate() {
            let x = 8.0 * (*sample as f32 * 0.618_034).fract() - 4.0;
            (into[0][i], into[1][i], into[2][i]) = (x, x.sin(), 1.0); // input, target, mask
        }
        Ok(())
    }
}

fn main() -> palpate::Result<()> {
    let chooser = Chooser::new(&Pipelines::new(&Device::open(&AdapterChoice::Best)?, Checks::Off));
    let run = |training: Training<Mlp, MeanSquareError, Sine>, folder: &TrainFolder| {
        training.run(&chooser, &mut |_| {})?;
        Checkpoint::<Mlp, _, _>::load(&folder.checkpoint())
    };
    let begin = |epochs, folder: &TrainFolder| {
        let settings = TrainSettings { batch: 64, epochs, learning_rate: 1e-2, ..Default::default() };
        run(Training::new(Weights::random(Mlp::new(32)?, 1), settings, Sine, folder.clone())?, folder)
    };
    let [whole, parts] = ["out/mlp/whole", "out/mlp/parts"].map(TrainFolder::new);
    let expected = begin(60, &whole)?;
    let mut interrupted = begin(25, &parts)?;
    interrupted.progress.settings.epochs = 60;
    let resumed = run(Training::resume(interrupted, Sine, parts.clone())?, &parts)?;
    assert!(resumed.weights.parameters == expected.weights.parameters, "the resumed training differs");
    let last = &resumed.progress.history[59];
    println!("RMSE {:.4} after 60 epochs; resumed to the same bits", last.validation["mse"].sqrt());
    Ok(())
}
