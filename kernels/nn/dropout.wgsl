// Dropout of whole channels. Channel k of image n is 0 if its random word is below `threshold`, which is the rate in
// units of 2^-32. Otherwise it is scaled by 1 / (1 - rate). The words depend only on seed, step, layer (`site`), image
// and channel, so the backward pass draws the same words. Channels-last quads; one thread per quad of a row of pixels,
// which share one draw.
#use linear
#use random

fn thread(t: u32) {
    let row = t / p.quads;
    let quad = t % p.quads;
    let words = philox(vec4u(quad, row / p.h, step[STEP], 0u), vec2u(step[SEED], p.site));
    let kept = words >= vec4u(p.threshold);
    for (var pixel = row * p.w; pixel < (row + 1) * p.w; pixel++) {
        let value = p.scale * src[p.src.x + pixel * p.src.y + quad];
        dst[p.dst.x + pixel * p.dst.y + quad] = select(vec4f(0.0), value, kept);
    }
}
