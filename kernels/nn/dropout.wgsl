// Dropout of whole channels: channel k of image n is 0 throughout where its random word is below `threshold`,
// which is the rate in units of 2^-32, and scaled by 1 / (1 - rate) elsewhere. The words depend on seed,
// step, layer (`site`), image and channel alone, so that the backward pass draws the same ones. Channels-last
// quads; one thread a quad of a row of pixels, which share one draw.
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
