// The planes of src = (a, b, inside, c) under a mask: dst is a, b, c, each [n]; 0 where the mask is not above 0 or src is
// not inside. One thread a pixel.
#use thread

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read> mask: array<f32>;
@group(0) @binding(3) var<storage, read_write> dst: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn unstack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.n {
        return;
    }
    let value = select(vec4f(0.0), src[i], mask[i] > 0.0 && src[i].z > 0.0);
    dst[i] = value.x;
    dst[p.n + i] = value.y;
    dst[2 * p.n + i] = value.w;
}
