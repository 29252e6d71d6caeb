// Gradient of the mean squared error: dst = up 2 w (prediction - truth) / weight, where weight is the sum of
// w over pixels and channels, as weighted_mean left it, and up the gradient from above, both scalars.
// WEIGHTED: w is a tensor of one channel; otherwise 1. One thread a quad of a pixel.
#use thread

struct Params {
    n: u32,
    quads: u32,
    prediction_first: u32,
    prediction_pitch: u32,
    truth_first: u32,
    truth_pitch: u32,
    weights_first: u32,
    weights_pitch: u32,
    weight_first: u32,
    up_first: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> prediction: array<vec4f>;
@group(0) @binding(2) var<storage, read> truth: array<vec4f>;
@group(0) @binding(3) var<storage, read> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read> up: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn mse_grad(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.n {
        return;
    }
    let q = t % p.quads;
    let pixel = t / p.quads;
#if WEIGHTED
    let w = weights[p.weights_first + pixel * p.weights_pitch].x;
#else
    let w = 1.0;
#end
    var slope = vec4f(0.0);
    if w > 0.0 {
        let d = prediction[p.prediction_first + pixel * p.prediction_pitch + q]
            - truth[p.truth_first + pixel * p.truth_pitch + q];
        slope = 2.0 * up[p.up_first].x * w / weight[p.weight_first].x * d;
    }
    dst[p.dst_first + pixel * p.dst_pitch + q] = slope;
}
