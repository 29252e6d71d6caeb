// The mean from partial sums: src has n vec4f (a, b, 0, 0). value = sum of a / sum of b, or 0 if the sum of b is 0.
// weight = sum of b. Both are scalars. One workgroup.
#use thread
#use fold

@compute @workgroup_size(WORKGROUP)
fn weighted_mean(@builtin(local_invocation_index) lane: u32) {
    var sum = vec4f(0.0);
    for (var i = lane; i < p.n; i += WORKGROUP) {
        sum += src[i];
    }
    sum = fold(lane, 1, sum);
    if lane == 0 {
        var mean = 0.0;
        if sum.y > 0.0 {
            mean = sum.x / sum.y;
        }
        value[p.value_first] = vec4f(mean, 0.0, 0.0, 0.0);
        weight[p.weight_first] = vec4f(sum.y, 0.0, 0.0, 0.0);
    }
}
