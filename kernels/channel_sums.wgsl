// Sums over pixels, channel by channel: dst[k] = sum over the pixels of chunk k of src, `quads` to a chunk;
// reduce adds the chunks. One thread a quad of a chunk.
#use thread

struct Params {
    n: u32,
    quads: u32,
    pixels: u32,
    chunk: u32,
    src_first: u32,
    src_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn channel_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.n {
        return;
    }
    let q = t % p.quads;
    let begin = t / p.quads * p.chunk;
    let end = min(begin + p.chunk, p.pixels);
    var sum = vec4f(0.0);
    for (var pixel = begin; pixel < end; pixel++) {
        sum += src[p.src_first + pixel * p.src_pitch + q];
    }
    dst[t] = sum;
}
