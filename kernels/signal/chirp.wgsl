// The multiplications of Bluestein's transform, along one axis:
//
//   data seen as [outer][n][inner]
//   dst[k] = src[k] conj_if(sign < 0, table[k])   for k < kept, else 0;   k in 0..n_dst
//
// It pads with zeros if n_dst > kept, and cuts if n_src > n_dst. One thread per output.
// Method: L. Bluestein, 1970: a transform of any length as a convolution.
#use thread
#use complex

@compute @workgroup_size(WORKGROUP)
fn chirp(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.inner * p.n_dst * p.outer {
        return;
    }
    let i = t % p.inner;
    let k = (t / p.inner) % p.n_dst;
    let o = t / (p.inner * p.n_dst);
    if k >= p.kept {
        dst[t] = vec2f(0.0);
        return;
    }
    let w = table[k];
    dst[t] = multiply(src[(o * p.n_src + k) * p.inner + i], vec2f(w.x, p.sign * w.y));
}
