//! Oracles and trials of `increment`.

/// Returns the counter plus `by`.
pub fn increment(counter: usize, by: usize) -> usize {
    counter + by
}

pub(super) mod trial {
    use crate::kernel::core::clear;
    use crate::kernel::core::increment;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &increment::INCREMENT,
        sizes: &[TrialSize::new(1, Size::square(1)), TrialSize::new(1, Size::new(5, 3))],
        record: increment,
    }];

    fn increment(rec: &mut Recorder, _: &Spec, size: TrialSize, _: &mut fastrand::Rng) -> Vec<Expect> {
        // The counter ends at the bits of a normal f32, because tests read f32.
        let bits = 1.5f32.to_bits() as usize;
        let counter = rec.output::<u32>("counter", 4);
        clear::record(rec, counter, 4);
        let by = size.pixels();
        increment::record(rec, counter, bits - by);
        increment::record(rec, counter, by);
        let counted = oracle::increment(oracle::increment(0, bits - by), by);
        vec![Expect::in_buffer(counter, vec![f32::from_bits(counted as u32).into(), 0.0, 0.0, 0.0], 0.0)]
    }
}
