//! Shaders as text: the assembler, the generated declarations, and naga's view of the result. This module needs no
//! device.

mod assemble;
mod declare;
mod reflect;

pub use assemble::assemble;
pub use declare::declare;
pub use reflect::{Shader, Target};

/// A binding of a kernel, in group 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The variable's name in the shader.
    pub name: &'static str,
    /// How the shader accesses it.
    pub access: Access,
    /// The WGSL type of one element of the buffer.
    pub element: &'static str,
}

/// How a shader accesses a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The uniform parameters.
    Uniform,
    /// A storage buffer that is only read.
    Read,
    /// A storage buffer that is read and written.
    ReadWrite,
    /// An rgba8unorm texture that is written.
    Texture,
}

/// One field of a parameter struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamsField {
    /// The field's name, the same in Rust and WGSL.
    pub name: String,
    /// The offset in bytes.
    pub offset: usize,
    /// The type, as naga names it.
    pub wgsl: String,
}

/// The memory layout of a parameter struct on the host.
#[derive(Clone, Copy)]
pub struct ParamsLayout {
    /// The fields in order.
    pub fields: fn() -> Vec<ParamsField>,
    /// The size in bytes.
    pub size: usize,
}
