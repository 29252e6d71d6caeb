//! What overlapping predictions come to; `kernels/settle.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/settle.wgsl`.
    struct Uniform { n: u32, scale: f32, floor: f32, slope: f32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "settle",
    source: include_str!("../../kernels/settle.wgsl"),
    bindings: &[uniform("p"), read("state"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)],
    trial,
};

/// How predictions become a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settling {
    /// What predictions are multiplied with.
    pub scale: f64,
    /// The uncertainty where all predictions agree.
    pub floor: f64,
    /// How it grows with their spread.
    pub slope: f64,
}

/// Records (mean, uncertainty, inside, spread) as vec4f `[n]` of a state that [`overlap`](super::overlap) left.
pub fn record(rec: &mut Recorder, state: Buf, how: Settling, n: usize) -> Buf {
    let dst = rec.scratch::<[f32; 4]>("settled", n);
    let [scale, floor, slope] = [how.scale, how.floor, how.slope].map(|v| v as f32);
    let params = Uniform { n: n as u32, scale, floor, slope };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[state.into(), dst.into()], n, Cost::each(n, 9, 32));
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let state: Vec<[f32; 4]> = (0..n)
        .map(|_| match rng.u8(..4) {
            0 => [0.0; 4],
            k => [5.0 * rng.f32(), rng.f32() - 0.1, 0.1 + rng.f32(), f32::from(k)],
        })
        .collect();
    let how = Settling { scale: 1.06, floor: 0.07, slope: 1.4 };
    let src = rec.constant("state", &state);
    let dst = record(rec, src, how, n);
    let expected = oracle::settle(&oracle::wide4(&state), how);
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-6)]
}
