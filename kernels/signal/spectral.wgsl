// Spectral filters: dst[f][b] = src[f] weights[b], for each of `planes` real weights on each of `fields` spectra.
// src [fields][n], weights [planes][n], dst [fields][planes][n]. One thread per output.
#use thread

@compute @workgroup_size(WORKGROUP)
fn spectral(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    let filtered = p.n * p.planes;
    if t >= filtered * p.fields {
        return;
    }
    dst[t] = src[(t / filtered) * p.n + t % p.n] * weights[t % filtered];
}
