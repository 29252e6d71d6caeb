//! Oracles and trials of `add`.

use ndarray::Array4;

/// Returns a + b.
pub fn add(a: &Array4<f64>, b: &Array4<f64>) -> Array4<f64> {
    a + b
}

pub(super) mod trial {
    use crate::kernel::nn::add;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial { kernel: &add::ADD, sizes: made_up::SIZES, record: add }];

    fn add(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let shape = size.shape(size.channels[0]);
        let [x, y] = [(); 2].map(|()| made_up::random(rng, shape));
        let (a, b) = (made_up::upload(rec, "first", &x), made_up::upload(rec, "second", &y));
        let dst = made_up::room(rec, "sum", shape);
        add::record(rec, a, b, dst);
        vec![made_up::expect(dst, &oracle::add(&x, &y), 1e-7)]
    }
}
