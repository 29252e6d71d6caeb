//! Spectral weights: the band pass, the directional filters, and the low pass of the continuation.

use super::{MmdiMode, MmdiSettings};
use crate::size::Size;
use ndarray::{Array2, Array3};

/// Number of directions that the wave is split into: +x, +y, −x, −y.
pub const DIRECTIONS: usize = 4;

/// Lower cut of the band pass if the zero level is known, waves per mm: 3 per 256 mm.
const LOW: f64 = 3.0 / 256.0;
/// Lower cut if the zero level is lost, waves per field of view.
const LOW_LOST: f64 = 3.0;
/// Cut of the low pass in the continuation, waves per mm: 24 per 256 mm.
const SMOOTH: f64 = 24.0 / 256.0;

/// Returns the spatial frequencies (x, y) of the bins of an image's spectrum, waves per mm, `[ny][nx]`.
fn frequencies(settings: &MmdiSettings) -> Array2<(f64, f64)> {
    let axis = |k: usize, n: usize, h: f64| {
        let signed = if 2 * k < n { k as f64 } else { k as f64 - n as f64 };
        signed / (n as f64 * h)
    };
    let (Size { nx, ny }, [hx, hy]) = (settings.size, settings.spacing_mm);
    Array2::from_shape_fn((ny, nx), |(y, x)| (axis(x, nx, hx), axis(y, ny, hy)))
}

/// Returns the directional filters, `[direction][ny][nx]`: a Butterworth band pass times a cosine about each
/// direction.
///
/// The band pass has order 1 if the zero level is known, and 4 if it is lost. Its upper cut is the limit of the
/// image, half a wave per pixel. Frequency 0 is blocked.
///
/// The clinical mode squares the cosine. The remaining power, Σ w² = cos⁴ + sin⁴, is then halved for a wave at
/// 45°, but the noise is not. This has the effect of 3 dB more noise there. The corrected mode does not square
/// it: Σ w² is 1 at every angle.
pub fn directional(settings: &MmdiSettings) -> Array3<f64> {
    let Size { nx, ny } = settings.size;
    let view = ((nx * ny) as f64).sqrt() * settings.pixel_mm();
    let (low, order) = if settings.zero_lost { (LOW_LOST / view, 4) } else { (LOW, 1) };
    let sharpness = if settings.mode == MmdiMode::Clinical { 2 } else { 1 };
    let high = 0.5 / settings.pixel_mm();
    let grid = frequencies(settings);
    Array3::from_shape_fn((DIRECTIONS, ny, nx), |(d, y, x)| {
        let (kx, ky) = grid[[y, x]];
        let k = kx.hypot(ky);
        if k == 0.0 {
            return 0.0;
        }
        let band = 1.0 / (1.0 + (low / k).powi(2 * order)) / (1.0 + (k / high).powi(2 * order));
        let (along, bin, n) = [(kx, x, nx), (ky, y, ny), (-kx, x, nx), (-ky, y, ny)][d];
        let cosine = (along / k).abs().powi(sharpness);
        // At half a wave per pixel, a bin stands for both directions of travel. Each gets half of it, so that a
        // field and its conjugate have the same stiffness.
        let share = if 2 * bin == n { 0.5 } else { f64::from(along > 0.0) };
        band * cosine * share
    })
}

/// Returns the low pass 1/(1 + (k/K)⁸) of the continuation, `[ny][nx]`.
pub fn low_pass(settings: &MmdiSettings) -> Array2<f64> {
    frequencies(settings).mapv(|(kx, ky)| 1.0 / (1.0 + (kx.hypot(ky) / SMOOTH).powi(8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::signal::harmonic::Frames;

    #[test]
    fn directions_share_the_band_and_mirror_each_other() {
        for (mode, size, zero_lost) in
            [(MmdiMode::Clinical, Size::new(64, 48), true), (MmdiMode::Corrected, Size::new(47, 33), false)]
        {
            let settings =
                MmdiSettings { mode, zero_lost, ..MmdiSettings::new(size, [1.0, 1.5], Frames::Channels) };
            let weights = directional(&settings);
            let Size { nx, ny } = size;
            assert!(weights.iter().all(|w| (0.0..=1.0).contains(w)));
            assert_eq!(weights.slice(ndarray::s![.., 0, 0]).sum(), 0.0);
            for ((d, y, x), w) in weights.indexed_iter() {
                let mirror = weights[[(d + 2) % DIRECTIONS, (ny - y) % ny, (nx - x) % nx]];
                assert!((w - mirror).abs() < 1e-15, "{d} {y} {x}");
            }
            let at = |power: i32| weights.slice(ndarray::s![.., 3, 5]).mapv(|w| w.powi(power)).sum();
            // The directions together pass the band exactly once, because cos² + sin² = 1.
            let (clinical, corrected) = (at(1), at(2).sqrt());
            let all = if mode == MmdiMode::Clinical { clinical } else { corrected };
            assert!(all > 0.5 && all <= 1.0, "{all}");
        }
    }
}
