// The multimodel inversion. Three polynomial models each estimate the wavenumber. Each is weighted by the error that is
// predicted for it at each pixel.
//
//   k2 = response^-1(|UL| / UU),  nu = E / UU                  over the selector's wider box
//   s  = 0.3 c nu / k2^2 + bias(k2)^2 + 1e-6  (+ 10 if the model's box holds too few trusted pixels)
//   z  = |UL| / UU;  if corrected: UU - a E and UL - b E first, then z = response^-1(z)
//   mu = sum W unit / z / sum W,  W = (min s / s)^8,  unit = rho omega^2 h^2 in kPa
//   phase of mu* = phase of the sum of W unit / z times the direction of -1 / UL
//
// sums [4][3][n] from window.wgsl: the three models, then the selector (model 0 in the wider box).
// curves [3][SAMPLES] holds two curves per model. x: the wavenumber at sqrt(z) = i / (SAMPLES - 1) reach.
// y: the relative bias 1 - z/k2 at wavenumber i / (SAMPLES - 1) widest. p.reach holds the three reaches and widest.
// maps [plane][n]; trace = (ln mu, spread of ln mu over the models, trusted fraction, coherence after correction), for
// confidence.wgsl. One thread per pixel. Source: the project's own.
#use linear
#use planes

const TINY: f32 = 1e-30;
const SQUARE_MIN: f32 = 1e-9;

// Linear interpolation in the curves of model m at position x, clamped to 0..1.
fn curve(m: u32, x: f32) -> vec2f {
    let at = clamp(x, 0.0, 1.0) * f32(SAMPLES - 1);
    let k = min(u32(at), SAMPLES - 2);
    let i = m * SAMPLES + k;
    return mix(curves[i], curves[i + 1], at - f32(k));
}

// The squared wavenumber at which model m gives z.
fn wavenumber2(m: u32, z: f32) -> f32 {
    let k = curve(m, sqrt(z) / p.reach[m]).x;
    return k * k;
}

fn thread(i: u32) {
    let inside = mask[i] > 0.0;

    var wide = sums[9 * p.count + i];
    let wide_aux = sums[10 * p.count + i];
    var wide_residual = wide_aux.x;
    if wide_aux.y < 0.02 {
        wide = sums[11 * p.count + i];
        wide_residual = wide_aux.z;
    }
    let power = max(wide.x, TINY);
    let k2 = max(wavenumber2(0, length(wide.yz) / power), 0.001);
    let noise = max(wide_residual, 0.0) / power;

    var error: array<f32, 3>;
    var modulus: array<f32, 3>;
    var direction: array<vec2f, 3>;
    var least = 0.0;
    var coherence = 0.0;
    var plain = 0.0;
#unroll m 0 3
    {
        let aux = sums[($m * 3 + 1) * p.count + i];
        let trusted = aux.y > 0.04;
        let sum = select(sums[($m * 3 + 2) * p.count + i], sums[$m * 3 * p.count + i], trusted);
        let residual = select(aux.z, aux.x, trusted);
        let c = p.noise[$m];
        var uu = sum.x;
        var ul = sum.yz;
        if p.corrected != 0 {
            uu = max(uu - c.x * residual, 0.2 * uu);
            ul -= vec2f(c.y * residual, 0.0);
        }
        let size = length(ul);
        var z = size / max(uu, TINY);
        if p.corrected != 0 {
            z = wavenumber2($m, z);
        }
        let bias = curve($m, sqrt(k2) / p.reach.w).y;
        error[$m] = 0.3 * c.z * noise / (k2 * k2) + bias * bias + 1e-6 + select(10.0, 0.0, trusted);
        modulus[$m] = p.unit / max(z, SQUARE_MIN);
        // -1/UL has the direction of -conj(UL).
        direction[$m] = select(vec2f(1.0, 0.0), vec2f(-ul.x, ul.y) / max(size, TINY), size > TINY);
#if $m == 0
        least = error[0];
        coherence = size * size / max(uu * sum.w, TINY);
        plain = min(dot(sum.yz, sum.yz) / max(sum.x * sum.w, TINY), 1.0);
#else
        least = min(least, error[$m]);
#end
    }
#end

    var weight = 0.0;
    var mu = 0.0;
    var turned = vec2f(0.0);
    var mean = 0.0;
    var square = 0.0;
#unroll m 0 3
    {
        let w = pow(least / error[$m], 8.0);
        weight += w;
        mu += w * modulus[$m];
        turned += w * modulus[$m] * direction[$m];
        mean += log(max(modulus[$m], 1e-6)) / 3.0;
    }
#end
#unroll m 0 3
    {
        let off = log(max(modulus[$m], 1e-6)) - mean;
        square += off * off / 3.0;
    }
#end
    mu /= weight;
    let long = length(turned);
    let phase = select(vec2f(1.0, 0.0), turned / max(long, TINY), long > TINY);

    let trusted = sums[p.count + i].y;
    trace[i] = vec4f(log(clamp(mu, 0.05, 30.0)), sqrt(square), trusted, coherence);
    maps[STIFFNESS * p.count + i] = select(0.0, mu, inside);
    maps[STORAGE * p.count + i] = select(0.0, mu * phase.x, inside);
    maps[LOSS * p.count + i] = select(0.0, mu * phase.y, inside);
    // Phase velocity omega / Re k in m/s, from k = omega sqrt(rho / mu*); mu in kPa.
    let speed = sqrt(2000.0 * mu / (p.density * max(1.0 + phase.x, 1e-3)));
    maps[WAVESPEED * p.count + i] = select(0.0, speed, inside);
    maps[COHERENCE * p.count + i] = select(0.0, plain, inside);
}
