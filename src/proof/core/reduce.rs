//! Oracles and trials of `reduce`.

use ndarray::{Array4, Axis};

/// Sums the parts along the first axis: `[1][h][w][c]`.
pub fn reduce(parts: &Array4<f64>) -> Array4<f64> {
    parts.sum_axis(Axis(0)).insert_axis(Axis(0))
}

pub(in crate::proof) mod trial {
    use crate::kernel::core::reduce;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        // The images of a size are the parts here.
        Trial {
            kernel: &reduce::REDUCE,
            sizes: &[
                TrialSize::batch(1, Size::square(1), 1, 1),
                TrialSize::batch(5, Size::new(7, 1), 2, 2),
                TrialSize::batch(41, Size::new(47, 3), 3, 3),
                TrialSize::batch(128, Size::new(1, 5), 5, 5),
                TrialSize::batch(1021, Size::new(3, 2), 8, 8),
                TrialSize::batch(32, Size::new(32, 9), 32, 32),
            ],
            record: reduce,
        },
    ];

    /// Copies the `n` f32 of a constant in each run. A kernel that updates its buffer in place then gives the same bits
    /// in every run.
    pub(crate) fn copy_of(rec: &mut Recorder, constant: Buf, n: usize) -> Buf {
        let copy = rec.output::<f32>("copy", n);
        reduce::record(rec, constant, 1, Tensor::whole(copy, Shape::new(1, 1, 1, n)));
        copy
    }

    fn reduce(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let (parts, shape) = (size.planes, Shape { n: 1, ..size.shape(size.channels[0]) });
        let values = made_up::random(rng, size.shape(shape.c));
        let mut padded = Array4::zeros((parts, shape.h, shape.w, 4 * shape.quads()));
        padded.slice_mut(s![.., .., .., ..shape.c]).assign(&values);
        let src: Vec<f32> = padded.iter().map(|&v| v as f32).collect();
        let src = rec.constant("parts", &src);
        let dst = made_up::room(rec, "sum", shape);
        reduce::record(rec, src, parts, dst);
        vec![made_up::expect(dst, &oracle::reduce(&values), 2e-6)]
    }
}
