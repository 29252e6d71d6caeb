//! Finite elements: the waves that a shaken phantom carries, computed on the CPU in f64. So far the meshes and the
//! solver.

pub mod mesh;
pub mod solve;
