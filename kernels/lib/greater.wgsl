// Where a is the greater, NaN being greater than everything, NaN too: a maximum passes it on, as PyTorch's
// does. By its bits, since a shader's comparisons need not honour NaN.
fn greater(a: vec4f, b: vec4f) -> vec4<bool> {
    let nan = (bitcast<vec4u>(a) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
    return nan | (a > b);
}
