//! Least-squares polynomial fits as stencils.

use nalgebra::DMatrix;
use ndarray::Array2;

/// The stencils that give, from the pixels of a square window, the value and the Laplacian at its centre of
/// the polynomial that fits them best.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Value stencil, `[w][w]`.
    pub value: Array2<f64>,
    /// Laplacian stencil, `[w][w]`, per squared geometric mean of the pixel spacing.
    pub laplacian: Array2<f64>,
}

impl Fit {
    /// Side of the window, px.
    pub fn window(&self) -> usize {
        self.value.nrows()
    }

    /// Spectra of the two stencils at the angles `ax`, `ay` per pixel, which are real since both are even.
    pub fn spectra(&self, ax: f64, ay: f64) -> [f64; 2] {
        let radius = self.window() / 2;
        let cosines = |angle: f64| -> Vec<f64> {
            (0..=radius).map(|k| if k == 0 { 1.0 } else { 2.0 * (angle * k as f64).cos() }).collect()
        };
        let (x, y) = (cosines(ax), cosines(ay));
        [&self.value, &self.laplacian].map(|taps| {
            let row = |r: usize| -> f64 { (0..=radius).map(|c| taps[[radius + r, radius + c]] * x[c]).sum() };
            (0..=radius).map(|r| row(r) * y[r]).sum()
        })
    }
}

/// The fit of all monomials of degree at most `degree` over a window of `window` pixels a side, on pixels
/// whose sides along x and y are `aspect` times their geometric mean.
///
/// ```
/// // A quadratic's own Laplacian: 2 + 2 times the squared pixel, whatever the window.
/// let fit = palpate::mmdi::polynomial_fit(5, 2, [1.0, 1.0]);
/// let bowl = |i: usize| (i as f64 - 2.0).powi(2);
/// let sum: f64 = fit.laplacian.indexed_iter().map(|((y, x), tap)| tap * (bowl(x) + bowl(y))).sum();
/// assert!((sum - 4.0).abs() < 1e-12);
/// ```
pub fn polynomial_fit(window: usize, degree: usize, aspect: [f64; 2]) -> Fit {
    let radius = (window / 2) as f64;
    let powers: Vec<[i32; 2]> =
        (0..=degree as i32).flat_map(|i| (0..=degree as i32 - i).map(move |j| [i, j])).collect();
    // Coordinates run over −1..1 so that the highest powers keep their digits.
    let at = |k: usize| (k as f64 - radius) / radius;
    let design = DMatrix::from_fn(window * window, powers.len(), |pixel, term| {
        at(pixel % window).powi(powers[term][0]) * at(pixel / window).powi(powers[term][1])
    });
    let inverse = design.pseudo_inverse(1e-12).expect("the tolerance is positive");
    let stencil = |power: [i32; 2]| {
        let term = powers.iter().position(|p| *p == power).expect("the degree is at least 2");
        Array2::from_shape_fn((window, window), |(y, x)| inverse[(term, y * window + x)])
    };
    let second = |power, side: f64| stencil(power) * (2.0 / (radius * side).powi(2));
    Fit { value: stencil([0, 0]), laplacian: second([2, 0], aspect[0]) + second([0, 2], aspect[1]) }
}
