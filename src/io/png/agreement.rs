//! The agreement figure: estimates over truths, beside a Bland-Altman plot of their differences.

use super::canvas::{Canvas, Ink, Run};
use super::layout::{LABEL, MARGIN, NOTE, PANEL, TITLE};
use super::ticks::ticks;
use crate::error::Result;
use crate::size::Size;
use crate::stats::agreement::Agreement;
use image::RgbImage;

/// One method.
#[derive(Debug, Clone)]
pub struct Scatter {
    /// Name of the method.
    pub method: String,
    /// Pairs of truth and estimate, kPa.
    pub points: Vec<[f64; 2]>,
    /// Statistics of these pairs.
    pub agreement: Agreement,
}

const PLOT: usize = 460;
const BETWEEN: usize = 130;
const FRAME: Ink = [86, 90, 96];
const GRID: Ink = [228, 230, 234];
const DOT: Ink = [0x2f, 0x6d, 0xb5];
const LINE: Ink = [0xd0, 0x4a, 0x35];
const PLAIN: Ink = [150, 154, 160];
const TICK: usize = 6;
const LEFT: usize = MARGIN + 84;

/// A square plot with its axes.
struct Axes {
    corner: [usize; 2],
    x: [f64; 2],
    y: [f64; 2],
}

impl Axes {
    fn place(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let share = |v: f64, [low, high]: [f64; 2]| (v - low) / (high - low);
        let [across, up] = [share(x, self.x), share(y, self.y)];
        let inside = (0.0..=1.0).contains(&across) && (0.0..=1.0).contains(&up);
        let side = (PLOT - 1) as f64;
        inside.then(|| [self.corner[0] as f64 + across * side, self.corner[1] as f64 + (1.0 - up) * side])
    }

    fn draw(&self, canvas: &mut Canvas, [across, up]: [&str; 2]) {
        let [left, top] = self.corner;
        for (value, label) in ticks(self.x[0], self.x[1], 7) {
            let Some([x, _]) = self.place([value, self.y[0]]) else { continue };
            let x = x.round() as usize;
            canvas.fill([x, top], Size::new(1, PLOT), GRID);
            canvas.fill([x, top + PLOT], Size::new(1, TICK), FRAME);
            canvas.text([x - LABEL.width(&label) / 2, top + PLOT + TICK + 4], &label, LABEL, Run::Right);
        }
        for (value, label) in ticks(self.y[0], self.y[1], 7) {
            let Some([_, y]) = self.place([self.x[0], value]) else { continue };
            let y = y.round() as usize;
            canvas.fill([left, y], Size::new(PLOT, 1), GRID);
            canvas.fill([left - TICK, y], Size::new(TICK, 1), FRAME);
            let start = left - TICK - 4 - LABEL.width(&label);
            canvas.text([start, y - LABEL.line() / 2], &label, LABEL, Run::Right);
        }
        canvas.frame(self.corner, Size::square(PLOT), FRAME);
        let below = top + PLOT + TICK + LABEL.line() + 10;
        canvas.text([left + (PLOT - LABEL.width(across)) / 2, below], across, LABEL, Run::Right);
        canvas.text([left - 84, top + (PLOT + LABEL.width(up)) / 2], up, LABEL, Run::Up);
    }

    /// Draws the part of y = slope x + intercept that is within the plot.
    fn line(&self, canvas: &mut Canvas, slope: f64, intercept: f64, ink: Ink) {
        let at = |i: usize| self.x[0] + (self.x[1] - self.x[0]) * i as f64 / 200.0;
        let points: Vec<[f64; 2]> =
            (0..=200).filter_map(|i| self.place([at(i), slope * at(i) + intercept])).collect();
        if points.len() > 1 {
            canvas.line(&points, 1.8, ink);
        }
    }
}

/// Returns the least and the greatest value with a margin of 6 %, or 0 and 1 if there are no values.
fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let [low, high] = values.fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], v| [l.min(v), h.max(v)]);
    if low > high {
        return [0.0, 1.0];
    }
    let margin = 0.06 * (high - low).max(1e-3);
    [low - margin, high + margin]
}

/// Draws one row of plots per method, all with the same axes. Returns the bytes of a PNG file.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) if the encoder fails.
pub fn scatter(title: &str, rows: &[Scatter]) -> Result<Vec<u8>> {
    let points = || rows.iter().flat_map(|r| &r.points).filter(|p| p.iter().all(|v| v.is_finite()));
    let both = range(points().flat_map(|p| *p));
    let limits = rows.iter().flat_map(|r| r.agreement.limits);
    let off = range(points().map(|[t, e]| e - t).chain(limits).chain([0.0]));
    let width = LEFT + 2 * PLOT + BETWEEN + MARGIN;
    let lines = TITLE.wrap(title, width - 2 * MARGIN, 2);
    let head = PANEL.line() + 2 * (NOTE.line() + 2) + 8;
    let row = head + PLOT + TICK + 2 * LABEL.line() + 34;
    let first = MARGIN + lines.len() * TITLE.line() + 12;
    let mut canvas = Canvas::new(Size::new(width, first + (rows.len() * row).max(2 * NOTE.line()) + MARGIN));
    for (i, line) in lines.iter().enumerate() {
        canvas.text([MARGIN, MARGIN + i * TITLE.line()], line, TITLE, Run::Right);
    }
    if rows.is_empty() {
        canvas.text([MARGIN, first], "Too few samples for a plot of their means.", NOTE, Run::Right);
    }
    for (i, one) in rows.iter().enumerate() {
        let top = first + i * row;
        draw_row(&mut canvas, one, top, head, [both, off]);
    }
    let image: RgbImage = canvas.image;
    super::encode(&image, title)
}

fn draw_row(canvas: &mut Canvas, one: &Scatter, top: usize, head: usize, [both, off]: [[f64; 2]; 2]) {
    let a = &one.agreement;
    let number = |v: Option<f64>, digits: usize| v.map_or("–".to_string(), |v| format!("{v:.digits$}"));
    let second = LEFT + PLOT + BETWEEN;
    canvas.text([LEFT, top], &one.method, PANEL, Run::Right);
    let line = PANEL.line() + 2;
    let fit = format!("r {}, slope {}", number(a.pearson_r, 3), number(a.slope, 2));
    let rmse = format!("intercept {}, RMSE {:.3} kPa", number(a.intercept, 2), a.rmse);
    let bias = format!("bias {:+.3} kPa, n = {}", a.bias, a.n);
    let reach = format!("limits of agreement {:.2}, {:.2}", a.limits[0], a.limits[1]);
    for (x, y, text) in [
        (LEFT, line, fit),
        (LEFT, line + NOTE.line() + 2, rmse),
        (second, line, bias),
        (second, line + NOTE.line() + 2, reach),
    ] {
        canvas.text([x, top + y], &text, NOTE, Run::Right);
    }
    let scatter = Axes { corner: [LEFT, top + head], x: both, y: both };
    scatter.draw(canvas, ["truth, kPa", "estimate, kPa"]);
    scatter.line(canvas, 1.0, 0.0, PLAIN);
    if let (Some(slope), Some(intercept)) = (a.slope, a.intercept) {
        scatter.line(canvas, slope, intercept, LINE);
    }
    let middle = range(both.into_iter());
    let bland = Axes { corner: [second, top + head], x: middle, y: off };
    bland.draw(canvas, ["mean of both, kPa", "estimate - truth, kPa"]);
    bland.line(canvas, 0.0, 0.0, PLAIN);
    for (level, ink) in [(a.bias, LINE), (a.limits[0], FRAME), (a.limits[1], FRAME)] {
        bland.line(canvas, 0.0, level, ink);
    }
    for [truth, estimate] in &one.points {
        for (axes, point) in
            [(&scatter, [*truth, *estimate]), (&bland, [(truth + estimate) / 2.0, estimate - truth])]
        {
            if let Some(at) = axes.place(point) {
                canvas.line(&[at], 7.0, DOT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::agreement::agreement;

    fn row(points: Vec<[f64; 2]>) -> Scatter {
        let (truth, estimate): (Vec<f64>, Vec<f64>) = points.iter().map(|[t, e]| (*t, *e)).unzip();
        Scatter { method: "a method".into(), agreement: agreement(&truth, &estimate).unwrap(), points }
    }

    #[test]
    fn nothing_can_be_drawn() {
        assert!(image::load_from_memory(&scatter("t", &[]).unwrap()).is_ok());
    }

    #[test]
    fn any_agreement_can_be_drawn() {
        for points in [
            vec![[1.0, 1.1], [2.0, 1.7], [6.0, 6.4]],
            vec![[1.0, 1.0]; 3],
            vec![[0.0, 0.0], [1e9, -1e9], [3.0, 3.0]],
            (0..500).map(|i| [f64::from(i) / 60.0, f64::from(i % 7)]).collect(),
        ] {
            let bytes = scatter("t", &[row(points.clone()), row(points)]).unwrap();
            let image = image::load_from_memory(&bytes).unwrap().into_rgb8();
            assert!(image.width() > 1000 && image.height() > 1000);
            let dots = image.pixels().filter(|p| p.0 == DOT).count();
            assert!(dots > 20, "{dots}");
        }
    }
}
