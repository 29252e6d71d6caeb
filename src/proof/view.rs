//! The oracle of the views in which a network is shown a patch.

/// Returns row and column in the image's patch of `side` × `side` pixels for the position `at` in the network's input.
/// See `kernels/lib/view.wgsl`.
pub fn shown(view: u32, at: [usize; 2], side: usize) -> [usize; 2] {
    let [row, column] = if view & 16 != 0 { [at[1], at[0]] } else { at };
    let reverse = |i: usize, reversed: bool| if reversed { side - 1 - i } else { i };
    [reverse(row, view & 8 != 0), reverse(column, view & 4 != 0)]
}

/// Returns real and imaginary part of the wave, later by the view's quarters of a period.
pub fn later(view: u32, [re, im]: [f64; 2]) -> [f64; 2] {
    match view & 3 {
        0 => [re, im],
        1 => [-im, re],
        2 => [-re, -im],
        _ => [im, -re],
    }
}
