//! faer's sparse LU on the equations of `cargo bench --bench solve`, one thread.

#[path = "../../../common/elastic.rs"]
mod elastic;

use elastic::{element, grid};
use faer::linalg::solvers::Solve;
use faer::sparse::linalg::solvers::{Lu, SymbolicLu};
use faer::sparse::{SparseColMat, Triplet};
use faer::{Col, Par};
use num_complex::Complex64;
use std::time::Instant;

const RUNS: usize = 3;

fn main() {
    faer::set_global_parallelism(Par::Seq);
    println!("unknowns  per node  symbolic ms  factor ms  solve ms  residual  peak memory MB so far");
    for (components, side) in [(2, 61), (3, 50), (1, 87)] {
        row(components, side);
    }
}

fn row(components: usize, side: usize) {
    let nodes = (2 * side + 1) * (2 * side + 1);
    let free = |i: usize| !(i / components).is_multiple_of(2 * side + 1);
    let mut unknown = vec![usize::MAX; nodes * components];
    let mut n = 0;
    for i in (0..unknown.len()).filter(|&i| free(i)) {
        unknown[i] = n;
        n += 1;
    }
    let element = element(components, 0.16 / side as f64);
    let mut triplets = vec![];
    for e in grid(side) {
        let entries: Vec<usize> = e
            .iter()
            .flat_map(|node| (node * components..(node + 1) * components).map(|i| unknown[i]))
            .collect();
        for (i, &row) in entries.iter().enumerate().filter(|(_, row)| **row != usize::MAX) {
            for (j, &column) in entries.iter().enumerate().filter(|(_, column)| **column != usize::MAX) {
                triplets.push(Triplet::new(row, column, element[i * entries.len() + j]));
            }
        }
    }
    let matrix = SparseColMat::<usize, Complex64>::try_new_from_triplets(n, n, &triplets).expect("a matrix");
    let start = Instant::now();
    let symbolic = SymbolicLu::try_new(matrix.symbolic()).expect("a pattern");
    let ordering = start.elapsed().as_secs_f64();
    let mut factors = vec![];
    let mut solves = vec![];
    let mut residual = 0.0;
    for _ in 0..RUNS {
        let start = Instant::now();
        let lu = Lu::try_new_with_symbolic(symbolic.clone(), matrix.as_ref()).expect("factors");
        factors.push(start.elapsed().as_secs_f64());
        let b = Col::from_fn(n, |i| Complex64::new((i as f64).sin(), (0.7 * i as f64).cos()));
        let start = Instant::now();
        let x = lu.solve(&b);
        solves.push(start.elapsed().as_secs_f64());
        let miss = &b - &matrix * &x;
        residual = miss.norm_l2() / b.norm_l2();
    }
    println!(
        "{n:>8}  {components:>8}  {:>11.1}  {:>9.1}  {:>8.1}  {residual:>8.1e}  {:>21}",
        1e3 * ordering,
        1e3 * median(factors),
        1e3 * median(solves),
        peak_memory(),
    );
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The memory of the process, if the system reports it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.map_or("unknown".into(), |kb| (kb / 1000).to_string())
}
