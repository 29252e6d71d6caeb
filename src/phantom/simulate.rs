//! Computes the wave images of a phantom.

use super::{Body, BodyOutline, Modulus, Phantom};
use crate::error::Result;
use crate::fem::integrals::Material;
use crate::fem::mesh::{Locator, Mesh, MeshPlace, Outline};
use crate::fem::model::{
    DrivenPart, Extruded, Revolved, Setting, Slab, Square, Waves, WorkDone, bending_wavenumber, wavelength,
};
use num_complex::{Complex32, Complex64};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use std::time::Instant;

/// The edge length at the ends of the driven part of a slab's edge, mm. With 12 nodes per wavelength, it reduces the
/// error of a liver's field from 2.0 % to 0.6 %.
const TIP: f64 = 0.2;
/// The least number of edges across a body, for waves of any length.
const SHARES: f64 = 10.0;

/// The resolution of a computation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Nodes per local shear wavelength (per bending wavelength for a slab). A cylinder's half section and a square
    /// are cheap and get a quarter more.
    pub nodes_per_wavelength: f64,
    /// The relative size below which harmonics along z are left out.
    pub harmonics_tolerance: f64,
    /// The number of odd degrees of in-plane displacement through a slab's thickness.
    pub slab_order: usize,
}

impl Default for Quality {
    /// The fields differ by less than 1 % from those with [`Quality::refined`]; docs/phantoms.md has the figures.
    fn default() -> Quality {
        Quality { nodes_per_wavelength: 16.0, harmonics_tolerance: 2e-3, slab_order: 3 }
    }
}

impl Quality {
    /// Twice the nodes, a tenth of the tolerance and one more degree through the thickness. The default is measured
    /// against it.
    pub fn refined(self) -> Quality {
        Quality {
            nodes_per_wavelength: 2.0 * self.nodes_per_wavelength,
            harmonics_tolerance: self.harmonics_tolerance / 10.0,
            slab_order: self.slab_order + 1,
        }
    }
}

/// The method for the waves of a phantom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WaveMethod {
    /// The half section of a cylinder, in cylindrical coordinates.
    Axisymmetric,
    /// The cross section of a cylinder or a prism, with harmonics along the axis.
    #[serde(rename = "2.5-D Fourier")]
    Fourier,
    /// The plane of a square.
    PlaneStrain,
    /// The plane of a slab, resolved through the thickness.
    Slab,
}

impl std::fmt::Display for WaveMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            WaveMethod::Axisymmetric => "Axisymmetric finite elements",
            WaveMethod::Fourier => "2.5-D Fourier finite elements",
            WaveMethod::PlaneStrain => "Plane-strain finite elements",
            WaveMethod::Slab => "Finite elements resolved through the thickness",
        })
    }
}

/// The images of a phantom: `planes` of `size` by `size` pixels, row-major, x along the columns.
#[derive(Clone, Debug)]
pub struct PhantomImages {
    /// The number of rows and of columns.
    pub size: usize,
    /// The displacement in metres, `[plane][component x, y, z][row][column]`.
    pub displacement: Vec<Complex32>,
    /// The storage modulus in kPa of one plane, 0 outside the body. All planes are equal.
    pub modulus: Vec<f32>,
    /// The loss factor of one plane, 0 outside the body.
    pub damping: Vec<f32>,
    /// True for pixels inside the body.
    pub mask: Vec<bool>,
    /// The positions of the planes, mm; see [`Phantom::slices_mm`].
    pub slices_mm: Vec<f64>,
    /// The method of computation.
    pub method: WaveMethod,
    /// The work of the computation.
    pub work: WorkDone,
    /// The time from the phantom to the images, in seconds.
    pub seconds: f64,
}

impl PhantomImages {
    /// The number of planes.
    pub fn planes(&self) -> usize {
        self.displacement.len() / (3 * self.size * self.size)
    }

    /// One component (0 for x, 1 for y, 2 for z) in one plane.
    pub fn component(&self, plane: usize, component: usize) -> &[Complex32] {
        let pixels = self.size * self.size;
        let from = (3 * plane + component) * pixels;
        &self.displacement[from..from + pixels]
    }
}

impl Phantom {
    /// The method for the waves of this phantom.
    pub fn method(&self) -> WaveMethod {
        match self.body {
            Body::Cylinder { .. } if self.is_axisymmetric() => WaveMethod::Axisymmetric,
            Body::Cylinder { .. } | Body::Prism { .. } => WaveMethod::Fourier,
            Body::Square { .. } => WaveMethod::PlaneStrain,
            Body::Slab { .. } => WaveMethod::Slab,
        }
    }

    /// The driven component of the displacement, which clinical MR elastography images: 0 for x, 1 for y, 2 for z.
    pub fn driven_component(&self) -> usize {
        match self.body {
            Body::Square { edge, .. } => edge.along(),
            _ => 2,
        }
    }

    /// The phantom in one line, for example "cylinder, radius 80 mm, height 100 mm, 3.50 kPa".
    pub fn summary(&self) -> String {
        let body = match &self.body {
            Body::Cylinder { radius_mm, height_mm, .. } => {
                format!("cylinder, radius {radius_mm:.0} mm, height {height_mm:.0} mm")
            }
            Body::Prism { outline, height_mm, sources } => {
                let shape = match outline {
                    BodyOutline::Drawn { shape, .. } => shape.name(),
                    BodyOutline::Circle { .. } => "circle",
                    BodyOutline::Points { .. } => "polygon",
                };
                let (n, plural) = (sources.len(), if sources.len() == 1 { "" } else { "s" });
                format!("prism ({shape}), height {height_mm:.0} mm, {n} source{plural}")
            }
            Body::Square { side_mm, .. } => format!("square, side {side_mm:.0} mm"),
            Body::Slab { thickness_mm, .. } => format!("slab, thickness {thickness_mm:.1} mm"),
        };
        let modulus = match &self.background.modulus_kpa {
            Modulus::Constant(kpa) => format!("{kpa:.2} kPa"),
            Modulus::Polynomial(_) => "modulus a polynomial".into(),
            Modulus::Layers { layers_kpa, .. } => format!("{} layers", layers_kpa.len()),
            Modulus::Random { mean_kpa, .. } => format!("modulus a random field around {mean_kpa:.2} kPa"),
        };
        let inclusions = match self.inclusions.len() {
            0 => String::new(),
            1 => ", 1 inclusion".into(),
            n => format!(", {n} inclusions"),
        };
        format!("{body}, {modulus}{inclusions}")
    }

    /// Computes the waves and samples them at the pixels' centres, in one thread.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] as for [`Phantom::check`], and if the outlines cannot be meshed.
    /// [`crate::Error::Data`] if the equations cannot be solved.
    pub fn simulate(&self, quality: &Quality) -> Result<PhantomImages> {
        self.check()?;
        let start = Instant::now();
        let computed = Tissues::new(self)?;
        let pixels: Vec<[f64; 2]> = (0..self.size_px)
            .flat_map(|i| (0..self.size_px).map(move |j| (i, j)))
            .map(|(i, j)| self.pixel_centre(i, j))
            .collect();
        let (waves, regions) = match self.method() {
            WaveMethod::Axisymmetric => computed.revolved(quality, &pixels)?,
            _ => computed.flat(quality, &pixels)?,
        };
        let mut images = PhantomImages {
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

/// A phantom with its materials prepared for evaluation.
struct Tissues<'a> {
    phantom: &'a Phantom,
    fields: Vec<super::ModulusField>,
    damping: Vec<f64>,
    /// The largest edge length, mm.
    coarsest: f64,
    body: Outline,
    inclusions: Vec<Outline>,
}

/// The waves, and the region of each pixel.
type Found = (Waves, Vec<Option<u32>>);

impl Tissues<'_> {
    fn new(phantom: &Phantom) -> Result<Tissues<'_>> {
        let tissues =
            || std::iter::once(&phantom.background).chain(phantom.inclusions.iter().map(|i| &i.tissue));
        let body = phantom.outline()?;
        let [low, high] = body.bounds();
        let mut extent = (high[0] - low[0]).min(high[1] - low[1]);
        if let Body::Cylinder { height_mm, .. } | Body::Prism { height_mm, .. } = phantom.body {
            extent = extent.min(height_mm);
        }
        Ok(Tissues {
            phantom,
            fields: tissues().map(|t| t.modulus_kpa.field()).collect(),
            damping: tissues().map(|t| t.damping).collect(),
            coarsest: extent / SHARES,
            body,
            inclusions: phantom.inclusion_outlines()?,
        })
    }

    fn modulus(&self, region: u32, at: [f64; 2]) -> f64 {
        self.fields[region as usize].at(at)
    }

    /// The edge length at a position, mm. It gives `nodes` per local wavelength, and resolves the
    /// modulus and the body.
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
        (2.0 * wave / nodes).min(self.fields[region].edge_mm(at)).min(self.coarsest)
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

    /// Computes a homogeneous cylinder on its half section.
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
            drive: DrivenPart::End,
            amplitude: &|_| self.phantom.drive.amplitude_mm,
            far_face,
        };
        let waves = body.waves(&inside, &self.phantom.slices_mm)?;
        Ok((waves, inside.iter().map(|p| p.map(|_| 0)).collect()))
    }

    /// Computes a body whose image plane is meshed.
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
            Body::Prism { sources, .. } => {
                let finest = sources.iter().map(|source| source.edge_length(&self.body, at));
                finest.fold(self.size(nodes, at), f64::min)
            }
            Body::Square { .. } => self.size(1.25 * nodes, at),
            Body::Slab { .. } => {
                // At the ends of the driven part, the field grows with the square root of the distance.
                let away = |p: &[f64; 2]| (p[0] - at[0]).hypot(p[1] - at[1]);
                let near = ends.iter().map(away).fold(f64::INFINITY, f64::min);
                self.size(nodes, at).min(TIP + 0.3 * near)
            }
        };
        let mesh = Mesh::new(&self.body, &self.inclusions, &size)?;
        let locator = Locator::new(&mesh);
        let places: Vec<Option<MeshPlace>> = pixels.iter().map(|p| locator.find(*p)).collect();
        let modulus = |region: u32, at: [f64; 2]| self.modulus(region, at);
        let setting = self.setting(&modulus);
        let amplitude = phantom.drive.amplitude_mm;
        let waves = match &phantom.body {
            Body::Cylinder { height_mm, .. } => {
                let drive = |at| phantom.drive_mm(at).into();
                let tolerance = quality.harmonics_tolerance;
                let height = *height_mm;
                let body = Extruded { mesh: &mesh, setting, height, drive: &drive, walls: &[], tolerance };
                body.waves(&places, &phantom.slices_mm)?
            }
            Body::Prism { height_mm, sources, .. } => {
                let faces: Vec<_> = sources.iter().filter_map(|source| source.face(&self.body)).collect();
                let walls: Vec<_> = sources.iter().filter_map(|source| source.wall(&self.body)).collect();
                let drive = |at| faces.iter().map(|face| face(at)).sum();
                let (height, tolerance) = (*height_mm, quality.harmonics_tolerance);
                let body = Extruded { mesh: &mesh, setting, height, drive: &drive, walls: &walls, tolerance };
                body.waves(&places, &phantom.slices_mm)?
            }
            Body::Square { far_face, edge, .. } => {
                let (edge, far_face) = (*edge, *far_face);
                Square { mesh: &mesh, setting, edge, amplitude, far_face }.waves(&places)?
            }
            Body::Slab { thickness_mm, arc, .. } => {
                let thickness = *thickness_mm;
                let driven = |edge: &crate::fem::mesh::Edge| {
                    let middle = (edge.arc[0] + edge.arc[1]) / 2.0 / self.body.length();
                    (middle - arc[0]).rem_euclid(1.0) < arc[1] - arc[0]
                };
                let order = quality.slab_order;
                let body = Slab { mesh: &mesh, setting, thickness, driven: &driven, amplitude, order };
                body.waves(&places, &phantom.slices_mm)?
            }
        };
        let regions = places.iter().map(|p| p.map(|p| mesh.regions[p.triangle as usize])).collect();
        Ok((waves, regions))
    }

    /// The largest edge length that resolves a pad's displacement, mm.
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
