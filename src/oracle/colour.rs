use ndarray::Array1;

/// The map as RGBA bytes: the table's entry nearest to where the value lies between `low` and `high`,
/// transparent outside the mask.
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
