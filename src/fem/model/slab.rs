//! A thin slab of any outline with free faces: bending waves, resolved through the thickness.

use super::{Places, Setting, Waves};
use crate::error::Result;
use crate::fem::form::{Direction, WeakForm, legendre, slab_profiles};
use crate::fem::mesh::{Edge, Mesh};
use crate::fem::system::{System, pattern};
use num_complex::Complex64;
use std::f64::consts::TAU;

/// A slab with traction-free faces. Part of its edge moves along z by an amplitude that is constant through the
/// thickness, without in-plane traction. The rest of the edge is free.
///
/// Only bending is excited: u_z is even and u_x, u_y are odd about the middle plane.
pub struct Slab<'a> {
    /// The mesh of the outline.
    pub mesh: &'a Mesh,
    /// The material and the frequency.
    pub setting: Setting<'a>,
    /// The thickness, mm.
    pub thickness: f64,
    /// Reports whether an edge of the outline is driven.
    pub driven: &'a dyn Fn(&Edge) -> bool,
    /// The prescribed amplitude of u_z on the driven edges, mm.
    pub amplitude: f64,
    /// The order through the thickness; see [`WeakForm::slab`].
    pub order: usize,
}

impl Slab<'_> {
    /// Computes the waves at `places` in the planes at `slices`, mm above the lower face.
    ///
    /// # Errors
    /// [`crate::Error::Data`] if the equations cannot be solved.
    pub fn waves(&self, places: &Places, slices: &[f64]) -> Result<Waves> {
        let mesh = self.mesh;
        let profiles = slab_profiles(self.order);
        let n = profiles.len();
        let mut free = vec![true; n * mesh.nodes.len()];
        let mut held = vec![Complex64::default(); free.len()];
        for edge in mesh.boundary.iter().filter(|edge| (self.driven)(edge)) {
            for node in edge.nodes.map(|i| i as usize) {
                for (c, (direction, degree)) in profiles.iter().enumerate() {
                    if *direction == Direction::Z {
                        free[n * node + c] = false;
                        held[n * node + c] = if *degree == 0 { self.amplitude.into() } else { 0.0.into() };
                    }
                }
            }
        }
        let symbolic = pattern(mesh, n, &free)?;
        let Setting { material, frequency_hz } = &self.setting;
        let mut system = System::new(mesh, &symbolic, material, *frequency_hz, false);
        let solution = system.solve(&WeakForm::slab(self.thickness, self.order), &held, &[], &[])?;
        let mut waves = Waves::default();
        waves.work.note(&system, solution.residual);
        for z in slices {
            let height = 2.0 * z / self.thickness - 1.0;
            let weights: Vec<(usize, f64)> = profiles
                .iter()
                .map(|(direction, degree)| {
                    let axis = match direction {
                        Direction::X => 0,
                        Direction::Y => 1,
                        Direction::Z => 2,
                    };
                    (axis, legendre(*degree, height).0)
                })
                .collect();
            let at = |place: &Option<_>| {
                let mut u = [Complex64::default(); 3];
                if let Some(place) = place {
                    for (c, (axis, weight)) in weights.iter().enumerate() {
                        u[*axis] += *weight * solution.at(mesh, place, c);
                    }
                }
                u
            };
            waves.planes.push(places.iter().map(at).collect());
        }
        Ok(waves)
    }
}

/// The wavenumber in 1/mm of bending waves in a plate of incompressible material, by Mindlin's theory with the shear
/// correction 0.915. It sets the edge lengths of the mesh. Modulus in kPa, thickness in mm, density in kg/m³.
///
/// R. D. Mindlin, Influence of rotatory inertia and shear on flexural motions of isotropic, elastic plates, J. Appl.
/// Mech. 18, 1951.
pub fn bending_wavenumber(modulus: f64, thickness: f64, density: f64, frequency_hz: f64) -> f64 {
    let inertia = density * 1e-9 * (TAU * frequency_hz).powi(2);
    let shear = 0.915 * modulus * thickness;
    let stiffness = modulus * thickness.powi(3) / 3.0;
    let rotation = inertia * thickness.powi(3) / 12.0;
    let a = shear * stiffness;
    let b = -(shear * rotation + inertia * thickness * stiffness);
    let c = -inertia * thickness * (shear - rotation);
    ((-b + (b * b - 4.0 * a * c).sqrt()) / (2.0 * a)).sqrt()
}
