//! Figures of maps side by side, each with a colour bar, written as PNG.
//!
//! A panel shows an array as it is given, row 0 at the top and column 0 at the left. The names of the axes,
//! with arrows, are drawn beside it, or the letters of the patient's sides at its four sides.
//!
//! Pixels outside the mask are grey, or show another image in shades of grey. Values beyond the scale have the end colour, and an arrow head on the bar
//! marks this. Values that are not finite are magenta.

mod agreement;
mod canvas;
mod layout;
mod losses;
mod panel;
mod roofline;
mod ticks;

use crate::size::Size;
use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};
use ndarray::{Array2, ArrayView2};

use crate::colour::ColourMap;
use crate::error::{Error, Result};
pub use agreement::{Scatter, scatter};
use canvas::{Canvas, Run};
use layout::{BETWEEN, GUTTER, MARGIN, NOTE, PageLayout, TITLE, Text};
pub use losses::{Series, losses};
pub use roofline::{RooflineKind, roofline};

/// The mapping from values to colours.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// The colour map.
    pub map: ColourMap,
    /// Value of the first colour.
    pub min: f32,
    /// Value of the last colour.
    pub max: f32,
    /// Quantity and unit, written along the bar: "|µ*| (kPa)".
    pub label: String,
}

impl Scale {
    /// Returns the position of `value` in the scale: 0 at `min`, 1 at `max`.
    fn place(&self, value: f32) -> f32 {
        let range = f64::from(self.max) - f64::from(self.min);
        if range > 0.0 { ((f64::from(value) - f64::from(self.min)) / range) as f32 } else { 0.5 }
    }
}

/// One map of a figure.
#[derive(Debug, Clone)]
pub struct Panel<'a> {
    /// Title of one or two lines above the map.
    pub title: String,
    /// The map, `[y][x]`.
    pub values: ArrayView2<'a, f32>,
    /// True where the map is valid, `[y][x]`; the other pixels are grey.
    pub mask: ArrayView2<'a, bool>,
    /// Colours, range and unit.
    pub scale: Scale,
    /// True where the map is hatched (within the mask only), `[y][x]`.
    pub hatch: Option<Array2<bool>>,
    /// Shown outside the mask in shades of grey, `[y][x]`: 0 is black and 1 is white.
    pub backdrop: Option<ArrayView2<'a, f32>>,
}

/// A page of panels with a title above and notes below.
#[derive(Debug, Clone)]
pub struct Figure<'a> {
    /// Title of the page.
    pub title: String,
    /// Paragraphs below the panels: frequency, density, definitions, warnings.
    pub notes: Vec<String>,
    /// Names of the horizontal and the vertical axis. An arrow toward larger indices is drawn after each.
    pub axes: [String; 2],
    /// Letters at the left, right, upper and lower side of each map, in place of the names of the axes.
    pub sides: Option<[char; 4]>,
    /// Pixel size along x and y in mm. If it is not finite and positive, pixels are drawn square and there is
    /// no scale bar.
    pub spacing_mm: [f64; 2],
    /// The maps, row by row; all are drawn with the same zoom.
    pub panels: Vec<Panel<'a>>,
    /// Panels per row.
    pub columns: usize,
    /// Width that a row of panels aims at, in pixels: the maps grow or shrink to it, but not below a readable size.
    pub width: usize,
}

/// The usual [`Figure::width`].
pub const USUAL_WIDTH: usize = 1640;

/// Returns at most `at_most` of `n_slices` slices, evenly spread and in order: the middles of equal blocks.
///
/// ```
/// # use palpate::lowlevel::io::png::pick_slices;
/// assert_eq!(pick_slices(30, 3), [5, 15, 25]);
/// assert_eq!(pick_slices(2, 6), [0, 1]);
/// ```
pub fn pick_slices(n_slices: usize, at_most: usize) -> Vec<usize> {
    let n = at_most.min(n_slices);
    (0..n).map(|i| (2 * i + 1) * n_slices / (2 * n)).collect()
}

impl Figure<'_> {
    /// Draws the figure, about 1200 to 1800 pixels wide for a few maps of usual size.
    ///
    /// Each map pixel is a whole number of image pixels if it is square and the map is not too large.
    pub fn draw(&self) -> RgbImage {
        let page = PageLayout::new(self);
        let text = Text::new(self, &page);
        let left = MARGIN + GUTTER;
        let mut canvas = Canvas::new(text.size);
        let mut top = MARGIN;
        for line in &text.title {
            canvas.text([left, top], line, TITLE, Run::Right);
            top += TITLE.line();
        }
        let mut y = text.grid;
        for (row, panels) in self.panels.chunks(page.columns).enumerate() {
            for (column, panel) in panels.iter().enumerate() {
                let x = left + column * (page.cell + BETWEEN[0]);
                let lowest = (row + 1) * page.columns + column >= self.panels.len();
                self.draw_panel(&mut canvas, &page, panel, [x, y], [column == 0, lowest]);
            }
            y += page.rows[row] + BETWEEN[1];
        }
        for (i, line) in text.notes.iter().enumerate() {
            canvas.text([left, text.notes_top + i * (NOTE.line() + 2)], line, NOTE, Run::Right);
        }
        canvas.image
    }

    /// The size of the picture in pixels, without drawing it.
    pub fn size(&self) -> Size {
        Text::new(self, &PageLayout::new(self)).size
    }

    /// Draws the figure and returns the bytes of a PNG file.
    ///
    /// # Errors
    /// [`Error::Data`] if the encoder fails, for example because memory is short.
    pub fn png(&self) -> Result<Vec<u8>> {
        encode(&self.draw(), &self.title)
    }
}

/// Encodes an image as the bytes of a PNG file.
fn encode(image: &RgbImage, title: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let [width, height] = [image.width(), image.height()];
    PngEncoder::new(&mut bytes).write_image(image, width, height, ExtendedColorType::Rgb8).map_err(|e| {
        Error::Data(format!(
            "the figure \"{title}\" ({width} x {height} pixels) could not be encoded as PNG: {e}; \
                 draw fewer panels"
        ))
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::canvas::Ink;
    use super::panel::{HATCH_PITCH, LINE, NOT_FINITE, OUTSIDE};
    use super::*;

    const INK_FREE: u32 = 8;

    struct Maps {
        values: Array2<f32>,
        mask: Array2<bool>,
    }

    impl Maps {
        fn new(rows: usize, columns: usize) -> Self {
            let values = Array2::from_shape_fn((rows, columns), |(y, x)| (x + y) as f32 * 0.1);
            Self { values, mask: Array2::from_elem((rows, columns), true) }
        }

        fn panel(&self) -> Panel<'_> {
            let label = "|µ*| (kPa)".to_string();
            Panel {
                title: "Stiffness".to_string(),
                values: self.values.view(),
                mask: self.mask.view(),
                scale: Scale { map: ColourMap::Stiffness, min: 0.0, max: 8.0, label },
                hatch: None,
                backdrop: None,
            }
        }
    }

    fn figure<'a>(panels: Vec<Panel<'a>>, spacing_mm: [f64; 2]) -> Figure<'a> {
        let axes = ["x (axis 0)".to_string(), "y (axis 1)".to_string()];
        let notes = vec!["f = 60 Hz".to_string()];
        Figure {
            title: "A map".to_string(),
            notes,
            axes,
            sides: None,
            spacing_mm,
            panels,
            columns: 2,
            width: USUAL_WIDTH,
        }
    }

    /// Returns how many pixels have the colour, and their bounds `[left, top, width, height]`.
    fn find(image: &RgbImage, colour: Ink) -> (usize, [u32; 4]) {
        let all: Vec<_> = image.enumerate_pixels().filter(|(_, _, p)| p.0 == colour).collect();
        let [left, right] = [all.iter().map(|p| p.0).min(), all.iter().map(|p| p.0).max()];
        let [top, bottom] = [all.iter().map(|p| p.1).min(), all.iter().map(|p| p.1).max()];
        let [l, r, t, b] = [left, right, top, bottom].map(|v| v.expect("the colour is drawn"));
        (all.len(), [l, t, r - l + 1, b - t + 1])
    }

    #[test]
    fn nothing_runs_out_of_the_page() {
        let long = "averylongname_".repeat(40) + &" and many words".repeat(60);
        for (rows, columns, spacing) in [
            (256, 256, [1.40625, 1.40625]),
            (17, 509, [1.0, 1.0]),
            (509, 17, [1.0, 1.0]),
            (30, 30, [0.5, 0.5]),
            (1, 1, [1.0, 1.0]),
            (64, 128, [1.0, 2.2]),
            (2, 2, [1e-9, 1e9]),
        ] {
            let mut maps = Maps::new(rows, columns);
            maps.values[[0, 0]] = 1e9;
            let mut panel = maps.panel();
            panel.title = long.clone();
            panel.scale = Scale { min: -123456.0, max: 98765.4, label: long.clone(), ..panel.scale };
            let mut figure = figure(vec![panel.clone(), maps.panel(), panel], spacing);
            (figure.title, figure.axes) = (long.clone(), [long.clone(), long.clone()]);
            figure.notes.push(long.clone());
            for (per_row, sides) in [(1, None), (2, None), (3, Some(['R', 'L', 'A', 'P']))] {
                (figure.columns, figure.sides) = (per_row, sides);
                let image = figure.draw();
                let (width, height) = image.dimensions();
                assert_eq!(figure.size().axes(), [width as usize, height as usize]);
                assert!((600..=3600).contains(&width), "{rows} x {columns}: {width} wide");
                for (x, y, pixel) in image.enumerate_pixels() {
                    let rim = x.min(y).min(width - 1 - x).min(height - 1 - y) < INK_FREE;
                    assert!(!rim || pixel.0 == [255; 3], "{rows} x {columns}: ink at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn rows_run_down_and_columns_to_the_right() {
        let mut maps = Maps::new(10, 20);
        maps.mask.fill(false);
        maps.mask[[1, 18]] = true;
        maps.values[[1, 18]] = f32::NAN;
        let image = figure(vec![maps.panel()], [1.0, 1.0]).draw();
        let (_, [left, top, width, height]) = find(&image, OUTSIDE);
        let zoom = width / 20;
        assert_eq!((width, height), (20 * zoom, 10 * zoom));
        let block = [left + 18 * zoom, top + zoom, zoom, zoom];
        assert_eq!(find(&image, NOT_FINITE), ((zoom * zoom) as usize, block));
    }

    #[test]
    fn pixels_have_their_aspect() {
        let mut maps = Maps::new(64, 128);
        maps.mask.fill(false);
        let (_, [_, _, width, height]) = find(&figure(vec![maps.panel()], [1.0, 2.2]).draw(), OUTSIDE);
        assert_eq!(width % 128, 0);
        assert_eq!(height, (f64::from(width) / 128.0 * 64.0 * 2.2).round() as u32);
    }

    #[test]
    fn usual_sizes_give_usual_pages() {
        for (rows, columns) in [(256, 256), (48, 64), (260, 320), (30, 30), (17, 509)] {
            let maps = Maps::new(rows, columns);
            let image = figure(vec![maps.panel(); 4], [1.0, 1.0]).draw();
            let (width, height) = image.dimensions();
            assert!((1200..=1800).contains(&width), "{rows} x {columns}: {width} wide");
            assert!((500..=1800).contains(&height), "{rows} x {columns}: {height} high");
        }
    }

    #[test]
    fn the_bar_marks_values_beyond_it() {
        let mut maps = Maps::new(20, 20);
        let within = figure(vec![maps.panel()], [1.0, 1.0]).draw();
        maps.values[[3, 3]] = 8.5;
        let beyond = figure(vec![maps.panel()], [1.0, 1.0]).draw();
        let (_, [.., height]) = find(&within, LINE);
        let right_of_map = |image: &RgbImage| {
            let (_, [left, ..]) = find(image, LINE);
            image.enumerate_pixels().filter(|p| p.0 > left + height + 8).map(|p| p.2.0).collect::<Vec<_>>()
        };
        assert_ne!(right_of_map(&within), right_of_map(&beyond));
        maps.mask[[3, 3]] = false;
        let hidden = figure(vec![maps.panel()], [1.0, 1.0]).draw();
        assert_eq!(right_of_map(&within), right_of_map(&hidden));
    }

    #[test]
    fn hatching_stays_inside_mask_and_hatch() {
        let mut maps = Maps::new(10, 10);
        maps.mask.slice_mut(ndarray::s![.., 8..]).fill(false);
        let plain = figure(vec![maps.panel()], [1.0, 1.0]).draw();
        let mut panel = maps.panel();
        panel.hatch = Some(Array2::from_shape_fn((10, 10), |(_, x)| x >= 6));
        let hatched = figure(vec![panel], [1.0, 1.0]).draw();
        let (_, [left, _, width, height]) = find(&plain, OUTSIDE);
        let zoom = width / 2;
        let changed: Vec<_> = plain
            .enumerate_pixels()
            .zip(hatched.pixels())
            .filter(|((_, _, a), b)| a != b)
            .map(|((x, _, _), _)| x)
            .collect();
        assert!(changed.iter().all(|x| (left - 2 * zoom..left).contains(x)));
        let share = changed.len() as f64 / f64::from(2 * zoom * height);
        assert!((share - 1.0 / HATCH_PITCH as f64).abs() < 0.01, "{share}");
    }

    #[test]
    fn the_backdrop_shows_outside_the_mask_alone() {
        let mut maps = Maps::new(10, 20);
        maps.mask.slice_mut(ndarray::s![.., 10..]).fill(false);
        let plain = figure(vec![maps.panel()], [1.0, 1.0]).draw();
        let backdrop = Array2::from_shape_fn((10, 20), |(_, x)| if x < 15 { 0.5 } else { f32::NAN });
        let mut panel = maps.panel();
        panel.backdrop = Some(backdrop.view());
        let drawn = figure(vec![panel], [1.0, 1.0]).draw();
        let (_, [left, top, width, height]) = find(&plain, OUTSIDE);
        for ((x, y, before), after) in plain.enumerate_pixels().zip(drawn.pixels()) {
            let outside = (left..left + width).contains(&x) && (top..top + height).contains(&y);
            let wanted = match outside {
                true if x < left + width / 2 => [128; 3],
                true => [0; 3],
                false => before.0,
            };
            assert_eq!(after.0, wanted, "{x}, {y}");
        }
    }

    #[test]
    fn letters_stand_at_the_four_sides() {
        let mut maps = Maps::new(20, 20);
        maps.mask.fill(false);
        let mut figure = figure(vec![maps.panel()], [1.0, 1.0]);
        figure.sides = Some([' '; 4]);
        let blank = figure.draw();
        let (_, [left, top, width, height]) = find(&blank, LINE);
        for (at, side) in ["left", "right", "top", "bottom"].iter().enumerate() {
            let mut sides = [' '; 4];
            sides[at] = 'H';
            figure.sides = Some(sides);
            let drawn = figure.draw();
            let ink: Vec<_> = blank
                .enumerate_pixels()
                .zip(drawn.pixels())
                .filter(|((.., a), b)| a != b)
                .map(|(p, _)| p)
                .collect();
            assert!(!ink.is_empty());
            // The frame includes the colour bar, so the right side is found by the height of the map, which is square.
            let right = left + height;
            for (x, y, _) in ink {
                let middle = |v: u32, from: u32| (from + height / 2).abs_diff(v) < 16;
                let stands = match at {
                    0 => x < left && middle(y, top),
                    1 => x >= right && x < left + width && middle(y, top),
                    2 => y < top && middle(x, left),
                    _ => y >= top + height && middle(x, left),
                };
                assert!(stands, "{side}: {x}, {y}");
            }
        }
    }

    #[test]
    fn odd_input_still_draws() {
        let maps = Maps::new(6, 5);
        let small = Maps::new(2, 3);
        let empty = Maps::new(0, 4);
        let mut odd = maps.panel();
        odd.mask = small.mask.view();
        odd.hatch = Some(Array2::from_elem((1, 9), true));
        for (min, max) in
            [(1.0, 1.0), (f32::NAN, 2.0), (3.0, -3.0), (f32::MIN, f32::MAX), (0.0, f32::INFINITY)]
        {
            odd.scale = Scale { min, max, ..odd.scale };
            for columns in [0, 2, usize::MAX] {
                let mut figure = figure(vec![odd.clone(), empty.panel()], [f64::NAN, -1.0]);
                (figure.columns, figure.title) = (columns, String::new());
                let bytes = figure.png().unwrap();
                assert_eq!(image::load_from_memory(&bytes).unwrap().into_rgb8(), figure.draw());
            }
        }
        figure(Vec::new(), [1.0, 1.0]).png().unwrap();
    }

    #[test]
    fn slices_are_spread_in_order() {
        assert_eq!(pick_slices(10, 4), [1, 3, 6, 8]);
        assert_eq!(pick_slices(3, 3), [0, 1, 2]);
        assert_eq!(pick_slices(9, 1), [4]);
        assert!(pick_slices(5, 0).is_empty() && pick_slices(0, 5).is_empty());
    }
}
