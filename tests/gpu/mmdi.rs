//! The whole inversion on the GPU against the same recipe composed of the f64 oracles, and against waves
//! whose modulus is known.

use crate::common::compare::{assert_agrees, assert_near, median};
use palpate::Size;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::proof::{self, oracle};

tests![the_plan_agrees_with_its_oracle, an_offset_that_drowns_the_wave_in_f32_does_not_pass_for_stiffness,];

fn settings(mode: MmdiMode, size: Size, frames: Frames) -> MmdiSettings {
    MmdiSettings {
        mode,
        size,
        spacing_mm: [1.5, 1.25],
        frames,
        directions: 1,
        zero_lost: frames == Frames::Channels,
        frequency_hz: 60.0,
        density: 1000.0,
    }
}

fn the_plan_agrees_with_its_oracle(pipelines: &Pipelines) {
    for mode in [MmdiMode::Corrected, MmdiMode::Clinical] {
        for (size, frames) in [(Size::new(64, 48), Frames::Channels), (Size::new(47, 61), Frames::Phases(5))]
        {
            let settings = settings(mode, size, frames);
            let n = size.pixels();
            let mut rng = fastrand::Rng::with_seed(3);
            let mask = oracle::blot(&mut rng, size);
            // A wave of 20 px with a tenth of noise, as offset and coarse as a scanner stores it.
            let data: Vec<f32> = (0..n * frames.count())
                .map(|i| {
                    let (x, t) = (((i % n) % size.nx) as f32, (i / n) as f32);
                    let turn = if frames == Frames::Channels { 4.0 } else { frames.count() as f32 };
                    let phase = std::f32::consts::TAU * (x / 20.0 - t / turn);
                    (2048.0 + 500.0 * phase.cos() + 100.0 * (rng.f32() - 0.5)).round()
                })
                .collect();
            let mmdi = Mmdi::new(pipelines, &settings, &|_, _| {}).expect("compile");
            mmdi.plan().poison().expect("poison");
            let inside: Vec<bool> = mask.iter().map(|&m| m > 0.0).collect();
            let maps = mmdi.invert(&data, &inside).expect("invert");
            let frames = oracle::wide(&data).into_shape_with_order((frames.count(), n)).expect("shape");
            let expected = proof::mmdi::invert(&settings, &frames, &oracle::wide(&mask));
            for plane in MmdiMap::ALL {
                let got: Vec<f64> = plane.of(&maps).iter().map(|&v| v.into()).collect();
                let what = format!("{mode:?} {size} {plane:?}");
                let error = assert_agrees(&got, plane.of(&expected), 1e-5, &what);
                note!("{what}: {error:.1e}");
            }
        }
    }
}

/// Two channels of a plane wave of 25 px in a disc, with an offset in each.
fn channels(n: usize, amplitude: f32, offsets: [f32; 2]) -> (Vec<f32>, Vec<f32>) {
    let middle = (n as f32 - 1.0) / 2.0;
    let inside = |i: usize| ((i % n) as f32 - middle).hypot((i / n) as f32 - middle) < 0.45 * n as f32;
    let phase = |i: usize| std::f32::consts::TAU * (i % n) as f32 / 25.0;
    let frames = (0..2 * n * n).map(|i| {
        let (channel, i) = (i / (n * n), i % (n * n));
        let wave = if channel == 0 { phase(i).cos() } else { -phase(i).sin() };
        if inside(i) { offsets[channel] + amplitude * wave } else { 0.0 }
    });
    (frames.collect(), (0..n * n).map(|i| f32::from(inside(i))).collect())
}

fn inside(maps: &[f32], plane: MmdiMap, mask: &[f32]) -> f64 {
    let inside = plane.of(maps).iter().zip(mask).filter(|(_, m)| **m > 0.0);
    median(inside.map(|(v, _)| *v))
}

fn an_offset_that_drowns_the_wave_in_f32_does_not_pass_for_stiffness(pipelines: &Pipelines) {
    let settings = MmdiSettings {
        spacing_mm: [1.0; 2],
        ..settings(MmdiMode::Corrected, Size::square(96), Frames::Channels)
    };
    let mmdi = Mmdi::new(pipelines, &settings, &|_, _| {}).expect("compile");
    let invert = |amplitude, offsets| {
        let (frames, mask) = channels(96, amplitude, offsets);
        let inside: Vec<bool> = mask.iter().map(|&m| m > 0.0).collect();
        let maps = mmdi.invert(&frames, &inside).expect("invert");
        [MmdiMap::Stiffness, MmdiMap::Confidence].map(|plane| self::inside(&maps, plane, &mask))
    };
    let [stiffness, _] = invert(1.0, [0.0, 0.0]);
    let [offset, _] = invert(0.1, [5000.0, 9000.0]);
    assert_near(offset, stiffness, 0.02, "with offsets");
    // No wave at all: no confidence.
    assert_eq!(invert(0.0, [5.0, 9.0])[1], 0.0);
}
