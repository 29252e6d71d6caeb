//! A tape evaluated in f64 by the oracles, and its derivatives by central differences.

use ndarray::{Array4, s};
use palpate::Activation;
use palpate::lowlevel::proof::oracle;
use palpate::lowlevel::tape::{Op, Tape, Var, ops};
use std::collections::HashMap;

/// How far values are moved to either side.
const STEP: f64 = 2e-6;

/// Values `[n][h][w][c]` of variables. Weights of a convolution have their padding rows.
pub type Values = HashMap<Var, Array4<f64>>;

/// What a tape makes of its leaves.
pub struct Evaluated {
    /// Every variable.
    pub values: Values,
    /// How near the Leaky ReLUs come to their kinks and the maxima to ties.
    pub margin: f64,
}

/// Computes every variable of `tape`, which holds no gradients yet, from its `leaves`.
pub fn evaluate(tape: &Tape, leaves: &Values, [seed, step]: [u32; 2]) -> Evaluated {
    let mut values = Values::new();
    let mut margin = f64::INFINITY;
    for var in tape.vars() {
        let at = |v: &Var| &values[v];
        let scalar = |v: &Var| at(v)[[0, 0, 0, 0]];
        let shape = tape.shape(var);
        let value = match tape.op(var) {
            Op::Input(_) | Op::Parameter(_) | Op::State(_) => leaves[&var].clone(),
            Op::Convolve(ops::Convolve { src, weights, bias, geometry }) => {
                let weights = at(weights).slice(s![.., 0, ..tape.shape(*src).c, ..]).to_owned();
                let bias = bias.as_ref().map(|b| at(b).iter().copied().collect::<Vec<_>>());
                oracle::convolve(at(src), &weights, bias.as_deref(), *geometry)
            }
            Op::Statistics(ops::Statistics { src, per, .. }) => {
                oracle::norm_statistics(at(src), per.groups(tape.shape(*src).n))
            }
            Op::RunningStatistics(ops::RunningStatistics { running }) => oracle::norm_running(at(running)),
            Op::Norm(ops::Norm { src, statistics, affine, slope }) => {
                let norm = oracle::Norm {
                    x: at(src).clone(),
                    statistics: at(statistics).clone(),
                    affine: affine.map(|[scale, shift]| (at(&scale).clone(), at(&shift).clone())),
                    slope: f64::from(*slope),
                };
                if *slope != 1.0 {
                    margin = norm.scaled().iter().fold(margin, |m, z| m.min(z.abs()));
                }
                oracle::norm(&norm)
            }
            Op::Activate(ops::Activate { src, activation }) => {
                let slope = match activation {
                    Activation::Relu => Some(0.0),
                    Activation::LeakyRelu(slope) => Some(f64::from(*slope)),
                    _ => None,
                };
                if slope.is_some() {
                    margin = at(src).iter().fold(margin, |m, x| m.min(x.abs()));
                }
                oracle::activate(at(src), slope)
            }
            Op::Pool(ops::Pool { src, pooling }) => {
                margin = margin.min(least_gap(at(src)));
                oracle::pool(at(src), *pooling)
            }
            Op::Upsample(ops::Upsample { src, upsampling }) => oracle::upsample(at(src), *upsampling),
            Op::Pad(ops::Pad { src }) => oracle::pad(at(src), shape.size()),
            Op::Concatenate(ops::Concatenate { parts: [a, b] }) => oracle::concatenate(at(a), at(b)),
            Op::Add(ops::Add { terms: [a, b] }) => oracle::add(at(a), at(b)),
            Op::Dropout(ops::Dropout { src, rate, site }) => {
                oracle::dropout(at(src), [seed, step], *rate, *site)
            }
            Op::Mse(ops::Mse { prediction, target, weights }) => {
                oracle::scalar(oracle::mse(at(prediction), at(target), weights.as_ref().map(at)).0)
            }
            Op::TotalVariation(ops::TotalVariation { prediction, weights }) => {
                let epsilon = f64::from(1e-8f32);
                let (mean, _) = oracle::total_variation(at(prediction), weights.as_ref().map(at), epsilon);
                oracle::scalar(mean)
            }
            Op::Combine(ops::Combine { terms }) => {
                let terms: Vec<_> = terms.iter().map(|(v, factor)| (f64::from(*factor), scalar(v))).collect();
                oracle::scalar(oracle::combine_losses(&terms))
            }
            other => panic!("{other:?} has no arm here: it is new, or belongs to a gradient"),
        };
        assert_eq!(value.dim(), (shape.n, shape.h, shape.w, shape.c), "%{var:?} {:?}", tape.op(var));
        values.insert(var, value);
    }
    Evaluated { values, margin }
}

/// The least difference between the two greatest of a window of 2 × 2 pixels. Four zeros, of a channel that was dropped,
/// stay zeros.
fn least_gap(x: &Array4<f64>) -> f64 {
    let (_, h, w, _) = x.dim();
    let corner = |i: usize| x.slice(s![.., i / 2..h / 2 * 2;2, i % 2..w / 2 * 2;2, ..]);
    let [a, b, c, d] = [0, 1, 2, 3].map(corner);
    let mut least = f64::INFINITY;
    for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
        let mut window = [*a, *b, *c, *d];
        window.sort_by(f64::total_cmp);
        if window != [0.0; 4] {
            least = least.min(window[3] - window[2]);
        }
    }
    least
}

/// The derivative of the number `of` as the leaf `with` moves along `direction`.
pub fn derivative(
    (tape, leaves, step): (&Tape, &Values, [u32; 2]),
    of: Var,
    with: Var,
    direction: &Array4<f64>,
) -> f64 {
    let mut moved = leaves.clone();
    let mut at = |offset: f64| {
        moved.insert(with, &leaves[&with] + &(direction * offset));
        evaluate(tape, &moved, step).values[&of][[0, 0, 0, 0]]
    };
    (at(STEP) - at(-STEP)) / (2.0 * STEP)
}

/// What a gradient is probed with: single entries (all of them where they are few) and random directions of length 1,
/// each with the derivative that belongs to it.
pub struct Probes {
    entries: Vec<(Array4<f64>, f64)>,
    directions: Vec<(Array4<f64>, f64)>,
}

impl Probes {
    /// Those of `of` with respect to the leaf `with`.
    pub fn new(
        on: (&Tape, &Values, [u32; 2]),
        of: Var,
        with: Var,
        [entries, directions]: [usize; 2],
        rng: &mut fastrand::Rng,
    ) -> Self {
        let dim = on.1[&with].dim();
        let count = on.1[&with].len();
        let unit = |i: usize| {
            let mut unit = vec![0.0; count];
            unit[i] = 1.0;
            Array4::from_shape_vec(dim, unit).expect("as many")
        };
        let chosen =
            if count <= entries { (0..count).collect() } else { rng.choose_multiple(0..count, entries) };
        let random = |rng: &mut fastrand::Rng| {
            let direction = Array4::from_shape_simple_fn(dim, || rng.f64() - 0.5);
            let length = direction.mapv(|v| v * v).sum().sqrt();
            direction / length
        };
        let probe = |direction: Array4<f64>| {
            let slope = derivative(on, of, with, &direction);
            (direction, slope)
        };
        Self {
            entries: chosen.into_iter().map(unit).map(probe).collect(),
            directions: (0..directions).map(|_| random(rng)).map(probe).collect(),
        }
    }

    /// ‖a−b‖₂/‖b‖₂ of what `gradient` says of the entries, and of the directions.
    pub fn errors(&self, gradient: &Array4<f64>) -> [f64; 2] {
        [&self.entries, &self.directions].map(|probes| {
            let (got, expected): (Vec<_>, Vec<_>) =
                probes.iter().map(|(direction, slope)| ((direction * gradient).sum(), *slope)).unzip();
            if probes.is_empty() {
                0.0
            } else {
                crate::common::compare::relative_error(&got, &expected).expect("numbers")
            }
        })
    }
}
