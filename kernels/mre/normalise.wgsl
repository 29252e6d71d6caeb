// The field that the inversion works on, and the wave that is reported:
//
//   wave  = mask (u - lost mean u),  amplitude = |wave|      in the units of the input
//   field = wave / rms(wave under the mask)                  so that no unit under- or overflows
//
// total = sum over the mask of (Re u, Im u, |u|^2, 1). lost is 1 if the zero level of the field is lost, else 0.
// maps is [plane][n]; AMPLITUDE, REAL and IMAGINARY are planes of it. The fields of several directions of motion share one
// mask of p.pixels, and one scale. One thread per pixel of a field.
#use linear
#use planes

fn thread(i: u32) {
    let sums = total[0] / max(total[0].w, 1.0);
    let mean = p.lost * sums.xy;
    // If the mean is a thousand times the wave, f32 cannot resolve the difference. The power then has a floor. The
    // scale of the field does not change the stiffness, as long as it is not 0.
    let power = max(sums.z - dot(mean, mean), 1e-6 * sums.z);
    let wave = select(vec2f(0.0), harmonic[i] - mean, mask[i % p.pixels] > 0.0);
    field[i] = select(vec2f(0.0), wave * inverseSqrt(power), power > 0.0);
    maps[AMPLITUDE * p.count + i] = length(wave);
    maps[REAL * p.count + i] = wave.x;
    maps[IMAGINARY * p.count + i] = wave.y;
}
