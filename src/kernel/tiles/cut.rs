//! Patches of an image and views of their surroundings, cut and normalised: `kernels/tiles/cut.wgsl`.

use super::view::{Seen, later};
use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::size::Size;
use crate::tensor::{Shape, Tensor};

params! {
    struct CutParams { dst: Place, nx: u32, ny: u32, side: u32, step: i32, shift: i32, faintest: f32 }
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
    specs: || [[0, 0], [1, 0], [0, 1], [1, 1]].map(|[patch, second]| spec(patch == 1, second == 1)).into(),
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

/// An image that patches are cut from, or a coarsened one for views of their surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// vec4f `[ny][nx]` of (re, im, inside, –).
    pub image: Buf,
    /// Columns and rows.
    pub size: Size,
    /// The pixels of a patch in a pixel of the view, along each axis: 1 for the image itself; see
    /// [`super::coarsen`]. It is odd.
    pub scale: usize,
}

fn spec(patch: bool, second: bool) -> Spec {
    Spec::new(&CUT, &[("PATCH", u32::from(patch)), ("SECOND", u32::from(second))])
}

/// Records the batch's patches of `scene` into `dst`, one patch per image, as channels 2 · `pair` and 2 · `pair` + 1. Pairs
/// are recorded in their order. A patch's view of a coarsened scene is around the same centre. With `faintest`, each
/// channel of a patch is normalised by itself. A deviation of at most this share of the mean counts as 0.
pub(crate) fn record(
    rec: &mut Recorder,
    scene: Scene,
    lattice: LatticeBuffers,
    faintest: Option<f32>,
    dst: Tensor,
    pair: usize,
) {
    let Scene { image, size: Size { nx, ny }, scale } = scene;
    let Shape { n, h: side, .. } = dst.shape;
    let [step, wide] = [scale, side].map(|n| n as i32);
    let place = dst.place();
    let params = CutParams {
        nx: nx as u32,
        ny: ny as u32,
        side: side as u32,
        step,
        // The view begins side (step - 1) / 2 pixels before the patch, and a mean is at the last of its own pixels.
        shift: (step - 1) - wide * (step - 1) / 2,
        faintest: faintest.unwrap_or_default(),
        dst: Place { first: place.first + pair as u32 / 2, ..place },
    };
    let LatticeBuffers { patches, lattice, counter, most: [most, _] } = lattice;
    let resources = [
        image.first::<[f32; 4]>(nx * ny),
        patches.first::<[f32; 4]>(most),
        lattice.first::<i32>(1),
        counter.first::<u32>(1),
        dst.bound(),
    ];
    let cost = Cost::each(n * side * side, 12, 64);
    rec.groups(spec(faintest.is_some(), pair % 2 == 1), &params, &resources, [n, 1, 1], cost);
}

fn native(call: &mut Call) {
    let p: CutParams = call.params();
    let [normalises, second] = ["PATCH", "SECOND"].map(|name| call.constant(name) == 1);
    let (src, patches) = (call.read::<Quad>(0), call.read::<Quad>(1));
    let count = call.read::<i32>(2)[0].max(0) as usize;
    let counter = call.read::<u32>(3)[0] as usize;
    let [nx, ny, side, pitch] = [p.nx, p.ny, p.side, p.dst.pitch].map(|n| n as usize);
    let pixels = side * side;
    let images = Place { pitch: p.dst.pitch * pixels as u32, ..p.dst };
    let dst = call.write::<Quad>(4);
    let n = (dst.len() - p.dst.first as usize).div_ceil(pixels * pitch);
    let put = |dst: &mut Quad, [re, im]: [f32; 2]| {
        *dst = if second { [dst[0], dst[1], re, im] } else { [re, im, 0.0, 0.0] };
    };
    images.each(call.team(), dst, [n, (pixels - 1) * pitch + 1], |image, dst| {
        let number = counter + image;
        if number >= count {
            return dst.chunks_mut(pitch).for_each(|dst| put(&mut dst[0], [0.0; 2]));
        }
        let [x, y, _, view] = patches[number];
        let (corner, view) = ([x, y].map(|v| v as i32 + p.shift), view as u32);
        let [xs, ys] = [(corner[0], nx), (corner[1], ny)].map(|(first, n)| taken(first, p.step, side, n));
        if xs.len() * ys.len() < pixels {
            dst.chunks_mut(pitch).for_each(|dst| put(&mut dst[0], [0.0; 2]));
        }
        let at = |first: i32, i: usize| (first + p.step * i as i32) as usize;
        let row = |row: usize| {
            let values = &src[at(corner[1], row) * nx..][..nx];
            xs.clone().map(move |column| &values[at(corner[0], column)])
        };
        let [mean, scale] = match normalises {
            true => normal(ys.clone().map(row), p.faintest),
            false => [[0.0; 2], [1.0; 2]],
        };
        for down in ys {
            let seen = Seen::row(view, down, side);
            for (right, [re, im, inside, _]) in xs.clone().zip(row(down)) {
                let wave = [(re - mean[0]) * scale[0], (im - mean[1]) * scale[1]];
                let wave = if *inside > 0.0 { later(view, wave) } else { [0.0; 2] };
                put(&mut dst[seen.pixel(right) * pitch], wave);
            }
        }
    });
}

/// The part of `0..side` whose pixels `first + step i` are in `0..n`.
#[inline(always)]
fn taken(first: i32, step: i32, side: usize, n: usize) -> std::ops::Range<usize> {
    let beyond = |at: i32| ((at - first).max(0) as usize).div_ceil(step as usize);
    let end = beyond(n as i32).min(side);
    beyond(0).min(end)..end
}

/// Mean and inverse deviation of both channels, over the pixels inside. A deviation of at most `faintest` times the mean
/// counts as infinite.
#[inline(always)]
fn normal<'a, R: Iterator<Item = &'a Quad>>(
    rows: impl Iterator<Item = R> + Clone,
    faintest: f32,
) -> [[f32; 2]; 2] {
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
fn sum<'a, R: Iterator<Item = &'a Quad>>(
    rows: impl Iterator<Item = R>,
    f: impl Fn([f32; 2]) -> [f32; 2],
) -> [f32; 3] {
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
