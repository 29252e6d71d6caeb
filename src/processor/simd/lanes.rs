//! Registers of several f32, one type per instruction set.

/// A register of [`Lanes::WIDTH`] numbers.
///
/// # Safety
/// Every function may be called only where the machine has the instruction set, and the pointers must be valid for
/// `WIDTH` numbers, at any alignment.
pub(super) trait Lanes: Copy {
    const WIDTH: usize;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn splat(value: f32) -> Self;
    /// `self + a * b`, in one rounding where the instruction set can.
    unsafe fn fma(self, a: Self, b: Self) -> Self;
}

/// Loads V registers that lie side by side. A loop, because a closure would not be compiled for the instruction set.
///
/// # Safety
/// As for [`Lanes::load`].
#[inline(always)]
pub(super) unsafe fn load<L: Lanes, const V: usize>(from: *const f32) -> [L; V] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut registers = [L::load(from); V];
        for (v, register) in registers.iter_mut().enumerate() {
            *register = L::load(from.add(v * L::WIDTH));
        }
        registers
    }
}

/// Four numbers without any particular instructions.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 4]);

impl Lanes for Portable {
    const WIDTH: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + a.0[i] * b.0[i]))
    }
}

/// Implements [`Lanes`] by intrinsics: load, store, splat, and an expression for `sum + a * b`.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! lanes {
    ($name:ident, $register:ty, $width:literal, $load:path, $store:path, $splat:path, |$sum:ident, $a:ident, $b:ident| $fma:expr) => {
        #[derive(Clone, Copy)]
        pub(in crate::processor) struct $name($register);

        // SAFETY of every block: the caller promises that the machine has the instructions, and the pointers.
        impl Lanes for $name {
            const WIDTH: usize = $width;

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                Self(unsafe { $load(from) })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                unsafe { $store(to, self.0) }
            }

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self {
                Self(unsafe { $splat(value) })
            }

            #[inline(always)]
            unsafe fn fma(self, a: Self, b: Self) -> Self {
                let ($sum, $a, $b) = (self.0, a.0, b.0);
                Self(unsafe { $fma })
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    lanes!(Quad, __m128, 4, _mm_loadu_ps, _mm_storeu_ps, _mm_set1_ps, |sum, a, b| _mm_fmadd_ps(a, b, sum));
    lanes!(Avx2, __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, |sum, a, b| {
        _mm256_fmadd_ps(a, b, sum)
    });
    lanes!(Avx512, __m512, 16, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, |sum, a, b| {
        _mm512_fmadd_ps(a, b, sum)
    });
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512, Quad};

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::Lanes;
    use std::arch::aarch64::*;

    lanes!(Quad, float32x4_t, 4, vld1q_f32, vst1q_f32, vdupq_n_f32, |sum, a, b| vfmaq_f32(sum, a, b));
}

#[cfg(target_arch = "aarch64")]
pub(super) use arm::Quad;
