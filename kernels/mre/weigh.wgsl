// The values that are averaged over the box, for one model: three planes of four values,
//
//   0  trust (|U|^2, Re conj(U) L, Im conj(U) L, |L|^2)
//   1  (trust E, trust, E, 0)      E: the residual, a measure of noise
//   2  plane 0 without the trust
//
// dst [plane][n], written from plane `first`. One thread per pixel.
#use linear

fn thread(i: u32) {
    let at = p.first * p.count + i;
    dst[at] = trust[i] * products[i];
    dst[at + p.count] = vec4f(trust[i] * residual[i], trust[i], residual[i], 0.0);
    dst[at + 2 * p.count] = products[i];
}
