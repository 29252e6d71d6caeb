//! The whole inversion on the GPU against the same recipe composed of the f64 oracles, and against waves
//! whose modulus is known.

use crate::common::compare::{assert_agrees, assert_near, median};
use palpate::Size;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::proof::{self, oracle};

tests![
    the_plan_agrees_with_its_oracle,
    directions_of_motion_count_by_their_energy,
    an_offset_that_drowns_the_wave_in_f32_does_not_pass_for_stiffness,
];

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
        for (size, frames, directions) in [
            (Size::new(64, 48), Frames::Channels, 1),
            (Size::new(47, 61), Frames::Phases(5), 1),
            (Size::new(33, 47), Frames::Phases(4), 3),
        ] {
            let settings = MmdiSettings { directions, ..settings(mode, size, frames) };
            let n = directions * size.pixels();
            let mut rng = fastrand::Rng::with_seed(3);
            let mask = oracle::blot(&mut rng, size);
            // A wave of 20 px with a tenth of noise, as offset and coarse as a scanner stores it.
            let data: Vec<f32> = (0..n * frames.count())
                .map(|i| {
                    let (x, t) = (((i % n) % size.nx) as f32, (i / n) as f32);
                    let turn = if frames == Frames::Channels { 4.0 } else { frames.count() as f32 };
                    let phase = std::f32::consts::TAU * (x / 20.0 - t / turn);
                    // The directions of motion differ in strength and in time.
                    let direction = ((i % n) / size.pixels()) as f32;
                    let wave = 500.0 / (1.0 + direction) * (phase + direction).cos();
                    (2048.0 + wave + 100.0 * (rng.f32() - 0.5)).round()
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

/// A direction that does not move changes nothing, and of two directions in two media the stronger one decides.
fn directions_of_motion_count_by_their_energy(pipelines: &Pipelines) {
    let size = Size::new(64, 48);
    let n = size.pixels();
    let mask: Vec<bool> =
        (0..n).map(|i| (6..58).contains(&(i % 64)) && (6..42).contains(&(i / 64))).collect();
    let wave = |length: f32, strength: f32| -> Vec<f32> {
        let value = |i: usize| {
            let (x, t) = ((i % n % 64) as f32, (i / n) as f32);
            strength * (std::f32::consts::TAU * (x / length - t / 4.0)).cos()
        };
        (0..4 * n).map(|i| if mask[i % n] { value(i) } else { 0.0 }).collect()
    };
    let together = |waves: &[Vec<f32>]| -> Vec<f32> {
        (0..4).flat_map(|t| waves.iter().flat_map(move |w| w[t * n..][..n].to_vec())).collect()
    };
    let median_of = |waves: &[Vec<f32>]| {
        let settings = MmdiSettings {
            directions: waves.len(),
            ..settings(MmdiMode::Corrected, size, Frames::Phases(4))
        };
        let mmdi = Mmdi::new(pipelines, &settings, &|_, _| {}).expect("compile");
        let maps = mmdi.invert(&together(waves), &mask).expect("invert");
        let inside: Vec<f32> = mask.iter().map(|m| f32::from(*m)).collect();
        (median_inside(&maps, &inside), mmdi.waves().expect("waves"))
    };
    let [soft, stiff] = [wave(12.0, 1.0), wave(18.0, 1.0)];
    let (alone, _) = median_of(std::slice::from_ref(&soft));
    let (with_still, waves) = median_of(&[vec![0.0; 4 * n], soft.clone()]);
    assert_near(with_still, alone, 1e-5, "a direction that does not move");
    let amplitude = |direction: usize| MmdiMap::Amplitude.of(&waves[direction])[20 * 64 + 30];
    assert!(amplitude(0) == 0.0 && (amplitude(1) - 1.0).abs() < 1e-5);
    let faint: Vec<f32> = stiff.iter().map(|v| 0.05 * v).collect();
    let (mostly_soft, _) = median_of(&[soft.clone(), faint]);
    assert_near(mostly_soft, alone, 0.02, "a faint second direction");
    // Both alike: the energies of wave and Laplacian add up.
    let (both, _) = median_of(&[soft, stiff.clone()]);
    let (other, _) = median_of(&[stiff]);
    assert!(both > 1.1 * alone && both < 0.9 * other, "{alone} {both} {other}");
}

fn median_inside(maps: &[f32], mask: &[f32]) -> f64 {
    inside(maps, MmdiMap::Stiffness, mask)
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
