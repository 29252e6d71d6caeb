//! Oracles and trials of `channel_sums`, `sum_groups`.

use ndarray::{Array4, Axis, s};

/// Sums each channel over all images and pixels: `[1][1][1][c]`.
pub fn channel_sums(src: &Array4<f64>) -> Array4<f64> {
    let sum = src.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0));
    sum.insert_axis(Axis(0)).insert_axis(Axis(0)).insert_axis(Axis(0))
}

/// Sums one column over images and rows: `[1][1][1][c]`.
pub fn sum_groups(src: &Array4<f64>, column: usize) -> Array4<f64> {
    let sum = src.slice(s![.., .., column, ..]).sum_axis(Axis(0)).sum_axis(Axis(0));
    sum.insert_axis(Axis(0)).insert_axis(Axis(0)).insert_axis(Axis(0))
}

pub(super) mod trial {
    use super::super::norm::trial::SIZES;
    use crate::kernel::nn::norm::Per;
    use crate::kernel::nn::sums;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &sums::CHANNEL_SUMS, sizes: &SIZES, record: channel_sums },
        Trial { kernel: &sums::SUM_GROUPS, sizes: &SIZES, record: sum_groups },
    ];

    fn channel_sums(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let values = made_up::random(rng, size.shape(size.channels[0]));
        let src = made_up::upload(rec, "values", &values);
        let dst = made_up::room(rec, "sum", Shape::new(1, 1, 1, size.channels[0]));
        sums::record_channels(rec, src, dst);
        vec![made_up::expect(dst, &oracle::channel_sums(&values), 2e-6)]
    }

    fn sum_groups(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let shape = Per::Image.statistics(size.shape(size.channels[0]));
        let values = made_up::random(rng, shape);
        let src = made_up::upload(rec, "sums", &values);
        let mut results = Vec::new();
        for column in 0..shape.w {
            let dst = made_up::room(rec, "sum", Shape::new(1, 1, 1, shape.c));
            sums::record_groups(rec, src, column, dst);
            results.push(made_up::expect(dst, &oracle::sum_groups(&values, column), 1e-6));
        }
        results
    }
}
