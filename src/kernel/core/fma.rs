//! Multiply-adds alone, to measure the arithmetic ceiling: `kernels/core/fma.wgsl`, and on matrix units
//! `kernels/core/fma_units.wgsl`.

use crate::kernel::form::{Form, Units};
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::processor::chains;

params! {
    struct FmaParams { n: u32, steps: u32 }
}

/// The row of the table of kernels.
pub static FMA: Kernel = Kernel {
    name: "fma",
    source: include_str!("../../../kernels/core/fma.wgsl"),
    bindings: &[read("factors", "vec4f"), write("dst", "vec4f")],
    params: FmaParams::LAYOUT,
    specs: || vec![spec(false), spec(true)],
    native: Some(native),
};

/// The specialisation in f32, or in `half` precision.
pub fn spec(half: bool) -> Spec {
    let features = if half { wgpu::Features::SHADER_F16 } else { wgpu::Features::empty() };
    Spec { features, for_shaders: half, ..Spec::new(&FMA, &[("HALF", half.into())]) }
}

/// Records `threads` threads with `steps` times twelve multiply-adds s a + b of four numbers each, in f32 or in `half`
/// precision. Returns vec4f `[threads]`.
pub fn record(rec: &mut Recorder, half: bool, [a, b]: [f32; 2], threads: usize, steps: usize) -> Buf {
    let factors = rec.constant("factors", &[[a; 4], [b; 4]]);
    let dst = rec.scratch::<[f32; 4]>("chains", threads);
    let params = FmaParams { n: threads as u32, steps: steps as u32 };
    let cost = Cost { flops: (threads * steps) as f64 * 96.0, bytes: 16.0 * threads as f64 };
    rec.linear(
        spec(half),
        &params,
        &[factors.first::<[f32; 4]>(2), dst.first::<[f32; 4]>(threads)],
        threads,
        cost,
    );
    dst
}

fn native(call: &mut Call) {
    let p: FmaParams = call.params();
    let (factors, team) = (call.read::<[f32; 4]>(0), call.team());
    team.split(&mut call.write::<[f32; 4]>(1)[..p.n as usize], 4, |_, dst| {
        chains(team.present(), [factors[0], factors[1]], p.steps as usize, dst);
    });
}

params! {
    struct FmaUnitsParams { steps: u32 }
}

/// Chains of one workgroup.
const CHAINS: usize = 4 * 8;

/// The row of the table of kernels.
pub static FMA_UNITS: Kernel = Kernel {
    name: "fma_units",
    source: include_str!("../../../kernels/core/fma_units.wgsl"),
    bindings: &[read("factors", "f32"), write("dst", "f32")],
    params: FmaUnitsParams::LAYOUT,
    specs: || Units::ALL.map(spec_units).to_vec(),
    native: None,
};

/// The specialisation for these units.
pub fn spec_units(units: Units) -> Spec {
    Form::Half(units).spec(&FMA_UNITS, &[])
}

/// Records `groups` workgroups of 32 chains each. A chain has `steps` products of f16 matrices, whose numbers are all
/// multiples of a or of b. Returns f32 `[groups, 32]`.
pub fn record_units(rec: &mut Recorder, units: Units, [a, b]: [f32; 2], groups: usize, steps: usize) -> Buf {
    let factors = rec.constant("factors", &[a, b]);
    let dst = rec.scratch::<f32>("chains", groups * CHAINS);
    let products = (groups * CHAINS * steps) as f64;
    let cost =
        Cost { flops: products * 2.0 * f64::from(units.side).powi(3), bytes: 4.0 * (groups * CHAINS) as f64 };
    let params = FmaUnitsParams { steps: steps as u32 };
    let bound = [factors.first::<f32>(2), dst.first::<f32>(groups * CHAINS)];
    rec.groups(spec_units(units), &params, &bound, [groups, 1, 1], cost);
    dst
}
