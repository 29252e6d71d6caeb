//! The contact sheet of a set: small images of the waves and moduli of some phantoms.

use super::{Family, Manifest};
use crate::colour::ColourMap;
use crate::error::{Error, Result};
use crate::io::png::{Figure, Panel, Scale, USUAL_WIDTH, pick_slices};
use crate::phantom::output::peak;
use ndarray::{Array2, Array3, Array4, s};
use num_complex::Complex32;
use std::path::Path;

/// The largest number of phantoms on a sheet.
const MOST: usize = 24;
/// The largest number of pixels along a side of a small map.
const SIDE: usize = 256;
/// The number of maps in a row: a wave and a modulus for each phantom.
const COLUMNS: usize = 6;

/// The small maps of one phantom.
struct Small {
    name: String,
    /// The side of a pixel, mm.
    spacing: f64,
    wave: Array2<f32>,
    peak: f32,
    modulus: Array2<f32>,
    mask: Array2<bool>,
}

/// Draws the sheet as PNG, with finished phantoms selected evenly from every family. `None` if no phantom is
/// finished.
pub(super) fn draw(folder: &Path, manifest: &Manifest) -> Result<Option<Vec<u8>>> {
    let mut families: Vec<Family> = manifest.phantoms.iter().map(|p| p.family).collect();
    families.sort_unstable();
    families.dedup();
    let mut small = vec![];
    for family in &families {
        let of: Vec<_> = manifest.phantoms.iter().filter(|p| p.finished && p.family == *family).collect();
        for i in pick_slices(of.len(), MOST / families.len()) {
            // Files damaged after the phantom was finished are left out.
            small.extend(shrink(folder, &of[i].folder).ok());
        }
    }
    let Some(first) = small.first() else { return Ok(None) };
    let spacing = first.spacing;
    let panels = small.iter().flat_map(|small| {
        let panel = |title: String, values, scale| Panel {
            title,
            values,
            mask: small.mask.view(),
            scale,
            hatch: None,
            backdrop: None,
        };
        let wave =
            Scale { map: ColourMap::Diverging, min: -small.peak, max: small.peak, label: "µm".into() };
        let modulus = Scale { map: ColourMap::Stiffness, min: 0.0, max: 8.0, label: "kPa".into() };
        [
            panel(small.name.clone(), small.wave.view(), wave),
            panel("Storage modulus µ".into(), small.modulus.view(), modulus),
        ]
    });
    let figure = Figure {
        title: format!(
            "palpate phantoms: {} of {} ({})",
            small.len(),
            manifest.set.count,
            manifest.set.set.name()
        ),
        notes: vec![
            format!(
                "Seed {}; {} of {} finished. Real part of the driven component, middle plane; storage modulus.",
                manifest.set.seed, manifest.finished, manifest.set.count
            ),
            format!("palpate {}, a research tool, not a medical device.", env!("CARGO_PKG_VERSION")),
        ],
        axes: ["x", "y"].map(String::from),
        sides: None,
        spacing_mm: [spacing; 2],
        panels: panels.collect(),
        columns: COLUMNS.min(2 * small.len()),
        width: USUAL_WIDTH,
    };
    figure.png().map(Some)
}

fn shrink(folder: &Path, name: &str) -> Result<Small> {
    let folder = folder.join(name);
    let (component, pixel) = super::folder::shown(&folder);
    let displacement: Array4<Complex32> = read(&folder.join("displacement.npy"))?;
    let modulus: Array3<f32> = read(&folder.join("modulus.npy"))?;
    let mask: Array3<u8> = read(&folder.join("mask.npy"))?;
    let middle = displacement.dim().0 / 2;
    let step = displacement.dim().2.div_ceil(SIDE) as isize;
    let wave = displacement
        .slice(s![middle, component.min(displacement.dim().1 - 1), ..;step, ..;step])
        .mapv(|u| 1e6 * u.re);
    Ok(Small {
        name: name.into(),
        spacing: pixel * step as f64,
        peak: peak(wave.iter().copied()),
        wave,
        modulus: modulus.slice(s![middle.min(modulus.dim().0 - 1), ..;step, ..;step]).to_owned(),
        mask: mask.slice(s![middle.min(mask.dim().0 - 1), ..;step, ..;step]).mapv(|m| m != 0),
    })
}

fn read<A: ndarray_npy::ReadableElement, D: ndarray::Dimension>(path: &Path) -> Result<ndarray::Array<A, D>> {
    ndarray_npy::read_npy(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))
}
