// What is averaged over the box, for one model: three planes of four values,
//
//   0  trust (|U|^2, Re conj(U) L, Im conj(U) L, |L|^2)
//   1  (trust E, trust, E, 0)      E the residual that measures noise
//   2  plane 0 without the trust
//
// dst [plane][n], written from plane `first`. One thread a pixel.
#use thread

struct Params {
    n: u32,
    first: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> products: array<vec4f>;
@group(0) @binding(2) var<storage, read> residual: array<f32>;
@group(0) @binding(3) var<storage, read> trust: array<f32>;
@group(0) @binding(4) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn weigh(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.n {
        return;
    }
    let at = p.first * p.n + i;
    dst[at] = trust[i] * products[i];
    dst[at + p.n] = vec4f(trust[i] * residual[i], trust[i], residual[i], 0.0);
    dst[at + 2 * p.n] = products[i];
}
