//! Oracles and trials of `fft`, `chirp`.

use crate::kernel::signal::fft::{Axis, FftDirection};
use crate::size::Size;
use ndarray::{Array1, Array3};
use num_complex::Complex64;
use rustfft::FftPlanner;

/// The Fourier transform along `axis`, by rustfft. The inverse is scaled by 1/n.
pub fn fft(values: &Array1<Complex64>, axis: Axis, way: FftDirection) -> Array1<Complex64> {
    let mut planner = FftPlanner::new();
    let (transform, scale) = match way {
        FftDirection::Forward => (planner.plan_fft_forward(axis.n), 1.0),
        FftDirection::Inverse => (planner.plan_fft_inverse(axis.n), 1.0 / axis.n as f64),
    };
    let cube = values.to_shape((axis.outer, axis.n, axis.inner)).expect("the axis describes the array");
    let mut cube = cube.to_owned();
    for mut line in cube.lanes_mut(ndarray::Axis(1)) {
        let mut copy = line.to_vec();
        transform.process(&mut copy);
        line.assign(&(Array1::from(copy) * scale));
    }
    cube.into_flat()
}

/// The 2-D Fourier transform of images `[..][ny][nx]`.
pub fn fft2(values: &Array1<Complex64>, Size { nx, ny }: Size, way: FftDirection) -> Array1<Complex64> {
    let planes = values.len() / (nx * ny);
    let rows = fft(values, Axis { outer: planes * ny, n: nx, inner: 1 }, way);
    fft(&rows, Axis { outer: planes, n: ny, inner: nx }, way)
}

/// Returns `src[k] table[k]` for k < `kept`, else 0, in lines of `n_dst` values; `conjugated` conjugates the table.
pub fn chirp(
    values: &Array1<Complex64>,
    table: &Array1<Complex64>,
    axis: Axis,
    n_dst: usize,
    kept: usize,
    conjugated: bool,
) -> Array1<Complex64> {
    let cube = values.to_shape((axis.outer, axis.n, axis.inner)).expect("the axis describes the array");
    let weight = |k: usize| if conjugated { table[k].conj() } else { table[k] };
    let product = |(o, k, i)| if k < kept { cube[[o, k, i]] * weight(k) } else { Complex64::ZERO };
    Array3::from_shape_fn((axis.outer, n_dst, axis.inner), product).into_flat()
}

pub(super) mod trial {
    use crate::kernel::signal::fft::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &fft::FFT,
            sizes: &[
                TrialSize::new(1, Size::square(1)),
                TrialSize::new(3, Size::new(2, 5)),
                TrialSize::new(1, Size::new(41, 1)),
                TrialSize::new(2, Size::new(3, 7)),
                TrialSize::new(4, Size::new(256, 8)),
            ],
            record: fft,
        },
        Trial {
            kernel: &fft::CHIRP,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(3, Size::new(41, 47)),
                TrialSize::new(4, Size::new(256, 257)),
            ],
            record: chirp,
        },
    ];

    fn fft(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let radix = constant(spec, "RADIX") as usize;
        // Two passes of this radix, a first one and a later one, and then the radices of `ny`.
        let radices =
            [vec![radix, radix], factors(size.image.ny).expect("sizes of the row are smooth")].concat();
        let axis = Axis { outer: size.planes, n: radices.iter().product(), inner: size.image.nx };
        let lines = oracle::waves(rng, axis.len());
        let src = rec.constant("lines", &lines);
        let mut fft = Fft::new();
        [(FftDirection::Forward, 1.0), (FftDirection::Inverse, 1.0 / axis.n as f32)]
            .map(|(way, scale)| {
                let dst = fft.passes(rec, src, axis, &radices, way, scale);
                let expected = oracle::fft(&oracle::wide_complex(&lines), axis, way);
                Expect::in_buffer(dst, oracle::flat(&expected), 1e-6)
            })
            .into()
    }

    fn chirp(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let axis = Axis { outer: size.planes, n: size.image.ny, inner: size.image.nx };
        let lines = oracle::waves(rng, axis.len());
        let table = oracle::waves(rng, size.image.ny);
        let (src, t) = (rec.constant("lines", &lines), rec.constant("table", &table));
        let (kept, n_dst) = (size.image.ny - 1, 2 * size.image.ny + 1);
        let padded = fft::record_chirp(rec, src, t, axis, n_dst, kept, 1.0);
        let cut = fft::record_chirp(rec, src, t, axis, kept, kept, -1.0);
        let (lines, table) = (oracle::wide_complex(&lines), oracle::wide_complex(&table));
        let expected =
            |n_dst, conjugated| oracle::flat(&oracle::chirp(&lines, &table, axis, n_dst, kept, conjugated));
        vec![
            Expect::in_buffer(padded, expected(n_dst, false), 1e-6),
            Expect::in_buffer(cut, expected(kept, true), 1e-6),
        ]
    }
}
