use ndarray::Array1;

/// Returns the map as RGBA bytes. Each value gets the table entry nearest to its position between `low` and
/// `high`. Pixels outside the mask are transparent.
pub fn colour(
    map: &Array1<f64>,
    mask: &Array1<f64>,
    table: &[[u8; 4]; 256],
    [low, high]: [f64; 2],
) -> Array1<f64> {
    let texel = |i: usize| {
        let t = ((map[i] - low) / (high - low)).clamp(0.0, 1.0);
        if mask[i] > 0.0 { table[(t * 255.0).round() as usize].map(f64::from) } else { [0.0; 4] }
    };
    (0..map.len()).flat_map(texel).collect()
}
