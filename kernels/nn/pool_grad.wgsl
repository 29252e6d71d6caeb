// The gradient of pooling (pool.wgsl) in its input. MODE 0: the gradient of a window goes to its first greatest pixel
// in row-major order; NaN is greater than everything, as in PyTorch. MODE 1: a quarter of it goes to each of the four
// pixels, and input is not read. A pixel in no window gets 0. Channels-last quads; input and dst have h rows and w
// columns, grad has half as many, rounded down. One thread per quad of dst, which gathers.
#use linear
#use place
#use greater

fn thread(t: u32) {
    let at = place(t, p.h, p.w, p.quads);
    let y = at.y / 2;
    let x = at.x / 2;
    var value = vec4f(0.0);
    if y < p.h / 2 && x < p.w / 2 {
        let window = (at.n * (p.h / 2) + y) * (p.w / 2) + x;
        value = grad[p.grad.x + window * p.grad.y + at.quad];
#if MODE == 0
        let corner = (at.n * p.h + 2 * y) * p.w + 2 * x;
        let first = p.input.x + corner * p.input.y + at.quad;
        var best = input[first];
        var winner = vec4u(0u);
#unroll i 1 4
        let v$i = input[first + ($i % 2u + $i / 2u * p.w) * p.input.y];
        let wins$i = greater(v$i, best);
        best = select(best, v$i, wins$i);
        winner = select(winner, vec4u($i), wins$i);
#end
        value = select(vec4f(0.0), value, winner == vec4u(2 * (at.y % 2) + at.x % 2));
#else
        value *= 0.25;
#end
    }
    dst[p.dst.x + at.pixel * p.dst.y + at.quad] = value;
}
