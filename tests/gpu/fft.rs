//! 2-D Fourier transforms of any image size against rustfft.

use crate::common::compare::assert_agrees;
use palpate::Size;
use palpate::lowlevel::kernel::signal::fft::{Fft, FftDirection};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::plan::{Plan, Recorder};
use palpate::lowlevel::proof::oracle;

tests![any_size_agrees_with_rustfft,];

/// (nx, ny): powers of two, composites, primes, primes times small factors, single lines.
const SIZES: [Size; 14] = [
    Size::square(256),
    Size::new(128, 64),
    Size::new(320, 260),
    Size::new(41, 47),
    Size::new(257, 251),
    Size::new(17, 19),
    Size::new(1, 37),
    Size::new(64, 1),
    Size::square(1),
    Size::new(2 * 17, 3 * 23),
    Size::new(4 * 29, 77),
    Size::new(512, 3),
    Size::new(13 * 11, 49),
    Size::new(1021, 2),
];

fn any_size_agrees_with_rustfft(pipelines: &Pipelines) {
    for size in SIZES {
        let planes = 3;
        let mut rng = fastrand::Rng::with_seed(7);
        let image = oracle::waves(&mut rng, planes * size.pixels());
        let mut rec = Recorder::new();
        let src = rec.constant("image", &image);
        let mut fft = Fft::new();
        let forward = fft.image(&mut rec, src, planes, size, FftDirection::Forward);
        let back = fft.image(&mut rec, forward, planes, size, FftDirection::Inverse);
        rec.keep(forward);
        rec.keep(back);
        let plan = Plan::compile(rec, pipelines, &|_, _| {}).expect("compile");
        plan.poison().expect("poison");
        plan.run().expect("run");
        let wide = oracle::wide_complex(&image);
        let read = |buf| -> Vec<f64> {
            let mut values: Vec<f32> = plan.read(buf).expect("read");
            values.truncate(2 * image.len());
            values.into_iter().map(f64::from).collect()
        };
        let spectrum = oracle::flat(&oracle::fft2(&wide, size, FftDirection::Forward));
        // f32 with tables rounded from f64.
        let there = assert_agrees(&read(forward), &spectrum, 2e-6, format!("{size}, forward"));
        let round = assert_agrees(&read(back), &oracle::flat(&wide), 2e-6, format!("{size}, there and back"));
        note!("{size}: forward {there:.1e}, there and back {round:.1e}");
    }
}
