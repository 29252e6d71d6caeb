/// The eight chains of one team of threads: `steps` times `side` products of a, 2 a, 3 a, 4 a with b, 2 b, in
/// half precision.
pub fn fma_units([a, b]: [f64; 2], side: usize, steps: usize) -> Vec<f64> {
    // Multiples are computed in f32, as on the device.
    let half = |v: f64, times: usize| f64::from(half::f16::from_f32(times as f32 * v as f32));
    let chain = |i: usize| half(a, i / 2 + 1) * half(b, i % 2 + 1) * (side * steps) as f64;
    (0..8).map(chain).collect()
}
