// Padding at the bottom and the right by reflection: dst[n][y][x] = src[n][m(y)][m(x)], where m leaves the
// rows of src as they are and takes row h - 1 + d from row h - 1 - d. Channels-last quads; one thread a quad
// of dst.
#use linear
#use place

// i, mirrored at the last of n; never beyond the first, so that no index leaves the image.
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
