//! Meshes of quadratic triangles that follow the outlines of a body and its inclusions.
//!
//! [`Outline`] is a closed curve. [`Mesh::new`] builds triangles whose edge lengths are given by a function of
//! position. [`Locator`] finds the triangle of a point, to sample fields at pixels. [`element`] has the shape
//! functions and the quadrature. Any unit of length may be used, if it is the same everywhere.
//!
//! Corners are placed along the outlines, then inward in a front of equilateral triangles. The constrained Delaunay
//! triangulation joins them, and a few rounds move them to the centroids around them. Midside nodes on an outline are
//! placed on the curve, halfway along it. Areas therefore converge with the fourth power of the edge length.
//!
//! ```
//! use palpate::lowlevel::fem::mesh::{Locator, Mesh, Outline};
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
mod shapes;
mod spacing;
#[cfg(test)]
mod tests;
mod triangulate;

pub use liver::liver;
pub use locate::{Locator, MeshPlace};
pub use outline::Outline;
pub use quadratic::{Edge, Mesh};
pub use shapes::OutlineShape;
pub(crate) use spacing::{Clash, How, clash};
