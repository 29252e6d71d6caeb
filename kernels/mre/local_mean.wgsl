// The local mean of l = ln mu under the mask: dst = sum w l / sum w over the box of 2 radius + 1 pixels; w is 1 in the
// mask and 0 outside. l is trace.x. One thread per pixel.
#use thread

@compute @workgroup_size(WORKGROUP)
fn local_mean(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.nx * p.ny {
        return;
    }
    let x = i % p.nx;
    let y = i / p.nx;
    var sum = vec2f(0.0);
    for (var row = y - min(y, p.radius); row <= min(y + p.radius, p.ny - 1); row++) {
        for (var column = x - min(x, p.radius); column <= min(x + p.radius, p.nx - 1); column++) {
            let k = row * p.nx + column;
            sum += select(vec2f(0.0), vec2f(trace[k].x, 1.0), mask[k] > 0.0);
        }
    }
    dst[i] = sum.x / max(sum.y, 1.0);
}
