// The channels of a, then those of b: dst[p][k] = a[p][k] for k < a_c, b[p][k - a_c] for k < c, else 0.
// The numbers of channels need not be multiples of four. Channels-last quads; one thread per quad of dst.
#use linear

// Channel k of the result.
fn channel(pixel: u32, k: u32) -> f32 {
    if k < p.a_c {
        return a[p.a.x + pixel * p.a.y + k / 4][k % 4];
    }
    if k < p.c {
        let i = k - p.a_c;
        return b[p.b.x + pixel * p.b.y + i / 4][i % 4];
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
