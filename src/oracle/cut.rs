use super::view::{later, shown};
use crate::patches::Normalisation;
use ndarray::{Array2, Array4};

/// Cuts `n` patches of `side` × `side` pixels from an image `[ny · nx][4]` of (re, im, inside, –). `places` are
/// (x, y, –, view); patches beyond the last place are 0. Patches are normalised over the pixels inside, as
/// `how` selects.
pub fn cut(
    image: &Array2<f64>,
    [nx, ny]: [usize; 2],
    places: &[[f32; 4]],
    [n, side]: [usize; 2],
    how: Normalisation,
) -> Array4<f64> {
    let mut cut = Array4::zeros((n, side, side, 2));
    for (patch, place) in places.iter().take(n).enumerate() {
        let view = place[3] as u32;
        for channel in 0..2 {
            let mut inside = vec![];
            for (row, column) in (0..side).flat_map(|r| (0..side).map(move |c| (r, c))) {
                let [down, right] = shown(view, [row, column], side);
                let [y, x] = [place[1] as i64 + down as i64, place[0] as i64 + right as i64];
                if (0..ny as i64).contains(&y) && (0..nx as i64).contains(&x) {
                    let value = image.row(y as usize * nx + x as usize);
                    if value[2] > 0.0 {
                        inside.push((row, column, later(view, [value[0], value[1]])[channel]));
                    }
                }
            }
            let (mut mean, mut deviation) = (0.0, 1.0);
            if how == Normalisation::Patch {
                let count = inside.len().max(1) as f64;
                mean = inside.iter().map(|(_, _, v)| v).sum::<f64>() / count;
                deviation = (inside.iter().map(|(_, _, v)| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
                if deviation <= f64::from(crate::patches::FAINTEST) * mean.abs() {
                    deviation = f64::INFINITY;
                }
            }
            for (row, column, value) in inside {
                cut[[patch, row, column, channel]] = (value - mean) / deviation;
            }
        }
    }
    cut
}
