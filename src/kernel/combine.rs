//! The multimodel combination; `kernels/combine.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Plane, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/combine.wgsl`.
    struct Uniform {
        n: u32,
        corrected: u32,
        unit: f32,
        density: f32,
        reach: [f32; 4],
        noise: [[f32; 4]; 3],
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "combine",
    source: include_str!("../../kernels/combine.wgsl"),
    bindings: &[uniform("p"), read("sums"), read("mask"), read("curves"), write("maps"), write("trace")],
    params: Uniform::LAYOUT,
    specs: || vec![spec()],
    // One plane: clinical; two: corrected.
    sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(2, 41, 47), Size::new(2, 256, 256)],
    trial,
};

/// Samples of each curve.
pub const SAMPLES: usize = 512;

fn spec() -> Spec {
    Spec::new(&KERNEL, &[("SAMPLES", SAMPLES as u32)])
}

/// What the combination knows of its models.
#[derive(Clone, Debug)]
pub struct Models {
    /// ρω²h², kPa: the modulus at wavenumber 1 per pixel.
    pub unit: f64,
    /// Density ρ, kg/m³.
    pub density: f64,
    /// Whether truncation and noise are corrected, or only weighed.
    pub corrected: bool,
    /// Per model: energy of white noise in |U|², conj(U)L and |L|² per unit of residual.
    pub noise: [[f64; 3]; 3],
    /// Per model: √z at the end of its curve.
    pub reach: [f64; 3],
    /// The wavenumber per pixel at the end of the bias curves.
    pub widest: f64,
    /// Per model, `SAMPLES` pairs: see `kernels/combine.wgsl`.
    pub curves: Vec<[f32; 2]>,
}

/// Records the combination: `sums` vec4f `[4][3][n]` of [`super::window`], mask f32 `[n]`. Writes five
/// planes of `maps`; the result is the trace, vec4f `[n]`, that [`super::confidence`] reads.
pub fn record(rec: &mut Recorder, [sums, mask, maps]: [Buf; 3], models: &Models, n: usize) -> Buf {
    let curves = rec.constant("response curves", &models.curves);
    let trace = rec.scratch::<[f32; 4]>("trace", n);
    let [a, b, c] = models.reach.map(|r| r as f32);
    let params = Uniform {
        n: n as u32,
        corrected: u32::from(models.corrected),
        unit: models.unit as f32,
        density: models.density as f32,
        reach: [a, b, c, models.widest as f32],
        noise: models.noise.map(|[a, b, c]| [a as f32, b as f32, c as f32, 0.0]),
    };
    let resources = [sums.into(), mask.into(), curves.into(), maps.into(), trace.into()];
    rec.linear(spec(), &params, &resources, n, Cost::each(n, 250, 12 * 16 + 40));
    trace
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let curve = |i: usize| i as f64 / (SAMPLES - 1) as f64;
    let curves = (0..3 * SAMPLES).map(|i| {
        let (model, x) = (i / SAMPLES, curve(i % SAMPLES));
        // Shaped as real ones are: the wavenumber bends up, the bias grows with its square.
        [(1.1 * x + 0.2 * x * x * model as f64) as f32, (0.1 * x * x * (model + 1) as f64) as f32]
    });
    let models = Models {
        unit: 142.1,
        density: 1040.0,
        corrected: size.planes == 2,
        noise: [[1.169, -1.251, 1.884], [0.671, -0.412, 0.355], [0.230, -0.049, 0.0145]],
        reach: [1.1, 0.9, 0.8],
        widest: 1.5,
        curves: curves.collect(),
    };
    let fractions = [0.0, 0.01, 0.03, 0.3, 1.0];
    let mut sums = vec![[0f32; 4]; 12 * n];
    for group in 0..4 {
        for i in 0..n {
            for (plane, scale) in [(0, 1.0), (2, 1.3)] {
                let power = scale * (0.5 + rng.f32());
                let k2 = 0.01 + 0.3 * rng.f32();
                let loss = 0.3 * rng.f32();
                let (re, im) = (-k2 * power, k2 * loss * power);
                let square = (re * re + im * im) / power * (1.0 + 0.2 * rng.f32());
                sums[(group * 3 + plane) * n + i] = [power, re, im, square];
            }
            let fraction = fractions[rng.usize(..fractions.len())];
            sums[(group * 3 + 1) * n + i] = [0.02 * rng.f32(), fraction, 0.03 * rng.f32(), 0.0];
        }
    }
    let mask = oracle::blot(rng, size.ny, size.nx);
    let from = [rec.constant("sums", &sums), rec.constant("mask", &mask)];
    let maps = rec.output::<f32>("maps", Plane::ALL.len() * n);
    let trace = record(rec, [from[0], from[1], maps], &models, n);
    let expected = oracle::combine(&oracle::wide4(&sums), &oracle::wide(&mask), &models);
    vec![
        Expect::in_buffer(maps, expected.maps, 2e-5),
        Expect::in_buffer(trace, oracle::flat_real(&expected.trace), 2e-5),
    ]
}
