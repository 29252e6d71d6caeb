// True where a is greater than b. A NaN in a is greater than everything, so that a maximum passes NaN on as PyTorch
// does. NaN is found by its bits, because a shader's comparisons need not honour NaN.
fn greater(a: vec4f, b: vec4f) -> vec4<bool> {
    let nan = (bitcast<vec4u>(a) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
    return nan | (a > b);
}
