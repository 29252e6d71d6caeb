//! Trials of `fft`, `chirp`.

use super::super::*;
use crate::kernel::signal::fft::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &fft::FFT, sizes: &[
        Size::new(1, 1, 1),
        Size::new(3, 5, 2),
        Size::new(1, 1, 41),
        Size::new(2, 7, 3),
        Size::new(4, 8, 256),
    ], record: fft },
    Trial { kernel: &fft::CHIRP, sizes: &[Size::new(1, 3, 5), Size::new(3, 47, 41), Size::new(4, 257, 256)], record: chirp },
];

fn fft(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let radix = constant(spec, "RADIX") as usize;
    // This radix in a first pass and in a later one, then whatever `ny` asks for.
    let radices = [vec![radix, radix], factors(size.ny).expect("sizes of the row are smooth")].concat();
    let axis = Axis { outer: size.planes, n: radices.iter().product(), inner: size.nx };
    let lines = oracle::waves(rng, axis.len());
    let src = rec.constant("lines", &lines);
    let mut fft = Fft::new();
    [(Direction::Forward, 1.0), (Direction::Inverse, 1.0 / axis.n as f32)]
        .map(|(way, scale)| {
            let dst = fft.passes(rec, src, axis, &radices, way, scale);
            let expected = oracle::fft(&oracle::wide_complex(&lines), axis, way);
            Expect::in_buffer(dst, oracle::flat(&expected), 1e-6)
        })
        .into()
}

fn chirp(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let axis = Axis { outer: size.planes, n: size.ny, inner: size.nx };
    let lines = oracle::waves(rng, axis.len());
    let table = oracle::waves(rng, size.ny);
    let (src, t) = (rec.constant("lines", &lines), rec.constant("table", &table));
    let (kept, n_dst) = (size.ny - 1, 2 * size.ny + 1);
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
