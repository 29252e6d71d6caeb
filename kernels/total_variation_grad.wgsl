// Gradient of the total variation: with r = sqrt(dx^2 + dy^2 + epsilon),
// dst = up / weight (-(dx + dy) / r + dx / r at the left neighbour + dy / r at the upper neighbour),
// where weight is the number of values, as weighted_mean left it, and up the gradient from above, both scalars.
// WEIGHTED: pixels count where their weight, a tensor of one channel, is above 0, and differences where both
// of their pixels do. One thread a quad of a pixel.
#use thread

struct Params {
    n: u32,
    quads: u32,
    h: u32,
    w: u32,
    src_first: u32,
    src_pitch: u32,
    weights_first: u32,
    weights_pitch: u32,
    weight_first: u32,
    up_first: u32,
    dst_first: u32,
    dst_pitch: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> weight: array<vec4f>;
@group(0) @binding(4) var<storage, read> up: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dst: array<vec4f>;

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
    dst[p.dst_first + pixel * p.dst_pitch + q] = slope;
}
