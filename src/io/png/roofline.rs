//! Roofline figure of a device (Williams, Waterman, Patterson 2009).
//!
//! It shows operations per second over operations per byte, on logarithmic axes. The roof is the limit of
//! memory and of multiply-adds.

use crate::size::Size;
use image::RgbImage;

use super::canvas::{Canvas, Ink, Run};
use super::layout::{LABEL, MARGIN, TITLE};
use super::ticks::log_ticks;
use crate::error::Result;

/// Kernels drawn in the same colour.
#[derive(Debug, Clone, PartialEq)]
pub struct RooflineKind {
    /// Name in the legend: "convolutions".
    pub name: String,
    /// Pairs of operations per byte and 10⁹ operations per second. Points that are not positive and finite are
    /// not drawn.
    pub points: Vec<[f64; 2]>,
}

const PLOT: Size = Size::new(1000, 560);
const FRAME: Ink = [86, 90, 96];
const GRID: Ink = [228, 230, 234];
const ROOF: Ink = [40, 44, 52];
const INKS: [Ink; 6] = [
    [0x2f, 0x6d, 0xb5],
    [0xd0, 0x4a, 0x35],
    [0x2e, 0x8b, 0x57],
    [0x80, 0x50, 0x9a],
    [0xc0, 0x84, 0x1a],
    [0x4a, 0xa3, 0xb0],
];
const TICK: usize = 6;

/// Draws `kinds` under the roof of `gflops` (10⁹ operations per second) and `gbs` (10⁹ bytes per second).
/// Returns the bytes of a PNG file.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) if the figure cannot be encoded.
///
/// ```
/// # use palpate::lowlevel::io::png::{RooflineKind, roofline};
/// let png = roofline("A device", [120.0, 15.0], &[RooflineKind { name: "norms".into(), points: vec![[0.5, 6.0]] }])?;
/// # Ok::<(), palpate::Error>(())
/// ```
pub fn roofline(title: &str, [gflops, gbs]: [f64; 2], kinds: &[RooflineKind]) -> Result<Vec<u8>> {
    super::encode(&draw(title, [gflops, gbs], kinds), title)
}

fn has_place(point: &[f64; 2]) -> bool {
    point.iter().all(|v| v.is_normal() && *v > 0.0)
}

/// Returns the least and the greatest of `values`, widened by the factor `margin`, within 1e-6 to 1e9.
fn span(values: impl Iterator<Item = f64>, margin: f64) -> [f64; 2] {
    let [low, high] = values.fold([f64::MAX, 0.0], |[low, high], v| [low.min(v), high.max(v)]);
    if high <= 0.0 {
        [0.1, 10.0]
    } else {
        [(low / margin).clamp(1e-6, 1e8), (high * margin).clamp(1e-5, 1e9)]
    }
}

fn draw(title: &str, [gflops, gbs]: [f64; 2], kinds: &[RooflineKind]) -> RgbImage {
    let drawn = || kinds.iter().flat_map(|kind| kind.points.iter().copied().filter(has_place));
    let roof = [gflops / gbs, gflops];
    let ridge = || has_place(&roof).then_some(roof);
    let xs = span(drawn().map(|p| p[0]).chain(ridge().map(|p| p[0])), 2.0);
    let ys = span(drawn().map(|p| p[1]).chain(ridge().map(|p| p[1])), 2.0);

    let (rows, columns) = (log_ticks(ys[0], ys[1], 9), log_ticks(xs[0], xs[1], 9));
    let numbers = rows.iter().map(|(_, label)| LABEL.width(label)).max().unwrap_or(0);
    let left = MARGIN + LABEL.line() + 10 + numbers + TICK + 4;
    let Size { nx: width, ny: height } = PLOT;
    let page = left + width + MARGIN;
    let text = page - 2 * MARGIN;
    let lines = TITLE.wrap(title, text, 2);
    let top = MARGIN + lines.len() * TITLE.line() + 6 + (kinds.len() + 1) * (LABEL.line() + 2) + 12;
    let bottom = top + height;
    let mut canvas = Canvas::new(Size::new(page, bottom + TICK + 4 + 2 * LABEL.line() + 6 + MARGIN));

    let mut y = MARGIN;
    for line in &lines {
        canvas.text([MARGIN, y], line, TITLE, Run::Right);
        y += TITLE.line();
    }
    y += 6;
    let roof_name = format!("ceilings: {gflops:.0} GFLOP/s of multiply-adds, {gbs:.1} GB/s of memory");
    let legend =
        std::iter::once((roof_name.as_str(), ROOF)).chain(kinds.iter().map(|k| k.name.as_str()).zip(inks()));
    for (name, ink) in legend {
        let middle = (y + LABEL.line() / 2) as f64;
        let from = MARGIN as f64 + 2.0;
        let mark =
            if ink == ROOF { [[from, middle], [from + 32.0, middle]] } else { [[from + 16.0, middle]; 2] };
        canvas.line(&mark, if ink == ROOF { 3.0 } else { 9.0 }, ink);
        canvas.text([MARGIN + 44, y], &LABEL.shorten(name, text - 44), LABEL, Run::Right);
        y += LABEL.line() + 2;
    }

    let share = |v: f64, [low, high]: [f64; 2]| ((v / low).ln() / (high / low).ln()).clamp(0.0, 1.0);
    let x_of = |v: f64| left as f64 + share(v, xs) * (width as f64 - 1.0);
    let y_of = |v: f64| bottom as f64 - 1.0 - share(v, ys) * (height as f64 - 1.0);
    for (value, label) in &rows {
        let y = y_of(*value).round() as usize;
        canvas.fill([left, y], Size::new(width, 1), GRID);
        canvas.fill([left - TICK, y], Size::new(TICK, 1), FRAME);
        canvas.text([left - TICK - 4 - LABEL.width(label), y - LABEL.line() / 2], label, LABEL, Run::Right);
    }
    for (value, label) in &columns {
        let x = x_of(*value).round() as usize;
        canvas.fill([x, top], Size::new(1, height), GRID);
        canvas.fill([x, bottom], Size::new(1, TICK), FRAME);
        canvas.text([x - LABEL.width(label) / 2, bottom + TICK + 4], label, LABEL, Run::Right);
    }
    canvas.frame([left, top], PLOT, FRAME);
    let across = "floating-point operations per byte";
    let below = bottom + TICK + 4 + LABEL.line() + 6;
    canvas.text([left + (width - LABEL.width(across)) / 2, below], across, LABEL, Run::Right);
    canvas.text([MARGIN, top + (height + LABEL.width("GFLOP/s")) / 2], "GFLOP/s", LABEL, Run::Up);

    if let Some([corner, most]) = ridge() {
        // The memory line starts at the left edge of the plot or at its bottom.
        let enters = xs[0].max(ys[0] / gbs);
        let points = [[enters, enters * gbs], [corner, most], [xs[1], most]];
        canvas.line(&points.map(|[x, y]| [x_of(x), y_of(y)]), 3.0, ROOF);
    }
    for (kind, ink) in kinds.iter().zip(inks()) {
        for [x, y] in kind.points.iter().filter(|p| has_place(p)) {
            canvas.line(&[[x_of(*x), y_of(*y)]], 9.0, ink);
        }
    }
    canvas.image
}

fn inks() -> impl Iterator<Item = Ink> {
    INKS.into_iter().cycle()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(image: &RgbImage, ink: Ink) -> usize {
        image.pixels().filter(|pixel| pixel.0 == ink).count()
    }

    #[test]
    fn points_have_their_kinds_ink_and_lie_below_the_roof() {
        let kinds = [
            RooflineKind { name: "a".into(), points: vec![[0.5, 4.0], [50.0, 60.0]] },
            RooflineKind { name: "b".into(), points: vec![[2.0, 10.0]] },
        ];
        let image = draw("t", [100.0, 10.0], &kinds);
        let [a, b] = [INKS[0], INKS[1]].map(|ink| count(&image, ink));
        // Kind a has three markers and b has two; each has one in the legend.
        assert!((a as f64 / b as f64 - 1.5).abs() < 0.1, "{a} and {b}");
        assert!(count(&image, ROOF) > 2 * PLOT.nx);
    }

    #[test]
    fn anything_can_be_drawn() {
        let long = "averylongname_".repeat(30);
        let odd =
            [[f64::NAN, 1.0], [0.0, 1.0], [1.0, -1.0], [f64::INFINITY, 1.0], [1e-300, 1e300], [1.0, 1.0]];
        for ceilings in [[100.0, 10.0], [f64::NAN, 1.0], [0.0, 0.0], [1e300, 1e-300]] {
            for points in [vec![], odd.to_vec()] {
                let image = draw(&long, ceilings, &[RooflineKind { name: long.clone(), points }]);
                let (width, height) = image.dimensions();
                assert!((1000..1300).contains(&width) && (600..900).contains(&height), "{width} x {height}");
            }
        }
        draw("", [1.0, 1.0], &[]);
    }
}
