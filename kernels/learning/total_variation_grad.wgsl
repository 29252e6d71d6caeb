// Gradient of the total variation: with r = sqrt(dx^2 + dy^2 + epsilon),
//
//   dst = up / weight (-(dx + dy) / r + dx / r at the left neighbour + dy / r at the upper neighbour)
//
// The scalar `weight` is the number of values, from weighted_mean.wgsl. The scalar `up` is the upstream gradient.
//
// WEIGHTED: a pixel counts if its weight, a tensor of one channel, is above 0. A difference counts if both of its
// pixels count. One thread per quad of a pixel.
#use thread

#use differences

@compute @workgroup_size(WORKGROUP)
fn total_variation_grad(@builtin(global_invocation_id) id: vec3u,
                        @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.n {
        return;
    }
    let q = t % p.quads;
    let pixel = t / p.quads;
    var slope = vec4f(0.0);
    if counts(pixel) {
        let own = differences(pixel, q);
        slope = -(own.dx + own.dy) / own.root;
        if pixel % p.w > 0 && counts(pixel - 1) {
            let left = differences(pixel - 1, q);
            slope += left.dx / left.root;
        }
        if pixel / p.w % p.h > 0 && counts(pixel - p.w) {
            let upper = differences(pixel - p.w, q);
            slope += upper.dy / upper.root;
        }
        slope *= up[p.up_first].x / weight[p.weight_first].x;
    }
    dst[p.dst.x + pixel * p.dst.y + q] = slope;
}
