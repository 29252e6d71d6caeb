//! The complete direct inversion in f64, composed of the kernels' oracles. Tests compare the plan with it.

use crate::kernel::mre::planes::MmdiMap;
use crate::kernel::signal::fft::FftDirection::{Forward, Inverse};
use crate::mmdi::{CONTINUATIONS, DIRECTIONS, MmdiMode, MmdiSettings, directional, low_pass, models};
use crate::proof::oracle::{
    combine, confidence, erode, fft2, harmonic, normalise, residual, restore, spectral, stencil, weigh,
    window,
};
use crate::size::Size;
use ndarray::{Array1, Array2, Array3, Axis, concatenate};

/// Inverts one slice: frames `[frames][directions × n]` and mask `[n]` give maps `[plane][n]`.
pub fn invert(settings: &MmdiSettings, frames: &Array2<f64>, mask: &Array1<f64>) -> Vec<f64> {
    let size @ Size { nx, ny } = settings.size;
    let wave = harmonic(frames, &settings.frames.weights());
    let (known, waves) = normalise(&wave, mask, settings.zero_lost);
    let (fields, n) = (settings.directions, nx * ny);
    let mut maps = vec![f64::NAN; MmdiMap::ALL.len() * n];
    // Of a plane of the wave, `[direction][n]`.
    let plane = |plane: MmdiMap, direction: usize| &waves[(plane as usize * fields + direction) * n..][..n];
    for i in 0..n {
        let squares = (0..fields).map(|d| plane(MmdiMap::Amplitude, d)[i].powi(2));
        maps[MmdiMap::Amplitude as usize * n + i] = squares.sum::<f64>().sqrt();
        maps[MmdiMap::Real as usize * n + i] = plane(MmdiMap::Real, 0)[i];
        maps[MmdiMap::Imaginary as usize * n + i] = plane(MmdiMap::Imaginary, 0)[i];
    }
    let mut field = known.clone();
    if settings.mode == MmdiMode::Corrected {
        let weights = low_pass(settings).into_flat();
        for _ in 0..CONTINUATIONS {
            let smooth = spectral(&fft2(&field, size, Forward), &weights, fields);
            field = restore(&known, mask, &fft2(&smooth, size, Inverse));
        }
    }
    let split = spectral(&fft2(&field, size, Forward), &directional(settings).into_flat(), fields);
    let waves = fft2(&split, size, Inverse);
    let waves: Array3<_> =
        waves.into_shape_with_order((fields * DIRECTIONS, ny, nx)).expect("four images a field");

    let model = models(settings);
    let noise = residual(&waves, &model.reference.value);
    let groups: Vec<Array3<f64>> = (0..4)
        .map(|g| {
            let fit = &model.fits[g % 3];
            let trust = match settings.mode {
                MmdiMode::Corrected => erode(mask, size, fit.window() / 2),
                MmdiMode::Clinical if g == 3 => erode(mask, size, 0),
                MmdiMode::Clinical => Array1::ones(nx * ny),
            };
            let planes = weigh(&stencil(&waves, &fit.value, &fit.laplacian), &noise, &trust);
            window(&planes, size, settings.box_radius() + if g == 3 { 2 } else { 0 })
        })
        .collect();
    let views: Vec<_> = groups.iter().map(|g| g.view()).collect();
    let sums = concatenate(Axis(0), &views).expect("equal groups");
    let sums = sums.into_shape_with_order((12 * nx * ny, 4)).expect("rows of four");
    let combined = combine(&sums, mask, &model.combined);
    for (map, new) in maps.iter_mut().zip(&combined.maps).filter(|(_, new)| !new.is_nan()) {
        *map = *new;
    }
    let sure = confidence(&combined.trace, mask, size, settings.box_radius());
    maps[MmdiMap::Confidence as usize * nx * ny..][..nx * ny].copy_from_slice(&sure.to_vec());
    maps
}
