//! Bodies that are shaken: which form each obeys, where it is held, and its displacement at the pixels of an image.
//!
//! Displacements are complex amplitudes of u e^{+iωt} in mm, moduli μ* = μ(1 + iη) in kPa, places in mm.

mod extruded;
mod revolved;
mod slab;
mod square;

pub use extruded::{Extruded, HARMONICS};
pub use revolved::{Drive, FarFace, Revolved};
pub use slab::{Slab, bending_wavenumber};
pub use square::{Side, Square};

use super::integrals::Material;
use super::mesh::Place;
use super::system::System;
use num_complex::Complex64;

/// A displacement along x, y and z, mm; 0 outside of the body.
pub type Displacement = [Complex64; 3];

/// Waves in the image planes, and what was done to find them.
#[derive(Clone, Debug, Default)]
pub struct Waves {
    /// For each plane the displacement at each pixel.
    pub planes: Vec<Vec<Displacement>>,
    /// What was done.
    pub work: WorkDone,
}

/// What a computation did and took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkDone {
    /// Nodes of the mesh.
    pub nodes: usize,
    /// Triangles of the mesh.
    pub triangles: usize,
    /// Unknowns of one system of equations.
    pub unknowns: usize,
    /// How many systems were solved: harmonics along z, or one.
    pub systems: usize,
    /// The largest residual ‖b − A x‖ / ‖b‖ of any.
    pub residual: f64,
    /// Memory for matrix, factor, integrals and, in a phantom's images, the waves: bytes.
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

/// What all bodies have in common.
pub struct Setting<'a> {
    /// What the body is made of.
    pub material: Material<'a>,
    /// Frequency of the vibration, Hz.
    pub frequency_hz: f64,
}

/// The places of an image's pixels in a mesh; none outside of the body.
pub type Places = [Option<Place>];

/// The shear wavelength in mm of a storage modulus in kPa.
pub fn wavelength(modulus_kpa: f64, density: f64, frequency_hz: f64) -> f64 {
    1000.0 * (1000.0 * modulus_kpa / density).sqrt() / frequency_hz
}
