//! Uniform parameters: one definition gives the host's struct, the bytes that are uploaded, and the WGSL struct.

use crate::shader::{ParamsField, ParamsLayout};

/// A Rust type with an equivalent in WGSL.
pub trait Wgsl: bytemuck::Pod {
    /// naga's name of the WGSL type.
    fn name() -> String;
}

macro_rules! scalars {
    ($($t:ty),*) => { $(impl Wgsl for $t { fn name() -> String { stringify!($t).into() } })* };
}
scalars!(u32, i32, f32);

impl Wgsl for [u32; 4] {
    fn name() -> String {
        "vec4<u32>".into()
    }
}

impl Wgsl for [f32; 4] {
    fn name() -> String {
        "vec4<f32>".into()
    }
}

impl<const M: usize> Wgsl for [[f32; 4]; M]
where
    Self: bytemuck::Pod,
{
    fn name() -> String {
        format!("array<vec4<f32>, {M}>")
    }
}

/// The position of a tensor in a buffer, both in vec4f. In WGSL it is a vec2u: x is `first`, y is `pitch`.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Place {
    /// The index of the first quad of the first pixel.
    pub first: u32,
    /// The distance from one pixel to the next.
    pub pitch: u32,
}

impl Wgsl for Place {
    fn name() -> String {
        "vec2<u32>".into()
    }
}

/// A struct of uniform parameters, made by `params!`.
pub(crate) trait Params {
    /// The memory layout.
    const LAYOUT: ParamsLayout;

    /// The bytes to upload; padding is 0.
    fn bytes(&self) -> Vec<u8>;

    /// The values of these bytes.
    fn of(bytes: &[u8]) -> Self;
}

/// A field of the layout of a parameter struct.
pub(crate) fn field<T: Wgsl>(name: &str, offset: usize) -> ParamsField {
    ParamsField { name: name.into(), offset, wgsl: T::name() }
}

/// Writes `value` at `offset` of `bytes`.
pub(crate) fn put<T: Wgsl>(bytes: &mut [u8], offset: usize, value: T) {
    bytes[offset..offset + size_of::<T>()].copy_from_slice(bytemuck::bytes_of(&value));
}

/// Reads a value at `offset` of `bytes`.
pub(crate) fn get<T: Wgsl>(bytes: &[u8], offset: usize) -> T {
    bytemuck::pod_read_unaligned(&bytes[offset..offset + size_of::<T>()])
}

/// Defines a `#[repr(C)]` parameter struct and its [`Params`].
macro_rules! params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy)]
        $vis struct $name { $(pub $field: $ty),* }

        impl $crate::plan::Params for $name {
            const LAYOUT: $crate::shader::ParamsLayout = $crate::shader::ParamsLayout {
                fields: || vec![$($crate::plan::params::field::<$ty>(
                    stringify!($field),
                    std::mem::offset_of!($name, $field),
                )),*],
                size: std::mem::size_of::<$name>(),
            };

            fn bytes(&self) -> Vec<u8> {
                let mut bytes = vec![0; std::mem::size_of::<$name>()];
                $($crate::plan::params::put(&mut bytes, std::mem::offset_of!($name, $field), self.$field);)*
                bytes
            }

            fn of(bytes: &[u8]) -> Self {
                Self { $($field: $crate::plan::params::get(bytes, std::mem::offset_of!($name, $field))),* }
            }
        }
    };
}
pub(crate) use params;
