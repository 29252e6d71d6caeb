// From our layout to PyTorch's: dst[n][k][y][x] = src[n][y][x][k] for k < c. src has channels-last quads, dst is f32
// without padding. One thread per quad of src.
#use linear

fn thread(t: u32) {
    let pixel = t / p.quads;
    let quad = t % p.quads;
    let first = (pixel / p.plane * p.c + 4 * quad) * p.plane + pixel % p.plane;
    let value = src[p.src.x + pixel * p.src.y + quad];
#unroll i 0 4
    if 4 * quad + $i < p.c {
        dst[first + $i * p.plane] = value[$i];
    }
#end
}
