// The channels of a, then those of b: dst[p][k] = a[p][k] for k < a_c, b[p][k - a_c] for k < c, else 0.
// Neither count need be a multiple of four. Channels-last quads; one thread a quad of dst.
#use thread

struct Params {
    count: u32,
    quads: u32,
    c: u32,
    a_c: u32,
    a_first: u32,
    a_pitch: u32,
    b_first: u32,
    b_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4f>;

// Channel k of the result.
fn channel(pixel: u32, k: u32) -> f32 {
    if k < p.a_c {
        return a[p.a_first + pixel * p.a_pitch + k / 4][k % 4];
    }
    if k < p.c {
        let i = k - p.a_c;
        return b[p.b_first + pixel * p.b_pitch + i / 4][i % 4];
    }
    return 0.0;
}

@compute @workgroup_size(WORKGROUP)
fn concatenate(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let pixel = t / p.quads;
    let quad = t % p.quads;
    let k = 4 * quad;
    let value =
        vec4f(channel(pixel, k), channel(pixel, k + 1), channel(pixel, k + 2), channel(pixel, k + 3));
    dst[p.dst_first + pixel * p.dst_pitch + quad] = value;
}
