// Upsampling to twice the size. MODE 0, nearest: dst[n][y][x] = src[n][y / 2][x / 2]. MODE 1, bilinear between pixel
// centres (PyTorch's align_corners=False): along each axis 3/4 of pixel y / 2 and 1/4 of its neighbour. The neighbour
// is the pixel before it for even y and the one after it for odd y. At an edge it is pixel y / 2 itself. Channels-last
// quads; src has h rows and w columns. One thread per quad of dst.
#use linear
#use place

// Quad `quad` of column x in the row that starts at pixel `row`.
fn load(row: u32, x: u32, quad: u32) -> vec4f {
    return src[p.src.x + (row + x) * p.src.y + quad];
}

// The farther of the two pixels of n between which place i of the result lies.
fn other(i: u32, n: u32) -> u32 {
    return select(max(i / 2, 1) - 1, min(i / 2 + 1, n - 1), i % 2 == 1);
}

fn thread(t: u32) {
    let at = place(t, 2 * p.h, 2 * p.w, p.quads);
    let x = at.x / 2;
    let row = (at.n * p.h + at.y / 2) * p.w;
#if MODE == 0
    let value = load(row, x, at.quad);
#else
    let far_x = other(at.x, p.w);
    let far_row = (at.n * p.h + other(at.y, p.h)) * p.w;
    let near = 0.75 * load(row, x, at.quad) + 0.25 * load(row, far_x, at.quad);
    let far = 0.75 * load(far_row, x, at.quad) + 0.25 * load(far_row, far_x, at.quad);
    let value = 0.75 * near + 0.25 * far;
#end
    dst[p.dst.x + at.pixel * p.dst.y + at.quad] = value;
}
