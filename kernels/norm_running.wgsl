// Statistics of a norm from the running mean and variance: dst = (mean, 1 / sqrt(variance + epsilon)) in
// pixels 0 and 1, 0 in padding channels. running: mean and variance in pixels 0 and 1. One thread a quad.
#use thread
#use quad

struct Params {
    quads: u32,
    c: u32,
    running_first: u32,
    running_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> running: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn norm_running(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let q = linear(id, groups);
    if q >= p.quads {
        return;
    }
    let variance = running[p.running_first + p.running_pitch + q];
    let deviation = inverseSqrt(variance + p.epsilon);
    dst[p.dst_first + q] = running[p.running_first + q];
    dst[p.dst_first + p.dst_pitch + q] = select(vec4f(0.0), deviation, inside(q, p.c));
}
