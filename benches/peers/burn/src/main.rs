//! burn's 3 × 3 convolutions at the shapes of `palpate bench`, through wgpu or with `cpu` by its own backend for the
//! processor: one JSON line for each kernel and shape.
//!
//! `cargo run --release -- [RUNS] [cpu]`

use burn::backend::{Autodiff, NdArray, Wgpu};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Distribution, Tensor, backend::Backend};
use std::time::Instant;

const SHAPES: [(usize, usize); 4] = [(64, 30), (128, 15), (256, 7), (512, 3)];
const BATCH: usize = 128;

fn random<B: Backend>(shape: [usize; 4], device: &B::Device) -> Tensor<B, 4> {
    Tensor::random(shape, Distribution::Uniform(-0.5, 0.5), device)
}

/// Reads one value, which waits for all computations that it depends on.
fn finish<B: Backend>(tensor: Tensor<B, 4>) {
    let first: [std::ops::Range<usize>; 4] = [0..1, 0..1, 0..1, 0..1];
    let _ = tensor.slice(first).into_data();
}

fn convolve<B: Backend>(x: Tensor<B, 4>, w: Tensor<B, 4>) -> Tensor<B, 4> {
    conv2d(x, w, None, ConvOptions::new([1, 1], [1, 1], [1, 1], 1))
}

/// The median time of `runs` runs, ms, after two runs that do not count: the first compiles, the second tunes.
fn median(runs: usize, mut work: impl FnMut()) -> f64 {
    let mut once = || {
        let start = Instant::now();
        work();
        1e3 * start.elapsed().as_secs_f64()
    };
    once();
    once();
    let mut taken: Vec<f64> = (0..runs).map(|_| once()).collect();
    taken.sort_by(f64::total_cmp);
    taken[runs / 2]
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let runs = given.iter().find_map(|n| n.parse().ok()).unwrap_or(3);
    if given.iter().any(|backend| backend == "cpu") {
        measure::<NdArray>("burn, ndarray", runs);
    } else {
        measure::<Wgpu>("burn, wgpu", runs);
    }
}

fn measure<B: Backend>(peer: &str, runs: usize) {
    let device = Default::default();
    for (c, side) in SHAPES {
        let images = [BATCH, c, side, side];
        let gflop = 2.0 * (BATCH * side * side * c * c * 9) as f64 / 1e9;
        let tell = |kernel: &str, ms: f64, gflop: f64| {
            println!(
                r#"{{"peer": "{peer}", "kernel": "{kernel}", "shape": "{c}@{side}²", "ms": {ms:.3}, "gflops": {:.2}}}"#,
                gflop / ms * 1e3
            );
        };
        let (x, w) = (random::<B>(images, &device), random::<B>([c, c, 3, 3], &device));
        let ms = median(runs, || finish(convolve(x.clone(), w.clone())));
        tell("conv3x3_forward", ms, gflop);

        let (x, w) = (random::<Autodiff<B>>(images, &device), random::<Autodiff<B>>([c, c, 3, 3], &device));
        let up = random::<Autodiff<B>>(images, &device);
        let ms = median(runs, || {
            let (x, w) = (x.clone().require_grad(), w.clone().require_grad());
            let grads = (convolve(x.clone(), w.clone()) * up.clone()).sum().backward();
            finish(x.grad(&grads).expect("a gradient"));
            finish(w.grad(&grads).expect("a gradient"));
        });
        tell("conv3x3_all_three", ms, 3.0 * gflop);
    }
}
