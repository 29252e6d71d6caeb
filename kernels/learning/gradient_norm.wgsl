// The norm of a vector in two passes. First pass: dst[g].x = sum of src^2 over run g of n vec4f. Second pass, with
// ROOT: the square root of the sum of the first components of src. One workgroup per run.
#use thread
#use fold

@compute @workgroup_size(WORKGROUP)
fn gradient_norm(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let begin = group.x * p.run;
    let end = min(begin + p.run, p.n);
    var sum = vec4f(0.0);
    for (var i = begin + lane; i < end; i += WORKGROUP) {
#if ROOT
        sum.x += src[i].x;
#else
        sum.x += dot(src[i], src[i]);
#end
    }
    sum = fold(lane, 1, sum);
    if lane == 0 {
#if ROOT
        sum.x = sqrt(sum.x);
#end
        dst[p.dst_first + group.x] = sum;
    }
}
