// Padding at the bottom and the right by reflection: dst[n][y][x] = src[n][m(y)][m(x)], where m leaves the
// rows of src as they are and takes row h - 1 + d from row h - 1 - d. Channels-last quads; one thread a quad
// of dst.
#use thread
#use place

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

// i, mirrored at the last of n; never beyond the first, so that no index leaves the image.
fn mirror(i: u32, n: u32) -> u32 {
    let past = max(i, n - 1) - (n - 1);
    return min(i, n - 1) - min(past, n - 1);
}

@compute @workgroup_size(WORKGROUP)
fn pad(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let at = place(t, p.h, p.w, p.quads);
    let pixel = (at.n * p.src_h + mirror(at.y, p.src_h)) * p.src_w + mirror(at.x, p.src_w);
    let value = src[p.src_first + pixel * p.src_pitch + at.quad];
    dst[p.dst_first + at.pixel * p.dst_pitch + at.quad] = value;
}
