//! The first temporal harmonic of a series of frames; `kernels/harmonic.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use num_complex::{Complex32, Complex64};

params! {
    /// `Params` of `kernels/harmonic.wgsl`.
    struct Uniform { n: u32, frames: u32, reference: f32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "harmonic",
    source: include_str!("../../kernels/harmonic.wgsl"),
    bindings: &[uniform("p"), read("frames"), read("weights"), write("harmonic_")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(2, 3, 5), Size::new(3, 1, 7), Size::new(8, 41, 47), Size::new(8, 256, 256)],
    trial,
};

/// What the frames of a wave image are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Two frames: the real and the imaginary part.
    Channels,
    /// This many phase offsets, evenly spaced over one period; at least 3.
    Phases(usize),
}

impl Frames {
    /// How many frames there are.
    pub fn count(self) -> usize {
        match self {
            Self::Channels => 2,
            Self::Phases(n) => n,
        }
    }

    /// The weight of each frame in the harmonic: see `kernels/harmonic.wgsl`.
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

/// Records `dst[i] = Σ_t (frames[t][i] − …) w_t`: frames f32 `[T][n]`, result vec2f `[n]`.
pub fn record(rec: &mut Recorder, frames: Buf, form: Frames, n: usize) -> Buf {
    let weights: Vec<_> = form.weights().iter().map(|w| Complex32::new(w.re as f32, w.im as f32)).collect();
    let weights = rec.constant("harmonic weights", &weights);
    let dst = rec.scratch::<Complex32>("harmonic", n);
    let count = form.count();
    let reference = if form == Frames::Channels { 0.0 } else { 1.0 };
    let params = Uniform { n: n as u32, frames: count as u32, reference };
    let cost = Cost::each(n, 5 * count, 4 * count + 8);
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[frames.into(), weights.into(), dst.into()], n, cost);
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let form = if size.planes == 2 { Frames::Channels } else { Frames::Phases(size.planes) };
    let n = size.pixels();
    // A large offset, as scanners store: what the mean removal has to survive.
    let frames: Vec<f32> = (0..size.planes * n).map(|_| 2048.0 + 500.0 * rng.f32()).collect();
    let src = rec.constant("frames", &frames);
    let dst = record(rec, src, form, n);
    let frames = oracle::wide(&frames).to_shape((size.planes, n)).expect("shape").to_owned();
    vec![Expect::in_buffer(dst, oracle::flat(&oracle::harmonic(&frames, &form.weights())), 1e-6)]
}
