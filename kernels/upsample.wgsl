// Twice the size. MODE 0, nearest: dst[n][y][x] = src[n][y / 2][x / 2]. MODE 1, bilinear between pixel
// centres (PyTorch's align_corners=False): along each axis 3/4 of pixel y / 2 and 1/4 of the next one, before
// it where y is even and after it where y is odd; at an edge that is pixel y / 2 itself. Channels-last quads;
// src has h rows and w columns. One thread a quad of dst.
#use thread
#use place

struct Params {
    count: u32,
    h: u32,
    w: u32,
    quads: u32,
    src_first: u32,
    src_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

// Quad `quad` of column x in the row that starts at pixel `row`.
fn load(row: u32, x: u32, quad: u32) -> vec4f {
    return src[p.src_first + (row + x) * p.src_pitch + quad];
}

// The other of the two pixels of n that place i of the result lies between.
fn other(i: u32, n: u32) -> u32 {
    return select(max(i / 2, 1) - 1, min(i / 2 + 1, n - 1), i % 2 == 1);
}

@compute @workgroup_size(WORKGROUP)
fn upsample(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let at = place(t, 2 * p.h, 2 * p.w, p.quads);
    let x = at.x / 2;
    let row = (at.n * p.h + at.y / 2) * p.w;
#if MODE == 0
    let value = load(row, x, at.quad);
#else
    let far_x = other(at.x, p.w);
    let far_row = (at.n * p.h + other(at.y, p.h)) * p.w;
    let near = 0.75 * load(row, x, at.quad) + 0.25 * load(row, far_x, at.quad);
    let far = 0.75 * load(far_row, x, at.quad) + 0.25 * load(far_row, far_x, at.quad);
    let value = 0.75 * near + 0.25 * far;
#end
    dst[p.dst_first + at.pixel * p.dst_pitch + at.quad] = value;
}
