// Backward pass of a norm, second half: dx = gamma rstd (g' - S0 / m - xhat S1 / m) with m pixels per group,
// where xhat = (x - mean) rstd and g' = grad leaky'(gamma xhat + beta).
//
// A group is `run` consecutive pixels of x. statistics holds the mean of group g in pixel 2 g and rstd in the next
// pixel; sums holds S0 and S1 likewise. gamma and beta are one pixel each; without AFFINE they are 1 and 0. One
// thread per quad of PIXELS consecutive pixels of a group, which share one load of statistics and sums.
#use linear
#use leaky

// `PIXELS` of src/kernel/nn/norm.rs.
const PIXELS: u32 = 8;

fn thread(t: u32) {
    let q = t % p.quads;
    let strips = (p.run + PIXELS - 1) / PIXELS;
    let g = t / p.quads / strips;
    let first = g * p.run + t / p.quads % strips * PIXELS;
    let end = min(first + PIXELS, g * p.run + p.run);
    let s = p.statistics.x + 2 * g * p.statistics.y + q;
    let mean = statistics[s];
    let rstd = statistics[s + p.statistics.y];
    let a = p.sums.x + 2 * g * p.sums.y + q;
    let sum0 = sums[a];
    let sum1 = sums[a + p.sums.y];
#if AFFINE
    let scale = gamma[p.gamma_first + q];
    let shift = beta[p.beta_first + q];
    let factor = scale * rstd;
#else
    let factor = rstd;
#end
    for (var pixel = first; pixel < end; pixel++) {
        let xhat = (x[p.x.x + pixel * p.x.y + q] - mean) * rstd;
#if AFFINE
        let z = scale * xhat + shift;
#else
        let z = xhat;
#end
        let passed = grad[p.grad.x + pixel * p.grad.y + q] * leaky_derivative(z, p.slope);
        let shared_ = (sum0 + xhat * sum1) / f32(p.run);
        dst[p.dst.x + pixel * p.dst.y + q] = factor * (passed - shared_);
    }
}
