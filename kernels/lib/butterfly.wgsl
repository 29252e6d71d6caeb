// Discrete Fourier transforms of 2, 4 and 8 points in registers. `s` is 1 forward (exp(-2 pi i k/n)) and -1 backward.

// Returns a exp(-s pi i / 2).
fn quarter(a: vec2f, s: f32) -> vec2f {
    return s * vec2f(a.y, -a.x);
}

fn dft2(a: vec2f, b: vec2f) -> array<vec2f, 2> {
    return array<vec2f, 2>(a + b, a - b);
}

fn dft4(a: vec2f, b: vec2f, c: vec2f, d: vec2f, s: f32) -> array<vec2f, 4> {
    let even = dft2(a, c);
    let odd = dft2(b, d);
    let turned = quarter(odd[1], s);
    return array<vec2f, 4>(even[0] + odd[0], even[1] + turned, even[0] - odd[0], even[1] - turned);
}

const HALF_ROOT: f32 = 0.70710678118654752;

fn dft8(v: array<vec2f, 8>, s: f32) -> array<vec2f, 8> {
    let e = dft4(v[0], v[2], v[4], v[6], s);
    let o = dft4(v[1], v[3], v[5], v[7], s);
    let o1 = HALF_ROOT * (o[1] + quarter(o[1], s));
    let o2 = quarter(o[2], s);
    let o3 = HALF_ROOT * (quarter(o[3], s) - o[3]);
    return array<vec2f, 8>(e[0] + o[0], e[1] + o1, e[2] + o2, e[3] + o3,
                           e[0] - o[0], e[1] - o1, e[2] - o2, e[3] - o3);
}
