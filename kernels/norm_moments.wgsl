// Statistics of a norm, first pass: mean and M2 = sum (x - mean)^2 of each chunk of a group's pixels.
//
// Sums of d = x - (the chunk's first value) are taken, so that a mean far from 0 does not cancel:
// mean = first + sum d / m, M2 = sum d^2 - (sum d)^2 / m.
// x: a group is `run` pixels in a row. dst: chunk k of group g has its mean in pixel 2 (g chunks + k) and
// its M2 in the next. One thread a quad of a chunk.
#use thread

struct Params {
    n: u32,
    quads: u32,
    run: u32,
    chunk: u32,
    chunks: u32,
    x_first: u32,
    x_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn norm_moments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.n {
        return;
    }
    let q = t % p.quads;
    let k = t / p.quads;
    let begin = k % p.chunks * p.chunk;
    let count = min(p.chunk, p.run - begin);
    let start = p.x_first + (k / p.chunks * p.run + begin) * p.x_pitch + q;
    let shift = x[start];
    var sum = vec4f(0.0);
    var squares = vec4f(0.0);
    for (var i = 1u; i < count; i++) {
        let d = x[start + i * p.x_pitch] - shift;
        sum += d;
        squares += d * d;
    }
    let mean = sum / f32(count);
    let to = p.dst_first + 2 * k * p.dst_pitch + q;
    dst[to] = shift + mean;
    dst[to + p.dst_pitch] = max(squares - sum * mean, vec4f(0.0));
}
