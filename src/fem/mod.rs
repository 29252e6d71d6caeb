//! Finite elements: waves in a vibrating body, computed on the CPU in f64.
//!
//! From the bottom up: [`mesh`] builds quadratic triangles. [`form`] lists the products of shape functions that make
//! up a body's equations, and [`integrals`] computes them. [`solve`] factors the equations, and [`system`] combines
//! these steps. [`model`] has the bodies. docs/phantoms.md gives the equations and how they were checked.
//! [`crate::phantom`] is the description that users write.

pub mod form;
pub mod integrals;
pub mod mesh;
pub mod model;
pub mod solve;
pub mod system;
