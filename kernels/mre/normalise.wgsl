// The field the inversion works on, and the wave as it is reported:
//
//   wave  = mask (u - lost mean u),  amplitude = |wave|      in the units of the input
//   field = wave / rms(wave under the mask)                  so that no unit under- or overflows
//
// total = sum over the mask of (Re u, Im u, |u|^2, 1); lost is 1 where the zero level is lost, else 0.
// One thread a pixel. maps is [plane][n]; AMPLITUDE, REAL and IMAGINARY are planes of it.
#use linear
#use planes

fn thread(i: u32) {
    let sums = total[0] / max(total[0].w, 1.0);
    let mean = p.lost * sums.xy;
    // Where the mean is a thousand times the wave, f32 no longer tells their difference; what scale the field
    // has changes no stiffness, as long as there is one.
    let power = max(sums.z - dot(mean, mean), 1e-6 * sums.z);
    let wave = select(vec2f(0.0), harmonic[i] - mean, mask[i] > 0.0);
    field[i] = select(vec2f(0.0), wave * inverseSqrt(power), power > 0.0);
    maps[AMPLITUDE * p.count + i] = length(wave);
    maps[REAL * p.count + i] = wave.x;
    maps[IMAGINARY * p.count + i] = wave.y;
}
