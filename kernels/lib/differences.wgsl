// Forward differences of quad q of `src` at a pixel. dx is 0 in the last column and dy in the last row. Both are 0
// towards a pixel that does not count. root = sqrt(dx^2 + dy^2 + epsilon). Reads src, weights and p of the kernel.
struct Differences {
    dx: vec4f,
    dy: vec4f,
    root: vec4f,
}

fn counts(pixel: u32) -> bool {
#if WEIGHTED
    return weights[p.weights.x + pixel * p.weights.y].x > 0.0;
#else
    return true;
#end
}

fn value(pixel: u32, q: u32) -> vec4f {
    return src[p.src.x + pixel * p.src.y + q];
}

fn differences(pixel: u32, q: u32) -> Differences {
    var dx = vec4f(0.0);
    var dy = vec4f(0.0);
    if pixel % p.w + 1 < p.w && counts(pixel + 1) {
        dx = value(pixel + 1, q) - value(pixel, q);
    }
    if pixel / p.w % p.h + 1 < p.h && counts(pixel + p.w) {
        dy = value(pixel + p.w, q) - value(pixel, q);
    }
    return Differences(dx, dy, sqrt(dx * dx + dy * dy + p.epsilon));
}
