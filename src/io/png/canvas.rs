//! A white page for rectangles, lines, arrow heads and anti-aliased text. Parts outside the page are not drawn.

use crate::size::Size;
use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

pub(super) type Ink = [u8; 3];

/// Weight, size and colour of text.
#[derive(Clone, Copy)]
pub(super) struct Font {
    pub weight: FontWeight,
    pub size: RasterHeight,
    pub ink: Ink,
}

/// The direction of text.
#[derive(Clone, Copy)]
pub(super) enum Run {
    Right,
    Down,
    Up,
}

impl Font {
    /// Height of a line in pixels.
    pub fn line(self) -> usize {
        self.size.val()
    }

    /// Width of `text` in pixels.
    pub fn width(self, text: &str) -> usize {
        text.chars().count() * get_raster_width(self.weight, self.size)
    }

    fn room(self, width: usize) -> usize {
        (width / get_raster_width(self.weight, self.size)).max(4)
    }

    /// Returns `text` on one line of `width` pixels. If it is longer, "..." replaces its end.
    pub fn shorten(self, text: &str, width: usize) -> String {
        let room = self.room(width);
        if text.chars().count() <= room {
            return text.to_string();
        }
        text.chars().take(room - 3).collect::<String>() + "..."
    }

    /// Breaks `text` into at most `lines` lines of `width` pixels. Lines break at spaces; a word that is too
    /// long is broken inside. "..." replaces text that does not fit.
    pub fn wrap(self, text: &str, width: usize, lines: usize) -> Vec<String> {
        let room = self.room(width);
        let mut wrapped: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            for piece in word.chars().collect::<Vec<_>>().chunks(room) {
                match wrapped.last_mut() {
                    Some(line) if line.chars().count() + 1 + piece.len() <= room => {
                        line.push(' ');
                        line.extend(piece);
                    }
                    _ => wrapped.push(piece.iter().collect()),
                }
            }
        }
        if wrapped.len() > lines {
            wrapped.truncate(lines);
            if let Some(last) = wrapped.last_mut() {
                *last = if last.chars().count() + 4 <= room {
                    format!("{last} ...")
                } else {
                    last.chars().take(room - 3).collect::<String>() + "..."
                };
            }
        }
        wrapped
    }
}

pub(super) struct Canvas {
    pub image: RgbImage,
}

impl Canvas {
    pub fn new(size: Size) -> Self {
        Self { image: RgbImage::from_pixel(size.nx as u32, size.ny as u32, Rgb([255; 3])) }
    }

    pub fn dot(&mut self, x: usize, y: usize, ink: Ink) {
        self.blend(x, y, ink, 1.0);
    }

    /// Blends `ink` over the pixel with opacity `share`.
    pub fn blend(&mut self, x: usize, y: usize, ink: Ink, share: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if let Some(Rgb(below)) = self.image.get_pixel_mut_checked(x, y) {
            for (b, i) in below.iter_mut().zip(ink) {
                *b = (f32::from(*b) + share * (f32::from(i) - f32::from(*b))).round() as u8;
            }
        }
    }

    pub fn fill(&mut self, [x, y]: [usize; 2], size: Size, ink: Ink) {
        for py in y..y + size.ny {
            for px in x..x + size.nx {
                self.dot(px, py, ink);
            }
        }
    }

    /// Draws a line one pixel wide just outside the rectangle.
    pub fn frame(&mut self, [x, y]: [usize; 2], Size { nx, ny }: Size, ink: Ink) {
        for py in [y - 1, y + ny] {
            self.fill([x - 1, py], Size::new(nx + 2, 1), ink);
        }
        for px in [x - 1, x + nx] {
            self.fill([px, y], Size::new(1, ny), ink);
        }
    }

    /// Draws a line through `points` (x, y; pixel centres are whole numbers), `width` pixels wide with round
    /// ends.
    pub fn line(&mut self, points: &[[f64; 2]], width: f64, ink: Ink) {
        // Each pixel is drawn once, by its nearest segment, so that joints are not darker.
        let [columns, rows] = [self.image.width(), self.image.height()].map(|n| n as usize);
        let mut cover = vec![0f32; columns * rows];
        let reach = width / 2.0 + 1.0;
        for piece in points.windows(2.min(points.len()).max(1)) {
            let [from, to] = [piece[0], piece[piece.len() - 1]];
            let along = [to[0] - from[0], to[1] - from[1]];
            let square = (along[0].powi(2) + along[1].powi(2)).max(f64::MIN_POSITIVE);
            let span = |axis: usize, n: usize| {
                let [low, high] = [from[axis].min(to[axis]) - reach, from[axis].max(to[axis]) + reach];
                low.max(0.0) as usize..((high + 1.0).max(0.0) as usize).min(n)
            };
            for (y, x) in span(1, rows).flat_map(|y| span(0, columns).map(move |x| (y, x))) {
                let [dx, dy] = [x as f64 - from[0], y as f64 - from[1]];
                let at = ((dx * along[0] + dy * along[1]) / square).clamp(0.0, 1.0);
                let distance = (dx - at * along[0]).hypot(dy - at * along[1]);
                let share = (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0) as f32;
                let cover = &mut cover[y * columns + x];
                *cover = cover.max(share);
            }
        }
        for (at, share) in cover.into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
            self.blend(at % columns, at / columns, ink, share);
        }
    }

    /// Draws a filled arrow head with its tip at `(x, y)`, `2 half + 1` pixels across.
    pub fn head(&mut self, [x, y]: [usize; 2], half: usize, length: usize, run: Run, ink: Ink) {
        for back in 0..length {
            let across = back * half / (length - 1).max(1);
            for side in 0..=2 * across {
                let side = side.wrapping_sub(across);
                match run {
                    Run::Right => self.dot(x - back, y.wrapping_add(side), ink),
                    Run::Down => self.dot(x.wrapping_add(side), y - back, ink),
                    Run::Up => self.dot(x.wrapping_add(side), y + back, ink),
                }
            }
        }
    }

    /// Draws one line of text. `(x, y)` is the corner of the text box where reading starts: top left for
    /// `Right`, top right for `Down`, bottom left for `Up`. A character that the font lacks is drawn as "?".
    pub fn text(&mut self, [x, y]: [usize; 2], text: &str, font: Font, run: Run) {
        let advance = get_raster_width(font.weight, font.size);
        for (i, c) in text.chars().enumerate() {
            let Some(glyph) =
                get_raster(c, font.weight, font.size).or_else(|| get_raster('?', font.weight, font.size))
            else {
                continue;
            };
            for (down, row) in glyph.rows().enumerate() {
                for (along, &cover) in row.iter().enumerate().filter(|(_, cover)| **cover > 0) {
                    let along = i * advance + along;
                    let (px, py) = match run {
                        Run::Right => (x + along, y + down),
                        Run::Down => (x.wrapping_sub(1 + down), y + along),
                        Run::Up => (x + down, y.wrapping_sub(1 + along)),
                    };
                    self.blend(px, py, font.ink, f32::from(cover) / 255.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FONT: Font = Font { weight: FontWeight::Regular, size: RasterHeight::Size16, ink: [0; 3] };

    /// Bounds of the drawn pixels: `[first x, last x, first y, last y]`.
    fn extent(canvas: &Canvas) -> [u32; 4] {
        canvas
            .image
            .enumerate_pixels()
            .filter(|(_, _, p)| p.0 != [255; 3])
            .fold([u32::MAX, 0, u32::MAX, 0], |[l, r, t, b], (x, y, _)| {
                [l.min(x), r.max(x), t.min(y), b.max(y)]
            })
    }

    #[test]
    fn turned_text_is_the_same_text() {
        let mut pages = [Run::Right, Run::Down, Run::Up].map(|run| (Canvas::new(Size::square(80)), run));
        for (canvas, run) in &mut pages {
            canvas.text([40, 40], "F7k", FONT, *run);
        }
        let [(right, _), (down, _), (up, _)] = &pages;
        assert!(extent(right)[0] >= 40 && extent(right)[2] >= 40, "{:?}", extent(right));
        for (x, y, pixel) in right.image.enumerate_pixels().filter(|(x, y, _)| *x >= 40 && *y >= 40) {
            let (along, across) = (x - 40, y - 40);
            assert_eq!(down.image.get_pixel(39 - across, 40 + along), pixel);
            assert_eq!(up.image.get_pixel(40 + across, 39 - along), pixel);
        }
    }

    #[test]
    fn lines_cover_their_length_and_width() {
        let covered = |points: &[[f64; 2]]| {
            let mut canvas = Canvas::new(Size::square(60));
            canvas.line(points, 3.0, [0; 3]);
            canvas.image.pixels().map(|p| 1.0 - f64::from(p.0[0]) / 255.0).sum::<f64>()
        };
        let disc = covered(&[[30.0, 30.0]]);
        assert!((disc - std::f64::consts::PI * 1.5 * 1.5).abs() < 0.8, "{disc}");
        for end in [[50.0, 30.0], [30.0, 10.0], [42.0, 46.0]] {
            assert!((covered(&[[30.0, 30.0], end]) - disc - 60.0).abs() < 2.0, "{end:?}");
        }
        // Drawing a segment twice gives the same pixels.
        let [there, back] = [[5.0, 7.5], [40.3, 22.0]];
        assert_eq!(covered(&[there, back]), covered(&[there, back, there]));
        assert_eq!(covered(&[]), 0.0);
        assert!(covered(&[[-20.0, 30.0], [80.0, 30.0]]) > 170.0);
    }

    #[test]
    fn wraps_within_the_width() {
        let width = FONT.width("0123456789");
        let text = "one two three averyveryverylongword end";
        let lines = FONT.wrap(text, width, 9);
        assert_eq!(lines, ["one two", "three", "averyveryv", "erylongwor", "d end"]);
        assert_eq!(FONT.wrap(text, width, 2), ["one two", "three ..."]);
        assert_eq!(FONT.wrap("averyverylongword", width, 1), ["averyve..."]);
        assert!(FONT.wrap("  ", width, 3).is_empty());
        assert_eq!(FONT.shorten("0123456789", width), "0123456789");
        assert_eq!(FONT.shorten("0123456789a", width), "0123456...");
    }

    #[test]
    fn outside_is_not_drawn_and_unknown_characters_are() {
        let mut canvas = Canvas::new(Size::square(20));
        canvas.text([15, 15], "wide and low", FONT, Run::Right);
        canvas.text([3, 3], "down", FONT, Run::Down);
        canvas.text([3, 3], "up", FONT, Run::Up);
        canvas.head([0, 0], 3, 5, Run::Up, [0; 3]);
        let pages = ["ρ", "?"].map(|text| {
            let mut page = Canvas::new(Size::square(20));
            page.text([0, 0], text, FONT, Run::Right);
            page.image
        });
        assert_eq!(pages[0], pages[1]);
    }
}
