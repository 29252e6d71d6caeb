//! The maps of an inversion, as planes of one buffer `[plane][ny][nx]` of f32.

/// One plane of the maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MmdiMap {
    /// |μ*|, kPa.
    Stiffness,
    /// Storage modulus Re μ*, kPa.
    Storage,
    /// Loss modulus Im μ*, kPa.
    Loss,
    /// Phase velocity of the shear wave, m/s.
    Wavespeed,
    /// 1 − the predicted mean relative error of the inversion, 0..1.
    Confidence,
    /// The degree to which a single modulus explains the wave in the box, 0..1.
    Coherence,
    /// Amplitude |u|, in the units of the input.
    Amplitude,
    /// Re u, in the units of the input.
    Real,
    /// Im u, in the units of the input.
    Imaginary,
}

impl MmdiMap {
    /// All planes, in their order in memory.
    pub const ALL: [Self; 9] = [
        Self::Stiffness,
        Self::Storage,
        Self::Loss,
        Self::Wavespeed,
        Self::Confidence,
        Self::Coherence,
        Self::Amplitude,
        Self::Real,
        Self::Imaginary,
    ];

    /// This plane of `maps`, `[plane][ny][nx]`.
    pub fn of<T>(self, maps: &[T]) -> &[T] {
        let n = maps.len() / Self::ALL.len();
        &maps[self as usize * n..][..n]
    }
}

impl From<MmdiMap> for usize {
    fn from(plane: MmdiMap) -> Self {
        plane as Self
    }
}

#[cfg(test)]
mod tests {
    use super::MmdiMap;

    #[test]
    fn the_shaders_count_the_planes_alike() {
        let snippet = include_str!("../../../kernels/lib/planes.wgsl");
        for (i, plane) in MmdiMap::ALL.into_iter().enumerate() {
            assert_eq!(plane as usize, i);
            let line = format!("const {}: u32 = {i};", format!("{plane:?}").to_uppercase());
            assert!(snippet.contains(&line), "{line}");
        }
    }
}
