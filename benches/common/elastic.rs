//! The finite elements on which our solver and its peers are measured.

use num_complex::Complex64;

/// The 9-node elements of a square of `side` by `side` elements, row after row.
pub fn grid(side: usize) -> Vec<[usize; 9]> {
    let at = |i: usize, j: usize| j * (2 * side + 1) + i;
    (0..side * side)
        .map(|e| std::array::from_fn(|k| at(2 * (e % side) + k % 3, 2 * (e / side) + k / 3)))
        .collect()
}

/// The matrix of a square element of `size` metres: shear, pressure projected to linear functions, and inertia at 60
/// Hz. The material has 3 kPa, loss factor 0.1 and Poisson's ratio 0.499. Three components are the first harmonic over
/// 100 mm; one component is antiplane shear.
pub fn element(components: usize, size: f64) -> Vec<Complex64> {
    let shear = Complex64::new(3000.0, 300.0);
    let bulk = shear * (2.0 * 0.499 / (1.0 - 2.0 * 0.499));
    let inertia = 1000.0 * (std::f64::consts::TAU * 60.0).powi(2);
    let wave = if components == 3 { std::f64::consts::PI / 0.1 } else { 0.0 };
    let n = 9 * components;
    let mut matrix = vec![Complex64::default(); n * n];
    let mut pressure = vec![[0.0; 3]; n];
    let points = [(-0.6f64.sqrt(), 5.0 / 9.0), (0.0, 8.0 / 9.0), (0.6f64.sqrt(), 5.0 / 9.0)];
    let shape = |x: f64| [x * (x - 1.0) / 2.0, 1.0 - x * x, x * (x + 1.0) / 2.0];
    let slope = |x: f64| [x - 0.5, -2.0 * x, x + 0.5].map(|s| s * 2.0 / size);
    for (x, wx) in points {
        for (y, wy) in points {
            let weight = wx * wy * size * size / 4.0;
            // Strains xx, yy, zz, then √½ of the shears xy, xz, yz, then the displacement.
            let mut strain = vec![[0.0; 9]; n];
            for i in 0..9 {
                let (a, b) = (i % 3, i / 3);
                let value = shape(x)[a] * shape(y)[b];
                let [dx, dy] = [slope(x)[a] * shape(y)[b], shape(x)[a] * slope(y)[b]];
                let half = 0.5f64.sqrt();
                let rows = [
                    [dx, 0.0, 0.0, half * dy, -half * wave * value, 0.0, value, 0.0, 0.0],
                    [0.0, dy, 0.0, half * dx, 0.0, -half * wave * value, 0.0, value, 0.0],
                    [0.0, 0.0, wave * value, 0.0, half * dx, half * dy, 0.0, 0.0, value],
                ];
                let rows = if components == 1 { &rows[2..] } else { &rows[..components] };
                strain[i * components..(i + 1) * components].copy_from_slice(rows);
            }
            for (i, a) in strain.iter().enumerate() {
                let divergence = (a[0] + a[1] + a[2]) * weight;
                pressure[i].iter_mut().zip([1.0, x, y]).for_each(|(p, q)| *p += divergence * q);
                for (j, b) in strain.iter().enumerate() {
                    let dot = |r: std::ops::Range<usize>| r.map(|k| a[k] * b[k]).sum::<f64>() * weight;
                    matrix[i * n + j] += 2.0 * shear * dot(0..6) - inertia * dot(6..9);
                }
            }
        }
    }
    let mass = size * size;
    for i in 0..n {
        for j in 0..n {
            let [a, b] = [pressure[i], pressure[j]];
            matrix[i * n + j] += bulk * (a[0] * b[0] + 3.0 * (a[1] * b[1] + a[2] * b[2])) / mass;
        }
    }
    matrix
}
