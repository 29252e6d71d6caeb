//! Dense kernels for a front, without pivoting. Columns are halved recursively, so that almost all of the arithmetic
//! is matrix products.

use num_complex::Complex64;

/// The smallest usable pivot. The diagonal is scaled to about 1, so a smaller pivot has no significant digit left.
const TINY: f64 = 1e-14;
/// The number of columns that are eliminated one by one.
const NARROW: usize = 8;
/// The number of columns of the update that are computed together. Only the lower triangle is needed.
const STRIP: usize = 64;

/// Factors the first `pivots` rows of `panel`, `height` rows by `pivots` columns, into L D Lᵀ. L replaces the panel
/// below the diagonal, and D replaces the diagonal. The part above the diagonal is not read, and may be overwritten.
///
/// # Errors
/// The index of the first pivot that is tiny or not a number.
pub(super) fn factor(
    panel: &mut [Complex64],
    height: usize,
    pivots: usize,
    scratch: &mut Vec<Complex64>,
) -> Result<(), usize> {
    halves(panel, height, 0, pivots, scratch)
}

/// [`factor`] for the columns from `from` to `to`. `panel` begins at column `from`.
fn halves(
    panel: &mut [Complex64],
    height: usize,
    from: usize,
    to: usize,
    scratch: &mut Vec<Complex64>,
) -> Result<(), usize> {
    if to - from <= NARROW {
        return narrow(panel, height, from, to);
    }
    let middle = from + (to - from) / 2;
    halves(panel, height, from, middle, scratch)?;
    let (left, right) = panel.split_at_mut((middle - from) * height);
    scaled(left, height, [from, middle], [middle, to], scratch);
    subtract(
        &mut right[middle..],
        height,
        [height - middle, to - middle],
        &left[middle..],
        height,
        scratch,
        middle - from,
    );
    halves(right, height, middle, to, scratch)
}

/// Eliminates a few columns one by one.
fn narrow(panel: &mut [Complex64], height: usize, from: usize, to: usize) -> Result<(), usize> {
    for j in from..to {
        let (left, right) = panel.split_at_mut((j - from + 1) * height);
        let column = &mut left[(j - from) * height..];
        let size = column[j].norm();
        if size <= TINY || !size.is_finite() {
            return Err(j);
        }
        let inverse = column[j].inv();
        for (k, other) in (j + 1..to).zip(right.chunks_exact_mut(height)) {
            let factor = column[k] * inverse;
            for (x, &y) in other[k..].iter_mut().zip(&column[k..]) {
                *x -= y * factor;
            }
        }
        column[j + 1..].iter_mut().for_each(|x| *x *= inverse);
    }
    Ok(())
}

/// Writes the rows `rows` of L D for the columns `columns` into `scratch`. `panel` begins at the first of these
/// columns.
fn scaled(
    panel: &[Complex64],
    height: usize,
    columns: [usize; 2],
    rows: [usize; 2],
    scratch: &mut Vec<Complex64>,
) {
    scratch.clear();
    for (j, column) in (columns[0]..columns[1]).zip(panel.chunks_exact(height)) {
        scratch.extend(column[rows[0]..rows[1]].iter().map(|&x| x * column[j]));
    }
}

/// Subtracts the contribution of the factored `panel` to the rows below its pivots from `update`. `update` is the
/// square of those rows; only its lower triangle is used.
pub(super) fn update(
    panel: &[Complex64],
    height: usize,
    pivots: usize,
    update: &mut [Complex64],
    scratch: &mut Vec<Complex64>,
) {
    let rows = height - pivots;
    scaled(panel, height, [0, pivots], [pivots, height], scratch);
    for from in (0..rows).step_by(STRIP) {
        let size = [rows - from, STRIP.min(rows - from)];
        let (target, below) = (&mut update[from * rows + from..], &panel[pivots + from..]);
        subtract_strided(target, rows, size, below, height, &scratch[from..], rows, pivots);
    }
}

fn subtract(
    target: &mut [Complex64],
    stride: usize,
    size: [usize; 2],
    left: &[Complex64],
    left_stride: usize,
    right: &[Complex64],
    depth: usize,
) {
    subtract_strided(target, stride, size, left, left_stride, right, size[1], depth);
}

/// Computes `target -= left · rightᵀ`. `target` is `size[0]` by `size[1]`, `left` is `size[0]` by `depth`, `right` is
/// `size[1]` by `depth`. All are column-major with the given strides.
#[allow(clippy::too_many_arguments)]
fn subtract_strided(
    target: &mut [Complex64],
    stride: usize,
    [m, n]: [usize; 2],
    left: &[Complex64],
    left_stride: usize,
    right: &[Complex64],
    right_stride: usize,
    depth: usize,
) {
    if m == 0 || n == 0 || depth == 0 {
        return;
    }
    assert!(m <= stride && (n - 1) * stride + m <= target.len());
    assert!(m <= left_stride && (depth - 1) * left_stride + m <= left.len());
    assert!(n <= right_stride && (depth - 1) * right_stride + n <= right.len());
    let one = Complex64::new(1.0, 0.0);
    // SAFETY: the assertions above keep every access within its slice, and `target` is borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            depth,
            target.as_mut_ptr(),
            stride as isize,
            1,
            true,
            left.as_ptr(),
            left_stride as isize,
            1,
            right.as_ptr(),
            1,
            right_stride as isize,
            one,
            -one,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
