// Sums over pixels, channel by channel: dst[k] = sum over the pixels of chunk k of src, `quads` quads per chunk.
// reduce.wgsl adds the chunks. One thread per quad of a chunk.
#use linear

fn thread(t: u32) {
    let q = t % p.quads;
    let begin = t / p.quads * p.chunk;
    let end = min(begin + p.chunk, p.pixels);
    var sum = vec4f(0.0);
    for (var pixel = begin; pixel < end; pixel++) {
        sum += src[p.src.x + pixel * p.src.y + q];
    }
    dst[t] = sum;
}
