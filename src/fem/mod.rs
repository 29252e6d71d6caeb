//! Finite elements: the waves that a shaken body carries, computed on the CPU in f64.
//!
//! From below: [`mesh`] lays quadratic triangles; [`form`] says which products of shape functions make a body's
//! equations, [`integrals`] computes them, [`solve`] factors them and [`system`] puts these together; [`model`] has the
//! bodies. docs/phantoms.md has the equations and how far they were checked; [`crate::phantom`] is what a user describes.

pub mod form;
pub mod integrals;
pub mod mesh;
pub mod model;
pub mod solve;
pub mod system;
