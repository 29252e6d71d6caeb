//! Random slabs: any outline, any inner structure, thin to thick, driven at any part of the edge.

use super::bodies::{inclusions, inner, outline, size_px};
use super::draw::{between, points, tissue};
use crate::phantom::{Body, Drive, Phantom};
use fastrand::Rng;

/// The number of image planes. A slab bends, so its planes differ little.
const PLANES: usize = 2;
/// The range of thicknesses, mm. Soft slabs cannot be as thick; drawings beyond the limit of a slab are invalid.
const THICKNESS_MM: [f64; 2] = [6.0, 22.0];

/// Draws a slab. It may be invalid: too thick for its modulus, for example.
pub(super) fn slab(rng: &mut Rng) -> Phantom {
    let shape = outline(rng);
    let thickness_mm = between(rng, THICKNESS_MM[0], THICKNESS_MM[1]);
    let inside = points(&shape);
    let mut background = tissue(rng);
    if let Some(modulus) = inner(rng, &inside) {
        background.modulus_kpa = modulus;
    }
    let from = rng.f64();
    let arc = [from, from + between(rng, 0.05, 0.3)];
    let count = rng.usize(0..=5).saturating_sub(2);
    let slices_mm = (0..PLANES).map(|k| thickness_mm * (k as f64 + rng.f64()) / PLANES as f64).collect();
    let outline = shape.outline();
    let (size_px, inclusions) = match &outline {
        Ok(outline) => (size_px(outline), inclusions(rng, outline, &inside, count)),
        Err(_) => (0, vec![]),
    };
    Phantom {
        body: Body::Slab { outline: shape, thickness_mm, arc },
        frequency_hz: 60.0,
        density: 1000.0,
        poisson: 0.499,
        slices_mm,
        pixel_mm: 1.0,
        size_px,
        drive: Drive { amplitude_mm: between(rng, 0.3, 0.9), ..Drive::default() },
        background,
        inclusions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::set::Family;

    #[test]
    fn slabs_are_valid_and_of_all_thicknesses() {
        let (mut bins, mut constant, mut filled) = ([0; 4], 0, 0);
        for seed in 0..120 {
            let phantom = Family::Slab.draw(&mut Rng::with_seed(seed)).unwrap();
            assert_eq!(phantom, Family::Slab.draw(&mut Rng::with_seed(seed)).unwrap());
            assert_eq!(Phantom::parse(&phantom.to_toml(), "drawn".as_ref()).unwrap(), phantom);
            let Body::Slab { thickness_mm, .. } = phantom.body else { panic!("{phantom:?}") };
            bins[((thickness_mm - 6.0) / 4.0) as usize] += 1;
            constant += usize::from(phantom.background.modulus_kpa.is_constant());
            filled += usize::from(!phantom.inclusions.is_empty());
            let [low, high] = phantom.slices_mm[..] else { panic!("{:?}", phantom.slices_mm) };
            assert!(
                (0.0..thickness_mm / 2.0).contains(&low)
                    && (thickness_mm / 2.0..thickness_mm).contains(&high)
            );
        }
        assert!(bins.iter().all(|n| *n > 5), "{bins:?}");
        assert!((20..60).contains(&constant) && (20..100).contains(&filled), "{constant} {filled}");
    }
}
