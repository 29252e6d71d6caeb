// An activation of each value, or its gradient.
//
// GRAD 0: dst = f(src). GRAD 1: dst = grad f'(src).
// ACTIVATION 0: f(x) = max(x, slope x), which is ReLU for slope 0 and Leaky ReLU otherwise; f'(0) is the slope, as in
// PyTorch. ACTIVATION 1: f(x) = 1 / (1 + exp(-x)).
//
// Channels-last quads; one thread per quad of dst. The padding of the last quad is set to 0, because f(0) may
// differ from 0.
#use linear
#use leaky
#use quad

fn sigmoid(x: vec4f) -> vec4f {
    return 1.0 / (1.0 + exp(-x));
}

fn thread(t: u32) {
    let pixel = t / p.quads;
    let q = t % p.quads;
    let x = src[p.src.x + pixel * p.src.y + q];
#if ACTIVATION == 0
#if GRAD
    let value = leaky_derivative(x, p.slope);
#else
    let value = leaky(x, p.slope);
#end
#else
    let s = sigmoid(x);
#if GRAD
    let value = s * (1.0 - s);
#else
    let value = s;
#end
#end
#if GRAD
    let result = grad[p.grad.x + pixel * p.grad.y + q] * value;
#else
    let result = value;
#end
    dst[p.dst.x + pixel * p.dst.y + q] = select(vec4f(0.0), result, inside(q, p.c));
}
