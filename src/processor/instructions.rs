//! Instruction sets, and running a function compiled for one.

use std::fmt;

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Instructions {
    /// What the compiler's target has: SSE2 on x86-64. No fused multiply-add.
    Portable,
    /// 128 bits, fused multiply-add: every 64-bit ARM.
    Neon,
    /// 256 bits, fused multiply-add.
    Avx2,
    /// 512 bits, fused multiply-add.
    Avx512,
}

impl Instructions {
    /// Every instruction set, the widest last.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// Reports whether this machine has it.
    pub fn exist(self) -> bool {
        match self {
            Self::Portable => true,
            Self::Neon => cfg!(target_arch = "aarch64"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                // AVX-512 alone without AVX2 does not occur, but the compiler may use both.
                Self::Avx2.exist()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The widest that this machine has.
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|own| own.exist()).unwrap_or(Self::Portable)
    }

    /// The instruction set of this name, as [`fmt::Display`] writes it without hyphens, in upper or lower case.
    pub fn named(name: &str) -> Option<Self> {
        let plain = |text: &str| text.to_lowercase().replace('-', "");
        Self::ALL.into_iter().find(|own| plain(&own.to_string()) == plain(name))
    }

    /// Floating-point numbers of 32 bits in one register.
    pub const fn width(self) -> usize {
        match self {
            Self::Portable | Self::Neon => 4,
            Self::Avx2 => 8,
            Self::Avx512 => 16,
        }
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable",
            Self::Neon => "NEON",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
        })
    }
}

/// An instruction set that this machine has: the proof that code compiled for it may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Present(Instructions);

impl Present {
    /// `None` if the machine does not have it.
    pub fn new(own: Instructions) -> Option<Self> {
        own.exist().then_some(Self(own))
    }

    pub fn get(self) -> Instructions {
        self.0
    }

    /// Runs `work`, compiled for this instruction set as far as it is inlined here. Loops in it become as wide as the
    /// registers.
    #[inline]
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        match self.0 {
            // SAFETY: `Present` is made only if the machine has the features.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512(work) },
            // SAFETY: the same.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2(work) },
            _ => work(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for own in Instructions::ALL {
            assert_eq!(Instructions::named(&own.to_string()), Some(own));
        }
        assert_eq!(Instructions::named("avx512"), Some(Instructions::Avx512));
        assert_eq!(Instructions::named("sse9"), None);
    }

    #[test]
    fn a_sum_is_the_same_in_every_set() {
        let sum = || (0..1000).map(|i| i as f32).sum::<f32>();
        let sets = Instructions::ALL.into_iter().filter_map(Present::new);
        assert!(sets.map(|set| set.run(sum)).all(|value| value == 499_500.0));
        assert!(Instructions::best().exist());
    }
}
