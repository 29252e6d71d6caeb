// A weighted sum of up to four scalars: dst = k0 a + k1 b + k2 c + k3 d, of which the first `n` terms count.
// One thread.
#use thread

struct Params {
    n: u32,
    a_first: u32,
    b_first: u32,
    c_first: u32,
    d_first: u32,
    dst_first: u32,
    ka: f32,
    kb: f32,
    kc: f32,
    kd: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read> c: array<vec4f>;
@group(0) @binding(4) var<storage, read> d: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn combine_losses(@builtin(local_invocation_index) lane: u32) {
    if lane > 0 {
        return;
    }
    let terms = vec4f(p.ka * a[p.a_first].x, p.kb * b[p.b_first].x, p.kc * c[p.c_first].x, p.kd * d[p.d_first].x);
    let counted = select(vec4f(0.0), terms, vec4u(0, 1, 2, 3) < vec4u(p.n));
    dst[p.dst_first] = vec4f(dot(counted, vec4f(1.0)), 0.0, 0.0, 0.0);
}
