//! The sparse direct solver at about 30 000 unknowns. The problem is a square of nearly incompressible tissue with
//! 9-node elements and linear pressure, in plane strain (2 unknowns per node) and for one Fourier harmonic along z (3
//! unknowns per node).
//!
//! `cargo bench --bench solve` prints a table of medians, for one thread. The last row is a scalar problem.
//! benches/peers/faer solves the same equations with a library.

#[path = "common/elastic.rs"]
mod elastic;

use elastic::{element, grid};
use num_complex::Complex64;
use palpate::lowlevel::fem::solve::{Factor, Matrix, Symbolic};
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
