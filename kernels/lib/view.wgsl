// The ways in which a network is shown one and the same patch, by a number: its lowest two bits are quarters of a period
// by which the wave is later, the next ones that columns are reversed, that rows are, and that they change places.

// The wave (re, im), `view`'s quarters of a period later.
fn later(view: u32, wave: vec2f) -> vec2f {
    let swapped = select(wave, vec2f(-wave.y, wave.x), (view & 1u) != 0u);
    return select(swapped, -swapped, (view & 2u) != 0u);
}

// Column and row of the image's patch that the network is shown at `at`.
fn shown(view: u32, at: vec2u, side: u32) -> vec2u {
    let there = select(at, at.yx, (view & 16u) != 0u);
    let reversed = vec2<bool>((view & 4u) != 0u, (view & 8u) != 0u);
    return select(there, side - 1u - there, reversed);
}

// Column and row at which the network is shown `at` of the image's patch.
fn seen(view: u32, at: vec2u, side: u32) -> vec2u {
    let reversed = vec2<bool>((view & 4u) != 0u, (view & 8u) != 0u);
    let there = select(at, side - 1u - at, reversed);
    return select(there, there.yx, (view & 16u) != 0u);
}
