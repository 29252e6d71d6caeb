//! Activations of each value and their gradients: ReLU, Leaky ReLU and sigmoid, in `kernels/nn/activate.wgsl`.

use crate::kernel::quads::{channels, lanes, leaky, leaky_derivative, load, store};
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;

params! {
    struct ActivateParams { src: Place, grad: Place, dst: Place, count: u32, quads: u32, c: u32, slope: f32 }
}

/// The row of the table of kernels.
pub static ACTIVATE: Kernel = Kernel {
    name: "activate",
    source: include_str!("../../../kernels/nn/activate.wgsl"),
    bindings: &[read("src", "vec4f"), read("grad", "vec4f"), write("dst", "vec4f")],
    params: ActivateParams::LAYOUT,
    specs: || [[0, 0], [0, 1], [1, 0], [1, 1]].map(|[kind, grad]| spec(kind, grad)).into(),
    native: Some(native),
};

fn spec(kind: u32, grad: u32) -> Spec {
    Spec::new(&ACTIVATE, &[("ACTIVATION", kind), ("GRAD", grad)])
}

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x above 0, and slope · x elsewhere.
    LeakyRelu(f32),
    /// 1 / (1 + exp(−x)).
    Sigmoid,
}

impl Activation {
    fn kind(self) -> u32 {
        u32::from(self == Self::Sigmoid)
    }

    fn slope(self) -> f32 {
        if let Self::LeakyRelu(slope) = self { slope } else { 0.0 }
    }
}

/// Records `activation` of `src` into `dst`, of the same shape.
pub(crate) fn record(rec: &mut Recorder, src: Tensor, activation: Activation, dst: Tensor) {
    dispatch(rec, 0, [src, src, dst], activation);
}

/// Records `grad` times the derivative of `activation` at `src` into `dst`, all of one shape.
pub(crate) fn record_grad(
    rec: &mut Recorder,
    src: Tensor,
    grad: Tensor,
    activation: Activation,
    dst: Tensor,
) {
    dispatch(rec, 1, [src, grad, dst], activation);
}

fn dispatch(rec: &mut Recorder, backward: u32, [src, grad, dst]: [Tensor; 3], activation: Activation) {
    let quads = dst.shape.quads();
    let count = dst.shape.pixels() * quads;
    let params = ActivateParams {
        src: src.place(),
        grad: grad.place(),
        dst: dst.place(),
        count: count as u32,
        quads: quads as u32,
        c: dst.shape.c as u32,
        slope: activation.slope(),
    };
    let bound = [src.bound(), grad.bound(), dst.bound()];
    let cost = Cost::each(count, 16, 32 + 16 * backward as usize);
    rec.linear(spec(activation.kind(), backward), &params, &bound, count, cost);
}

fn native(call: &mut Call) {
    let slope = call.params::<ActivateParams>().slope;
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    match [call.constant("ACTIVATION"), call.constant("GRAD")] {
        [0, 0] => apply(call, false, |x| leaky(x, slope)),
        [0, _] => apply(call, true, |x| leaky_derivative(x, slope)),
        [_, 0] => apply(call, false, sigmoid),
        _ => apply(call, true, |x| sigmoid(x) * sigmoid(-x)),
    }
}

/// Applies `f` to each value, and multiplies by the gradient if there is one.
#[inline]
fn apply(call: &mut Call, backward: bool, f: impl Fn(f32) -> f32 + Sync) {
    let p: ActivateParams = call.params();
    let (src, grad): (&[f32], &[f32]) = (call.read(0), call.read(1));
    let (quads, c) = (p.quads as usize, p.c as usize);
    let count = p.count as usize / quads;
    p.dst.strips(
        call.team(),
        call.write(2),
        [count, quads],
        count,
        #[inline(always)]
        |_, pixels, dst| {
            let (src, grad) = (&src[p.src.at(pixels.start)..], &grad[p.grad.at(pixels.start)..]);
            lanes!(quads, |from, L| {
                for i in 0..pixels.len() {
                    let x: [f32; L] = load(src, i * p.src.step() + from);
                    let mut value = channels::<L>(|c| f(x[c]));
                    if backward {
                        let up: [f32; L] = load(grad, i * p.grad.step() + from);
                        value = channels(|c| up[c] * value[c]);
                    }
                    store(dst, i * p.dst.step() + from, value);
                }
            });
            if c < 4 * quads {
                dst.chunks_mut(p.dst.step()).for_each(|pixel| pixel[c..4 * quads].fill(0.0));
            }
        },
    );
}
