//! Statistics of a norm from running ones, for inference; `kernels/norm_running.wgsl`.

use super::norm::{EPSILON, SIZES, narrow};
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/norm_running.wgsl`.
    struct Uniform {
        quads: u32, c: u32,
        running_first: u32, running_pitch: u32,
        dst_first: u32, dst_pitch: u32,
        epsilon: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "norm_running",
    source: include_str!("../../kernels/norm_running.wgsl"),
    bindings: &[uniform("p"), read("running"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &SIZES,
    trial: try_out,
};

/// Records mean and 1/√(variance + ε) into `dst` from mean and variance in `running`, both `[1, 1, 2, c]`.
pub fn record(rec: &mut Recorder, running: Tensor, dst: Tensor) {
    let quads = running.shape.quads();
    let params = Uniform {
        quads: quads as u32,
        c: running.shape.c as u32,
        running_first: running.first,
        running_pitch: running.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
        epsilon: EPSILON,
    };
    let resources = [running.buf.into(), dst.buf.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, quads, Cost::each(quads, 4 * 2, 64));
}

fn try_out(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = Shape::new(1, 1, 2, size.channels[0]);
    let mut values = trial::random(rng, shape);
    values.slice_mut(ndarray::s![.., .., 1, ..]).mapv_inplace(|v| v.abs() + 1e-6);
    let values = narrow(values);
    let running = trial::upload(rec, "running", &values);
    let dst = trial::room(rec, "statistics", shape);
    record(rec, running, dst);
    vec![trial::expect(dst, &oracle::norm_running(&values), 1e-6)]
}
