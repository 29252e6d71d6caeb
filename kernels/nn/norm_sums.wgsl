// Backward pass of a norm, first half: S0 = sum g' and S1 = sum g' xhat over each chunk of a group's pixels,
// where xhat = (x - mean) rstd and g' = grad leaky'(gamma xhat + beta).
//
// A group is `run` consecutive pixels of x. statistics holds the mean of group g in pixel 2 g and rstd in the next
// pixel. dst: chunk k of group g has S0 in pixel 2 (k groups + g) and S1 in the next pixel, `quads` quads per pixel.
// reduce.wgsl adds the chunks. One thread per quad of a chunk.
#use linear
#use leaky

fn thread(t: u32) {
    let q = t % p.quads;
    let g = t / p.quads % p.groups;
    let begin = t / p.quads / p.groups * p.chunk;
    let end = min(begin + p.chunk, p.run);
    let s = p.statistics.x + 2 * g * p.statistics.y + q;
    let mean = statistics[s];
    let rstd = statistics[s + p.statistics.y];
#if AFFINE
    let scale = gamma[p.gamma_first + q];
    let shift = beta[p.beta_first + q];
#end
    var s0 = vec4f(0.0);
    var s1 = vec4f(0.0);
    for (var i = begin; i < end; i++) {
        let pixel = g * p.run + i;
        let xhat = (x[p.x.x + pixel * p.x.y + q] - mean) * rstd;
#if AFFINE
        let z = scale * xhat + shift;
#else
        let z = xhat;
#end
        let passed = grad[p.grad.x + pixel * p.grad.y + q] * leaky_derivative(z, p.slope);
        s0 += passed;
        s1 += passed * xhat;
    }
    let to = 2 * (t / p.quads) * p.quads + q;
    dst[to] = s0;
    dst[to + p.quads] = s1;
}
