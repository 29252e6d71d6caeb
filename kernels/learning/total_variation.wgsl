// Isotropic total variation by forward differences, first pass: dst[g] = (sum of sqrt(dx^2 + dy^2 + epsilon) over
// channels, number of values summed, 0, 0) over run g of the quads of all pixels. Quad i of them is quad i % quads of
// pixel i / quads. weighted_mean.wgsl computes the mean from the runs.
//
// WEIGHTED: a pixel counts if its weight, a tensor of one channel, is above 0. A difference counts if both of its
// pixels count. One workgroup per run.
#use thread
#use fold
#use quad

#use differences

@compute @workgroup_size(WORKGROUP)
fn total_variation(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let begin = group.x * p.run;
    let end = min(begin + p.run, p.n);
    var sum = vec2f(0.0);
    for (var i = begin + lane; i < end; i += WORKGROUP) {
        let q = i % p.quads;
        let pixel = i / p.quads;
        if counts(pixel) {
            let here = select(vec4f(0.0), vec4f(1.0), inside(q, p.c));
            sum += vec2f(dot(differences(pixel, q).root, here), dot(here, here));
        }
    }
    let whole = fold(lane, 1, vec4f(sum, 0.0, 0.0));
    if lane == 0 {
        dst[group.x] = whole;
    }
}
