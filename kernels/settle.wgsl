// What overlapping predictions come to: dst = (scale mean, uncertainty, 1, scale spread) of state = (mean, squares,
// weights, count), 0 where there was none. The spread is the standard deviation of the predictions; the uncertainty is
// scale sqrt(floor^2 + (slope spread)^2). One thread a pixel.
#use thread

struct Params {
    n: u32,
    scale: f32,
    floor: f32,
    slope: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn settle(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.n {
        return;
    }
    let all = state[i];
    var value = vec4f(0.0);
    if all.w > 0.0 {
        let spread = sqrt(max(all.y, 0.0) / all.z);
        let uncertainty = length(vec2f(p.floor, p.slope * spread));
        value = vec4f(p.scale * all.x, p.scale * uncertainty, 1.0, p.scale * spread);
    }
    dst[i] = value;
}
