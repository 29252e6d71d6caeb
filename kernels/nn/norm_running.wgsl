// Statistics of a norm from the running mean and variance: dst = (mean, 1 / sqrt(variance + epsilon)) in pixels 0
// and 1; the second is 0 in padding channels. running: mean and variance in pixels 0 and 1. One thread per quad.
#use thread
#use quad

@compute @workgroup_size(WORKGROUP)
fn norm_running(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let q = linear(id, groups);
    if q >= p.quads {
        return;
    }
    let variance = running[p.running.x + p.running.y + q];
    let deviation = inverseSqrt(variance + p.epsilon);
    dst[p.dst.x + q] = running[p.running.x + q];
    dst[p.dst.x + p.dst.y + q] = select(vec4f(0.0), deviation, inside(q, p.c));
}
