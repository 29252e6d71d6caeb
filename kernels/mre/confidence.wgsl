// The calibrated confidence: 1 - the predicted mean relative error of the inversion,
//
//   0.0155 + 0.0081 sqrt(1 - coherence) + 0.0194 spread + 0.0489 (1 - trusted) + 2 SD
//
// SD is the standard deviation of ln mu about its local mean, over the box of 2 radius + 1 pixels under the mask. The
// confidence is 0 if the box holds no trusted pixel or no wave. The coefficients were fitted on simulated fields of
// known modulus. One thread per pixel.
#use thread
#use planes

@compute @workgroup_size(WORKGROUP)
fn confidence(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    let n = p.nx * p.ny;
    if i >= n {
        return;
    }
    let x = i % p.nx;
    let y = i / p.nx;
    var sum = vec2f(0.0);
    for (var row = y - min(y, p.radius); row <= min(y + p.radius, p.ny - 1); row++) {
        for (var column = x - min(x, p.radius); column <= min(x + p.radius, p.nx - 1); column++) {
            let k = row * p.nx + column;
            let off = trace[k].x - mean[k];
            sum += select(vec2f(0.0), vec2f(off * off, 1.0), mask[k] > 0.0);
        }
    }
    let deviation = sqrt(sum.x / max(sum.y, 1.0));
    let t = trace[i];
    let error = 0.0155 + 0.0081 * sqrt(clamp(1.0 - t.w, 0.0, 1.0)) + 0.0194 * min(t.y, 1.0)
        + 0.0489 * (1.0 - t.z) + 2.0 * min(deviation, 1.0);
    let known = mask[i] > 0.0 && t.z > 0.0 && t.w > 0.0;
    maps[CONFIDENCE * n + i] = select(0.0, clamp(1.0 - error, 0.0, 1.0), known);
}
