//! The ceiling of matrix units: nothing but products of matrices; `kernels/fma_units.wgsl`.

use super::convolve::{Form, Units};
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/fma_units.wgsl`.
    struct Uniform { steps: u32 }
}

/// Chains of one workgroup.
const CHAINS: usize = 4 * 8;

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "fma_units",
    source: include_str!("../../kernels/fma_units.wgsl"),
    bindings: &[uniform("p"), read("factors"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || Units::ALL.map(spec).to_vec(),
    sizes: &[Size::new(1, 1, 1), Size::new(7, 1, 3), Size::new(50, 1, 64)],
    trial,
};

/// On these units.
pub fn spec(units: Units) -> Spec {
    Form::Half(units).spec(&KERNEL, &[])
}

/// Records `groups` workgroups of 32 chains each of `steps` products of matrices of halves, all numbers of which are multiples
/// of a or of b: f32 `[groups, 32]`.
pub fn record(rec: &mut Recorder, units: Units, [a, b]: [f32; 2], groups: usize, steps: usize) -> Buf {
    let factors = rec.constant("factors", &[a, b]);
    let dst = rec.scratch::<f32>("chains", groups * CHAINS);
    let products = (groups * CHAINS * steps) as f64;
    let cost =
        Cost { flops: products * 2.0 * f64::from(units.side).powi(3), bytes: 4.0 * (groups * CHAINS) as f64 };
    let params = Uniform { steps: steps as u32 };
    rec.groups(spec(units), &params, &[factors.into(), dst.into()], [groups, 1, 1], cost);
    dst
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let units = Units { side: spec.constant("SIDE"), imitated: spec.constant("IMITATED") == 1 };
    let factors = [0.5 + rng.f32(), 0.5 + rng.f32()];
    let dst = record(rec, units, factors, size.pixels(), size.planes);
    let expected = oracle::fma_units(factors.map(f64::from), units.side as usize, size.planes);
    vec![Expect::in_buffer(dst, expected.repeat(4 * size.pixels()), 1e-5)]
}
