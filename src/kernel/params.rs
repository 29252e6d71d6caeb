//! Uniform parameters: one definition that is the host's struct and the description the shader's is
//! compared with by reflection.

/// One field of a parameter struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<S> {
    /// Its name, the same on both sides.
    pub name: S,
    /// Where it starts, in bytes.
    pub offset: usize,
    /// Its type as naga names it.
    pub wgsl: S,
}

/// How a parameter struct lies in the host's memory.
pub struct Layout {
    /// Its fields in order.
    pub fields: fn() -> Vec<Field<String>>,
    /// Its size in bytes.
    pub size: usize,
}

/// A Rust type that has an equal in WGSL.
pub trait Wgsl {
    /// naga's name of it.
    fn name() -> String;
}

macro_rules! scalars {
    ($($t:ty),*) => { $(impl Wgsl for $t { fn name() -> String { stringify!($t).into() } })* };
}
scalars!(u32, i32, f32);

impl<const N: usize> Wgsl for [f32; N] {
    fn name() -> String {
        format!("vec{N}<f32>")
    }
}

impl<const M: usize, const N: usize> Wgsl for [[f32; N]; M] {
    fn name() -> String {
        format!("array<{}, {M}>", <[f32; N]>::name())
    }
}

/// A struct of uniform parameters, made by `params!`.
pub trait Params: bytemuck::Pod {
    /// How it lies in memory.
    const LAYOUT: Layout;
}

/// Defines a `#[repr(C)]` parameter struct and its [`Params::LAYOUT`].
macro_rules! params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
        $vis struct $name { $(pub $field: $ty),* }

        impl $crate::kernel::params::Params for $name {
            const LAYOUT: $crate::kernel::params::Layout = $crate::kernel::params::Layout {
                fields: || vec![$($crate::kernel::params::Field {
                    name: stringify!($field).to_string(),
                    offset: std::mem::offset_of!($name, $field),
                    wgsl: <$ty as $crate::kernel::params::Wgsl>::name(),
                }),*],
                size: std::mem::size_of::<$name>(),
            };
        }
    };
}
pub(crate) use params;
