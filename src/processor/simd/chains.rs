//! Multiply-adds alone, twelve independent chains per register: the arithmetic ceiling of an instruction set.

use super::lanes::{Lanes, Portable};
use crate::processor::{Instructions, Present};

/// Chains of one register.
const CHAINS: usize = 12;

/// For each quad of `dst`, the sum of twelve chains of `steps` multiply-adds s a + b that start from 0, 1, … 11.
pub(crate) fn chains(present: Present, [a, b]: [[f32; 4]; 2], steps: usize, dst: &mut [[f32; 4]]) {
    // SAFETY: `present` proves that the machine has the instructions.
    unsafe {
        match present.get() {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512([a, b], steps, dst),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2([a, b], steps, dst),
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => run::<super::lanes::Quad, 4>([a, b], steps, dst),
            _ => run::<Portable, 4>([a, b], steps, dst),
        }
    }
}

/// # Safety
/// The machine has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512(factors: [[f32; 4]; 2], steps: usize, dst: &mut [[f32; 4]]) {
    // SAFETY: the caller's promise.
    unsafe { run::<super::lanes::Avx512, 16>(factors, steps, dst) }
}

/// # Safety
/// The machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(factors: [[f32; 4]; 2], steps: usize, dst: &mut [[f32; 4]]) {
    // SAFETY: the caller's promise.
    unsafe { run::<super::lanes::Avx2, 8>(factors, steps, dst) }
}

/// # Safety
/// The machine has the instructions of `L`, whose width is W.
#[inline(always)]
unsafe fn run<L: Lanes, const W: usize>([a, b]: [[f32; 4]; 2], steps: usize, dst: &mut [[f32; 4]]) {
    let [wide_a, wide_b]: [[f32; W]; 2] = [a, b].map(|quad| std::array::from_fn(|i| quad[i % 4]));
    for quads in dst.chunks_mut(W / 4) {
        // SAFETY: arrays of W numbers are read and written.
        let sums = unsafe {
            let (a, b) = (L::load(wide_a.as_ptr()), L::load(wide_b.as_ptr()));
            let mut chains = [L::splat(0.0); CHAINS];
            for (i, chain) in chains.iter_mut().enumerate() {
                *chain = L::splat(i as f32);
            }
            // Loops, because a closure would not be compiled for the instruction set.
            for _ in 0..steps {
                for chain in &mut chains {
                    *chain = b.fma(*chain, a);
                }
            }
            let mut sums = [[0.0; W]; CHAINS];
            for (own, chain) in sums.iter_mut().zip(chains) {
                chain.store(own.as_mut_ptr());
            }
            sums
        };
        for (q, quad) in quads.iter_mut().enumerate() {
            *quad = std::array::from_fn(|c| sums.iter().map(|own| own[4 * q + c]).sum());
        }
    }
}
