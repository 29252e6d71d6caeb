// One step of the continuation beyond the mask: what is known is put back inside.
//
//   dst = field where mask > 0, else continued
//
// Method: Papoulis 1975, Gerchberg 1974. One thread a pixel.
#use thread

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> field: array<vec2f>;
@group(0) @binding(2) var<storage, read> mask: array<f32>;
@group(0) @binding(3) var<storage, read> continued: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> dst: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn restore(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.n {
        return;
    }
    dst[i] = select(continued[i], field[i], mask[i] > 0.0);
}
