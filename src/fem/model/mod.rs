//! Vibrating bodies: each one's form, its supports, and its displacement at the pixels of an image.
//!
//! Displacements are the complex amplitudes of u e^{+iωt}, in mm. Moduli are μ* = μ(1 + iη) in kPa. Positions are in
//! mm.

mod extruded;
mod revolved;
mod slab;
mod square;
mod wall;

pub use extruded::{Extruded, HARMONICS};
pub use revolved::{DrivenPart, FarFace, Revolved};
pub use slab::{Slab, bending_wavenumber};
pub use square::{Side, Square};
pub use wall::{WallDirection, WallLoad, bump};

use super::integrals::Material;
use super::mesh::MeshPlace;
use super::system::System;
use num_complex::Complex64;

/// The displacement along x, y and z, mm; 0 outside the body.
pub type Displacement = [Complex64; 3];

/// The waves in the image planes, and the work done to compute them.
#[derive(Clone, Debug, Default)]
pub struct Waves {
    /// The displacement at each pixel, plane by plane.
    pub planes: Vec<Vec<Displacement>>,
    /// The work done.
    pub work: WorkDone,
}

/// The size, accuracy and memory of a computation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkDone {
    /// The number of nodes of the mesh.
    pub nodes: usize,
    /// The number of triangles of the mesh.
    pub triangles: usize,
    /// The number of unknowns of one system of equations.
    pub unknowns: usize,
    /// The number of systems solved: the harmonics along z, or one.
    pub systems: usize,
    /// The largest residual ‖b − A x‖ / ‖b‖ of all systems.
    pub residual: f64,
    /// The memory in bytes for matrix, factor and integrals. For a phantom's images it includes the waves.
    pub memory: usize,
}

impl WorkDone {
    fn note(&mut self, system: &System, residual: f64) {
        let mesh = system.mesh();
        (self.nodes, self.triangles) = (mesh.nodes.len(), mesh.triangles.len());
        self.unknowns = system.unknowns();
        self.systems += 1;
        self.residual = self.residual.max(residual);
        self.memory = system.memory();
    }
}

/// The settings that all bodies have in common.
pub struct Setting<'a> {
    /// The material of the body.
    pub material: Material<'a>,
    /// Frequency of the vibration, Hz.
    pub frequency_hz: f64,
}

/// The places of an image's pixels in a mesh; `None` outside the body.
pub type Places = [Option<MeshPlace>];

/// The shear wavelength in mm for a storage modulus in kPa.
pub fn wavelength(modulus_kpa: f64, density: f64, frequency_hz: f64) -> f64 {
    1000.0 * (1000.0 * modulus_kpa / density).sqrt() / frequency_hz
}
