// Statistics of a norm, first pass: mean and M2 = sum (x - mean)^2 of each chunk of a group's pixels.
//
// It sums d = x - (the chunk's first value), so that a mean far from 0 does not cause cancellation:
//
//   mean = first + sum d / m,  M2 = sum d^2 - (sum d)^2 / m
//
// x: a group is `run` consecutive pixels. dst: chunk k of group g has its mean in pixel 2 (g chunks + k) and its M2 in
// the next pixel. One thread per quad of a chunk.
#use linear

fn thread(t: u32) {
    let q = t % p.quads;
    let k = t / p.quads;
    let begin = k % p.chunks * p.chunk;
    let count = min(p.chunk, p.run - begin);
    let start = p.x.x + (k / p.chunks * p.run + begin) * p.x.y + q;
    let shift = x[start];
    var sum = vec4f(0.0);
    var squares = vec4f(0.0);
    for (var i = 1u; i < count; i++) {
        let d = x[start + i * p.x.y] - shift;
        sum += d;
        squares += d * d;
    }
    let mean = sum / f32(count);
    let to = p.dst.x + 2 * k * p.dst.y + q;
    dst[to] = shift + mean;
    dst[to + p.dst.y] = max(squares - sum * mean, vec4f(0.0));
}
