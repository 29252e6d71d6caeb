// The first temporal harmonic: u = sum over frames t of (x_t - reference x_0) w_t.
//
//   phases over one period   w_t = 2/T exp(-2 pi i t/T), reference 1: x_t = Re u exp(+i omega t). The weights sum
//                            to 0, so the temporal mean drops out. x_0 is subtracted for accuracy in f32.
//   real, imaginary          w = 1, i, reference 0
//
// frames [T][n]. One thread per pixel.
#use linear

fn thread(i: u32) {
    let first = p.reference * frames[i];
    var u = vec2f(0.0);
    for (var t = 0u; t < p.frames; t++) {
        u += (frames[t * p.count + i] - first) * weights[t];
    }
    harmonic_[i] = u;
}
