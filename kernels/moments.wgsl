// What the mean and the power of the field under the mask are summed from:
// moments = mask (Re u, Im u, |u|^2, 1). One thread a pixel.
#use thread

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> field: array<vec2f>;
@group(0) @binding(2) var<storage, read> mask: array<f32>;
@group(0) @binding(3) var<storage, read_write> moments_: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn moments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.n {
        return;
    }
    let u = field[i];
    moments_[i] = select(vec4f(0.0), vec4f(u, dot(u, u), 1.0), mask[i] > 0.0);
}
