// Dropout of whole channels: channel k of image n is 0 throughout where its random word is below `threshold`,
// which is the rate in units of 2^-32, and scaled by 1 / (1 - rate) elsewhere. The words depend on seed,
// step, layer (`site`), image and channel alone, so that the backward pass draws the same ones. Channels-last
// quads; one thread a quad of a row of pixels, which share one draw.
#use thread
#use random

struct Params {
    count: u32,
    h: u32,
    w: u32,
    quads: u32,
    site: u32,
    threshold: u32,
    scale: f32,
    src_first: u32,
    src_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> src: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn dropout(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let row = t / p.quads;
    let quad = t % p.quads;
    let words = philox(vec4u(quad, row / p.h, step[STEP], 0u), vec2u(step[SEED], p.site));
    let kept = words >= vec4u(p.threshold);
    for (var pixel = row * p.w; pixel < (row + 1) * p.w; pixel++) {
        let value = p.scale * src[p.src_first + pixel * p.src_pitch + quad];
        dst[p.dst_first + pixel * p.dst_pitch + quad] = select(vec4f(0.0), value, kept);
    }
}
