//! One panel: its title, the map, the colour bar, the axes and the scale bar.

use super::canvas::{Canvas, Ink, Run};
use super::layout::{BAR, BAR_GAP, LABEL, PANEL, PageLayout, TITLE_GAP, number_width, scale_ticks};
use super::{Figure, Panel};
use crate::size::Size;

// The grey is slightly blue, so that no shade of the text equals it.
pub(super) const OUTSIDE: Ink = [212, 214, 218];
pub(super) const NOT_FINITE: Ink = [255, 0, 255];
pub(super) const LINE: Ink = [86, 90, 96];
pub(super) const HATCH_PITCH: usize = 8;
const ARROW: usize = 11;

impl Figure<'_> {
    /// Draws a panel with its top left corner at `(x, y)`. The leftmost panel of a row names the vertical axis,
    /// the lowest of a column the horizontal axis.
    pub(super) fn draw_panel(
        &self,
        canvas: &mut Canvas,
        page: &PageLayout,
        panel: &Panel,
        [x, mut y]: [usize; 2],
        [leftmost, lowest]: [bool; 2],
    ) {
        let title = PANEL.wrap(&panel.title, page.cell, 2);
        y += (page.title_lines - title.len()) * PANEL.line();
        for line in &title {
            canvas.text([x, y], line, PANEL, Run::Right);
            y += PANEL.line();
        }
        y += TITLE_GAP + page.side[1];
        let size = page.size(panel);
        let x = x + page.side[0];
        draw_map(canvas, panel, [x, y], size);
        draw_bar(canvas, panel, [x + size.nx + page.side[0] + BAR_GAP, y], page.bar_height(size));
        if let Some(sides) = self.sides {
            draw_sides(canvas, sides, [x, y], size);
            if lowest {
                self.draw_scale_bar(canvas, page, [x, y + size.ny + page.side[1] + 4], size.nx);
            }
            return;
        }
        if leftmost {
            let room = size.ny.max(BAR.ny) - ARROW - 14;
            let name = LABEL.shorten(&self.axes[1], room);
            let right = x - 6;
            canvas.text([right, y], &name, LABEL, Run::Down);
            let from = y + LABEL.width(&name) + 8;
            arrow(canvas, [right - LABEL.line() / 2, from], Run::Down);
        }
        if lowest {
            let name = LABEL.shorten(&self.axes[0], page.cell - ARROW - 14);
            let row = y + size.ny + 6;
            canvas.text([x, row], &name, LABEL, Run::Right);
            arrow(canvas, [x + LABEL.width(&name) + 8, row + LABEL.line() / 2], Run::Right);
            self.draw_scale_bar(canvas, page, [x, row + LABEL.line() + 4], size.nx);
        }
    }

    /// Draws the longest of 5 cm, 1 cm and 1 mm that is at most half as wide as the map.
    fn draw_scale_bar(&self, canvas: &mut Canvas, page: &PageLayout, [x, y]: [usize; 2], width: usize) {
        let Some(per_mm) = page.per_mm else { return };
        let fitting = [(50.0, "5 cm"), (10.0, "1 cm"), (1.0, "1 mm")]
            .map(|(mm, name)| ((mm * per_mm).round() as usize, name))
            .into_iter()
            .find(|(length, _)| (4..=width / 2).contains(length));
        if let Some((length, name)) = fitting {
            let middle = y + LABEL.line() / 2;
            canvas.fill([x, middle - 1], Size::new(length, 3), LABEL.ink);
            for end in [x, x + length - 1] {
                canvas.fill([end, middle - 4], Size::new(1, 9), LABEL.ink);
            }
            canvas.text([x + length + 8, y], name, LABEL, Run::Right);
        }
    }
}

/// Draws a short arrow after a label, in the direction of the text.
fn arrow(canvas: &mut Canvas, [x, y]: [usize; 2], run: Run) {
    let (shaft, tip) = match run {
        Run::Right => (Size::new(ARROW, 1), [x + ARROW + 3, y]),
        Run::Down | Run::Up => (Size::new(1, ARROW), [x, y + ARROW + 3]),
    };
    canvas.fill([x, y], shaft, LABEL.ink);
    canvas.head(tip, 3, 6, run, LABEL.ink);
}

/// Draws the letters at the left, right, upper and lower side of a map.
fn draw_sides(canvas: &mut Canvas, [left, right, top, bottom]: [char; 4], [x, y]: [usize; 2], size: Size) {
    let [width, height] = [LABEL.width("A"), LABEL.line()];
    let middle = [x + size.nx / 2, y + size.ny / 2];
    let across = (middle[0] - width / 2, middle[1].saturating_sub(height / 2));
    for (letter, at) in [
        (left, [x - width - 4, across.1]),
        (right, [x + size.nx + 5, across.1]),
        (top, [across.0, y - height - 1]),
        (bottom, [across.0, y + size.ny + 2]),
    ] {
        canvas.text(at, &letter.to_string(), LABEL, Run::Right);
    }
}

fn draw_map(canvas: &mut Canvas, panel: &Panel, [x, y]: [usize; 2], size: Size) {
    let (rows, columns) = panel.values.dim();
    let Size { nx: width, ny: height } = size;
    for py in 0..height {
        for px in 0..width {
            let at = (py * rows / height, px * columns / width);
            let inside = panel.mask.get(at).copied().unwrap_or(false);
            let value = panel.values[at];
            let colour = match (inside, value.is_finite()) {
                (false, _) => panel.backdrop.as_ref().and_then(|b| b.get(at)).map_or(OUTSIDE, grey),
                (true, false) => NOT_FINITE,
                (true, true) => panel.scale.map.at(panel.scale.place(value)),
            };
            canvas.dot(x + px, y + py, colour);
            let hatched = panel.hatch.as_ref().and_then(|hatch| hatch.get(at)).copied().unwrap_or(false);
            if inside && hatched && (px + py) % HATCH_PITCH == 0 {
                // Hatching is black, but light on the darkest colours, where black would not be visible.
                let lightness = colour.iter().zip([0.299, 0.587, 0.114]).map(|(&c, w)| f32::from(c) * w);
                let ink = if lightness.sum::<f32>() < 90.0 { [235; 3] } else { [0; 3] };
                canvas.blend(x + px, y + py, ink, 0.7);
            }
        }
    }
    canvas.frame([x, y], size, LINE);
}

/// The shade of a backdrop's value.
fn grey(value: &f32) -> Ink {
    // NaN becomes black.
    [(value.clamp(0.0, 1.0) * 255.0).round() as u8; 3]
}

/// Draws the colour bar with its numbers and label, and arrow heads if values exceed its ends.
fn draw_bar(canvas: &mut Canvas, panel: &Panel, [x, top]: [usize; 2], height: usize) {
    let Panel { scale, values, mask, .. } = panel;
    let beyond = |test: &dyn Fn(f32) -> bool| {
        values.indexed_iter().any(|(at, &v)| v.is_finite() && test(v) && mask.get(at) == Some(&true))
    };
    let [above, below] = [beyond(&|v| v > scale.max), beyond(&|v| v < scale.min)];

    const HEAD: usize = 12;
    let (y, bottom) = (top + if above { HEAD } else { 0 }, top + height - if below { HEAD } else { 0 });
    let length = bottom - y;
    for step in 0..length {
        let t = 1.0 - step as f32 / (length - 1) as f32;
        canvas.fill([x, y + step], Size::new(BAR.nx, 1), scale.map.at(t));
    }
    canvas.frame([x, y], Size::new(BAR.nx, length), LINE);
    let middle = x + BAR.nx / 2;
    if above {
        canvas.head([middle, top - 1], BAR.nx / 2, HEAD, Run::Up, scale.map.at(1.0));
    }
    if below {
        canvas.head([middle, top + height], BAR.nx / 2, HEAD, Run::Down, scale.map.at(0.0));
    }

    let numbers = scale_ticks(scale, length);
    let right = x + BAR.nx + 1;
    for (i, (value, label)) in numbers.iter().enumerate() {
        let down = (1.0 - scale.place(*value as f32).clamp(0.0, 1.0)) * (length - 1) as f32;
        let level = y + down.round() as usize;
        canvas.fill([right, level], Size::new(4, 1), LINE);
        let top_one = i + 1 == numbers.len() && scale.place(*value as f32) > 0.999;
        let label = if above && top_one { format!(">{label}") } else { label.clone() };
        canvas.text([right + 7, level - LABEL.line() / 2], &label, LABEL, Run::Right);
    }
    let label = LABEL.shorten(&scale.label, height);
    let from = top + (height + LABEL.width(&label)) / 2;
    canvas.text([right + 7 + number_width(&numbers) + 4, from], &label, LABEL, Run::Up);
}
