// A complex number is a vec2f: real, imaginary.
fn multiply(a: vec2f, b: vec2f) -> vec2f {
    return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// conj(a) b
fn conjugate_multiply(a: vec2f, b: vec2f) -> vec2f {
    return vec2f(a.x * b.x + a.y * b.y, a.x * b.y - a.y * b.x);
}
