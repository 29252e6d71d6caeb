//! Oracles and trials of `gate`.

/// Returns the numbers of workgroups of each dispatch, or 0 if the counter has reached the limit.
pub fn gate(groups: &[[usize; 3]], counter: usize, limit: usize) -> Vec<usize> {
    groups.iter().flatten().map(|n| if counter < limit { *n } else { 0 }).collect()
}

pub(super) mod trial {
    use crate::kernel::core::{gate, increment};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &gate::GATE,
        sizes: &[
            TrialSize::new(1, Size::square(1)),
            TrialSize::new(1, Size::new(5, 3)),
            TrialSize::new(3, Size::new(47, 41)),
        ],
        record: gate,
    }];

    fn gate(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let (count, limit) = (rng.usize(0..3), rng.usize(0..3));
        let counter = rec.constant("counter", &[count as u32]);
        let last = rec.constant("limit", &[limit as i32]);
        let counted = rec.scratch::<u32>("counted", 1);
        rec.repeat_from_here();
        (0..size.pixels()).for_each(|by| increment::record(rec, counted, by));
        rec.repeat_to_here();
        let groups = vec![[1; 3]; size.pixels()];
        let arguments = gate::record(rec, counter, last);
        let bits = |n: usize| f64::from(f32::from_bits(n as u32));
        let expected = oracle::gate(&groups, count, limit).into_iter().map(bits).collect();
        vec![Expect::in_buffer(arguments, expected, 0.0)]
    }
}
