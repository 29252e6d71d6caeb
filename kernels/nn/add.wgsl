// The sum of two tensors: dst = a + b. Channels-last quads; one thread per quad.
#use linear

fn thread(t: u32) {
    let pixel = t / p.quads;
    let quad = t % p.quads;
    let sum = a[p.a.x + pixel * p.a.y + quad] + b[p.b.x + pixel * p.b.y + quad];
    dst[p.dst.x + pixel * p.dst.y + quad] = sum;
}
