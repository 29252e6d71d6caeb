// Adam (Kingma and Ba 2015) as in torch.optim.Adam, after clipping the gradient by its norm:
//
//   g = min(1, max_norm / (norm + 1e-6)) gradient, + weight_decay theta unless DECOUPLED
//   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
//   theta = theta - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//
// DECOUPLED (Loshchilov and Hutter 2019, AdamW): theta = (1 - rate weight_decay) theta comes first.
//
// All arrays but step_ and norm have n vec4f. step_ has u32 words, of which three hold the bits of an f32: word 2 is
// the rate, word 3 is 1 / (1 - beta1^t), word 4 is 1 / sqrt(1 - beta2^t). max_norm 0: no clipping. One thread per
// vec4f.
#use linear

fn thread(i: u32) {
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
