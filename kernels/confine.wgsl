// A wave confined to a mask: dst = (re, sign im, 1, 0) where mask > 0, else 0. A sign of -1 conjugates. One thread a
// pixel.
#use thread

struct Params {
    n: u32,
    sign: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> wave: array<vec2f>;
@group(0) @binding(2) var<storage, read> mask: array<f32>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn confine(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.n {
        return;
    }
    var value = vec4f(0.0);
    if mask[i] > 0.0 {
        value = vec4f(wave[i].x, p.sign * wave[i].y, 1.0, 0.0);
    }
    dst[i] = value;
}
