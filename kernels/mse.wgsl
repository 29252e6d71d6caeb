// Squared error, first pass: dst[g] = (sum of w |prediction - truth|^2, sum of w c, 0, 0) over run g of the
// quads of all pixels, of which number i is quad i % quads of pixel i / quads; weighted_mean makes one
// number of them. WEIGHTED: w is a tensor of one channel, and where it is 0 prediction and truth may be
// anything; otherwise 1. One workgroup a run.
#use thread
#use fold

struct Params {
    n: u32,
    quads: u32,
    c: u32,
    run: u32,
    prediction_first: u32,
    prediction_pitch: u32,
    truth_first: u32,
    truth_pitch: u32,
    weights_first: u32,
    weights_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> prediction: array<vec4f>;
@group(0) @binding(2) var<storage, read> truth: array<vec4f>;
@group(0) @binding(3) var<storage, read> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn mse(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let begin = group.x * p.run;
    let end = min(begin + p.run, p.n);
    var sum = vec2f(0.0);
    for (var i = begin + lane; i < end; i += WORKGROUP) {
        let q = i % p.quads;
        let pixel = i / p.quads;
#if WEIGHTED
        let w = weights[p.weights_first + pixel * p.weights_pitch].x;
#else
        let w = 1.0;
#end
        if w > 0.0 {
            let d = prediction[p.prediction_first + pixel * p.prediction_pitch + q]
                - truth[p.truth_first + pixel * p.truth_pitch + q];
            sum += w * vec2f(dot(d, d), select(0.0, f32(p.c), q == 0));
        }
    }
    let whole = fold(lane, 1, vec4f(sum, 0.0, 0.0));
    if lane == 0 {
        dst[group.x] = whole;
    }
}
