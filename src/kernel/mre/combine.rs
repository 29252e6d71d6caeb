//! The multimodel combination of three local polynomial fits: `kernels/mre/combine.wgsl`.

mod native;

use super::planes::MmdiMap;
use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, params, read, write};

params! {
    struct CombineParams { count: u32, corrected: u32, unit: f32, density: f32, reach: [f32; 4], noise: [[f32; 4]; 3] }
}

/// The row of the table of kernels.
pub static COMBINE: Kernel = Kernel {
    name: "combine",
    source: include_str!("../../../kernels/mre/combine.wgsl"),
    bindings: &[
        read("sums", "vec4f"),
        read("mask", "f32"),
        read("curves", "vec2f"),
        write("maps", "f32"),
        write("trace", "vec4f"),
    ],
    params: CombineParams::LAYOUT,
    specs: || vec![spec()],
    native: Some(native::native),
};

/// The number of samples of each curve.
pub const SAMPLES: usize = 512;

fn spec() -> Spec {
    Spec::new(&COMBINE, &[("SAMPLES", SAMPLES as u32)])
}

/// The constants of the three polynomial models.
#[derive(Clone, Debug)]
pub struct Models {
    /// ρω²h², kPa: the modulus at a wavenumber of 1 per pixel.
    pub unit: f64,
    /// Density ρ, kg/m³.
    pub density: f64,
    /// True if truncation and noise are corrected; false if they only weight the models.
    pub corrected: bool,
    /// Per model: the energy of white noise in |U|², conj(U)L and |L|² per unit of residual.
    pub noise: [[f64; 3]; 3],
    /// Per model: √z at the end of its curve.
    pub reach: [f64; 3],
    /// The wavenumber per pixel at the end of the bias curves.
    pub widest: f64,
    /// `SAMPLES` pairs per model; see `kernels/mre/combine.wgsl`.
    pub curves: Vec<[f32; 2]>,
}

/// Records the combination of `sums` vec4f `[4][3][n]`, the box means from [`super::window::record`], with the mask f32
/// `[n]`. Writes five planes of `maps`. Returns the trace, vec4f `[n]`, for [`super::confidence::record`].
pub fn record(rec: &mut Recorder, [sums, mask, maps]: [Buf; 3], models: &Models, n: usize) -> Buf {
    let curves = rec.constant("response curves", &models.curves);
    let trace = rec.scratch::<[f32; 4]>("trace", n);
    let [a, b, c] = models.reach.map(|r| r as f32);
    let params = CombineParams {
        count: n as u32,
        corrected: u32::from(models.corrected),
        unit: models.unit as f32,
        density: models.density as f32,
        reach: [a, b, c, models.widest as f32],
        noise: models.noise.map(|[a, b, c]| [a as f32, b as f32, c as f32, 0.0]),
    };
    let resources = [
        sums.first::<[f32; 4]>(12 * n),
        mask.first::<f32>(n),
        curves.first::<[f32; 2]>(3 * SAMPLES),
        maps.first::<f32>((MmdiMap::Coherence as usize + 1) * n),
        trace.first::<[f32; 4]>(n),
    ];
    rec.linear(spec(), &params, &resources, n, Cost::each(n, 250, 12 * 16 + 40));
    trace
}
