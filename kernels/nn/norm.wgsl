// Norm and Leaky ReLU: y = leaky(gamma (x - mean) rstd + beta).
//
// A group is `run` consecutive pixels of x. statistics holds the mean of group g in pixel 2 g and rstd in the next
// pixel. gamma and beta are one pixel each; without AFFINE they are 1 and 0. One thread per quad of PIXELS consecutive
// pixels of a group, which share one load of the statistics.
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
#if AFFINE
    let scale = gamma[p.gamma_first + q];
    let shift = beta[p.beta_first + q];
#end
    for (var pixel = first; pixel < end; pixel++) {
        var z = (x[p.x.x + pixel * p.x.y + q] - mean) * rstd;
#if AFFINE
        z = scale * z + shift;
#end
        dst[p.dst.x + pixel * p.dst.y + q] = leaky(z, p.slope);
    }
}
