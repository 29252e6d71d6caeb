//! The files of a simulated phantom: arrays, description, picture.

use super::{Phantom, PhantomImages, Quality};
use crate::colour::ColourMap;
use crate::error::{Error, Result};
use crate::io::nifti::encode_complex64;
use crate::io::png::{Figure, Panel, Scale, USUAL_WIDTH, pick_slices};
use crate::io::{Affine, OutputSet, VolumeGeometry};
use ndarray::{ArrayView2, ArrayView3, ArrayView4};
use ndarray_npy::WriteNpyExt;
use num_complex::Complex32;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

/// The files of every phantom. The description is written last, so its presence shows that the others exist.
pub const FILES: [&str; 6] =
    ["displacement.npy", "modulus.npy", "damping.npy", "mask.npy", "preview.png", "phantom.json"];

/// The number of slices in a preview.
const SHOWN: usize = 3;
/// The axes of the displacement.
const AXES: [&str; 3] = ["x", "y", "z"];

/// A phantom, its images, and the quality of the computation.
pub struct Simulated<'a> {
    /// The phantom.
    pub phantom: &'a Phantom,
    /// The quality of the computation.
    pub quality: &'a Quality,
    /// Its images.
    pub images: &'a PhantomImages,
    /// Additional content for the description, for example a set's name and seed.
    pub about: Value,
    /// True to write only what differs: the driven component, and one plane of modulus, loss factor and mask.
    pub lean: bool,
}

impl Simulated<'_> {
    /// Writes [`FILES`] into a folder. If `nifti` is given, also writes the driven component as complex NIfTI under
    /// that name. Either all files are written or none.
    ///
    /// # Errors
    /// As for [`OutputSet`].
    pub fn write(&self, folder: &Path, nifti: Option<&str>, force: bool) -> Result<()> {
        let mut set = OutputSet::new(folder, force)?;
        let mut files = self.arrays()?;
        if let Some(name) = nifti {
            files.push((name, self.nifti()?));
        }
        files.push(("preview.png", self.preview()?));
        for (name, bytes) in &files {
            set.add_bytes(name, bytes)?;
        }
        // The sizes show whether a file is complete.
        let mut description = self.description();
        description["bytes"] = files.iter().map(|(name, bytes)| (*name, bytes.len())).collect();
        set.add_bytes("phantom.json", pretty(&description)?.as_bytes())?;
        set.commit().map(drop)
    }

    fn arrays(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let PhantomImages { size, displacement, modulus, damping, mask, .. } = self.images;
        let (planes, alike) = (self.images.planes(), self.alike());
        let each = |map: &[f32]| map.repeat(alike);
        let mask: Vec<u8> = mask.iter().map(|m| u8::from(*m)).collect();
        let fail = |e: &dyn std::fmt::Display| Error::Data(format!("an array could not be written: {e}"));
        let mut files = vec![];
        {
            let driven: Vec<Complex32>;
            let (components, values) = if self.lean {
                let component = self.phantom.driven_component();
                driven = (0..planes).flat_map(|p| self.images.component(p, component)).copied().collect();
                (1, &driven)
            } else {
                (3, displacement)
            };
            let view =
                ArrayView4::from_shape((planes, components, *size, *size), values).map_err(|e| fail(&e))?;
            let mut bytes = vec![];
            view.write_npy(&mut bytes).map_err(|e| fail(&e))?;
            files.push((FILES[0], bytes));
        }
        for (name, values) in [(FILES[1], each(modulus)), (FILES[2], each(damping))] {
            let view = ArrayView3::from_shape((alike, *size, *size), &values).map_err(|e| fail(&e))?;
            let mut bytes = vec![];
            view.write_npy(&mut bytes).map_err(|e| fail(&e))?;
            files.push((name, bytes));
        }
        let mask = mask.repeat(alike);
        let view = ArrayView3::from_shape((alike, *size, *size), &mask).map_err(|e| fail(&e))?;
        let mut bytes = vec![];
        view.write_npy(&mut bytes).map_err(|e| fail(&e))?;
        files.push((FILES[3], bytes));
        Ok(files)
    }

    /// The number of planes of modulus, loss factor and mask. They are the same in all planes.
    fn alike(&self) -> usize {
        if self.lean { 1 } else { self.images.planes() }
    }

    /// The input, the result of the computation, and the meaning of every file.
    pub fn description(&self) -> Value {
        let PhantomImages { size, method, work, seconds, slices_mm, .. } = self.images;
        let (planes, alike) = (self.images.planes(), self.alike());
        let components = if self.lean { "1, " } else { "3, " };
        let which = if self.lean { "the driven component" } else { "component x, y, z" };
        json!({
            "palpate": env!("CARGO_PKG_VERSION"),
            "about": self.about,
            "summary": self.phantom.summary(),
            "phantom": self.phantom,
            "quality": self.quality,
            "method": method,
            "driven_component": AXES[self.phantom.driven_component()],
            "slices_mm": slices_mm,
            "files": {
                "displacement.npy": format!("complex64 [{planes}, {components}{size}, {size}]: plane, {which}, row (y, down), column (x, right); metres; the complex amplitude u of u e^(+iwt); 0 outside the mask"),
                "modulus.npy": format!("float32 [{alike}, {size}, {size}]: storage modulus mu of mu (1 + i eta), kPa"),
                "damping.npy": format!("float32 [{alike}, {size}, {size}]: loss factor eta"),
                "mask.npy": format!("uint8 [{alike}, {size}, {size}]: 1 inside the body"),
            },
            "mesh": {
                "nodes": work.nodes,
                "triangles": work.triangles,
                "unknowns": work.unknowns,
                "systems": work.systems,
            },
            "largest_residual": work.residual,
            "memory_bytes": work.memory,
            "seconds": seconds,
        })
    }

    /// The driven component of all planes as NIfTI, x fastest, then y, then plane, on a grid around the body's
    /// centre. The planes of a NIfTI file are evenly spaced. If these are not, the file has a gap of 1 mm and its
    /// description says so.
    fn nifti(&self) -> Result<Vec<u8>> {
        let PhantomImages { size, slices_mm, .. } = self.images;
        let planes = self.images.planes();
        let component = self.phantom.driven_component();
        let wave: Vec<Complex32> =
            (0..planes).flat_map(|p| self.images.component(p, component)).copied().collect();
        let pixel = self.phantom.pixel_mm;
        let corner = -(*size as f64 - 1.0) / 2.0 * pixel;
        let first = slices_mm.first().copied().unwrap_or(0.0);
        let gaps: Vec<f64> = slices_mm.windows(2).map(|z| z[1] - z[0]).collect();
        let even = gaps.iter().all(|gap| *gap > 0.0 && (gap - gaps[0]).abs() < 1e-6);
        let gap = gaps.first().copied().filter(|_| even).unwrap_or(1.0);
        let geometry = VolumeGeometry::placed(Affine([
            [pixel, 0.0, 0.0, corner],
            [0.0, pixel, 0.0, corner],
            [0.0, 0.0, gap, first],
        ]));
        let dims: &[usize] = if planes == 1 { &[*size; 2] } else { &[*size, *size, planes] };
        let about = format!(
            "u_{} in m, {} Hz{}; palpate {}",
            AXES[component],
            self.phantom.frequency_hz,
            if even { "" } else { "; uneven planes, see phantom.json" },
            env!("CARGO_PKG_VERSION")
        );
        encode_complex64(&wave, dims, &geometry, [pixel; 2], &about)
    }

    fn preview(&self) -> Result<Vec<u8>> {
        let PhantomImages { size, modulus, damping, mask, slices_mm, method, work, .. } = self.images;
        let phantom = self.phantom;
        let component = phantom.driven_component();
        let shown = pick_slices(self.images.planes(), SHOWN);
        let middle = shown.len() / 2;
        let mut waves: Vec<(String, Vec<f32>)> = vec![];
        for (i, &plane) in shown.iter().enumerate() {
            let at = slices_mm.get(plane).map_or(String::new(), |z| format!(", z = {z:.1} mm"));
            let name = AXES[component];
            let part = |of: fn(&Complex32) -> f32| {
                self.images.component(plane, component).iter().map(|u| 1e6 * of(u)).collect::<Vec<f32>>()
            };
            waves.push((format!("Re u_{name}{at}"), part(|u| u.re)));
            if i == middle {
                waves.push((format!("Im u_{name}{at}"), part(|u| u.im)));
            }
        }
        let peak = peak(waves.iter().flat_map(|(_, map)| map.iter().copied()));
        let view = |values| ArrayView2::from_shape((*size, *size), values).expect("a map fills its image");
        let inside = ArrayView2::from_shape((*size, *size), mask).expect("a mask fills its image");
        let stiffest = modulus.iter().copied().fold(0.0, f32::max);
        let lossiest = damping.iter().copied().fold(0.0, f32::max);
        let scale = |map, min: f32, max: f32, label: &str| Scale { map, min, max, label: label.into() };
        let panel = |title: &str, values, scale| Panel {
            title: title.into(),
            values: view(values),
            mask: inside,
            scale,
            hatch: None,
            backdrop: None,
        };
        let mut panels: Vec<Panel> = waves
            .iter()
            .map(|(title, map)| panel(title, map, scale(ColourMap::Diverging, -peak, peak, "µm")))
            .collect();
        panels.push(panel(
            "Storage modulus µ",
            modulus,
            scale(ColourMap::Stiffness, 0.0, if stiffest > 8.0 { stiffest } else { 8.0 }, "kPa"),
        ));
        panels.push(panel(
            "Loss factor",
            damping,
            scale(ColourMap::Sequential, 0.0, if lossiest > 0.3 { lossiest } else { 0.3 }, ""),
        ));
        let figure = Figure {
            title: format!("palpate phantom: {}", phantom.summary()),
            notes: vec![
                format!(
                    "{} Hz, {} kg/m³, Poisson's ratio {}; u is the amplitude of u exp(+2 pi i f t). Grey: outside the body.",
                    phantom.frequency_hz, phantom.density, phantom.poisson
                ),
                format!(
                    "{method}: {} unknowns, {} system{}, largest residual {:.0e}.",
                    work.unknowns,
                    work.systems,
                    if work.systems == 1 { "" } else { "s" },
                    work.residual
                ),
                format!("palpate {}, a research tool, not a medical device.", env!("CARGO_PKG_VERSION")),
            ],
            axes: ["x", "y"].map(String::from),
            sides: None,
            spacing_mm: [phantom.pixel_mm; 2],
            columns: if panels.len() > 4 { 3 } else { panels.len() },
            width: USUAL_WIDTH,
            panels,
        };
        figure.png()
    }
}

/// Formats a value as indented JSON that ends with a newline.
pub(super) fn pretty(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::Data(format!("the description could not be written as JSON: {e}")))?;
    Ok(text + "\n")
}

/// The 99th percentile of the magnitudes that are not 0.
pub(super) fn peak(values: impl Iterator<Item = f32>) -> f32 {
    let mut sizes: Vec<f32> = values.map(f32::abs).filter(|v| *v > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    sizes.get(sizes.len() * 99 / 100).copied().filter(|v| v.is_finite()).unwrap_or(1.0)
}
