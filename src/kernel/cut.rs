//! Patches of an image; `kernels/cut.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::patches::{FAINTEST, Normalisation};
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/cut.wgsl`.
    struct Uniform { nx: u32, ny: u32, side: u32, faintest: f32, dst_first: u32, dst_pitch: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "cut",
    source: include_str!("../../kernels/cut.wgsl"),
    bindings: &[uniform("p"), read("src"), read("patches"), read("lattice"), read("counter"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || [0, 1].map(|patch| Spec::new(&KERNEL, &[("PATCH", patch)])).into(),
    sizes: &[Size::new(1, 3, 5), Size::new(5, 41, 47), Size::new(128, 256, 256)],
    trial,
};

/// The buffers that say which patches there are.
#[derive(Clone, Copy, Debug)]
pub struct Lattice {
    /// vec4f: first column, first row, weight and view of each patch.
    pub patches: Buf,
    /// i32: how many patches, and how they lie; see `kernels/overlap.wgsl`.
    pub lattice: Buf,
    /// u32: the number of the batch's first patch.
    pub counter: Buf,
}

/// Records the batch's patches of `src`, vec4f `[ny][nx]` of (re, im, inside, –), into `dst`, as many as it has images.
pub fn record(
    rec: &mut Recorder,
    src: Buf,
    [nx, ny]: [usize; 2],
    lattice: Lattice,
    how: Normalisation,
    dst: Tensor,
) {
    let Shape { n, h: side, .. } = dst.shape;
    let params = Uniform {
        nx: nx as u32,
        ny: ny as u32,
        side: side as u32,
        faintest: FAINTEST,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let spec = Spec::new(&KERNEL, &[("PATCH", u32::from(how == Normalisation::Patch))]);
    let Lattice { patches, lattice, counter } = lattice;
    let resources = [src.into(), patches.into(), lattice.into(), counter.into(), dst.buf.into()];
    let cost = Cost::each(n * side * side, 12, 64);
    rec.groups(spec, &params, &resources, [n, 1, 1], cost);
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let (n, side) = (size.planes, size.ny.min(30) - 1);
    let how = if spec.constant("PATCH") == 1 { Normalisation::Patch } else { Normalisation::None };
    let mask = oracle::blot(rng, size.ny, size.nx);
    let src: Vec<[f32; 4]> = mask
        .iter()
        .map(|m| if *m > 0.0 { [3.0 + rng.f32(), rng.f32(), 1.0, 0.0] } else { [0.0; 4] })
        .collect();
    // Some lie partly outside of the image, and the last of the batch is beyond the last patch.
    let count = n + 2;
    let patches: Vec<[f32; 4]> = (0..count)
        .map(|_| {
            let [x, y] = [size.nx, size.ny].map(|n| rng.i32(-(side as i32) / 2..n as i32 - side as i32 / 2));
            [x as f32, y as f32, 1.0, rng.u32(..32) as f32]
        })
        .collect();
    let lattice = Lattice {
        patches: rec.constant("patches", &patches),
        lattice: rec.constant("lattice", &[count as i32, 0, 0, 0, 0]),
        counter: rec.constant("counter", &[3u32; 4]),
    };
    let image = rec.constant("image", &src);
    let dst = trial::room(rec, "cut", Shape::new(n, side, side, 2));
    record(rec, image, [size.nx, size.ny], lattice, how, dst);
    let expected = oracle::cut(&oracle::wide4(&src), [size.nx, size.ny], &patches[3..], [n, side], how);
    vec![trial::expect(dst, &expected, 1e-5)]
}
