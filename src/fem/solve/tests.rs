use super::*;
use nalgebra::{DMatrix, DVector};

const I: Complex64 = Complex64::new(0.0, 1.0);

fn random(rng: &mut fastrand::Rng) -> Complex64 {
    Complex64::new(rng.f64() - 0.5, rng.f64() - 0.5)
}

/// The 4-node elements of a grid of `w` by `h` nodes.
fn grid(w: usize, h: usize) -> Vec<[usize; 4]> {
    (0..w * h).filter(|i| i % w + 1 < w && i / w + 1 < h).map(|i| [i, i + 1, i + w, i + w + 1]).collect()
}

/// A random element matrix of `n` rows: Gᵀ G (1 + i damping) + wave (−1 + i damping). The real part is indefinite if
/// `wave` is large. The imaginary part is positive definite.
fn element(rng: &mut fastrand::Rng, n: usize, wave: f64, damping: f64) -> Vec<Complex64> {
    let g = DMatrix::from_fn(n, n, |_, _| rng.f64() - 0.5);
    let stiff = g.transpose() * g;
    let at = |i: usize, j: usize| {
        let mass = if i == j { wave } else { 0.0 };
        stiff[(i, j)] * (1.0 + I * damping) + mass * (I * damping - 1.0)
    };
    (0..n * n).map(|k| at(k / n, k % n)).collect()
}

/// Assembles random elements, scaled by `scale(node)` on both sides, into a sparse and a dense matrix.
fn assemble<'a, E: AsRef<[usize]>>(
    symbolic: &'a Symbolic,
    components: usize,
    elements: &[E],
    [wave, damping]: [f64; 2],
    scale: impl Fn(usize) -> f64,
) -> (Matrix<'a>, DMatrix<Complex64>) {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut matrix = Matrix::new(symbolic);
    let mut dense = DMatrix::zeros(symbolic.entries(), symbolic.entries());
    for (e, nodes) in elements.iter().enumerate() {
        let n = nodes.as_ref().len() * components;
        let mut values = element(&mut rng, n, wave, damping);
        let entries: Vec<usize> = symbolic.element(e).collect();
        assert_eq!(entries.len(), n);
        for (i, &a) in entries.iter().enumerate() {
            for (j, &b) in entries.iter().enumerate() {
                values[i * n + j] *= scale(a / components) * scale(b / components);
                dense[(a, b)] += values[i * n + j];
            }
        }
        matrix.add(e, &values);
    }
    (matrix, dense)
}

/// Solves on `elements` and compares with a dense LU factorisation of the unknowns.
fn compare<E: AsRef<[usize]>>(
    components: usize,
    free: &[bool],
    elements: &[E],
    physics: [f64; 2],
    scale: impl Fn(usize) -> f64 + Copy,
) {
    let symbolic = Symbolic::new(components, free, elements).unwrap();
    let (matrix, dense) = assemble(&symbolic, components, elements, physics, scale);
    let factor = Factor::new(matrix).unwrap();
    let kept: Vec<usize> = (0..free.len()).filter(|&i| free[i]).collect();
    assert_eq!(symbolic.unknowns(), kept.len());
    let dense = DMatrix::from_fn(kept.len(), kept.len(), |i, j| dense[(kept[i], kept[j])]);
    let lu = dense.clone().lu();
    let mut rng = fastrand::Rng::with_seed(8);
    for _ in 0..2 {
        let right: Vec<_> = (0..free.len()).map(|i| random(&mut rng) * scale(i / components)).collect();
        let mut x = right.clone();
        let stated = factor.solve(&mut x).unwrap();
        let b = DVector::from_fn(kept.len(), |i, _| right[kept[i]]);
        let ours = DVector::from_fn(kept.len(), |i, _| x[kept[i]]);
        let residual = (&b - &dense * &ours).norm() / b.norm();
        assert!(residual <= RESIDUAL && stated <= RESIDUAL, "residual {residual:e}, stated {stated:e}");
        let theirs = lu.solve(&b).unwrap();
        // In units of the unknowns' scale.
        let own =
            |v: &DVector<Complex64>| DVector::from_fn(v.len(), |i, _| v[i] * scale(kept[i] / components));
        let error = (own(&ours) - own(&theirs)).norm() / own(&theirs).norm();
        assert!(error < 1e-7, "error {error:e}");
        for i in (0..free.len()).filter(|&i| !free[i]) {
            assert_eq!(x[i], right[i], "a held entry changed");
        }
    }
}

/// All components are free, except the first node's and every 17th.
fn held(nodes: usize, components: usize) -> Vec<bool> {
    (0..nodes * components).map(|i| i >= components && i % 17 != 5).collect()
}

#[test]
fn grids_agree_with_dense_lu() {
    for components in 1..=3 {
        for (w, h) in [(2, 2), (3, 7), (13, 11), (19, 17)] {
            compare(components, &held(w * h, components), &grid(w, h), [0.1, 0.1], |_| 1.0);
        }
    }
}

#[test]
fn scales_of_many_orders() {
    for exponent in [-12.0, 6.0, 12.0] {
        compare(2, &held(100, 2), &grid(10, 10), [0.1, 0.1], |_| 10f64.powf(exponent));
    }
    compare(2, &held(100, 2), &grid(10, 10), [0.1, 0.1], |node| 10f64.powi(node as i32 % 7 - 3));
}

#[test]
fn separate_parts_and_single_nodes() {
    compare(1, &[true], &[[0]], [0.1, 0.1], |_| 1.0);
    compare(3, &[true; 3], &[[0]], [0.1, 0.1], |_| 1.0);
    // Two grids, a separate node, and a held node in no element.
    let mut elements: Vec<Vec<usize>> = grid(6, 5).iter().map(|e| e.to_vec()).collect();
    elements.extend(grid(4, 4).iter().map(|e| e.iter().map(|i| i + 31).collect()));
    elements.push(vec![30]);
    let mut free = vec![true; 2 * 48];
    free[2 * 47..].fill(false);
    compare(2, &free, &elements, [0.1, 0.1], |_| 1.0);
    // A star: one node that is adjacent to all others.
    let star: Vec<[usize; 2]> = (1..60).map(|i| [0, i]).collect();
    compare(1, &[true; 60], &star, [0.1, 0.1], |_| 1.0);
    // No unknowns.
    let symbolic = Symbolic::new(1, &[false; 4], &[[0, 1, 2, 3]]).unwrap();
    assert_eq!((symbolic.unknowns(), symbolic.entries(), symbolic.elements()), (0, 4, 1));
    let mut x = vec![I; 4];
    assert_eq!(Factor::new(Matrix::new(&symbolic)).unwrap().solve(&mut x).unwrap(), 0.0);
    assert_eq!(x, [I; 4]);
}

#[test]
fn indefinite_with_little_damping() {
    for damping in [0.05, 1e-2, 1e-3] {
        compare(2, &held(225, 2), &grid(15, 15), [1.0, damping], |_| 1.0);
    }
}

/// −∇²u − k²(1 − iη)u on a square of 12 wavelengths, 10 nodes to each.
fn helmholtz(symbolic: &Symbolic, count: usize, damping: f64) -> Matrix<'_> {
    let k2 = (std::f64::consts::TAU / 10.0).powi(2) * (1.0 - I * damping);
    let mut matrix = Matrix::new(symbolic);
    let value = |i: usize, j: usize| {
        let apart = (i % 2).abs_diff(j % 2) + (i / 2).abs_diff(j / 2);
        let (stiff, mass) = ([4.0, -1.0, -2.0][apart] / 6.0, [4.0, 2.0, 1.0][apart] / 36.0);
        stiff - k2 * mass
    };
    let element: Vec<_> = (0..16).map(|n| value(n / 4, n % 4)).collect();
    (0..count).for_each(|e| matrix.add(e, &element));
    matrix
}

#[test]
fn waves_of_many_lengths_the_same_bits_twice() {
    let (elements, free) = (grid(121, 121), held(121 * 121, 1));
    let solve = |damping: f64| {
        let symbolic = Symbolic::new(1, &free, &elements).unwrap();
        let factor = Factor::new(helmholtz(&symbolic, elements.len(), damping)).unwrap();
        let mut b = vec![Complex64::default(); free.len()];
        b[60 * 121 + 60] = I;
        let residual = factor.solve(&mut b).unwrap();
        assert!(residual <= RESIDUAL, "{residual:e}");
        b
    };
    for damping in [0.1, 1e-2, 1e-4] {
        assert_eq!(solve(damping), solve(damping));
    }
}

#[test]
fn another_matrix_in_the_same_memory() {
    let (elements, free) = (grid(12, 9), held(108, 1));
    let symbolic = Symbolic::new(1, &free, &elements).unwrap();
    let other = helmholtz(&symbolic, elements.len(), 0.3);
    let right: Vec<_> = (0..108).map(|i| Complex64::new(i as f64, 1.0)).collect();
    let (mut again, mut fresh) = (right.clone(), right);
    let mut factor = Factor::new(helmholtz(&symbolic, elements.len(), 0.1)).unwrap();
    factor.again(|matrix| *matrix = helmholtz(&symbolic, elements.len(), 0.3)).unwrap();
    factor.solve(&mut again).unwrap();
    Factor::new(other).unwrap().solve(&mut fresh).unwrap();
    assert_eq!(again, fresh);
}

#[test]
fn prescribed_values_are_lifted() {
    // A given solution, held at some entries, is recovered.
    let (elements, free) = (grid(7, 6), held(42, 2));
    let symbolic = Symbolic::new(2, &free, &elements).unwrap();
    let mut rng = fastrand::Rng::with_seed(3);
    let given: Vec<_> = free.iter().map(|_| random(&mut rng)).collect();
    let mut matrix = Matrix::new(&symbolic);
    let mut right = vec![Complex64::default(); free.len()];
    let mut parts = Vec::new();
    for e in 0..elements.len() {
        let values = element(&mut rng, 8, 0.1, 0.1);
        matrix.add(e, &values);
        let entries: Vec<usize> = symbolic.element(e).collect();
        for (&i, row) in entries.iter().zip(values.chunks_exact(8)) {
            right[i] += row.iter().zip(&entries).map(|(value, &j)| value * given[j]).sum::<Complex64>();
        }
        parts.push(values);
    }
    for (e, values) in parts.iter().enumerate() {
        matrix.lift(e, values, &given, &mut right);
    }
    right.iter_mut().zip(&given).zip(&free).filter(|(_, free)| !**free).for_each(|((b, u), _)| *b = *u);
    Factor::new(matrix).unwrap().solve(&mut right).unwrap();
    for (x, u) in right.iter().zip(&given) {
        assert!((x - u).norm() < 1e-9, "{x} for {u}");
    }
}

#[test]
fn memory_is_stated() {
    let symbolic = Symbolic::new(1, &[true; 2], &[[0, 1]]).unwrap();
    let memory = symbolic.memory();
    assert_eq!((memory.matrix, memory.factor, memory.fronts), (3 * 16, 4 * 16, 0));
}

#[test]
fn mistakes_are_named() {
    let usage = |result: Result<Symbolic>, part: &str| {
        assert!(matches!(result.map(|_| ()), Err(Error::Usage(what)) if what.contains(part)), "{part}");
    };
    usage(Symbolic::new(2, &[true; 3], &[[0]]), "whole number");
    usage(Symbolic::new(0, &[true; 3], &[[0]]), "0 components");
    usage(Symbolic::new(1, &[true; 3], &[[0, 3]]), "element 0 names node 3");
    usage(Symbolic::new(1, &[true; 3], &[[0, 1], [2, 2]]), "element 1 names node 2 twice");
    let data = |result: Result<()>, part: &str| match result {
        Err(Error::Data(what)) => assert!(what.contains(part), "{what}"),
        other => panic!("{part}: {other:?}"),
    };
    // A node in no element; an undamped matrix that is singular, and one with a zero pivot.
    let symbolic = Symbolic::new(2, &[true; 6], &[[0, 1]]).unwrap();
    let (matrix, _) = assemble(&symbolic, 2, &[[0, 1]], [0.1, 0.1], |_| 1.0);
    data(Factor::new(matrix).map(|_| ()), "of node 2");
    let symbolic = Symbolic::new(1, &[true; 2], &[[0, 1]]).unwrap();
    for values in [[1.0, -1.0, -1.0, 1.0], [0.0, 1.0, 1.0, 0.0], [f64::NAN, 0.0, 0.0, 1.0]] {
        let mut matrix = Matrix::new(&symbolic);
        matrix.add(0, &values.map(Complex64::from));
        data(Factor::new(matrix).map(|_| ()), "damping above 0");
    }
    // A pivot too small for accuracy but large enough to be accepted; a right-hand side that is not a number.
    let mut matrix = Matrix::new(&symbolic);
    matrix.add(0, &[1.0, 1e9, 1e9, 1.0].map(Complex64::from));
    let mut factor = Factor::new(matrix).unwrap();
    data(factor.solve(&mut [I, f64::NAN * I]).map(|_| ()), "damping");
    assert!(matches!(factor.solve(&mut [I]), Err(Error::Usage(_))));
    // After a failure there is no factor.
    data(factor.again(|matrix| matrix.clear()), "damping");
}
