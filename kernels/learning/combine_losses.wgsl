// A weighted sum of up to four scalars: dst = ka a + kb b + kc c + kd d. Only the first `n` terms count. One thread.
#use thread

@compute @workgroup_size(WORKGROUP)
fn combine_losses(@builtin(local_invocation_index) lane: u32) {
    if lane > 0 {
        return;
    }
    let terms = vec4f(p.ka * a[p.a_first].x, p.kb * b[p.b_first].x, p.kc * c[p.c_first].x, p.kd * d[p.d_first].x);
    let counted = select(vec4f(0.0), terms, vec4u(0, 1, 2, 3) < vec4u(p.n));
    dst[p.dst_first] = vec4f(dot(counted, vec4f(1.0)), 0.0, 0.0, 0.0);
}
