//! Oracles and trials of `concatenate`, `extract`.

use ndarray::{Array4, Axis, s};

/// Joins the channels of `a` `[n][h][w][c]` and those of `b`, in this order.
pub fn concatenate(a: &Array4<f64>, b: &Array4<f64>) -> Array4<f64> {
    let both = ndarray::concatenate(Axis(3), &[a.view(), b.view()]).expect("the same images");
    both.as_standard_layout().into_owned()
}

/// Returns the channels `from` to `from + c - 1` of `x` `[n][h][w][c]`.
pub fn extract(x: &Array4<f64>, from: usize, c: usize) -> Array4<f64> {
    x.slice(s![.., .., .., from..from + c]).as_standard_layout().into_owned()
}

pub(super) mod trial {
    use crate::kernel::nn::concatenate;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &concatenate::CONCATENATE, sizes: made_up::SIZES, record: concatenate },
        Trial { kernel: &concatenate::EXTRACT, sizes: made_up::SIZES, record: extract },
    ];

    fn concatenate(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let [x, y] = size.channels.map(|c| made_up::random(rng, size.shape(c)));
        let (a, b) = (made_up::upload(rec, "first", &x), made_up::upload(rec, "second", &y));
        let dst = made_up::room(rec, "both", size.shape(a.shape.c + b.shape.c));
        concatenate::record(rec, a, b, dst);
        vec![made_up::expect(dst, &oracle::concatenate(&x, &y), 0.0)]
    }

    fn extract(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let [skip, c] = size.channels;
        // The source has one more channel than needed, so that the value behind the last one is not zero by chance.
        let x = made_up::random(rng, size.shape(skip + c + 1));
        let src = made_up::upload(rec, "input", &x);
        let dst = made_up::room(rec, "part", size.shape(c));
        concatenate::record_extract(rec, src, skip, dst);
        vec![made_up::expect(dst, &oracle::extract(&x, skip, c), 0.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::differences::assert_gradient;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    #[test]
    fn is_the_derivative_of_concatenation() {
        let mut rng = fastrand::Rng::with_seed(4);
        let [a, b, upstream] = [3, 2, 5].map(|c| random(&mut rng, Shape::new(2, 3, 5, c)));
        assert_gradient(&a, &upstream, &extract(&upstream, 0, 3), |a| concatenate(a, &b));
        assert_gradient(&b, &upstream, &extract(&upstream, 3, 2), |b| concatenate(&a, b));
    }
}
