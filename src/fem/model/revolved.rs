//! A cylinder that is the same all around: its half section, meshed.

use super::{Setting, Waves};
use crate::error::{Error, Result};
use crate::fem::form::Form;
use crate::fem::mesh::{Locator, Mesh};
use crate::fem::system::{Solution, System, pattern};
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// Which part of the surface is driven along z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// The end at z = 0.
    End,
    /// The side.
    Side,
}

/// What holds the face of a body opposite the driven one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FarFace {
    /// It does not move across itself, and slides without shear traction.
    Roller,
    /// Nothing: no traction.
    Free,
}

/// A body of revolution: a rectangle of radius by height, side 0 the end at z = 0, side 1 the side, 2 the end at
/// z = h and 3 the axis, meshed with the radius along x and z along y. One part of its surface moves by an amplitude
/// along z, without traction along it; what is neither driven nor a roller is free.
pub struct Revolved<'a> {
    /// The half section.
    pub mesh: &'a Mesh,
    /// What it is made of; the modulus is asked at radius and z.
    pub setting: Setting<'a>,
    /// What is driven.
    pub drive: Drive,
    /// The amplitude of u_z there, mm, at radius and z.
    pub amplitude: &'a dyn Fn([f64; 2]) -> f64,
    /// The end at z = h; with a driven side both ends are free.
    pub far_face: FarFace,
}

impl Revolved<'_> {
    /// Radius, z and the displacement along both.
    fn solve(&self, work: &mut super::WorkDone) -> Result<Solution> {
        let mesh = self.mesh;
        let mut free = vec![true; 2 * mesh.nodes.len()];
        let mut held = vec![Complex64::default(); free.len()];
        for edge in &mesh.boundary {
            for node in edge.nodes.map(|i| i as usize) {
                match (edge.side, self.drive) {
                    (3, _) => free[2 * node] = false,
                    (0, Drive::End) | (1, Drive::Side) => {
                        free[2 * node + 1] = false;
                        held[2 * node + 1] = (self.amplitude)(mesh.nodes[node]).into();
                    }
                    (2, Drive::End) if self.far_face == FarFace::Roller => free[2 * node + 1] = false,
                    _ => {}
                }
            }
        }
        let symbolic = pattern(mesh, 2, &free)?;
        let Setting { material, frequency_hz } = &self.setting;
        let mut system = System::new(mesh, &symbolic, material, *frequency_hz, true);
        let solution = system.solve(&Form::axisymmetric(), &held, &[], &[])?;
        work.note(&system, solution.residual);
        Ok(solution)
    }

    /// The waves at `pixels`, mm from the axis along x and y, in the planes at `slices`; those outside are `None`.
    ///
    /// # Errors
    /// [`Error::Data`] where the equations cannot be solved or a slice is outside.
    pub fn waves(&self, pixels: &[Option<[f64; 2]>], slices: &[f64]) -> Result<Waves> {
        let mut waves = Waves::default();
        let solution = self.solve(&mut waves.work)?;
        let locator = Locator::new(self.mesh);
        for &z in slices {
            let mut plane = vec![[Complex64::default(); 3]; pixels.len()];
            for (u, pixel) in plane.iter_mut().zip(pixels) {
                let Some([x, y]) = *pixel else { continue };
                let radius = x.hypot(y);
                let place = self
                    .nearest(&locator, [radius, z])
                    .ok_or_else(|| Error::Data(format!("({radius:.3}, {z:.3}) mm is outside of the body")))?;
                let [radial, along] = [0, 1].map(|c| solution.at(self.mesh, &place, c));
                let [cos, sin] = if radius > 0.0 { [x / radius, y / radius] } else { [0.0; 2] };
                *u = [radial * cos, radial * sin, along];
            }
            waves.planes.push(plane);
        }
        Ok(waves)
    }

    /// The place of a point, or of one a hair from it: points on the surface may seem outside by rounding.
    fn nearest(&self, locator: &Locator, [r, z]: [f64; 2]) -> Option<crate::fem::mesh::Place> {
        let [low, high] = self.mesh.body().bounds();
        let hair = 1e-9 * (high[0] - low[0] + high[1] - low[1]);
        let inside = |v: f64, k: usize| v.clamp(low[k] + hair, high[k] - hair);
        let near = |v: f64, k: usize| (low[k] - hair..=high[k] + hair).contains(&v);
        (near(r, 0) && near(z, 1)).then(|| locator.find([inside(r, 0), inside(z, 1)])).flatten()
    }
}
