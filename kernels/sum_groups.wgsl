// One column summed over rows and images: dst = sum over i of pixel i w + column of src.
// One thread a quad.
#use thread

struct Params {
    quads: u32,
    rows: u32,
    w: u32,
    column: u32,
    src_first: u32,
    src_pitch: u32,
    dst_first: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn sum_groups(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let q = linear(id, groups);
    if q >= p.quads {
        return;
    }
    var sum = vec4f(0.0);
    for (var i = 0u; i < p.rows; i++) {
        sum += src[p.src_first + (i * p.w + p.column) * p.src_pitch + q];
    }
    dst[p.dst_first + q] = sum;
}
