// One column summed over rows and images: dst = sum over i in 0..rows of pixel i w + column of src.
// One thread per quad.
#use thread

@compute @workgroup_size(WORKGROUP)
fn sum_groups(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let q = linear(id, groups);
    if q >= p.quads {
        return;
    }
    var sum = vec4f(0.0);
    for (var i = 0u; i < p.rows; i++) {
        sum += src[p.src.x + (i * p.w + p.column) * p.src.y + q];
    }
    dst[p.dst_first + q] = sum;
}
