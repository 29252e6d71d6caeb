// Pooling over windows of 2 x 2 pixels with stride 2: dst[n][y][x] is the maximum (MODE 0) or the mean (MODE 1) of
// src[n][2 y .. 2 y + 1][2 x .. 2 x + 1]. An odd last row or column of src lies in no window. NaN is greater than
// everything. Channels-last quads; one thread per quad of dst.
#use linear
#use place
#use greater

fn thread(t: u32) {
    let at = place(t, p.h, p.w, p.quads);
    let corner = (at.n * p.src_h + 2 * at.y) * p.src_w + 2 * at.x;
    let above = p.src.x + corner * p.src.y + at.quad;
    let below = above + p.src_w * p.src.y;
    let a = src[above];
    let b = src[above + p.src.y];
    let c = src[below];
    let d = src[below + p.src.y];
#if MODE == 0
    let upper = select(a, b, greater(b, a));
    let lower = select(c, d, greater(d, c));
    let value = select(upper, lower, greater(lower, upper));
#else
    let value = 0.25 * ((a + b) + (c + d));
#end
    dst[p.dst.x + at.pixel * p.dst.y + at.quad] = value;
}
