// Adam (Kingma and Ba 2015) as torch.optim.Adam has it, with the gradient clipped by its norm beforehand:
// g = min(1, max_norm / (norm + 1e-6)) gradient, + weight_decay theta unless DECOUPLED,
// m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
// theta = theta - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
// DECOUPLED (Loshchilov and Hutter 2019, AdamW): theta = (1 - rate weight_decay) theta beforehand.
//
// All but step and norm are n vec4f. step has u32 words: 2 the rate, 3 1 / (1 - beta1^t),
// 4 1 / sqrt(1 - beta2^t), as bits of f32. max_norm 0: no clipping. One thread a vec4f.
#use thread

struct Params {
    n: u32,
    norm_first: u32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    weight_decay: f32,
    max_norm: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> step_: array<u32>;
@group(0) @binding(2) var<storage, read> norm: array<vec4f>;
@group(0) @binding(3) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> first: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> second: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn adam(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.n {
        return;
    }
    let rate = bitcast<f32>(step_[2]);
    var clip = 1.0;
    if p.max_norm > 0.0 {
        clip = min(1.0, p.max_norm / (norm[p.norm_first].x + 1e-6));
    }
    var theta = parameters[i];
    var g = clip * gradients[i];
#if DECOUPLED
    theta -= rate * p.weight_decay * theta;
#else
    g += p.weight_decay * theta;
#end
    let m = p.beta1 * first[i] + (1.0 - p.beta1) * g;
    let v = p.beta2 * second[i] + (1.0 - p.beta2) * g * g;
    first[i] = m;
    second[i] = v;
    let scale = sqrt(v) * bitcast<f32>(step_[4]) + p.epsilon;
    parameters[i] = theta - rate * bitcast<f32>(step_[3]) * m / scale;
}
