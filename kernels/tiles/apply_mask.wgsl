// Applies a mask to a wave: dst = (re, sign im, 1, 0) where mask > 0, else 0. A sign of -1 conjugates. One thread per
// pixel.
#use linear

fn thread(i: u32) {
    var value = vec4f(0.0);
    if mask[i] > 0.0 {
        value = vec4f(wave[i].x, p.sign * wave[i].y, 1.0, 0.0);
    }
    dst[i] = value;
}
