// Sums of four values over runs of an array: dst[g] = sum of src[g run .. (g + 1) run].
//
// One workgroup per run: each thread adds every WORKGROUP-th value, then the workgroup adds by halves. The order is
// fixed, so the sum has the same bits every time. Two passes give one value.
#use thread

var<workgroup> partial: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn total(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let g = group.x + group.y * groups.x;
    let begin = min(g * p.run, p.n);
    let end = min(begin + p.run, p.n);
    var sum = vec4f(0.0);
    for (var i = begin + lane; i < end; i += WORKGROUP) {
        sum += src[i];
    }
    partial[lane] = sum;
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        workgroupBarrier();
        if lane < half {
            partial[lane] += partial[lane + half];
        }
    }
    if lane == 0 && begin < end {
        dst[g] = partial[0];
    }
}
