//! Patches of an image, cut and normalised: `kernels/tiles/cut.wgsl`.

use super::view::{Seen, later, within};
use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::size::Size;
use crate::tensor::{Shape, Tensor};

params! {
    struct CutParams { dst: Place, nx: u32, ny: u32, side: u32, faintest: f32 }
}

/// The row of the table of kernels.
pub static CUT: Kernel = Kernel {
    name: "cut",
    source: include_str!("../../../kernels/tiles/cut.wgsl"),
    bindings: &[
        read("src", "vec4f"),
        read("patches", "vec4f"),
        read("lattice", "i32"),
        read("counter", "u32"),
        write("dst", "vec4f"),
    ],
    params: CutParams::LAYOUT,
    specs: || [0, 1].map(|patch| Spec::new(&CUT, &[("PATCH", patch)])).into(),
    native: Some(native),
};

/// The buffers that describe the patches of an image.
#[derive(Clone, Copy, Debug)]
pub struct LatticeBuffers {
    /// vec4f: first column, first row, weight and view of each patch.
    pub patches: Buf,
    /// i32: the number of patches and their places on the lattice; see `kernels/tiles/overlap.wgsl`.
    pub lattice: Buf,
    /// u32: the number of the batch's first patch.
    pub counter: Buf,
    /// The capacity of `patches`, and that of `lattice` in numbers.
    pub most: [usize; 2],
}

/// Records the batch's patches of `src`, vec4f `[ny][nx]` of (re, im, inside, –), into `dst`: one patch per image of
/// `dst`. With `faintest`, each channel of a patch is normalised by itself. A deviation of at most this share of the
/// mean counts as 0.
pub(crate) fn record(
    rec: &mut Recorder,
    src: Buf,
    Size { nx, ny }: Size,
    lattice: LatticeBuffers,
    faintest: Option<f32>,
    dst: Tensor,
) {
    let Shape { n, h: side, .. } = dst.shape;
    let params = CutParams {
        nx: nx as u32,
        ny: ny as u32,
        side: side as u32,
        faintest: faintest.unwrap_or_default(),
        dst: dst.place(),
    };
    let spec = Spec::new(&CUT, &[("PATCH", u32::from(faintest.is_some()))]);
    let LatticeBuffers { patches, lattice, counter, most: [most, _] } = lattice;
    let resources = [
        src.first::<[f32; 4]>(nx * ny),
        patches.first::<[f32; 4]>(most),
        lattice.first::<i32>(1),
        counter.first::<u32>(1),
        dst.bound(),
    ];
    let cost = Cost::each(n * side * side, 12, 64);
    rec.groups(spec, &params, &resources, [n, 1, 1], cost);
}

fn native(call: &mut Call) {
    let p: CutParams = call.params();
    let normalises = call.constant("PATCH") == 1;
    let (src, patches) = (call.read::<Quad>(0), call.read::<Quad>(1));
    let count = call.read::<i32>(2)[0].max(0) as usize;
    let counter = call.read::<u32>(3)[0] as usize;
    let [nx, ny, side, pitch] = [p.nx, p.ny, p.side, p.dst.pitch].map(|n| n as usize);
    let pixels = side * side;
    let images = Place { pitch: p.dst.pitch * pixels as u32, ..p.dst };
    let dst = call.write::<Quad>(4);
    let n = (dst.len() - p.dst.first as usize).div_ceil(pixels * pitch);
    images.each(call.team(), dst, [n, (pixels - 1) * pitch + 1], |image, dst| {
        let number = counter + image;
        if number >= count {
            return dst.chunks_mut(pitch).for_each(|dst| dst[0] = [0.0; 4]);
        }
        let [x, y, _, view] = patches[number];
        let (x, y, view) = (x as i32, y as i32, view as u32);
        let (xs, ys) = (within(x, side, nx), within(y, side, ny));
        if xs.len() * ys.len() < pixels {
            dst.chunks_mut(pitch).for_each(|dst| dst[0] = [0.0; 4]);
        }
        let rows = ys.map(|row| ((row as i32 - y) as usize, &src[row * nx + xs.start..][..xs.len()]));
        let [mean, scale] = match normalises {
            true => normal(rows.clone().map(|(_, row)| row), p.faintest),
            false => [[0.0; 2], [1.0; 2]],
        };
        let left = (xs.start as i32 - x) as usize;
        for (row, values) in rows {
            let seen = Seen::row(view, row, side);
            for (i, [re, im, inside, _]) in values.iter().enumerate() {
                let wave = [(re - mean[0]) * scale[0], (im - mean[1]) * scale[1]];
                let [re, im] = if *inside > 0.0 { later(view, wave) } else { [0.0; 2] };
                dst[seen.pixel(left + i) * pitch] = [re, im, 0.0, 0.0];
            }
        }
    });
}

/// Mean and inverse deviation of both channels, over the pixels inside. A deviation of at most `faintest` times the mean
/// counts as infinite.
#[inline(always)]
fn normal<'a>(rows: impl Iterator<Item = &'a [Quad]> + Clone, faintest: f32) -> [[f32; 2]; 2] {
    let [re, im, count] = sum(rows.clone(), |wave| wave);
    let count = count.max(1.0);
    let mean = [re / count, im / count];
    let [re, im, _] = sum(rows, |[re, im]| [(re - mean[0]).powi(2), (im - mean[1]).powi(2)]);
    let scale = |square: f32, mean: f32| {
        let deviation = (square / count).sqrt();
        if deviation <= faintest * mean.abs() { 0.0 } else { 1.0 / deviation }
    };
    [mean, [scale(re, mean[0]), scale(im, mean[1])]]
}

/// The sums of both components of `f` over the pixels inside, and their number.
#[inline(always)]
fn sum<'a>(rows: impl Iterator<Item = &'a [Quad]>, f: impl Fn([f32; 2]) -> [f32; 2]) -> [f32; 3] {
    let mut sums = [0.0; 3];
    for row in rows {
        let mut own = [0.0; 3];
        for [re, im, inside, _] in row {
            let [a, b] = f([*re, *im]);
            let terms = if *inside > 0.0 { [a, b, 1.0] } else { [0.0; 3] };
            (0..3).for_each(|i| own[i] += terms[i]);
        }
        (0..3).for_each(|i| sums[i] += own[i]);
    }
    sums
}
