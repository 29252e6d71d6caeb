//! Oracles and trials of `pack`, `unpack`.

use ndarray::Array4;

/// Converts `[n][c][h][w]` to `[n][h][w][c]`.
pub fn pack(x: &Array4<f64>) -> Array4<f64> {
    x.view().permuted_axes([0, 2, 3, 1]).as_standard_layout().into_owned()
}

/// Converts `[n][h][w][c]` to `[n][c][h][w]`.
pub fn unpack(x: &Array4<f64>) -> Array4<f64> {
    x.view().permuted_axes([0, 3, 1, 2]).as_standard_layout().into_owned()
}

pub(super) mod trial {
    use crate::kernel::nn::pack;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &pack::PACK, sizes: made_up::SIZES, record: pack },
        Trial { kernel: &pack::UNPACK, sizes: made_up::SIZES, record: unpack },
    ];

    fn pack(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let shape = size.shape(size.channels[0]);
        // [n][c][h][w]
        let x = made_up::random(rng, Shape::new(shape.n, shape.c, shape.h, shape.w));
        let values: Vec<f32> = x.iter().map(|&v| v as f32).collect();
        let src = rec.constant("plain", &values);
        let dst = made_up::room(rec, "packed", shape);
        pack::pack(rec, src, dst);
        vec![made_up::expect(dst, &oracle::pack(&x), 0.0)]
    }

    fn unpack(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let x = made_up::random(rng, size.shape(size.channels[0]));
        let src = made_up::upload(rec, "packed", &x);
        let dst = rec.output::<f32>("plain", x.len());
        pack::unpack(rec, src, dst);
        vec![Expect::in_buffer(dst, oracle::unpack(&x).iter().copied().collect(), 0.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::oracle::pack;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    #[test]
    fn is_the_inverse_of_packing() {
        let x = random(&mut fastrand::Rng::with_seed(5), Shape::new(2, 3, 5, 7));
        assert_eq!(unpack(&x)[(1, 6, 2, 4)], x[(1, 2, 4, 6)]);
        assert_eq!(pack(&unpack(&x)), x);
    }
}
