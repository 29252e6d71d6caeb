// Spectral filters: dst[b] = src weights[b], for each of `planes` real weights on the same spectrum.
// weights [planes][n], dst [planes][n]. One thread per output.
#use thread

@compute @workgroup_size(WORKGROUP)
fn spectral(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.n * p.planes {
        return;
    }
    dst[t] = src[t % p.n] * weights[t];
}
