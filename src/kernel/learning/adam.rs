//! The optimiser: Adam and AdamW as in PyTorch, over all parameters at once (`kernels/learning/adam.wgsl`), and the
//! norm of all gradients (`kernels/learning/gradient_norm.wgsl`).

use crate::kernel::core::reduce::{LANES, run};
use crate::kernel::quads::Quad;
use crate::plan::{Bound, Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;

params! {
    struct AdamParams { count: u32, norm_first: u32, beta1: f32, beta2: f32, epsilon: f32, weight_decay: f32, max_norm: f32 }
}

/// The row of the table of kernels.
pub static ADAM: Kernel = Kernel {
    name: "adam",
    source: include_str!("../../../kernels/learning/adam.wgsl"),
    bindings: &[
        read("step_", "u32"),
        read("norm", "vec4f"),
        read("gradients", "vec4f"),
        write("parameters", "vec4f"),
        write("first", "vec4f"),
        write("second", "vec4f"),
    ],
    params: AdamParams::LAYOUT,
    specs: || (0..2).map(|decoupled| Spec::new(&ADAM, &[("DECOUPLED", decoupled)])).collect(),
    native: Some(native),
};

/// The values that change from step to step, uploaded before each: eight words of a storage buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct StepValues {
    /// Word 0: the seed of the step's random numbers.
    pub seed: u32,
    /// Word 1: the number t of the step, counted from 1.
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

impl StepValues {
    /// The values of step number `step`, counted from 1 (0 counts as 1), with the bias corrections for `betas`.
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

/// The settings that stay the same throughout training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// The decay rates β₁ and β₂ of the running means of the gradients and of their squares.
    pub betas: [f32; 2],
    /// The number ε that is added to the root of the mean square.
    pub epsilon: f32,
    /// The weight decay λ.
    pub weight_decay: f32,
    /// True for decoupled weight decay, which shrinks the parameters (AdamW); false for a term of the gradient (Adam).
    pub decoupled: bool,
    /// The largest norm of all gradients together. Larger gradients are scaled down. 0, negative or infinite: no
    /// clipping.
    pub max_norm: f32,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.0, decoupled: false, max_norm: 0.0 }
    }
}

/// The buffers of a training: four buffers of `len` f32 each.
#[derive(Clone, Copy, Debug)]
pub struct AdamBuffers {
    /// The parameters, updated in place.
    pub parameters: Buf,
    /// Their gradients.
    pub gradients: Buf,
    /// The running means of gradients and of their squares, updated in place; 0 before the first step.
    pub moments: [Buf; 2],
    /// The number of f32 in each buffer, a multiple of 4.
    pub len: usize,
}

/// Records one step. `step` holds [`StepValues`]. `norm` is the scalar of [`record_norm`]; it is not read without
/// clipping.
pub(crate) fn record(
    rec: &mut Recorder,
    step: Buf,
    state: AdamBuffers,
    norm: Tensor,
    settings: AdamSettings,
) {
    let AdamBuffers { parameters, gradients, moments: [first, second], len } = state;
    let AdamSettings { betas: [beta1, beta2], epsilon, weight_decay, decoupled, max_norm } = settings;
    let clips = max_norm > 0.0 && max_norm.is_finite();
    let n = len / 4;
    let params = AdamParams {
        count: n as u32,
        norm_first: norm.first,
        beta1,
        beta2,
        epsilon,
        weight_decay,
        max_norm: if clips { max_norm } else { 0.0 },
    };
    let [gradients, parameters, first, second] =
        [gradients, parameters, first, second].map(|buf| buf.first::<[f32; 4]>(n));
    let bound = [step.first::<StepValues>(1), norm.bound(), gradients, parameters, first, second];
    let spec = Spec::new(&ADAM, &[("DECOUPLED", decoupled.into())]);
    rec.linear(spec, &params, &bound, n, Cost::each(n, 4 * 17, 16 * 7));
}

/// Threads take multiples of so many values on the processor, so that they share no cache line.
const CHUNK: usize = 1024;

fn native(call: &mut Call) {
    let p: AdamParams = call.params();
    let decoupled = call.constant("DECOUPLED") == 1;
    let (step, gradients) = (call.read::<StepValues>(0)[0], call.read::<f32>(2));
    let rate = step.learning_rate;
    let clip = if p.max_norm > 0.0 {
        let norm = call.read::<Quad>(1)[p.norm_first as usize][0];
        (p.max_norm / (norm + 1e-6)).min(1.0)
    } else {
        1.0
    };
    let [shrink, decay] = if decoupled { [rate * p.weight_decay, 0.0] } else { [0.0, p.weight_decay] };
    let state = [3, 4, 5].map(|i| (call.write::<f32>(i), CHUNK));
    call.team().split_all(
        state,
        #[inline(always)]
        |chunk, [parameters, first, second]| {
            let gradients = &gradients[chunk * CHUNK..][..parameters.len()];
            let moments = first.iter_mut().zip(second);
            for ((theta, g), (m, v)) in parameters.iter_mut().zip(gradients).zip(moments) {
                let g = clip * g + decay * *theta;
                *theta -= shrink * *theta;
                *m = p.beta1 * *m + (1.0 - p.beta1) * g;
                *v = p.beta2 * *v + (1.0 - p.beta2) * g * g;
                let scale = v.sqrt() * step.second_correction + p.epsilon;
                *theta -= rate * step.first_correction * *m / scale;
            }
        },
    );
}

params! {
    struct GradientNormParams { n: u32, run: u32, dst_first: u32 }
}

/// The row of the table of kernels.
pub static GRADIENT_NORM: Kernel = Kernel {
    name: "gradient_norm",
    source: include_str!("../../../kernels/learning/gradient_norm.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: GradientNormParams::LAYOUT,
    specs: || (0..2).map(|root| Spec::new(&GRADIENT_NORM, &[("ROOT", root)])).collect(),
    native: Some(native_norm),
};

/// Records √Σ g² of all `len` f32 of `gradients`, a multiple of 4, into the scalar `dst`. As in PyTorch, the norm is
/// infinite if a square or the sum exceeds the range of an f32.
pub(crate) fn record_norm(rec: &mut Recorder, gradients: Buf, len: usize, dst: Tensor) {
    let n = len / 4;
    let (run, runs) = (run(n), n.div_ceil(run(n)));
    let partial = rec.scratch::<[f32; 4]>("partial squares", runs);
    let mut pass = |root: u32, (src, dst): (Buf, Bound), first: u32, [n, run]: [usize; 2]| {
        let params = GradientNormParams { n: n as u32, run: run as u32, dst_first: first };
        let spec = Spec::new(&GRADIENT_NORM, &[("ROOT", root)]);
        let cost = if root == 0 { Cost::each(n, 8, 16) } else { Cost::each(n, 1, 16) };
        rec.linear(spec, &params, &[src.first::<[f32; 4]>(n), dst], n.div_ceil(run) * LANES, cost);
    };
    pass(0, (gradients, partial.first::<[f32; 4]>(runs)), 0, [n, run]);
    pass(1, (partial, dst.bound()), dst.first, [runs, runs]);
}

fn native_norm(call: &mut Call) {
    let p: GradientNormParams = call.params();
    let root = call.constant("ROOT") == 1;
    let [n, run, first] = [p.n, p.run, p.dst_first].map(|n| n as usize);
    let src = &call.read::<Quad>(0)[..n];
    let dst = &mut call.write::<Quad>(1)[first..][..n.div_ceil(run)];
    call.team().split_reading(
        dst,
        1,
        size_of_val(src),
        #[inline(always)]
        |first, dst| {
            for (dst, src) in dst.iter_mut().zip(src[first * run..].chunks(run)) {
                let mut sums = [0.0; 4];
                if root {
                    src.iter().for_each(|src| sums[0] += f64::from(src[0]));
                    sums[0] = f64::from((sums[0] as f32).sqrt());
                } else {
                    // A square that exceeds the range of an f32 is infinite.
                    src.iter().for_each(|src| (0..4).for_each(|c| sums[c] += f64::from(src[c] * src[c])));
                }
                *dst = [sums.iter().sum::<f64>() as f32, 0.0, 0.0, 0.0];
            }
        },
    );
}
