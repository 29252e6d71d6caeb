//! The optimiser: Adam and AdamW as in PyTorch, over all parameters at once; `kernels/adam.wgsl`.

use super::params::params;
use super::reduce::fresh;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/adam.wgsl`.
    struct Uniform {
        n: u32, norm_first: u32,
        beta1: f32, beta2: f32, epsilon: f32, weight_decay: f32, max_norm: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "adam",
    source: include_str!("../../kernels/adam.wgsl"),
    bindings: &[
        uniform("p"),
        read("step_"),
        read("norm"),
        read("gradients"),
        write("parameters"),
        write("first"),
        write("second"),
    ],
    params: Uniform::LAYOUT,
    specs: || (0..2).map(|decoupled| Spec::new(&KERNEL, &[("DECOUPLED", decoupled)])).collect(),
    // Images are the number of the step here.
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(5, [1, 7], 2, 2),
        Size::batch(128, [41, 47], 3, 3),
        Size::batch(10_000, [55, 1], 5, 5),
        Size::batch(41, [64, 64], 4, 4),
    ],
    trial: try_out,
};

/// What changes from step to step and is uploaded before each: eight words of a storage buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Step {
    /// Word 0: the seed of the step's random numbers.
    pub seed: u32,
    /// Word 1: the number t of the step, from 1 on.
    pub step: u32,
    /// Word 2: the learning rate.
    pub learning_rate: f32,
    /// Word 3: 1/(1 − β₁ᵗ).
    pub first_correction: f32,
    /// Word 4: 1/√(1 − β₂ᵗ).
    pub second_correction: f32,
    /// Words 5 to 7, unused.
    pub spare: [u32; 3],
}

impl Step {
    /// Step number `step`, from 1 on (0 counts as 1), with the corrections that `betas` need.
    pub fn new(seed: u32, step: u32, learning_rate: f32, betas: [f32; 2]) -> Self {
        let [first, second] = betas.map(|beta| 1.0 - f64::from(beta).powf(step.max(1).into()));
        Self {
            seed,
            step,
            learning_rate,
            first_correction: (1.0 / first) as f32,
            second_correction: (1.0 / second.sqrt()) as f32,
            spare: [0; 3],
        }
    }
}

/// What stays the same throughout training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The part of the past in the mean of gradients, and in that of their squares.
    pub betas: [f32; 2],
    /// What is added to the root of the mean square.
    pub epsilon: f32,
    /// How strongly parameters are drawn to 0.
    pub weight_decay: f32,
    /// Whether by shrinking them (AdamW), rather than by a term of the gradient (Adam).
    pub decoupled: bool,
    /// The norm that the gradients together are scaled down to; 0, negative or infinite for none.
    pub max_norm: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.0, decoupled: false, max_norm: 0.0 }
    }
}

/// What is trained: four buffers of `len` f32 each, a multiple of 4.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The parameters, updated in place.
    pub parameters: Buf,
    /// Their gradients.
    pub gradients: Buf,
    /// The running means of gradients and of their squares, updated in place; 0 before the first step.
    pub moments: [Buf; 2],
    /// f32 in each of them.
    pub len: usize,
}

/// Records one step. `step` holds a [`Step`]; `norm` is the scalar of [`super::gradient_norm`], of no account
/// where nothing is clipped.
pub fn record(rec: &mut Recorder, step: Buf, state: State, norm: Tensor, settings: Settings) {
    let State { parameters, gradients, moments: [first, second], len } = state;
    let Settings { betas: [beta1, beta2], epsilon, weight_decay, decoupled, max_norm } = settings;
    let clips = max_norm > 0.0 && max_norm.is_finite();
    let n = len / 4;
    let params = Uniform {
        n: n as u32,
        norm_first: norm.first,
        beta1,
        beta2,
        epsilon,
        weight_decay,
        max_norm: if clips { max_norm } else { 0.0 },
    };
    let resources = [step, norm.buf, gradients, parameters, first, second].map(Into::into);
    let spec = Spec::new(&KERNEL, &[("DECOUPLED", decoupled.into())]);
    rec.linear(spec, &params, &resources, n, Cost::each(n, 4 * 17, 16 * 7));
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let len = 4 * size.pixels();
    let mut random = |scale: f32| (0..len).map(|_| scale * (rng.f32() * 2.0 - 1.0)).collect::<Vec<_>>();
    let [parameters, gradients, first] = [1.0, 3.0, 0.1].map(&mut random);
    let second: Vec<f32> = random(0.1).iter().map(|v| v.abs()).collect();
    let norm = oracle::gradient_norm(&oracle::wide(&gradients)) as f32;
    let decoupled = spec.constant("DECOUPLED") == 1;
    let mut results = Vec::new();
    // Far below the norm, above it, none.
    for max_norm in [0.01 * norm, 2.0 * norm, f32::INFINITY] {
        let settings = Settings { weight_decay: 0.1, decoupled, max_norm, ..Settings::default() };
        let step = Step::new(0, size.planes as u32, 0.03, settings.betas);
        let before = [&parameters, &first, &second];
        let [p, m, v] = before.map(|values| {
            let constant = rec.constant("before", values);
            fresh(rec, constant, len)
        });
        let state =
            State { parameters: p, gradients: rec.constant("gradients", &gradients), moments: [m, v], len };
        let device_step = rec.constant("step", &[step]);
        let clip = trial::upload(rec, "norm", &oracle::scalar(norm.into()));
        record(rec, device_step, state, clip, settings);
        let gradients = oracle::wide(&gradients);
        let after = oracle::adam(before.map(|v| oracle::wide(v)), &gradients, &step, &settings);
        let places = [p, m, v].into_iter().zip(after);
        results.extend(places.map(|(buf, values)| Expect::in_buffer(buf, values.to_vec(), 1e-6)));
    }
    results
}
