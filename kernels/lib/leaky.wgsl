// Leaky ReLU and its derivative. The derivative at 0 is the slope.
fn leaky(z: vec4f, slope: f32) -> vec4f {
    return select(slope * z, z, z > vec4f(0.0));
}

fn leaky_derivative(z: vec4f, slope: f32) -> vec4f {
    return select(vec4f(slope), vec4f(1.0), z > vec4f(0.0));
}
