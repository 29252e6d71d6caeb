// Padding at the bottom and the right by reflection: dst[n][y][x] = src[n][m(y)][m(x)]. m keeps the rows of src and
// maps row h - 1 + d to row h - 1 - d; columns likewise. Channels-last quads; one thread per quad of dst.
#use linear
#use place

// i, mirrored at the last of n. The result is never below 0, so no index leaves the image.
fn mirror(i: u32, n: u32) -> u32 {
    let past = max(i, n - 1) - (n - 1);
    return min(i, n - 1) - min(past, n - 1);
}

fn thread(t: u32) {
    let at = place(t, p.h, p.w, p.quads);
    let pixel = (at.n * p.src_h + mirror(at.y, p.src_h)) * p.src_w + mirror(at.x, p.src_w);
    let value = src[p.src.x + pixel * p.src.y + at.quad];
    dst[p.dst.x + at.pixel * p.dst.y + at.quad] = value;
}
