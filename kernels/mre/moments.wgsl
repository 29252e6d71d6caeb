// The summands of the mean and the power of the field under the mask: moments_ = mask (Re u, Im u, |u|^2, 1).
// The fields of several directions of motion share one mask of p.pixels. One thread per pixel of a field.
#use linear

fn thread(i: u32) {
    let u = field[i];
    moments_[i] = select(vec4f(0.0), vec4f(u, dot(u, u), 1.0), mask[i % p.pixels] > 0.0);
}
