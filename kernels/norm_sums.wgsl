// Backward pass of a norm, first half: S0 = sum g' and S1 = sum g' xhat over each chunk of a group's pixels,
// where xhat = (x - mean) rstd and g' = grad leaky'(gamma xhat + beta).
//
// A group is `run` pixels of x in a row; statistics has the mean of group g in pixel 2 g and rstd in the
// next. dst: chunk k of group g has S0 in pixel 2 (k groups + g) and S1 in the next, `quads` to a pixel;
// reduce adds the chunks. One thread a quad of a chunk.
#use thread
#use leaky

struct Params {
    n: u32,
    quads: u32,
    run: u32,
    chunk: u32,
    groups: u32,
    x_first: u32,
    x_pitch: u32,
    statistics_first: u32,
    statistics_pitch: u32,
    gamma_first: u32,
    beta_first: u32,
    grad_first: u32,
    grad_pitch: u32,
    slope: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(3) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(4) var<storage, read> beta: array<vec4f>;
@group(0) @binding(5) var<storage, read> grad: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn norm_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.n {
        return;
    }
    let q = t % p.quads;
    let g = t / p.quads % p.groups;
    let begin = t / p.quads / p.groups * p.chunk;
    let end = min(begin + p.chunk, p.run);
    let s = p.statistics_first + 2 * g * p.statistics_pitch + q;
    let mean = statistics[s];
    let rstd = statistics[s + p.statistics_pitch];
#if AFFINE
    let scale = gamma[p.gamma_first + q];
    let shift = beta[p.beta_first + q];
#end
    var s0 = vec4f(0.0);
    var s1 = vec4f(0.0);
    for (var i = begin; i < end; i++) {
        let pixel = g * p.run + i;
        let xhat = (x[p.x_first + pixel * p.x_pitch + q] - mean) * rstd;
#if AFFINE
        let z = scale * xhat + shift;
#else
        let z = xhat;
#end
        let passed = grad[p.grad_first + pixel * p.grad_pitch + q] * leaky_derivative(z, p.slope);
        s0 += passed;
        s1 += passed * xhat;
    }
    let to = 2 * (t / p.quads) * p.quads + q;
    dst[to] = s0;
    dst[to + p.quads] = s1;
}
