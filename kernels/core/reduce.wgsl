// The second pass of split sums: dst = sum over k of part k of src. Sums are split to have parallel work and small
// rounding errors.
//
// src: the parts one after another, `n` vec4f each. Value i of a part belongs to quad i % quads of pixel i / quads of
// dst. A workgroup computes `width` quads. Its WORKGROUP / width threads per quad share the parts: thread s adds every
// (WORKGROUP / width)-th part.
#use thread
#use fold

@compute @workgroup_size(WORKGROUP)
fn reduce(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * p.width + lane % p.width;
    // Threads beyond the last quad repeat the last one, because all threads of a workgroup must reach the barriers.
    let start = min(i, p.n - 1);
    var sum = vec4f(0.0);
    for (var k = lane / p.width; k < p.parts; k += WORKGROUP / p.width) {
        sum += src[k * p.n + start];
    }
    sum = fold(lane, p.width, sum);
    if lane < p.width && i < p.n {
        dst[p.dst.x + i / p.quads * p.dst.y + i % p.quads] = sum;
    }
}
