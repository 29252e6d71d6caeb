// The views in which a network can be shown one patch. The bits of a view's number: bits 0 and 1 count the quarters of
// a period by which the wave is later; bit 2 reverses columns; bit 3 reverses rows; bit 4 swaps rows and columns.

// Returns the wave (re, im) later by the quarters of a period of `view`.
fn later(view: u32, wave: vec2f) -> vec2f {
    let swapped = select(wave, vec2f(-wave.y, wave.x), (view & 1u) != 0u);
    return select(swapped, -swapped, (view & 2u) != 0u);
}

// Column and row of the image's patch that the network sees at `at`.
fn shown(view: u32, at: vec2u, side: u32) -> vec2u {
    let there = select(at, at.yx, (view & 16u) != 0u);
    let reversed = vec2<bool>((view & 4u) != 0u, (view & 8u) != 0u);
    return select(there, side - 1u - there, reversed);
}

// Column and row at which the network sees `at` of the image's patch.
fn seen(view: u32, at: vec2u, side: u32) -> vec2u {
    let reversed = vec2<bool>((view & 4u) != 0u, (view & 8u) != 0u);
    let there = select(at, side - 1u - at, reversed);
    return select(there, there.yx, (view & 16u) != 0u);
}
