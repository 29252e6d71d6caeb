// The planes of src = (a, b, inside, c) under a mask: dst is a, b, c, each [n]. They are 0 where the mask is not above
// 0 or src is not inside. One thread per pixel.
#use linear

fn thread(i: u32) {
    let value = select(vec4f(0.0), src[i], mask[i] > 0.0 && src[i].z > 0.0);
    dst[i] = value.x;
    dst[p.count + i] = value.y;
    dst[2 * p.count + i] = value.w;
}
