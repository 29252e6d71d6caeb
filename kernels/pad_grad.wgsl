// The gradient of padding (pad.wgsl) with respect to its input: that of pixel y, x, and those of its mirror
// images 2 (h - 1) - y and 2 (w - 1) - x where grad has them. Channels-last quads; dst has h rows and w
// columns, grad grad_h and grad_w. A gather: one thread a quad of dst.
#use thread
#use place

struct Params {
    count: u32,
    h: u32,
    w: u32,
    quads: u32,
    grad_h: u32,
    grad_w: u32,
    grad_first: u32,
    grad_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> grad: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

// Row y of image n at column x and, if it is another one, at its mirror image.
fn across(n: u32, y: u32, x: u32, quad: u32) -> vec4f {
    let row = p.grad_first + (n * p.grad_h + y) * p.grad_w * p.grad_pitch + quad;
    var value = grad[row + x * p.grad_pitch];
    let mirrored = 2 * (p.w - 1) - x;
    if mirrored > x && mirrored < p.grad_w {
        value += grad[row + mirrored * p.grad_pitch];
    }
    return value;
}

@compute @workgroup_size(WORKGROUP)
fn pad_grad(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let at = place(t, p.h, p.w, p.quads);
    var value = across(at.n, at.y, at.x, at.quad);
    let mirrored = 2 * (p.h - 1) - at.y;
    if mirrored > at.y && mirrored < p.grad_h {
        value += across(at.n, mirrored, at.x, at.quad);
    }
    dst[p.dst_first + at.pixel * p.dst_pitch + at.quad] = value;
}
