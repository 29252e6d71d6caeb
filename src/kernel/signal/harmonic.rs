//! The first temporal harmonic of a series of frames: `kernels/signal/harmonic.wgsl`.

use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use num_complex::{Complex32, Complex64};

params! {
    struct HarmonicParams { count: u32, frames: u32, reference: f32 }
}

/// The row of the table of kernels.
pub static HARMONIC: Kernel = Kernel {
    name: "harmonic",
    source: include_str!("../../../kernels/signal/harmonic.wgsl"),
    bindings: &[read("frames", "f32"), read("weights", "vec2f"), write("harmonic_", "vec2f")],
    params: HarmonicParams::LAYOUT,
    specs: || vec![Spec::new(&HARMONIC, &[])],
    native: Some(native),
};

/// The meaning of the frames of a wave image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Two frames: the real and the imaginary part.
    Channels,
    /// This number of phase offsets, evenly spaced over one period; at least 3.
    Phases(usize),
}

impl Frames {
    /// The number of frames.
    pub fn count(self) -> usize {
        match self {
            Self::Channels => 2,
            Self::Phases(n) => n,
        }
    }

    /// The weight of each frame in the harmonic; see `kernels/signal/harmonic.wgsl`.
    pub fn weights(self) -> Vec<Complex64> {
        match self {
            Self::Channels => vec![Complex64::ONE, Complex64::I],
            Self::Phases(n) => {
                let turn = -std::f64::consts::TAU / n as f64;
                (0..n).map(|t| Complex64::from_polar(2.0 / n as f64, turn * t as f64)).collect()
            }
        }
    }
}

/// Records `dst[i] = Σ_t (frames[t][i] − reference frames[0][i]) w_t`: frames f32 `[T][n]`, result vec2f `[n]`. The
/// reference is 1 for [`Frames::Phases`] and 0 for [`Frames::Channels`].
pub fn record(rec: &mut Recorder, frames: Buf, form: Frames, n: usize) -> Buf {
    let weights: Vec<_> = form.weights().iter().map(|w| Complex32::new(w.re as f32, w.im as f32)).collect();
    let weights = rec.constant("harmonic weights", &weights);
    let dst = rec.scratch::<Complex32>("harmonic", n);
    let count = form.count();
    let reference = if form == Frames::Channels { 0.0 } else { 1.0 };
    let params = HarmonicParams { count: n as u32, frames: count as u32, reference };
    let cost = Cost::each(n, 5 * count, 4 * count + 8);
    let bound =
        [frames.first::<f32>(count * n), weights.first::<Complex32>(count), dst.first::<Complex32>(n)];
    rec.linear(Spec::new(&HARMONIC, &[]), &params, &bound, n, cost);
    dst
}

/// The number of pixels whose sums stay in a cache while the frames are added.
const STRIP: usize = 512;

fn native(call: &mut Call) {
    let p: HarmonicParams = call.params();
    let n = p.count as usize;
    let (frames, weights): (&[f32], &[[f32; 2]]) = (call.read(0), call.read(1));
    let dst: &mut [[f32; 2]] = call.write(2);
    call.team().split(
        dst,
        1,
        #[inline(always)]
        |first, part| {
            for (strip, dst) in part.chunks_mut(STRIP).enumerate() {
                let strip = first + strip * STRIP..first + strip * STRIP + dst.len();
                dst.fill([0.0; 2]);
                for (frame, w) in frames.chunks_exact(n).zip(weights) {
                    let values = frame[strip.clone()].iter().zip(&frames[strip.clone()]);
                    for (u, (x, zero)) in dst.iter_mut().zip(values) {
                        let off = x - p.reference * zero;
                        *u = [u[0] + off * w[0], u[1] + off * w[1]];
                    }
                }
            }
        },
    );
}
