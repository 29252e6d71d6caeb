// The sum of equal parts: dst = sum over k of part k of src, the second pass of sums split for the sake of
// parallel work and of small rounding.
//
// src: part after part, each `n` vec4f, quad i % quads of pixel i / quads of dst being number i. `width`
// quads a workgroup, whose other threads share the parts: thread s of them adds every (WORKGROUP / width)-th.
#use thread
#use fold

@compute @workgroup_size(WORKGROUP)
fn reduce(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * p.width + lane % p.width;
    // Threads beyond the last repeat it: all of a workgroup have to reach the barriers.
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
