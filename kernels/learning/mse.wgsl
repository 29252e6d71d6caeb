// Squared error, first pass: dst[g] = (sum of w |prediction - truth|^2, sum of w c, 0, 0) over run g of the quads of
// all pixels. Quad i of them is quad i % quads of pixel i / quads. weighted_mean.wgsl computes the mean from the runs.
//
// WEIGHTED: w is a tensor of one channel; prediction and truth may be anything at pixels of weight 0. Otherwise w is 1.
// One workgroup per run.
#use thread
#use fold

@compute @workgroup_size(WORKGROUP)
fn mse(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let begin = group.x * p.run;
    let end = min(begin + p.run, p.n);
    var sum = vec2f(0.0);
    for (var i = begin + lane; i < end; i += WORKGROUP) {
        let q = i % p.quads;
        let pixel = i / p.quads;
#if WEIGHTED
        let w = weights[p.weights.x + pixel * p.weights.y].x;
#else
        let w = 1.0;
#end
        if w > 0.0 {
            let d = prediction[p.prediction.x + pixel * p.prediction.y + q]
                - truth[p.truth.x + pixel * p.truth.y + q];
            sum += w * vec2f(dot(d, d), select(0.0, f32(p.c), q == 0));
        }
    }
    let whole = fold(lane, 1, vec4f(sum, 0.0, 0.0));
    if lane == 0 {
        dst[group.x] = whole;
    }
}
