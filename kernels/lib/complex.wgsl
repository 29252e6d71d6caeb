// The product a b of complex numbers; a vec2f holds the real and the imaginary part.
fn multiply(a: vec2f, b: vec2f) -> vec2f {
    return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// The product conj(a) b.
fn conjugate_multiply(a: vec2f, b: vec2f) -> vec2f {
    return vec2f(a.x * b.x + a.y * b.y, a.x * b.y - a.y * b.x);
}
