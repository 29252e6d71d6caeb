//! A convolution whose norm has known statistics is one dispatch with it, and computes what two would.

use crate::common::compare::{assert_agrees, assert_below, largest};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::nn::convolve::Geometry;
use palpate::lowlevel::kernel::nn::norm::Per;
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::plan::{Plan, Recorder};
use palpate::lowlevel::tape::{Leaves, Lowering, Tape, Var};
use palpate::lowlevel::tensor::{Shape, Tensor};

tests![
    a_norm_of_known_statistics_ends_the_convolution_before_it,
    a_convolution_that_others_read_stays_itself,
    what_it_reads_and_what_it_makes_do_not_come_to_lie_in_one_buffer,
];

/// A tape with its parameters and state, filled at random as they are asked for.
struct Site {
    tape: Tape,
    rng: fastrand::Rng,
    parameters: Vec<f32>,
    state: Vec<f32>,
}

impl Site {
    fn new() -> Self {
        Self { tape: Tape::new(), rng: fastrand::Rng::with_seed(5), parameters: vec![], state: vec![] }
    }

    fn parameter(&mut self, shape: Shape) -> Var {
        let first = self.parameters.len();
        self.parameters.extend((0..shape.floats()).map(|_| self.rng.f32() - 0.3));
        self.tape.parameter(first, shape)
    }

    fn convolve(&mut self, src: Var, geometry: Geometry, co: usize) -> Var {
        let weights = self.parameter(geometry.weights(self.tape.shape(src).c, co));
        self.tape.convolve(src, weights, None, geometry).expect("a convolution")
    }

    /// The norm of `src` by running statistics, or by those of the batch.
    fn norm(&mut self, src: Var, known: bool) -> Var {
        let c = self.tape.shape(src).c;
        let affine = [(); 2].map(|()| self.parameter(Shape::new(1, 1, 1, c)));
        let statistics = if known {
            let first = self.state.len();
            self.state.extend((0..Shape::new(1, 1, 2, c).floats()).map(|_| self.rng.f32() + 0.1));
            let running = self.tape.state(first, c);
            self.tape.running_statistics(running)
        } else {
            self.tape.statistics(src, Per::Batch, None).expect("statistics")
        };
        self.tape.norm(src, statistics, Some(affine), 0.2).expect("a norm")
    }

    /// The first of `wanted` on the device, and the kernels that made it.
    fn run(&self, chooser: &Chooser, input: Var, wanted: &[Var]) -> (Vec<f32>, Vec<String>) {
        let mut rec = Recorder::new();
        let leaves = Leaves {
            parameters: rec.constant("parameters", &self.parameters),
            state: rec.constant("state", &self.state),
            step: rec.constant("step", &[0u32; 8]),
        };
        let mut rng = fastrand::Rng::with_seed(9);
        let shape = self.tape.shape(input);
        let values: Vec<f32> = (0..shape.floats()).map(|_| rng.f32() - 0.5).collect();
        let given = Tensor::whole(rec.constant("input", &values), shape);
        let each: Vec<_> = wanted.iter().map(|v| (*v, None)).collect();
        let lowering = Lowering::new(&self.tape, &mut rec, chooser, leaves, &[(input, given)], &each);
        let result = lowering.expect("a lowering").tensor(wanted[0]);
        rec.keep(result.buf());
        let plan = Plan::compile(rec, chooser.pipelines(), &|_, _| {}).expect("a plan");
        plan.poison().expect("poison");
        plan.run().expect("a run");
        let all: Vec<f32> = plan.read(result.buf()).expect("values");
        let [first, pitch] = result.first_and_pitch();
        let own =
            all.chunks(4 * pitch).flat_map(|pixel| pixel[4 * (first % pitch)..][..result.shape().c].to_vec());
        let kernels = plan.timings().map(|t| t.label.split(' ').next().unwrap_or_default().to_string());
        (own.collect(), kernels.collect())
    }
}

/// Whether `result` ends as one dispatch; it is the same either way. `convolved` is what it is the norm of.
fn fused(site: &Site, chooser: &Chooser, input: Var, [result, convolved]: [Var; 2]) -> bool {
    let (values, kernels) = site.run(chooser, input, &[result]);
    let (apart, two) = site.run(chooser, input, &[result, convolved]);
    assert!(two.iter().any(|k| k == "norm"), "what is wanted itself is made: {two:?}");
    let [got, expected] = [&values, &apart].map(|v| v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
    assert_agrees(&got, &expected, 1e-6, "in one dispatch");
    kernels.iter().all(|k| k != "norm")
}

fn a_norm_of_known_statistics_ends_the_convolution_before_it(pipelines: &Pipelines) {
    let chooser = Chooser::new(pipelines);
    for (geometry, co) in [(Geometry::Three, 5), (Geometry::One, 16), (Geometry::Up, 37)] {
        for known in [true, false] {
            let mut site = Site::new();
            let input = site.tape.input(Shape::new(3, 7, 5, 6));
            let convolved = site.convolve(input, geometry, co);
            let result = site.norm(convolved, known);
            assert_eq!(fused(&site, &chooser, input, [result, convolved]), known, "{geometry:?}");
        }
    }
}

fn a_convolution_that_others_read_stays_itself(pipelines: &Pipelines) {
    let chooser = Chooser::new(pipelines);
    let mut site = Site::new();
    let input = site.tape.input(Shape::new(2, 6, 6, 4));
    let convolved = site.convolve(input, Geometry::Three, 8);
    let normed = site.norm(convolved, true);
    let sum = site.tape.add([normed, convolved]).expect("a sum");
    assert!(!fused(&site, &chooser, input, [sum, convolved]));
}

fn what_it_reads_and_what_it_makes_do_not_come_to_lie_in_one_buffer(pipelines: &Pipelines) {
    let chooser = Chooser::new(pipelines);
    let mut site = Site::new();
    let input = site.tape.input(Shape::new(2, 6, 6, 4));
    let first = site.convolve(input, Geometry::Three, 8);
    let first = site.norm(first, true);
    let convolved = site.convolve(first, Geometry::Three, 8);
    let second = site.norm(convolved, true);
    let both = site.tape.concatenate([first, second]).expect("a concatenation");
    let (values, kernels) = site.run(&chooser, input, &[both]);
    let (apart, _) = site.run(&chooser, input, &[both, convolved]);
    assert_eq!(values.len(), apart.len());
    let off = largest(values.iter().zip(&apart).map(|(a, b)| (a - b).abs()));
    assert_below(off, 1e-5, "the largest difference");
    assert!(kernels.iter().all(|k| k != "norm"), "{kernels:?}");
}
