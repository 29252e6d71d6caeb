// Channels `skip` to `skip + c - 1`: dst[p][k] = src[p][skip + k] for k < c, else 0. Neither number need be a
// multiple of four. Channels-last quads; one thread a quad of dst.
#use thread

struct Params {
    count: u32,
    quads: u32,
    c: u32,
    skip: u32,
    src_first: u32,
    src_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

// Channel k of the result.
fn channel(pixel: u32, k: u32) -> f32 {
    if k < p.c {
        let i = p.skip + k;
        return src[p.src_first + pixel * p.src_pitch + i / 4][i % 4];
    }
    return 0.0;
}

@compute @workgroup_size(WORKGROUP)
fn extract(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
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
