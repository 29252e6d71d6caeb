//! The sparse direct solver at about 30 000 unknowns: a square of tissue, nearly incompressible, 9-node elements with
//! linear pressure, in plane strain (2 unknowns a node) and for one Fourier harmonic along z (3 unknowns a node).
//!
//! `cargo bench --bench solve` prints a table of medians; one thread. The last row is a scalar problem.

use num_complex::Complex64;
use palpate::fem::solve::{Factor, Matrix, Symbolic};
use std::time::Instant;

const RUNS: usize = 7;

fn main() -> palpate::Result<()> {
    println!(
        "unknowns  per node  symbolic ms  first ms  assemble ms  factor ms  solve ms  residual  memory MB: factor  fronts  matrix  pattern"
    );
    for (components, side) in [(2, 61), (3, 50), (1, 87)] {
        row(components, side)?;
    }
    Ok(())
}

fn row(components: usize, side: usize) -> palpate::Result<()> {
    let elements = grid(side);
    let nodes = (2 * side + 1) * (2 * side + 1);
    let free: Vec<bool> =
        (0..nodes * components).map(|i| !(i / components).is_multiple_of(2 * side + 1)).collect();
    let mut symbolic = Symbolic::new(components, &free, &elements)?;
    let times = (0..3).map(|_| {
        let start = Instant::now();
        symbolic = Symbolic::new(components, &free, &elements)?;
        Ok(start.elapsed().as_secs_f64())
    });
    let ordering = median(times.collect::<palpate::Result<_>>()?);

    let element = element(components, 0.16 / side as f64);
    let assemble = |matrix: &mut Matrix| {
        matrix.clear();
        (0..elements.len()).for_each(|e| matrix.add(e, &element));
    };
    let mut matrix = Matrix::new(&symbolic);
    let start = Instant::now();
    assemble(&mut matrix);
    let assembly = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut factor = Factor::new(matrix)?;
    let first = start.elapsed().as_secs_f64();
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        factor.again(|_| ())?;
        Ok(start.elapsed().as_secs_f64())
    });
    let factoring = median(times.collect::<palpate::Result<_>>()?);
    let mut rng = fastrand::Rng::with_seed(1);
    let right: Vec<_> = free.iter().map(|_| Complex64::new(rng.f64() - 0.5, rng.f64() - 0.5)).collect();
    let mut residual = 0.0;
    let times = (0..RUNS).map(|_| {
        let mut b = right.clone();
        let start = Instant::now();
        residual = factor.solve(&mut b)?;
        Ok(start.elapsed().as_secs_f64())
    });
    let solving = median(times.collect::<palpate::Result<_>>()?);
    let memory = symbolic.memory();
    println!(
        "{:>8}  {components:>8}  {:>11.1}  {:>8.1}  {:>11.1}  {:>9.1}  {:>8.1}  {residual:>8.1e}  {:>17.1}  {:>6.1}  {:>6.1}  {:>7.1}",
        symbolic.unknowns(),
        1e3 * ordering,
        1e3 * first,
        1e3 * assembly,
        1e3 * factoring,
        1e3 * solving,
        memory.factor as f64 / 1e6,
        memory.fronts as f64 / 1e6,
        memory.matrix as f64 / 1e6,
        memory.pattern as f64 / 1e6,
    );
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The 9-node elements of a square, `side` by `side`, row after row.
fn grid(side: usize) -> Vec<[usize; 9]> {
    let at = |i: usize, j: usize| j * (2 * side + 1) + i;
    (0..side * side)
        .map(|e| std::array::from_fn(|k| at(2 * (e % side) + k % 3, 2 * (e / side) + k / 3)))
        .collect()
}

/// The matrix of a square element of `size` metres: shear, pressure projected to linear functions, and inertia at
/// 60 Hz. 3 kPa, loss factor 0.1, Poisson's ratio 0.499; the first harmonic over 100 mm. One component: antiplane.
fn element(components: usize, size: f64) -> Vec<Complex64> {
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
            // Strains xx, yy, zz, and √½ of the shears xy, xz, yz; displacement.
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
