// From PyTorch's layout to ours: dst[n][y][x][k] = src[n][k][y][x] for k < c, else 0. src is f32 without padding, dst
// has channels-last quads. One thread per quad of dst.
#use linear

fn thread(t: u32) {
    let pixel = t / p.quads;
    let quad = t % p.quads;
    let first = (pixel / p.plane * p.c + 4 * quad) * p.plane + pixel % p.plane;
    var value = vec4f(0.0);
#unroll i 0 4
    if 4 * quad + $i < p.c {
        value[$i] = src[first + $i * p.plane];
    }
#end
    dst[p.dst.x + pixel * p.dst.y + quad] = value;
}
