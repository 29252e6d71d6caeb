// Backward pass of a norm, second half: dx = gamma rstd (g' - S0 / m - xhat S1 / m) with m pixels to a group,
// where xhat = (x - mean) rstd and g' = grad leaky'(gamma xhat + beta).
//
// A group is `run` pixels of x in a row; statistics has the mean of group g in pixel 2 g and rstd in the
// next, sums S0 and S1 likewise. gamma and beta are one pixel each; without AFFINE they are 1 and 0. One
// thread a quad of PIXELS pixels of a group in a row, whose statistics and sums it loads once.
#use thread
#use leaky

struct Params {
    n: u32,
    quads: u32,
    run: u32,
    x_first: u32,
    x_pitch: u32,
    statistics_first: u32,
    statistics_pitch: u32,
    gamma_first: u32,
    beta_first: u32,
    grad_first: u32,
    grad_pitch: u32,
    sums_first: u32,
    sums_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
    slope: f32,
}

// `PIXELS` of src/kernel/norm.rs.
const PIXELS: u32 = 8;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(3) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(4) var<storage, read> beta: array<vec4f>;
@group(0) @binding(5) var<storage, read> grad: array<vec4f>;
@group(0) @binding(6) var<storage, read> sums: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn norm_grad(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.n {
        return;
    }
    let q = t % p.quads;
    let strips = (p.run + PIXELS - 1) / PIXELS;
    let g = t / p.quads / strips;
    let first = g * p.run + t / p.quads % strips * PIXELS;
    let end = min(first + PIXELS, g * p.run + p.run);
    let s = p.statistics_first + 2 * g * p.statistics_pitch + q;
    let mean = statistics[s];
    let rstd = statistics[s + p.statistics_pitch];
    let a = p.sums_first + 2 * g * p.sums_pitch + q;
    let sum0 = sums[a];
    let sum1 = sums[a + p.sums_pitch];
#if AFFINE
    let scale = gamma[p.gamma_first + q];
    let shift = beta[p.beta_first + q];
    let factor = scale * rstd;
#else
    let factor = rstd;
#end
    for (var pixel = first; pixel < end; pixel++) {
        let xhat = (x[p.x_first + pixel * p.x_pitch + q] - mean) * rstd;
#if AFFINE
        let z = scale * xhat + shift;
#else
        let z = xhat;
#end
        let passed = grad[p.grad_first + pixel * p.grad_pitch + q] * leaky_derivative(z, p.slope);
        let shared_ = (sum0 + xhat * sum1) / f32(p.run);
        dst[p.dst_first + pixel * p.dst_pitch + q] = factor * (passed - shared_);
    }
}
