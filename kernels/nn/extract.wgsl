// Channels `skip` to `skip + c - 1`: dst[p][k] = src[p][skip + k] for k < c, else 0. skip and c need not be multiples
// of four. Channels-last quads; one thread per quad of dst.
#use linear

// Channel k of the result.
fn channel(pixel: u32, k: u32) -> f32 {
    if k < p.c {
        let i = p.skip + k;
        return src[p.src.x + pixel * p.src.y + i / 4][i % 4];
    }
    return 0.0;
}

fn thread(t: u32) {
    let pixel = t / p.quads;
    let quad = t % p.quads;
    let k = 4 * quad;
    let value =
        vec4f(channel(pixel, k), channel(pixel, k + 1), channel(pixel, k + 2), channel(pixel, k + 3));
    dst[p.dst.x + pixel * p.dst.y + quad] = value;
}
