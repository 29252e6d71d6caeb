// Box means along one axis of planes of four values, zero beyond the image:
//
//   dst[k] = 1 / (2 radius + 1) sum over |d| <= radius of src[k + d]
//
// AXIS 0 is along a row, 1 along a column; once each makes the square box.
// src, dst [plane][ny][nx], from plane `first`. One thread an output.
#use thread

struct Params {
    nx: u32,
    ny: u32,
    planes: u32,
    first: u32,
    radius: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn window(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    let n = p.nx * p.ny;
    if t >= n * p.planes {
        return;
    }
    let i = t + p.first * n;
#if AXIS == 0
    let at = t % p.nx;
    let length = p.nx;
    let stride = 1u;
#else
    let at = (t % n) / p.nx;
    let length = p.ny;
    let stride = p.nx;
#end
    let before = min(at, p.radius);
    let after = min(length - 1 - at, p.radius);
    var sum = vec4f(0.0);
    var from_ = i - before * stride;
    for (var k = 0u; k <= before + after; k++) {
        sum += src[from_ + k * stride];
    }
    dst[i] = sum / f32(2 * p.radius + 1);
}
