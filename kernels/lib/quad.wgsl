// True for the channels of quad q that exist in a tensor of c channels. The others are padding.
fn inside(q: u32, c: u32) -> vec4<bool> {
    return vec4u(0, 1, 2, 3) + 4 * q < vec4u(c);
}
