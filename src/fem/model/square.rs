//! A square in plane strain. One edge is driven along itself.

use super::revolved::FarFace;
use super::{Places, Setting, Waves};
use crate::error::Result;
use crate::fem::form::WeakForm;
use crate::fem::mesh::Mesh;
use crate::fem::system::{System, pattern};
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// A side of a square as seen in an image: x to the right, y down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The side of least x.
    Left,
    /// The side of greatest x.
    Right,
    /// The side of least y: the image's first rows.
    Top,
    /// The side of greatest y.
    Bottom,
}

impl Side {
    /// The side's number on [`Outline::square`](crate::fem::mesh::Outline::square).
    pub fn number(self) -> usize {
        match self {
            Side::Top => 0,
            Side::Right => 1,
            Side::Bottom => 2,
            Side::Left => 3,
        }
    }

    /// The opposite side.
    pub fn opposite(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
            Side::Top => Side::Bottom,
            Side::Bottom => Side::Top,
        }
    }

    /// The axis along the side, in which it is driven: 0 for x, 1 for y.
    pub fn along(self) -> usize {
        self.number() % 2
    }
}

/// A square that does not vary along z and does not move along z. One edge moves along itself by a prescribed
/// amplitude, without normal traction. The opposite edge is free, or a roller that is held in the normal direction.
/// The other edges are free.
pub struct Square<'a> {
    /// The mesh of the square.
    pub mesh: &'a Mesh,
    /// The material and the frequency.
    pub setting: Setting<'a>,
    /// The driven edge.
    pub edge: Side,
    /// The amplitude of its displacement along itself, mm.
    pub amplitude: f64,
    /// The condition on the opposite edge.
    pub far_face: FarFace,
}

impl Square<'_> {
    /// Computes the waves at `places`, as one plane.
    ///
    /// # Errors
    /// [`crate::Error::Data`] if the equations cannot be solved.
    pub fn waves(&self, places: &Places) -> Result<Waves> {
        let mesh = self.mesh;
        let mut free = vec![true; 2 * mesh.nodes.len()];
        let mut held = vec![Complex64::default(); free.len()];
        let (driven, far) = (self.edge.number(), self.edge.opposite().number());
        let (along, across) = (self.edge.along(), 1 - self.edge.along());
        for edge in &mesh.boundary {
            for node in edge.nodes.map(|i| i as usize) {
                if edge.side == driven {
                    free[2 * node + along] = false;
                    held[2 * node + along] = self.amplitude.into();
                } else if edge.side == far && self.far_face == FarFace::Roller {
                    free[2 * node + across] = false;
                }
            }
        }
        let symbolic = pattern(mesh, 2, &free)?;
        let Setting { material, frequency_hz } = &self.setting;
        let mut system = System::new(mesh, &symbolic, material, *frequency_hz, false);
        let solution = system.solve(&WeakForm::plane_strain(), &held, &[], &[])?;
        let mut waves = Waves::default();
        waves.work.note(&system, solution.residual);
        let at = |place: &Option<_>| match place {
            Some(place) => [solution.at(mesh, place, 0), solution.at(mesh, place, 1), Complex64::default()],
            None => Default::default(),
        };
        waves.planes.push(places.iter().map(at).collect());
        Ok(waves)
    }
}
