//! Small graphs with made-up leaves, and what a device makes of them.

use super::reference::{Evaluated, Probes, Values, evaluate};
use crate::common::compare::{assert_agrees, assert_at_most, largest};
use crate::harness::{Given, Missing, On};
use ndarray::{Array4, s};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::form::{Form, Product};
use palpate::lowlevel::kernel::nn::convolve::Geometry;
use palpate::lowlevel::plan::{Checks, Pipelines};
use palpate::lowlevel::plan::{Plan, Recorder};
use palpate::lowlevel::tape::{Leaves, Lowering, Tape, Var};
use palpate::lowlevel::tensor::{Shape, Tensor};
use std::sync::OnceLock;

/// How near a kink or a tie a graph may come: further than rounding in f32 and central differences reach.
const MARGIN: f64 = 1e-5;
/// What rounding in f32 explains, cancellation in a sum of losses included.
const FORWARD: f64 = 5e-6;
/// The same of gradients, along directions that may be nearly level.
const GRADIENT: f64 = 1e-5;

/// The seed and the number of the step that dropout draws from.
const STEP: [u32; 2] = [11, 3];

/// Every form without run-time checks, and what the device prefers with them.
#[derive(Clone, Copy)]
pub struct Forms(&'static [(String, Chooser)]);

impl Given for Forms {
    const ON: &'static [On] = <&Pipelines>::ON;

    fn given(on: Option<On>) -> Result<Self, Missing> {
        static CHOOSERS: [OnceLock<Vec<(String, Chooser)>>; 2] = [OnceLock::new(), OnceLock::new()];
        let pipelines = <&Pipelines>::given(on)?;
        let choosers = CHOOSERS[usize::from(on == Some(On::Gpu))].get_or_init(|| {
            let gpu = pipelines.device();
            let mut choosers: Vec<_> = Form::candidates(gpu.caps(), Product::LARGE)
                .into_iter()
                .map(|form| (format!("{form:?}"), Chooser::only(pipelines, form)))
                .collect();
            if gpu.gpu().is_some() {
                choosers.push(("checks".into(), Chooser::new(&Pipelines::new(gpu, Checks::On))));
            }
            choosers
        });
        Ok(Self(choosers))
    }
}

impl Forms {
    /// The one that is tried first.
    pub fn first(self) -> &'static Chooser {
        &self.0[0].1
    }

    /// Checks the graph that `build` makes, whose loss it returns: of the first seed off kinks and ties.
    pub fn check(self, what: &str, build: impl Fn(&mut Graph) -> Var) {
        for seed in 0.. {
            let mut graph = Graph::new(seed);
            let loss = build(&mut graph);
            let exact = evaluate(&graph.tape, &graph.leaves, STEP);
            if exact.margin > MARGIN {
                return graph.check(self, what, loss, &exact);
            }
        }
    }

    /// Checks an operation in the middle of a graph: between 1 × 1 convolutions, on `shape`.
    pub fn mid_graph(self, what: &str, shape: Shape, op: impl Fn(&mut Graph, Var) -> Var) {
        self.check(&format!("{what} of {shape}"), |graph| {
            let input = graph.input(Shape { c: 3, ..shape });
            let before = graph.pointwise(input, shape.c, "weights before", None);
            let after = op(graph, before);
            graph.loss(after)
        });
    }
}

/// Values in ±1 that f32 can hold.
pub fn random(rng: &mut fastrand::Rng, Shape { n, h, w, c }: Shape) -> Array4<f64> {
    Array4::from_shape_simple_fn((n, h, w, c), || f64::from(2.0 * rng.f32() - 1.0))
}

/// A tape with its leaves' values.
pub struct Graph {
    pub tape: Tape,
    pub rng: fastrand::Rng,
    pub leaves: Values,
    /// What gradients are taken with respect to.
    pub learned: Vec<(&'static str, Var)>,
    /// Variables whose values are compared as well.
    pub seen: Vec<Var>,
    parameters: Vec<f32>,
    state: Vec<f32>,
}

impl Graph {
    pub fn new(seed: u64) -> Self {
        Self {
            tape: Tape::new(),
            rng: fastrand::Rng::with_seed(seed),
            leaves: Values::new(),
            learned: Vec::new(),
            seen: Vec::new(),
            parameters: vec![f32::NAN; 8],
            state: vec![f32::NAN; 4],
        }
    }

    /// An input of these values, of which no gradient is taken.
    pub fn given(&mut self, values: Array4<f64>) -> Var {
        let (n, h, w, c) = values.dim();
        let var = self.tape.input(Shape::new(n, h, w, c));
        self.leaves.insert(var, values);
        var
    }

    /// A random input of which no gradient is taken.
    pub fn noise(&mut self, shape: Shape) -> Var {
        let values = random(&mut self.rng, shape);
        self.given(values)
    }

    /// A random input of which one is.
    pub fn input(&mut self, shape: Shape) -> Var {
        let var = self.noise(shape);
        self.learned.push(("input", var));
        var
    }

    /// Weights of a convolution.
    pub fn weights(&mut self, name: &'static str, geometry: Geometry, [ci, co]: [usize; 2]) -> Var {
        let mut values = random(&mut self.rng, geometry.weights(ci, co));
        values.slice_mut(s![.., .., ci.., ..]).fill(0.0);
        self.parameter(name, values)
    }

    /// A value a channel, off 0.
    pub fn vector(&mut self, name: &'static str, c: usize) -> Var {
        let values = random(&mut self.rng, Shape::new(1, 1, 1, c)).mapv(|v| v + 0.5 * v.signum());
        self.parameter(name, values)
    }

    fn parameter(&mut self, name: &'static str, values: Array4<f64>) -> Var {
        let (n, h, w, c) = values.dim();
        let var = self.tape.parameter(self.parameters.len(), Shape::new(n, h, w, c));
        append(&mut self.parameters, &values);
        self.leaves.insert(var, values);
        self.learned.push((name, var));
        var
    }

    /// Running mean and variance of `c` channels.
    pub fn running(&mut self, c: usize) -> Var {
        let values = random(&mut self.rng, Shape::new(1, 1, 2, c)).mapv(f64::abs);
        let var = self.tape.state(self.state.len(), c);
        append(&mut self.state, &values);
        self.leaves.insert(var, values);
        var
    }

    /// `src` through a 1 × 1 convolution to `co` channels, with `bias` if it has a name.
    pub fn pointwise(&mut self, src: Var, co: usize, name: &'static str, bias: Option<&'static str>) -> Var {
        let ci = self.tape.shape(src).c;
        let weights = self.weights(name, Geometry::One, [ci, co]);
        let bias = bias.map(|bias| self.vector(bias, co));
        self.tape.convolve(src, weights, bias, Geometry::One).expect("shapes that go together")
    }

    /// The mean square error of `src`, after a 1 × 1 convolution, against something random; times a factor.
    pub fn loss(&mut self, src: Var) -> Var {
        let mixed = self.pointwise(src, 2, "weights after", Some("bias after"));
        let target = self.noise(self.tape.shape(mixed));
        let loss = self.tape.mse(mixed, target, None).expect("a loss");
        self.seen.extend([src, loss]);
        self.tape.combine(&[(loss, -0.7)]).expect("a number")
    }

    /// What the device makes of the variables `wanted`, without padding: in a second run the same as in a first.
    /// They come to lie `together` in one buffer, as the gradients of a training step, or wherever they are made.
    fn run(&self, tape: &Tape, chooser: &Chooser, wanted: &[Var], together: bool) -> Vec<Vec<f32>> {
        let mut rec = Recorder::new();
        let mut words = [0u32; 8];
        words[..2].copy_from_slice(&STEP);
        let leaves = Leaves {
            parameters: rec.constant("parameters", &self.parameters),
            state: rec.constant("state", &self.state),
            step: rec.constant("step", &words),
        };
        let all: usize = wanted.iter().map(|v| tape.shape(*v).floats()).sum();
        let (flat, mut first) = (rec.output::<f32>("gradients", all), 0);
        let mut place = |var: Var| {
            let shape = tape.shape(var);
            first += shape.floats();
            together.then(|| Tensor::span(flat, first - shape.floats(), shape))
        };
        let places: Vec<_> = wanted.iter().map(|v| (*v, place(*v))).collect();
        let lowering =
            Lowering::new(tape, &mut rec, chooser, leaves, &[], &places).unwrap_or_else(|e| panic!("{e}"));
        let tensors: Vec<_> =
            places.iter().map(|(var, place)| place.unwrap_or_else(|| lowering.tensor(*var))).collect();
        tensors.iter().for_each(|t| rec.keep(t.buf()));
        let plan =
            Plan::compile(rec, chooser.pipelines(), &|_, _| {}).unwrap_or_else(|e| panic!("{e}\n{tape}"));
        for (var, values) in &self.leaves {
            if let Some(buf) = lowering.input(*var) {
                let planes: Vec<f32> =
                    values.view().permuted_axes([0, 3, 1, 2]).iter().map(|&v| v as f32).collect();
                plan.write(buf, &planes).expect("an input");
            }
        }
        plan.poison().expect("poison");
        let once = || {
            plan.run().expect("run");
            tensors.iter().map(|t| values(&plan, *t)).collect::<Vec<_>>()
        };
        let (first, second) = (once(), once());
        assert_eq!(bits(&first), bits(&second), "replayed\n{tape}");
        first
    }

    /// Checks the values seen, `loss` and its gradients on every form against the oracles.
    fn check(&self, forms: Forms, what: &str, loss: Var, exact: &Evaluated) {
        let mut rng = fastrand::Rng::with_seed(5);
        let on = (&self.tape, &self.leaves, STEP);
        let probes: Vec<_> =
            self.learned.iter().map(|(_, var)| Probes::new(on, loss, *var, [12, 2], &mut rng)).collect();
        let mut tape = self.tape.clone();
        let learned: Vec<_> = self.learned.iter().map(|(_, var)| *var).collect();
        let gradients = tape.gradients(loss, &learned).unwrap_or_else(|e| panic!("{what}: {e}"));
        let gradients: Vec<_> = gradients.into_iter().map(|g| g.expect("the loss depends on all")).collect();
        let seen: Vec<_> = self.seen.iter().copied().chain([loss]).collect();
        let wanted = [&gradients[..], &seen].concat();

        for (form, chooser) in forms.0 {
            let got = self.run(&tape, chooser, &wanted, false);
            // Recorded anew: nothing kept but the gradients, which lie elsewhere.
            let again = self.run(&tape, chooser, &gradients, true);
            assert_eq!(bits(&got[..gradients.len()]), bits(&again), "{what}, {form}: recorded anew");
            let (got, values) = got.split_at(gradients.len());
            for (var, got) in seen.iter().zip(values) {
                let got: Vec<f64> = got.iter().map(|&v| v.into()).collect();
                let expected: Vec<f64> = exact.values[var].iter().copied().collect();
                let value = format!("{what}, {form}: {:?}", tape.op(*var));
                let error = assert_agrees(&got, &expected, FORWARD, &value);
                note!("{what}, {form}: value {error:.1e}");
            }
            for (((name, var), got), probes) in self.learned.iter().zip(got).zip(&probes) {
                let got = got.iter().map(|&v| f64::from(v)).collect();
                let got = Array4::from_shape_vec(self.leaves[var].dim(), got).expect("the leaf's shape");
                let errors = probes.errors(&got);
                note!("{what}, {form}: {name} {:.1e} {:.1e}", errors[0], errors[1]);
                assert_at_most(largest(errors), GRADIENT, format!("{what}, {form}: gradient in {name}"));
            }
        }
    }
}

/// `values` with channels padded to quads.
fn append(to: &mut Vec<f32>, values: &Array4<f64>) {
    for pixel in values.as_slice().expect("in order").chunks(values.dim().3) {
        to.extend(pixel.iter().map(|&v| v as f32));
        to.resize(to.len().next_multiple_of(4), 0.0);
    }
}

fn bits(values: &[Vec<f32>]) -> Vec<Vec<u32>> {
    values.iter().map(|v| v.iter().map(|v| v.to_bits()).collect()).collect()
}

/// The values of `tensor`, after a look at its padding, which holds zeros.
fn values(plan: &Plan, tensor: Tensor) -> Vec<f32> {
    let all: Vec<f32> = plan.read(tensor.buf()).expect("read");
    let c = tensor.shape().c;
    let mut values = Vec::new();
    for pixel in 0..tensor.shape().pixels() {
        let [first, pitch] = tensor.first_and_pitch();
        let start = 4 * (first + pixel * pitch);
        let quads = &all[start..start + c.next_multiple_of(4)];
        assert!(quads[c..].iter().all(|v| *v == 0.0), "padding of {}: {:?}", tensor.shape(), &quads[c..]);
        values.extend(&quads[..c]);
    }
    values
}
