// Pooling over windows of 2 x 2 pixels with stride 2: dst[n][y][x] is the greatest (MODE 0) or the mean (MODE
// 1) of src[n][2 y .. 2 y + 1][2 x .. 2 x + 1]. An odd last row or column of src lies in no window. NaN is
// the greatest. Channels-last quads; one thread a quad of dst.
#use thread
#use place
#use greater

struct Params {
    count: u32,
    h: u32,
    w: u32,
    quads: u32,
    src_h: u32,
    src_w: u32,
    src_first: u32,
    src_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn pool(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let at = place(t, p.h, p.w, p.quads);
    let corner = (at.n * p.src_h + 2 * at.y) * p.src_w + 2 * at.x;
    let above = p.src_first + corner * p.src_pitch + at.quad;
    let below = above + p.src_w * p.src_pitch;
    let a = src[above];
    let b = src[above + p.src_pitch];
    let c = src[below];
    let d = src[below + p.src_pitch];
#if MODE == 0
    let upper = select(a, b, greater(b, a));
    let lower = select(c, d, greater(d, c));
    let value = select(upper, lower, greater(lower, upper));
#else
    let value = 0.25 * ((a + b) + (c + d));
#end
    dst[p.dst_first + at.pixel * p.dst_pitch + at.quad] = value;
}
