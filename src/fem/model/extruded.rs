//! A body of any outline whose material does not vary along z. Its two ends have no shear traction.

use super::{Displacement, Places, Setting, Waves};
use crate::error::{Error, Result};
use crate::fem::form::WeakForm;
use crate::fem::mesh::element::shape;
use crate::fem::mesh::{Mesh, MeshPlace};
use crate::fem::system::{System, pattern};
use num_complex::Complex64;
use std::f64::consts::PI;

/// The largest number of harmonics along z.
pub const HARMONICS: usize = 96;

/// A body that does not vary along z. Its end at z = 0 moves by u_z = d(x, y); its end at z = h has u_z = 0. Both
/// ends are free of shear traction, and the side is free of all traction.
///
/// u_z − d(1 − z/h) is a sine series along z; u_x and u_y are cosine series. The harmonics are independent and share
/// one sparsity pattern.
pub struct Extruded<'a> {
    /// The mesh of the outline.
    pub mesh: &'a Mesh,
    /// The material and the frequency.
    pub setting: Setting<'a>,
    /// The height h, mm.
    pub height: f64,
    /// The prescribed displacement d at z = 0, mm.
    pub drive: &'a dyn Fn([f64; 2]) -> f64,
    /// The relative size below which harmonics are left out: the series ends when two in a row are smaller than this
    /// share of the whole field.
    pub tolerance: f64,
}

impl Extruded<'_> {
    /// Computes the waves at `places` in the planes at `slices`, mm from the driven end.
    ///
    /// # Errors
    /// [`Error::Data`] if the equations cannot be solved, or if the harmonics do not decay.
    pub fn waves(&self, places: &Places, slices: &[f64]) -> Result<Waves> {
        let mesh = self.mesh;
        let free = vec![true; 3 * mesh.nodes.len()];
        let symbolic = pattern(mesh, 3, &free)?;
        let Setting { material, frequency_hz } = &self.setting;
        let mut system = System::new(mesh, &symbolic, material, *frequency_hz, false);
        let held = vec![Complex64::default(); free.len()];
        let drive: Vec<f64> = mesh.nodes.iter().map(|p| (self.drive)(*p)).collect();
        let given = [drive];
        let lift: Vec<f64> =
            places.iter().map(|place| place.as_ref().map_or(0.0, |p| value(mesh, &given[0], p))).collect();
        let zero = Complex64::default();
        let mut waves = Waves::default();
        for z in slices {
            let share = 1.0 - z / self.height;
            waves.planes.push(lift.iter().map(|d| [zero, zero, (d * share).into()]).collect());
        }
        // Harmonics are orthogonal along z, so their squares add up.
        let (mut square, mut small) = (0.0, 0);
        for n in 0..HARMONICS {
            let solution = system.solve(&WeakForm::harmonic(n, self.height), &held, &given, &[])?;
            waves.work.note(&system, solution.residual);
            let q = n as f64 * PI / self.height;
            let factors: Vec<(f64, f64)> = slices.iter().map(|z| (q * z).sin_cos()).collect();
            for (i, place) in places.iter().enumerate() {
                let Some(place) = place else { continue };
                let [x, y, z] = solution.all(mesh, place);
                for (plane, (sin, cos)) in waves.planes.iter_mut().zip(&factors) {
                    add(&mut plane[i], [cos * x, cos * y, sin * z]);
                }
            }
            let size = solution.size();
            square += size * size;
            small = if size * size <= self.tolerance.powi(2) * square { small + 1 } else { 0 };
            if small == 2 {
                return Ok(waves);
            }
        }
        Err(Error::Data(format!(
            "{HARMONICS} harmonics along z are not enough: the modulus is too low for this height; use a higher modulus, a lower frequency or a shorter body"
        )))
    }
}

fn add(u: &mut Displacement, by: Displacement) {
    u.iter_mut().zip(by).for_each(|(u, by)| *u += by);
}

/// Interpolates a field given at the nodes to a place.
fn value(mesh: &Mesh, given: &[f64], place: &MeshPlace) -> f64 {
    let nodes = mesh.triangles[place.triangle as usize];
    nodes.iter().zip(shape(place.at)).map(|(node, weight)| weight * given[*node as usize]).sum()
}
