//! From a phantom to the wave images of it.

use super::{Body, Modulus, Phantom};
use crate::error::Result;
use crate::fem::integrals::Material;
use crate::fem::mesh::{Locator, Mesh, Outline, Place};
use crate::fem::model::{
    Drive, Extruded, Revolved, Setting, Slab, Square, Waves, WorkDone, bending_wavenumber, wavelength,
};
use num_complex::{Complex32, Complex64};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use std::time::Instant;

/// The length of edges at the ends of the driven part of a slab's edge, mm. Without, a liver's field with 12 nodes in a
/// wavelength is 2.0 % off, with it 0.6 %.
const TIP: f64 = 0.2;
/// A body has so many edges across at least, however long its waves are.
const SHARES: f64 = 10.0;

/// How finely a phantom is computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Nodes in a wavelength of the softest wave at each place, of a cylinder and a slab; a cylinder's half section
    /// and a square, which cost little, have a quarter more.
    pub nodes_per_wavelength: f64,
    /// The share of the field below which harmonics along z are left out.
    pub harmonics_tolerance: f64,
    /// How many odd degrees of in-plane displacement through a slab's thickness.
    pub slab_order: usize,
}

impl Default for Quality {
    /// Fields differ from those of a refined mesh by less than 1 % (docs/phantoms.md has the figures).
    fn default() -> Quality {
        Quality { nodes_per_wavelength: 16.0, harmonics_tolerance: 2e-3, slab_order: 3 }
    }
}

impl Quality {
    /// Twice the nodes and a tenth of the tolerance: what the default is measured against.
    pub fn refined(self) -> Quality {
        Quality {
            nodes_per_wavelength: 2.0 * self.nodes_per_wavelength,
            harmonics_tolerance: self.harmonics_tolerance / 10.0,
            slab_order: self.slab_order + 1,
        }
    }
}

/// How a phantom's waves are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A cylinder's half section, in cylindrical coordinates.
    Axisymmetric,
    /// A cylinder's cross section, in harmonics along the axis.
    #[serde(rename = "2.5-D Fourier")]
    Fourier,
    /// A square's plane.
    PlaneStrain,
    /// A slab's plane, resolved through the thickness.
    Slab,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Method::Axisymmetric => "Axisymmetric finite elements",
            Method::Fourier => "2.5-D Fourier finite elements",
            Method::PlaneStrain => "Plane-strain finite elements",
            Method::Slab => "Finite elements resolved through the thickness",
        })
    }
}

/// The images of a phantom: `planes` of `size` by `size` pixels, row after row, x along the columns.
#[derive(Clone, Debug)]
pub struct Images {
    /// Rows and columns.
    pub size: usize,
    /// The displacement along x, y and z in metres: plane after plane, component after component.
    pub displacement: Vec<Complex32>,
    /// The storage modulus in kPa of one plane, 0 outside of the body; all planes are alike.
    pub modulus: Vec<f32>,
    /// The loss factor.
    pub damping: Vec<f32>,
    /// Where the body is.
    pub mask: Vec<bool>,
    /// Where the planes are, mm; see [`Phantom::slices_mm`].
    pub slices_mm: Vec<f64>,
    /// How they were computed.
    pub method: Method,
    /// What that took.
    pub work: WorkDone,
    /// Seconds from the phantom to the images.
    pub seconds: f64,
}

impl Images {
    /// How many planes there are.
    pub fn planes(&self) -> usize {
        self.displacement.len() / (3 * self.size * self.size)
    }

    /// One component, 0 for x to 2 for z, in one plane.
    pub fn component(&self, plane: usize, component: usize) -> &[Complex32] {
        let pixels = self.size * self.size;
        let from = (3 * plane + component) * pixels;
        &self.displacement[from..from + pixels]
    }
}

impl Phantom {
    /// How the waves of this phantom are computed.
    pub fn method(&self) -> Method {
        match self.body {
            Body::Cylinder { .. } if self.is_axisymmetric() => Method::Axisymmetric,
            Body::Cylinder { .. } => Method::Fourier,
            Body::Square { .. } => Method::PlaneStrain,
            Body::Slab { .. } => Method::Slab,
        }
    }

    /// The component of the displacement that is driven, and imaged in the clinic: 0 for x to 2 for z.
    pub fn driven_component(&self) -> usize {
        match self.body {
            Body::Square { edge, .. } => edge.along(),
            _ => 2,
        }
    }

    /// The phantom in a line: "cylinder, 80 x 100 mm, 3.5 kPa".
    pub fn summary(&self) -> String {
        let body = match &self.body {
            Body::Cylinder { radius_mm, height_mm, .. } => {
                format!("cylinder, radius {radius_mm:.0} mm, height {height_mm:.0} mm")
            }
            Body::Square { side_mm, .. } => format!("square, side {side_mm:.0} mm"),
            Body::Slab { thickness_mm, .. } => format!("slab, thickness {thickness_mm:.1} mm"),
        };
        let modulus = match &self.background.modulus_kpa {
            Modulus::Constant(kpa) => format!("{kpa:.2} kPa"),
            Modulus::Polynomial(_) => "modulus a polynomial".into(),
            Modulus::Random { mean_kpa, .. } => format!("modulus a random field around {mean_kpa:.2} kPa"),
        };
        let inclusions = match self.inclusions.len() {
            0 => String::new(),
            1 => ", 1 inclusion".into(),
            n => format!(", {n} inclusions"),
        };
        format!("{body}, {modulus}{inclusions}")
    }

    /// Computes the waves and samples them at the pixels' centres. Takes one thread.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] as [`Phantom::check`] and where the outlines cannot be meshed, [`crate::Error::Data`]
    /// where the equations cannot be solved.
    pub fn simulate(&self, quality: &Quality) -> Result<Images> {
        self.check()?;
        let start = Instant::now();
        let computed = Tissues::new(self)?;
        let pixels: Vec<[f64; 2]> = (0..self.size_px)
            .flat_map(|i| (0..self.size_px).map(move |j| (i, j)))
            .map(|(i, j)| self.pixel_centre(i, j))
            .collect();
        let (waves, regions) = match self.method() {
            Method::Axisymmetric => computed.revolved(quality, &pixels)?,
            _ => computed.flat(quality, &pixels)?,
        };
        let mut images = Images {
            size: self.size_px,
            displacement: Vec::with_capacity(waves.planes.len() * 3 * pixels.len()),
            modulus: vec![0.0; pixels.len()],
            damping: vec![0.0; pixels.len()],
            mask: regions.iter().map(Option::is_some).collect(),
            slices_mm: self.slices_mm.clone(),
            method: self.method(),
            work: waves.work,
            seconds: 0.0,
        };
        images.work.memory +=
            waves.planes.len() * pixels.len() * (size_of::<[Complex64; 3]>() + size_of::<[Complex32; 3]>());
        for plane in &waves.planes {
            for c in 0..3 {
                let metres = plane.iter().map(|u| u[c] * 1e-3);
                images.displacement.extend(metres.map(|u| Complex32::new(u.re as f32, u.im as f32)));
            }
        }
        for (i, region) in regions.iter().enumerate() {
            if let Some(region) = region {
                images.modulus[i] = computed.modulus(*region, pixels[i]) as f32;
                images.damping[i] = computed.damping[*region as usize] as f32;
            }
        }
        images.seconds = start.elapsed().as_secs_f64();
        Ok(images)
    }
}

/// A phantom with its tissues ready to be asked.
struct Tissues<'a> {
    phantom: &'a Phantom,
    fields: Vec<super::Field>,
    damping: Vec<f64>,
    /// The longest edges of each region, mm.
    coarsest: Vec<f64>,
    body: Outline,
    inclusions: Vec<Outline>,
}

/// The waves, and each pixel's region.
type Found = (Waves, Vec<Option<u32>>);

impl Tissues<'_> {
    fn new(phantom: &Phantom) -> Result<Tissues<'_>> {
        let tissues =
            || std::iter::once(&phantom.background).chain(phantom.inclusions.iter().map(|i| &i.tissue));
        let body = phantom.outline()?;
        let [low, high] = body.bounds();
        let mut extent = (high[0] - low[0]).min(high[1] - low[1]);
        if let Body::Cylinder { height_mm, .. } = phantom.body {
            extent = extent.min(height_mm);
        }
        Ok(Tissues {
            phantom,
            fields: tissues().map(|t| t.modulus_kpa.field()).collect(),
            damping: tissues().map(|t| t.damping).collect(),
            coarsest: tissues()
                .map(|t| match t.modulus_kpa {
                    Modulus::Random { length_mm, .. } => length_mm.min(extent / SHARES),
                    _ => extent / SHARES,
                })
                .collect(),
            body,
            inclusions: phantom.inclusion_outlines()?,
        })
    }

    fn modulus(&self, region: u32, at: [f64; 2]) -> f64 {
        self.fields[region as usize].at(at)
    }

    /// The length of edges at a place, mm: `nodes` in a wave of the region's modulus, and what else varies resolved.
    fn size(&self, nodes: f64, at: [f64; 2]) -> f64 {
        let region = self.inclusions.iter().position(|i| i.contains(at)).map_or(0, |i| i + 1);
        let Phantom { density, frequency_hz, .. } = *self.phantom;
        let modulus = self.modulus(region as u32, at);
        let wave = match self.phantom.body {
            Body::Slab { thickness_mm, .. } => {
                TAU / bending_wavenumber(modulus, thickness_mm, density, frequency_hz)
            }
            _ => wavelength(modulus, density, frequency_hz),
        };
        (2.0 * wave / nodes).min(self.coarsest[region])
    }

    fn setting<'s>(&'s self, modulus: &'s (dyn Fn(u32, [f64; 2]) -> f64 + Sync)) -> Setting<'s> {
        Setting {
            material: Material {
                modulus,
                damping: &self.damping,
                density: self.phantom.density,
                poisson: self.phantom.poisson,
            },
            frequency_hz: self.phantom.frequency_hz,
        }
    }

    /// A homogeneous cylinder's half section.
    fn revolved(&self, quality: &Quality, pixels: &[[f64; 2]]) -> Result<Found> {
        let Body::Cylinder { radius_mm, height_mm, far_face } = self.phantom.body else {
            unreachable!("only cylinders are axisymmetric")
        };
        let size = self.size(1.25 * quality.nodes_per_wavelength, [0.0; 2]);
        let section = Outline::rectangle([radius_mm / 2.0, height_mm / 2.0], [radius_mm, height_mm])?;
        let mesh = Mesh::new(&section, &[], &|_| size)?;
        let inside: Vec<Option<[f64; 2]>> =
            pixels.iter().map(|p| self.body.contains(*p).then_some(*p)).collect();
        let modulus = |_: u32, _: [f64; 2]| self.modulus(0, [0.0; 2]);
        let body = Revolved {
            mesh: &mesh,
            setting: self.setting(&modulus),
            drive: Drive::End,
            amplitude: &|_| self.phantom.drive.amplitude_mm,
            far_face,
        };
        let waves = body.waves(&inside, &self.phantom.slices_mm)?;
        Ok((waves, inside.iter().map(|p| p.map(|_| 0)).collect()))
    }

    /// A body whose image plane is meshed.
    fn flat(&self, quality: &Quality, pixels: &[[f64; 2]]) -> Result<Found> {
        let phantom = self.phantom;
        let nodes = quality.nodes_per_wavelength;
        let ends: Vec<[f64; 2]> = match phantom.body {
            Body::Slab { arc, .. } => {
                arc.iter().map(|share| self.body.at(share * self.body.length())).collect()
            }
            _ => vec![],
        };
        let size = |at: [f64; 2]| match &phantom.body {
            Body::Cylinder { .. } => self.size(nodes, at).min(self.pad_size(at)),
            Body::Square { .. } => self.size(1.25 * nodes, at),
            Body::Slab { .. } => {
                // Where the driven part of the edge ends, the field goes with the root of the distance.
                let away = |p: &[f64; 2]| (p[0] - at[0]).hypot(p[1] - at[1]);
                let near = ends.iter().map(away).fold(f64::INFINITY, f64::min);
                self.size(nodes, at).min(TIP + 0.3 * near)
            }
        };
        let mesh = Mesh::new(&self.body, &self.inclusions, &size)?;
        let locator = Locator::new(&mesh);
        let places: Vec<Option<Place>> = pixels.iter().map(|p| locator.find(*p)).collect();
        let modulus = |region: u32, at: [f64; 2]| self.modulus(region, at);
        let setting = self.setting(&modulus);
        let amplitude = phantom.drive.amplitude_mm;
        let waves = match phantom.body {
            Body::Cylinder { height_mm, .. } => {
                let drive = |at| phantom.drive_mm(at);
                let tolerance = quality.harmonics_tolerance;
                let body = Extruded { mesh: &mesh, setting, height: height_mm, drive: &drive, tolerance };
                body.waves(&places, &phantom.slices_mm)?
            }
            Body::Square { far_face, edge, .. } => {
                Square { mesh: &mesh, setting, edge, amplitude, far_face }.waves(&places)?
            }
            Body::Slab { thickness_mm, arc, .. } => {
                let driven = |edge: &crate::fem::mesh::Edge| {
                    let middle = (edge.arc[0] + edge.arc[1]) / 2.0 / self.body.length();
                    (middle - arc[0]).rem_euclid(1.0) < arc[1] - arc[0]
                };
                let order = quality.slab_order;
                let body =
                    Slab { mesh: &mesh, setting, thickness: thickness_mm, driven: &driven, amplitude, order };
                body.waves(&places, &phantom.slices_mm)?
            }
        };
        let regions = places.iter().map(|p| p.map(|p| mesh.regions[p.triangle as usize])).collect();
        Ok((waves, regions))
    }

    /// Edges no longer than a pad's displacement needs, mm.
    fn pad_size(&self, at: [f64; 2]) -> f64 {
        let drive = &self.phantom.drive;
        match drive.radius_mm {
            Some(pad) if (at[0] - drive.offset_mm[0]).hypot(at[1] - drive.offset_mm[1]) < 1.2 * pad => {
                pad / 4.0
            }
            _ => f64::INFINITY,
        }
    }
}
