// Gradient of the mean squared error: dst = up 2 w (prediction - truth) / weight. The scalar `weight` is the sum of w
// over pixels and channels, from weighted_mean.wgsl. The scalar `up` is the upstream gradient.
//
// WEIGHTED: w is a tensor of one channel. Otherwise w is 1. One thread per quad of a pixel.
#use linear

fn thread(t: u32) {
    let q = t % p.quads;
    let pixel = t / p.quads;
#if WEIGHTED
    let w = weights[p.weights.x + pixel * p.weights.y].x;
#else
    let w = 1.0;
#end
    var slope = vec4f(0.0);
    if w > 0.0 {
        let d = prediction[p.prediction.x + pixel * p.prediction.y + q]
            - truth[p.truth.x + pixel * p.truth.y + q];
        slope = 2.0 * up[p.up_first].x * w / weight[p.weight_first].x * d;
    }
    dst[p.dst.x + pixel * p.dst.y + q] = slope;
}
