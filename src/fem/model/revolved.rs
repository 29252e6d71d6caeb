//! A cylinder that does not vary around its axis. Its half section is meshed.

use super::{Setting, Waves};
use crate::error::{Error, Result};
use crate::fem::form::WeakForm;
use crate::fem::mesh::{Locator, Mesh};
use crate::fem::system::{Solution, System, pattern};
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// The part of the surface that is driven along z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrivenPart {
    /// The end at z = 0.
    End,
    /// The side.
    Side,
}

/// The condition on the face opposite the driven one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FarFace {
    /// No displacement normal to the face, and no shear traction.
    Roller,
    /// No traction.
    Free,
}

/// A body of revolution. The mesh is a rectangle of radius by height, with the radius along x and z along y. Its
/// sides are 0: the end at z = 0; 1: the lateral side; 2: the end at z = h; 3: the axis.
///
/// One part of the surface moves along z by a prescribed amplitude, without radial traction. The rest of the surface
/// is free, except for a roller.
pub struct Revolved<'a> {
    /// The half section.
    pub mesh: &'a Mesh,
    /// The material and the frequency. The modulus is evaluated at (radius, z).
    pub setting: Setting<'a>,
    /// The driven part of the surface.
    pub drive: DrivenPart,
    /// The prescribed amplitude of u_z, mm, at (radius, z).
    pub amplitude: &'a dyn Fn([f64; 2]) -> f64,
    /// The condition at z = h. If the side is driven, both ends are free.
    pub far_face: FarFace,
}

impl Revolved<'_> {
    /// Solves for the displacement along the radius and along z.
    fn solve(&self, work: &mut super::WorkDone) -> Result<Solution> {
        let mesh = self.mesh;
        let mut free = vec![true; 2 * mesh.nodes.len()];
        let mut held = vec![Complex64::default(); free.len()];
        for edge in &mesh.boundary {
            for node in edge.nodes.map(|i| i as usize) {
                match (edge.side, self.drive) {
                    (3, _) => free[2 * node] = false,
                    (0, DrivenPart::End) | (1, DrivenPart::Side) => {
                        free[2 * node + 1] = false;
                        held[2 * node + 1] = (self.amplitude)(mesh.nodes[node]).into();
                    }
                    (2, DrivenPart::End) if self.far_face == FarFace::Roller => free[2 * node + 1] = false,
                    _ => {}
                }
            }
        }
        let symbolic = pattern(mesh, 2, &free)?;
        let Setting { material, frequency_hz } = &self.setting;
        let mut system = System::new(mesh, &symbolic, material, *frequency_hz, true);
        let solution = system.solve(&WeakForm::axisymmetric(), &held, &[], &[])?;
        work.note(&system, solution.residual);
        Ok(solution)
    }

    /// Computes the waves in the planes at `slices`, mm from the end at z = 0. `pixels` are in mm from the axis along
    /// x and y; pixels outside the body are `None`.
    ///
    /// # Errors
    /// [`Error::Data`] if the equations cannot be solved, or if a pixel or a slice is outside the body.
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
                    .ok_or_else(|| Error::Data(format!("({radius:.3}, {z:.3}) mm is outside the body")))?;
                let [radial, along] = [0, 1].map(|c| solution.at(self.mesh, &place, c));
                let [cos, sin] = if radius > 0.0 { [x / radius, y / radius] } else { [0.0; 2] };
                *u = [radial * cos, radial * sin, along];
            }
            waves.planes.push(plane);
        }
        Ok(waves)
    }

    /// Finds the place of a point. A point within rounding distance of the body counts as inside, because points on
    /// the surface may appear outside.
    fn nearest(&self, locator: &Locator, [r, z]: [f64; 2]) -> Option<crate::fem::mesh::MeshPlace> {
        let [low, high] = self.mesh.body().bounds();
        let hair = 1e-9 * (high[0] - low[0] + high[1] - low[1]);
        let inside = |v: f64, k: usize| v.clamp(low[k] + hair, high[k] - hair);
        let near = |v: f64, k: usize| (low[k] - hair..=high[k] + hair).contains(&v);
        (near(r, 0) && near(z, 1)).then(|| locator.find([inside(r, 0), inside(z, 1)])).flatten()
    }
}
