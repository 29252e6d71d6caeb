//! The f64 oracles against PyTorch's single operations: results and gradients. tests/fixtures/README.md says what the
//! fixture holds.

use crate::common::compare::assert_agrees;
use ndarray::{Array1, Array3, Array4, ArrayD, Ix4, IxDyn, concatenate};
use palpate::Size;
use palpate::lowlevel::kernel::learning::adam::{AdamSettings, StepValues};
use palpate::lowlevel::kernel::nn::convolve::Geometry;
use palpate::lowlevel::kernel::nn::pool::Pooling;
use palpate::lowlevel::kernel::nn::upsample::Upsampling;
use palpate::lowlevel::proof::oracle;
use safetensors::SafeTensors;
use std::collections::HashMap;

tests![
    convolutions,
    batch_norm,
    instance_norm_and_leaky_relu,
    pooling_upsampling_and_padding,
    losses,
    optimisers,
    clipping,
];

/// What rounding in f64 explains.
const TOLERANCE: f64 = 1e-14;
/// PyTorch's momentum of running statistics.
const MOMENTUM: f64 = 0.1;

struct Fixture(HashMap<String, ArrayD<f64>>);

impl Fixture {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ops.safetensors");
        let bytes = std::fs::read(path).expect("the fixture");
        let tensors = SafeTensors::deserialize(&bytes).expect("tensors").tensors();
        let array = |view: &safetensors::tensor::TensorView| {
            assert_eq!(view.dtype(), safetensors::Dtype::F64);
            let values = view.data().chunks(8).map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes")));
            ArrayD::from_shape_vec(IxDyn(view.shape()), values.collect()).expect("its shape")
        };
        Self(tensors.iter().map(|(name, view)| (name.clone(), array(view))).collect())
    }

    fn get(&self, name: &str) -> &ArrayD<f64> {
        self.0.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    fn values(&self, name: &str) -> Vec<f64> {
        self.get(name).iter().copied().collect()
    }

    fn number(&self, name: &str) -> f64 {
        self.values(name)[0]
    }

    /// Images `[n][c][h][w]` as the oracles have them.
    fn images(&self, name: &str) -> Array4<f64> {
        oracle::pack(&self.get(name).clone().into_dimensionality::<Ix4>().expect("four axes"))
    }

    /// A value a channel as the oracles have it, `[1][1][1][c]`.
    fn row(&self, name: &str) -> Array4<f64> {
        let values = Array1::from(self.values(name));
        let c = values.len();
        values.into_shape_with_order((1, 1, 1, c)).expect("as many")
    }

    /// Weights of a convolution as the oracles have them, `[taps][ci][co]`.
    fn weights(&self, name: &str, geometry: Geometry) -> Array3<f64> {
        let weights = self.get(name).clone().into_dimensionality::<Ix4>().expect("four axes");
        let axes = if geometry == Geometry::Up { [2, 3, 0, 1] } else { [2, 3, 1, 0] };
        let weights = weights.permuted_axes(axes);
        let (h, w, ci, co) = weights.dim();
        weights.as_standard_layout().into_owned().into_shape_with_order((h * w, ci, co)).expect("as many")
    }

    fn compare<'a>(
        &self,
        name: &str,
        got: impl IntoIterator<Item = &'a f64>,
        expected: impl IntoIterator<Item = f64>,
    ) {
        let got: Vec<f64> = got.into_iter().copied().collect();
        let expected: Vec<f64> = expected.into_iter().collect();
        let error = assert_agrees(&got, &expected, TOLERANCE, name);
        note!("{name}: {error:.1e}");
    }

    fn compare_images(&self, name: &str, got: &Array4<f64>) {
        let expected = self.images(name);
        assert_eq!(got.dim(), expected.dim(), "{name}");
        self.compare(name, got, expected);
    }

    fn compare_row(&self, name: &str, got: &Array4<f64>) {
        self.compare(name, got, self.row(name));
    }
}

/// An operation on images and its gradient from the gradient of its result.
type Pair<'a> =
    (&'a dyn Fn(&Array4<f64>) -> Array4<f64>, &'a dyn Fn(&Array4<f64>, &Array4<f64>) -> Array4<f64>);

fn convolutions() {
    let fixture = Fixture::read();
    for (name, geometry) in
        [("conv3x3", Geometry::Three), ("conv1x1", Geometry::One), ("conv_transpose", Geometry::Up)]
    {
        let at = |part: &str| format!("{name}.{part}");
        let [x, upstream] = ["input", "upstream"].map(|part| fixture.images(&at(part)));
        let weights = fixture.weights(&at("weight"), geometry);
        let bias = fixture.0.contains_key(&at("bias")).then(|| fixture.values(&at("bias")));
        fixture.compare_images(&at("output"), &oracle::convolve(&x, &weights, bias.as_deref(), geometry));

        let flipped = oracle::flip(&weights, geometry == Geometry::Three);
        let gradient = oracle::convolve(&upstream, &flipped, None, geometry.gradient());
        fixture.compare_images(&at("gradient.input"), &gradient);
        let gradient = oracle::convolve_weights(&x, &upstream, geometry);
        let name = at("gradient.weight");
        fixture.compare(&name, &gradient, fixture.weights(&name, geometry));
        if bias.is_some() {
            fixture.compare_row(&at("gradient.bias"), &oracle::channel_sums(&upstream));
        }
    }
}

fn batch_norm() {
    let fixture = Fixture::read();
    let [x, upstream] = ["input", "upstream"].map(|part| fixture.images(&format!("batch_norm.{part}")));
    let affine =
        |name: &str| Some((fixture.row(&format!("{name}.weight")), fixture.row(&format!("{name}.bias"))));
    let statistics = oracle::norm_statistics(&x, 1);
    let norm = oracle::Norm { x: x.clone(), statistics, affine: affine("batch_norm"), slope: 1.0 };
    fixture.compare_images("batch_norm.output", &oracle::norm(&norm));
    let sums = oracle::norm_sums(&norm, &upstream);
    fixture.compare_images("batch_norm.gradient.input", &oracle::norm_grad(&norm, &upstream, &sums));
    fixture.compare_row("batch_norm.gradient.weight", &oracle::sum_groups(&sums, 1));
    fixture.compare_row("batch_norm.gradient.bias", &oracle::sum_groups(&sums, 0));

    let c = x.dim().3;
    let fresh = Array4::from_shape_fn((1, 1, 2, c), |(_, _, row, _)| row as f64);
    let running = oracle::update_running(&fresh, &x, MOMENTUM);
    let rows = |name: &str| {
        let rows = ["running_mean", "running_var"].map(|part| fixture.values(&format!("{name}.{part}")));
        Array4::from_shape_vec((1, 1, 2, c), rows.concat()).expect("two rows")
    };
    fixture.compare("running statistics", &running, rows("batch_norm"));

    let statistics = oracle::norm_running(&rows("batch_norm_eval"));
    let x = fixture.images("batch_norm_eval.input");
    let norm = oracle::Norm { x, statistics, affine: affine("batch_norm_eval"), slope: 1.0 };
    fixture.compare_images("batch_norm_eval.output", &oracle::norm(&norm));
}

fn instance_norm_and_leaky_relu() {
    let fixture = Fixture::read();
    let [x, upstream] = ["input", "upstream"].map(|part| fixture.images(&format!("instance_norm.{part}")));
    let statistics = oracle::norm_statistics(&x, x.dim().0);
    let norm = oracle::Norm { x, statistics, affine: None, slope: 1.0 };
    fixture.compare_images("instance_norm.output", &oracle::norm(&norm));
    let sums = oracle::norm_sums(&norm, &upstream);
    fixture.compare_images("instance_norm.gradient.input", &oracle::norm_grad(&norm, &upstream, &sums));

    // Mean 0 and deviation 1 leave the Leaky ReLU alone.
    let [x, upstream] = ["input", "upstream"].map(|part| fixture.images(&format!("leaky_relu.{part}")));
    let statistics = Array4::from_shape_fn((1, 1, 2, x.dim().3), |(_, _, row, _)| row as f64);
    let norm = oracle::Norm { x, statistics, affine: None, slope: 0.2 };
    fixture.compare_images("leaky_relu.output", &oracle::norm(&norm));
    fixture.compare_images("leaky_relu.gradient.input", &norm.passed(&upstream));
}

fn pooling_upsampling_and_padding() {
    let fixture = Fixture::read();
    let check = |name: &str, (forward, backward): Pair| {
        let at = |part: &str| format!("{name}.{part}");
        let [x, upstream] = ["input", "upstream"].map(|part| fixture.images(&at(part)));
        fixture.compare_images(&at("output"), &forward(&x));
        fixture.compare_images(&at("gradient.input"), &backward(&x, &upstream));
    };
    for (name, mode) in [("max_pool", Pooling::Max), ("avg_pool", Pooling::Average)] {
        check(name, (&|x| oracle::pool(x, mode), &|x, up| oracle::pool_grad(x, up, mode)));
    }
    for (name, mode) in [
        ("nearest", Upsampling::Nearest),
        ("bilinear", Upsampling::Bilinear),
        ("bilinear_row", Upsampling::Bilinear),
    ] {
        check(name, (&|x| oracle::upsample(x, mode), &|_, up| oracle::upsample_grad(up, mode)));
    }
    for (name, [rows, columns]) in
        [("reflect", [1, 1]), ("reflect_right", [0, 1]), ("reflect_bottom", [1, 0])]
    {
        let size = |x: &Array4<f64>| Size::new(x.dim().2, x.dim().1);
        let larger = |x: &Array4<f64>| Size::new(size(x).nx + columns, size(x).ny + rows);
        check(name, (&|x| oracle::pad(x, larger(x)), &|x, up| oracle::pad_grad(up, size(x))));
    }
}

fn losses() {
    let fixture = Fixture::read();
    let [x, target] = ["input", "target"].map(|part| fixture.images(&format!("mse.{part}")));
    let (mse, weight) = oracle::mse(&x, &target, None);
    fixture.compare("mse.output", [&mse], fixture.values("mse.output"));
    let gradient = oracle::mse_grad(&x, &target, None, weight, fixture.number("mse.upstream"));
    fixture.compare_images("mse.gradient.input", &gradient);

    let x = fixture.images("tv.input");
    let (variation, count) = oracle::total_variation(&x, None, 1e-8);
    fixture.compare("tv.output", [&variation], fixture.values("tv.output"));
    let gradient = oracle::total_variation_grad(&x, None, 1e-8, count, fixture.number("tv.upstream"));
    fixture.compare_images("tv.gradient.input", &gradient);
}

fn optimisers() {
    let fixture = Fixture::read();
    for (name, weight_decay, decoupled) in
        [("adam", 0.0, false), ("adam_decay", 0.01, false), ("adamw", 0.01, true)]
    {
        let settings = AdamSettings { weight_decay, decoupled, ..AdamSettings::default() };
        let start = Array1::from(fixture.values(&format!("{name}.start")));
        let zero = Array1::zeros(start.len());
        let mut state = [start.clone(), zero.clone(), zero];
        let [gradients, after] =
            ["gradients", "after"].map(|part| fixture.get(&format!("{name}.{part}")).outer_iter());
        for (t, (gradient, after)) in (1..).zip(gradients.zip(after)) {
            let gradient = gradient.iter().copied().collect();
            state = oracle::adam(state, &gradient, &StepValues::new(0, t, 3e-4, settings.betas), &settings);
            // The settings are f32, so that 0.9, 3e-4 and the like are themselves off by 1e-8 of their size.
            let moved: Vec<f64> = (&state[0] - &start).to_vec();
            let expected: Vec<f64> = after.iter().zip(&start).map(|(a, b)| a - b).collect();
            let error = assert_agrees(&moved, &expected, 1e-7, format!("{name}, step {t}"));
            note!("{name}, step {t}: {error:.1e}");
        }
    }
}

fn clipping() {
    let fixture = Fixture::read();
    for (name, max_norm) in [("clip", 1.0), ("clip_none", 100.0)] {
        let both = |when: &str| {
            let [a, b] = [0, 1].map(|i| Array1::from(fixture.values(&format!("{name}.{when}.{i}"))));
            concatenate![ndarray::Axis(0), a, b]
        };
        let before = both("before");
        let norm = oracle::gradient_norm(&before);
        fixture.compare(name, [&norm], fixture.values(&format!("{name}.norm")));
        // A first moment that starts at 0 shows the gradient as clipped.
        let settings = AdamSettings { max_norm, ..AdamSettings::default() };
        let zero = Array1::zeros(before.len());
        let state = [zero.clone(), zero.clone(), zero];
        let step = StepValues::new(0, 1, 0.0, settings.betas);
        let [_, first, _] = oracle::adam(state, &before, &step, &settings);
        let clipped = first / (1.0 - f64::from(settings.betas[0]));
        fixture.compare(name, &clipped, both("after"));
    }
}
