//! Meshes: a body's outline and its inclusions' become quadratic triangles that follow them.
//!
//! [`Outline`] is a closed curve; [`Mesh::new`] lays triangles whose edges have the length that a function of the
//! place asks for; [`Locator`] finds the triangle of a point, for fields sampled on pixels; [`element`] has what
//! integrals over a triangle need. Lengths are in one unit throughout, whichever the caller likes.
//!
//! Corners are laid along the outlines, then inward in a front of equilateral triangles, joined by the constrained
//! Delaunay triangulation and moved to the centroids around them a few times. Middles of sides on an outline are
//! on the curve, halfway along it, so that areas converge with the fourth power of the edge length.
//!
//! ```
//! use palpate::fem::mesh::{Locator, Mesh, Outline};
//!
//! # fn main() -> palpate::Result<()> {
//! let body = Outline::circle([0.0, 0.0], 80.0)?;
//! let stiff = Outline::triangle([30.0, -20.0], 20.0)?;
//! let mesh = Mesh::new(&body, &[stiff], &|_| 5.0)?;
//! let place = Locator::new(&mesh).find([30.0, -20.0]).unwrap();
//! assert_eq!(mesh.regions[place.triangle as usize], 1);
//! # Ok(()) }
//! ```

pub mod element;
mod fill;
mod liver;
mod locate;
mod outline;
mod piece;
mod plane;
mod quadratic;
mod spacing;
#[cfg(test)]
mod tests;
mod triangulate;

pub use liver::liver;
pub use locate::{Locator, Place};
pub use outline::Outline;
pub use quadratic::{Edge, Mesh};
pub(crate) use spacing::{Clash, How, clash};
