//! Least-squares polynomial fits as stencils.

use ndarray::{Array2, Array3};

/// Two stencils for a square window. They give the value and the Laplacian, at the centre, of the polynomial
/// that fits the window's pixels best.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Value stencil, `[w][w]`.
    pub value: Array2<f64>,
    /// Laplacian stencil, `[w][w]`, per squared geometric mean of the pixel spacing.
    pub laplacian: Array2<f64>,
    /// Both stencils as polynomials of the offset, which runs over −1..1: coefficients `[x/2][y/2]` of even
    /// powers.
    even: [Array2<f64>; 2],
}

impl Fit {
    /// Side of the window, pixels.
    pub fn window(&self) -> usize {
        self.value.nrows()
    }

    /// Returns the weights of the moments along rows, for value and Laplacian: `[w][powers][2]`, for
    /// `kernels/mre/fit.wgsl`. They satisfy stencil\[y\]\[x\] = Σ_a columns\[y\]\[a\] x^2a.
    pub fn columns(&self) -> Array3<f64> {
        let radius = (self.window() / 2) as f64;
        Array3::from_shape_fn((self.window(), self.even[0].nrows(), 2), |(y, a, which)| {
            let offset = (y as f64 - radius) / radius;
            self.even[which].row(a).iter().enumerate().map(|(b, c)| c * offset.powi(2 * b as i32)).sum()
        })
    }

    /// Returns the spectra of the two stencils at the angles `ax`, `ay` per pixel. They are real because both
    /// stencils are even.
    pub fn spectra(&self, ax: f64, ay: f64) -> [f64; 2] {
        let radius = self.window() / 2;
        // 1 and 2 cos(k a), each from the two before: the library's cosine took an eighth of an inversion.
        let cosines = |angle: f64| -> Vec<f64> {
            let twice = 2.0 * angle.cos();
            let next = |&(last, own): &(f64, f64)| Some((own, twice * own - last));
            let pairs = std::iter::successors(Some((twice, 2.0)), next);
            let double = pairs.map(|(_, own)| own).take(radius + 1).enumerate();
            double.map(|(k, own)| if k == 0 { 1.0 } else { own }).collect()
        };
        let (x, y) = (cosines(ax), cosines(ay));
        [&self.value, &self.laplacian].map(|taps| {
            let row = |r: usize| -> f64 { (0..=radius).map(|c| taps[[radius + r, radius + c]] * x[c]).sum() };
            (0..=radius).map(|r| row(r) * y[r]).sum()
        })
    }
}

/// The inverse of a small positive definite matrix, by Gauss and Jordan. nalgebra's would bring six crates into the core, for
/// matrices of at most 6 × 6; a test compares the two.
fn inverse(matrix: &Array2<f64>) -> Array2<f64> {
    let n = matrix.nrows();
    let (mut left, mut right) = (matrix.clone(), Array2::eye(n));
    for pivot in 0..n {
        let scale = 1.0 / left[[pivot, pivot]];
        for side in [&mut left, &mut right] {
            side.row_mut(pivot).mapv_inplace(|v| v * scale);
        }
        for row in (0..n).filter(|row| *row != pivot) {
            let factor = left[[row, pivot]];
            for side in [&mut left, &mut right] {
                let own = side.row(pivot).to_owned();
                side.row_mut(row).scaled_add(-factor, &own);
            }
        }
    }
    right
}

/// Fits all monomials up to `degree` over a window of `window` × `window` pixels. `aspect` is the pixel's side
/// along x and y over their geometric mean.
///
/// ```
/// // The Laplacian of x² + y² is 4, whatever the window.
/// let fit = palpate::lowlevel::mmdi::polynomial_fit(5, 2, [1.0, 1.0]);
/// let bowl = |i: usize| (i as f64 - 2.0).powi(2);
/// let sum: f64 = fit.laplacian.indexed_iter().map(|((y, x), tap)| tap * (bowl(x) + bowl(y))).sum();
/// assert!((sum - 4.0).abs() < 1e-12);
/// ```
///
/// # Panics
/// When the window has no more pixels along a side than the degree: the fit would not be determined.
pub fn polynomial_fit(window: usize, degree: usize, aspect: [f64; 2]) -> Fit {
    assert!(
        window > degree,
        "a window of {window} pixels does not determine a polynomial of degree {degree}"
    );
    let radius = (window / 2) as f64;
    // Coordinates run over −1..1 so that the highest powers keep their precision.
    let at = |k: usize| (k as f64 - radius) / radius;
    // Value and Laplacian at the centre involve even powers only, and the window is symmetric: the even monomials are
    // orthogonal to all others, so their own Gram matrix suffices.
    let powers: Vec<[i32; 2]> = (0..=degree as i32 / 2)
        .flat_map(|i| (0..=degree as i32 / 2 - i).map(move |j| [2 * i, 2 * j]))
        .filter(|[i, j]| i + j <= degree as i32)
        .collect();
    let moment = |power: i32| (0..window).map(|k| at(k).powi(power)).sum::<f64>();
    let gram = Array2::from_shape_fn((powers.len(), powers.len()), |(a, b)| {
        moment(powers[a][0] + powers[b][0]) * moment(powers[a][1] + powers[b][1])
    });
    // The stencil of a coefficient is a mix of the monomials, with weights from the inverse of their Gram matrix.
    let inverse = inverse(&gram);
    let term = |power: [i32; 2]| powers.iter().position(|p| *p == power);
    let even = |power: [i32; 2]| {
        let row = term(power).expect("the degree is at least 2");
        let count = degree / 2 + 1;
        Array2::from_shape_fn((count, count), |(a, b)| {
            term([2 * a as i32, 2 * b as i32]).map_or(0.0, |column| inverse[[row, column]])
        })
    };
    let second = |power, side: f64| even(power) * (2.0 / (radius * side).powi(2));
    let even = [even([0, 0]), second([2, 0], aspect[0]) + second([0, 2], aspect[1])];
    let stencil = |even: &Array2<f64>| {
        Array2::from_shape_fn((window, window), |(y, x)| {
            even.indexed_iter()
                .map(|((a, b), c)| c * at(x).powi(2 * a as i32) * at(y).powi(2 * b as i32))
                .sum()
        })
    };
    Fit { value: stencil(&even[0]), laplacian: stencil(&even[1]), even }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    /// The coefficients of the smallest window are those of exact fractions. nalgebra's pseudo-inverse, which palpate
    /// used once, is 4e-7 off here, and takes x for less than y.
    #[test]
    fn the_smallest_window_has_its_exact_coefficients() {
        let fit = polynomial_fit(5, 4, [1.0, 1.0]);
        let [value, laplacian] = &fit.even;
        let value_is = [541.0 / 1225.0, -57.0 / 49.0, 4.0 / 5.0, -57.0 / 49.0, 16.0 / 49.0, 0.0, 4.0 / 5.0];
        // The Laplacian is the sum of the coefficients of x² and y², times 2 over the squared radius, which is 4.
        let (square, cross, fourth) = (16.0 / 49.0 + 36083.0 / 4410.0, -64.0 / 49.0, -62.0 / 9.0);
        let laplacian_is = [-114.0 / 49.0, square, fourth, square, cross, 0.0, fourth].map(|v| v / 2.0);
        for (got, exact) in [(value, value_is), (laplacian, laplacian_is)] {
            let got = got.iter().take(7);
            assert!(got.clone().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-13), "{got:?}, {exact:?}");
        }
        let offset = (laplacian - &laplacian.t()).mapv(f64::abs).sum();
        assert!(offset < 1e-13, "x and y differ by {offset:e}");
    }

    /// The stencils agree with those of a pseudo-inverse over all monomials, odd ones too, to the last digits.
    #[test]
    fn agrees_with_a_pseudo_inverse_over_all_monomials() {
        for (window, degree) in [(5, 2), (5, 3), (7, 5), (9, 5), (15, 5), (9, 3), (11, 3)] {
            let radius = (window / 2) as f64;
            let at = |k: usize| (k as f64 - radius) / radius;
            let powers: Vec<[i32; 2]> =
                (0..=degree).flat_map(|i| (0..=degree - i).map(move |j| [i, j])).collect();
            let design = DMatrix::from_fn(window * window, powers.len(), |pixel, term| {
                at(pixel % window).powi(powers[term][0]) * at(pixel / window).powi(powers[term][1])
            });
            let gram = design.tr_mul(&design);
            let weights = gram.pseudo_inverse(1e-14).expect("the tolerance is positive") * design.transpose();
            let row = |power: [i32; 2]| powers.iter().position(|p| *p == power).expect("a monomial");
            let fit = polynomial_fit(window, degree as usize, [1.0, 1.0]);
            for ((y, x), value) in fit.value.indexed_iter() {
                let pixel = y * window + x;
                let [a, b] = [[2, 0], [0, 2]].map(|power| weights[(row(power), pixel)]);
                let laplacian = (a + b) * 2.0 / radius.powi(2);
                let off = (value - weights[(row([0, 0]), pixel)]).abs();
                let too = (fit.laplacian[[y, x]] - laplacian).abs();
                assert!(off <= 1e-12 && too <= 1e-12, "{window}, {degree}: {off:e}, {too:e}");
            }
        }
    }
}
