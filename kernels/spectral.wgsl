// Spectral filters: dst[b] = src weights[b], for each of `planes` real weights on the same spectrum.
// weights [planes][n], dst [planes][n]. One thread an output.
#use thread

struct Params {
    n: u32,
    planes: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec2f>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn spectral(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.n * p.planes {
        return;
    }
    dst[t] = src[t % p.n] * weights[t];
}
