//! A body of any outline whose material does not vary along z. Its two ends have no shear traction.

use super::{Displacement, Places, Setting, WallLoad, Waves};
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
/// ends are free of shear traction. The side is free, or has given tractions.
///
/// u_z − d(1 − z/h) is a sine series along z; u_x and u_y are cosine series. The harmonics are independent and share
/// one sparsity pattern. A traction loads each of them by its own coefficient.
pub struct Extruded<'a> {
    /// The mesh of the outline.
    pub mesh: &'a Mesh,
    /// The material and the frequency.
    pub setting: Setting<'a>,
    /// The height h, mm.
    pub height: f64,
    /// The prescribed displacement d at z = 0, mm.
    pub drive: &'a dyn Fn([f64; 2]) -> Complex64,
    /// The tractions on the side.
    pub walls: &'a [WallLoad<'a>],
    /// The relative size below which harmonics are left out: the series ends when a few in a row are smaller than
    /// this share of the whole field.
    pub tolerance: f64,
}

impl Extruded<'_> {
    /// Computes the waves at `places` in the planes at `slices`, mm from the end at z = 0.
    ///
    /// # Errors
    /// [`Error::Data`] if the equations cannot be solved, or if the harmonics do not decay.
    pub fn waves(&self, places: &Places, slices: &[f64]) -> Result<Waves> {
        let mesh = self.mesh;
        let free = vec![true; 3 * mesh.nodes.len()];
        let symbolic = pattern(mesh, 3, &free)?;
        let Setting { material, frequency_hz } = &self.setting;
        let mut system = System::new(mesh, &symbolic, material, *frequency_hz, false);
        let zero = Complex64::default();
        let held = vec![zero; free.len()];
        let given = [mesh.nodes.iter().map(|p| (self.drive)(*p)).collect::<Vec<_>>()];
        let around: Vec<_> = self.walls.iter().map(|wall| wall.around(mesh)).collect();
        let mut loads = if around.is_empty() { vec![] } else { held.clone() };
        let lift: Vec<Complex64> =
            places.iter().map(|place| place.as_ref().map_or(zero, |p| value(mesh, &given[0], p))).collect();
        let mut waves = Waves::default();
        for z in slices {
            let share = 1.0 - z / self.height;
            waves.planes.push(lift.iter().map(|d| [zero, zero, d * share]).collect());
        }
        // Harmonics are orthogonal along z, so their squares add up. A wall at half height does not load every other
        // harmonic, and one more where the bump's transform vanishes: three in a row may be small by chance.
        let (mut square, mut small) = (0.0, 0);
        let enough = if self.walls.is_empty() { 2 } else { 4 };
        for n in 0..HARMONICS {
            loads.fill(zero);
            for (wall, entries) in self.walls.iter().zip(&around) {
                let coefficient = wall.coefficient(n, self.height);
                entries.iter().for_each(|(entry, load)| loads[*entry] += coefficient * load);
            }
            let solution = system.solve(&WeakForm::harmonic(n, self.height), &held, &given, &loads)?;
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
            if small == enough {
                return Ok(waves);
            }
        }
        Err(Error::Data(format!(
            "{HARMONICS} harmonics along z are not enough: the modulus or a driven patch is too small for this height; use a higher modulus, a lower frequency, a taller patch or a shorter body"
        )))
    }
}

fn add(u: &mut Displacement, by: Displacement) {
    u.iter_mut().zip(by).for_each(|(u, by)| *u += by);
}

/// Interpolates a field given at the nodes to a place.
fn value(mesh: &Mesh, given: &[Complex64], place: &MeshPlace) -> Complex64 {
    let nodes = mesh.triangles[place.triangle as usize];
    nodes.iter().zip(shape(place.at)).map(|(node, weight)| weight * given[*node as usize]).sum()
}
