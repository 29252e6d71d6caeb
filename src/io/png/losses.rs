//! The training figure: losses over epochs, on a logarithmic axis.

use crate::size::Size;
use image::RgbImage;
use std::path::Path;

use super::canvas::{Canvas, Ink, Run};
use super::layout::{LABEL, MARGIN, TITLE};
use super::ticks::{log_ticks, ticks};
use crate::error::Result;

/// One loss over the epochs of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name of the loss: "training" or "validation".
    pub name: String,
    /// Pairs of epoch and loss, in the order of the epochs. A loss that is not finite and positive leaves a
    /// gap.
    pub points: Vec<(u32, f64)>,
}

const PLOT: Size = Size::new(1000, 520);
const FRAME: Ink = [86, 90, 96];
const GRID: Ink = [228, 230, 234];
const INKS: [Ink; 4] = [[0x2f, 0x6d, 0xb5], [0xd0, 0x4a, 0x35], [0x2e, 0x8b, 0x57], [0x80, 0x50, 0x9a]];
/// Points have a marker if a series has at most this many.
const MARKED: usize = 40;
/// Length of a tick, in pixels.
const TICK: usize = 6;

/// Draws `series` and writes a PNG file to `path`; an existing file is replaced.
///
/// # Errors
/// [`Error::File`](crate::Error::File) if the file cannot be written. [`Error::Data`](crate::Error::Data) if
/// the figure cannot be encoded.
///
/// ```
/// # use palpate::lowlevel::io::png::{Series, losses};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("losses.png");
/// let points = (1..=20).map(|epoch| (epoch, 1.0 / f64::from(epoch))).collect();
/// losses(path, "A training", &[Series { name: "validation".into(), points }])?;
/// # Ok::<(), palpate::Error>(())
/// ```
pub fn losses(path: impl AsRef<Path>, title: &str, series: &[Series]) -> Result<()> {
    crate::store::write(path, &super::encode(&draw(title, series), title)?)
}

impl Series {
    /// The points that can be drawn on a logarithmic axis.
    fn drawn(&self) -> impl Iterator<Item = (u32, f64)> {
        self.points.iter().copied().filter(|(_, loss)| has_place(*loss))
    }

    /// Returns the name, with the least value and its epoch.
    fn legend(&self) -> String {
        let least = self.drawn().min_by(|a, b| a.1.total_cmp(&b.1));
        let least = least.map(|(epoch, loss)| format!(": least {} in epoch {epoch}", short(loss)));
        format!("{}{}", self.name, least.unwrap_or_default())
    }
}

fn has_place(loss: f64) -> bool {
    loss.is_normal() && loss > 0.0
}

/// Formats a loss with four digits.
fn short(loss: f64) -> String {
    if (1e-4..1e6).contains(&loss) {
        format!("{loss:.*}", (3 - loss.log10().floor() as i32).max(0) as usize)
    } else {
        format!("{loss:.3e}")
    }
}

/// Returns the least and the greatest value, or `none` if there are no values.
fn range(values: impl Iterator<Item = f64>, none: [f64; 2]) -> [f64; 2] {
    values
        .fold(None, |range: Option<[f64; 2]>, v| {
            Some(range.map_or([v, v], |[least, most]| [least.min(v), most.max(v)]))
        })
        .unwrap_or(none)
}

fn draw(title: &str, series: &[Series]) -> RgbImage {
    let drawn = || series.iter().flat_map(Series::drawn);
    let [mut first, mut last] = range(drawn().map(|(epoch, _)| f64::from(epoch)), [1.0, 1.0]);
    if first == last {
        (first, last) = (first - 1.0, last + 1.0);
    }
    let [low, high] = range(drawn().map(|(_, loss)| loss), [0.1, 1.0]);
    // The margin is 4 % of the axis, or 10 % of a loss that never changes.
    let spread = (high / low).powf(0.04).max(if high > low { 1.0 + 1e-9 } else { 1.1 });
    let [low, high] = [(low / spread).max(f64::MIN_POSITIVE), (high * spread).min(f64::MAX)];

    let rows = log_ticks(low, high, 9);
    let columns = ticks(first, last, (last - first).min(10.0) as usize + 1); // whole epochs only
    let numbers = rows.iter().map(|(_, label)| LABEL.width(label)).max().unwrap_or(0);
    let left = MARGIN + LABEL.line() + 10 + numbers + TICK + 4;
    let Size { nx: width, ny: height } = PLOT;
    let page = left + width + MARGIN;
    let text = page - 2 * MARGIN;
    let lines = TITLE.wrap(title, text, 2);
    let top = MARGIN + lines.len() * TITLE.line() + 6 + series.len() * (LABEL.line() + 2) + 12;
    let bottom = top + height;
    let mut canvas = Canvas::new(Size::new(page, bottom + TICK + 4 + 2 * LABEL.line() + 6 + MARGIN));

    let mut y = MARGIN;
    for line in &lines {
        canvas.text([MARGIN, y], line, TITLE, Run::Right);
        y += TITLE.line();
    }
    y += 6;
    for (one, ink) in series.iter().zip(INKS.into_iter().cycle()) {
        let middle = (y + LABEL.line() / 2) as f64;
        canvas.line(&[[MARGIN as f64 + 2.0, middle], [MARGIN as f64 + 34.0, middle]], 3.0, ink);
        let name = LABEL.shorten(&one.legend(), text - 44);
        canvas.text([MARGIN + 44, y], &name, LABEL, Run::Right);
        y += LABEL.line() + 2;
    }

    let inset = 10.0; // distance of the curves from the left and right frame
    let x_of = |epoch: f64| {
        left as f64 + inset + (epoch - first) / (last - first) * (width as f64 - 1.0 - 2.0 * inset)
    };
    let y_of = |loss: f64| {
        let share = (loss.ln() - low.ln()) / (high.ln() - low.ln());
        bottom as f64 - 1.0 - share.clamp(0.0, 1.0) * (height as f64 - 1.0)
    };
    for (loss, label) in &rows {
        let y = y_of(*loss).round() as usize;
        canvas.fill([left, y], Size::new(width, 1), GRID);
        canvas.fill([left - TICK, y], Size::new(TICK, 1), FRAME);
        let start = left - TICK - 4 - LABEL.width(label);
        canvas.text([start, y - LABEL.line() / 2], label, LABEL, Run::Right);
    }
    for (epoch, label) in columns {
        let x = x_of(epoch).round() as usize;
        canvas.fill([x, top], Size::new(1, height), GRID);
        canvas.fill([x, bottom], Size::new(1, TICK), FRAME);
        let start = x - LABEL.width(&label) / 2;
        canvas.text([start, bottom + TICK + 4], &label, LABEL, Run::Right);
    }
    canvas.frame([left, top], PLOT, FRAME);
    let below = bottom + TICK + 4 + LABEL.line() + 6;
    canvas.text([left + (width - LABEL.width("epoch")) / 2, below], "epoch", LABEL, Run::Right);
    canvas.text([MARGIN, top + (height + LABEL.width("loss")) / 2], "loss", LABEL, Run::Up);

    for (one, ink) in series.iter().zip(INKS.into_iter().cycle()) {
        for run in one.points.split(|(_, loss)| !has_place(*loss)) {
            let points: Vec<_> = run.iter().map(|&(e, loss)| [x_of(e.into()), y_of(loss)]).collect();
            canvas.line(&points, 2.4, ink);
            if one.points.len() <= MARKED || points.len() == 1 {
                points.iter().for_each(|point| canvas.line(&[*point], 7.0, ink));
            }
        }
    }
    canvas.image
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, points: impl IntoIterator<Item = (u32, f64)>) -> Series {
        Series { name: name.into(), points: points.into_iter().collect() }
    }

    /// Rows with the colour `ink`, in the column at `share` (0 to 1) of the horizontal axis.
    fn rows(image: &RgbImage, ink: Ink, share: f64) -> Vec<u32> {
        let right = f64::from(image.width()) - MARGIN as f64 - 11.0;
        let left = right - (PLOT.nx as f64 - 21.0);
        let x = (left + share * (right - left)).round() as u32;
        let legend = (MARGIN + TITLE.line() + 6 + LABEL.line()) as u32;
        (legend..image.height()).filter(|&y| image.get_pixel(x, y).0 == ink).collect()
    }

    #[test]
    fn equal_factors_are_equal_heights() {
        let image = draw("t", &[series("a", [(0, 1.0), (1, 0.1), (2, 0.01), (3, 0.001)])]);
        let at = [0.0, 1.0, 2.0, 3.0].map(|epoch| {
            let rows = rows(&image, INKS[0], epoch / 3.0);
            assert!((4..=9).contains(&rows.len()), "a mark: {rows:?}");
            rows.iter().sum::<u32>() as f64 / rows.len() as f64
        });
        for pair in at.windows(2) {
            assert!((pair[1] - pair[0] - (at[3] - at[0]) / 3.0).abs() <= 1.0, "{at:?}");
        }
        assert!(at[3] - at[0] > 0.85 * PLOT.ny as f64);
    }

    #[test]
    fn what_has_no_logarithm_is_a_gap() {
        for bad in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
            let image = draw("t", &[series("a", [(0, 1.0), (1, 2.0), (2, bad), (3, 3.0), (4, 2.0)])]);
            let found = |share| !rows(&image, INKS[0], share).is_empty();
            assert!(found(0.0) && found(0.12) && found(1.0) && !found(0.5) && !found(0.4), "{bad}");
        }
    }

    #[test]
    fn any_losses_can_be_drawn() {
        let long = "averylongname_".repeat(30);
        for points in [
            vec![],
            vec![(0, 0.5)],
            vec![(u32::MAX, 0.5), (0, 0.5)],
            vec![(1, f64::MIN_POSITIVE), (2, f64::MAX)],
            vec![(1, f64::NAN)],
            vec![(1, 1.0), (2, 1.0 + 1e-12)],
            (0..5000).map(|i| (i, 1.0 / f64::from(i + 1))).collect(),
        ] {
            let image = draw(&long, &[series("", points.clone()), series(&long, points)]);
            let (width, height) = image.dimensions();
            assert!((1000..1300).contains(&width) && (600..900).contains(&height), "{width} x {height}");
            for (x, y, pixel) in image.enumerate_pixels() {
                let rim = x.min(y).min(width - 1 - x).min(height - 1 - y) < 8;
                assert!(!rim || pixel.0 == [255; 3], "ink at {x}, {y}");
            }
        }
        draw("", &[]);
    }

    #[test]
    fn legends_tell_the_least() {
        let text = series("validation", [(1, 0.5), (2, 0.034567), (3, 0.04), (4, f64::NAN)]).legend();
        assert_eq!(text, "validation: least 0.03457 in epoch 2");
        assert_eq!(series("training", []).legend(), "training");
        assert_eq!([12.3456, 123456.7, 2e-7, 3e9].map(short), ["12.35", "123457", "2.000e-7", "3.000e9"]);
    }
}
