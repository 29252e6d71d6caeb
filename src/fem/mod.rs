//! Finite elements: the waves that a shaken phantom carries, computed on the CPU in f64.

pub mod form;
pub mod integrals;
pub mod mesh;
pub mod model;
pub mod solve;
pub mod system;
