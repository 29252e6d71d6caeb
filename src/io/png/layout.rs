//! Layout of a figure's page: fonts, distances, and the sizes that all panels share.

use crate::size::Size;
use noto_sans_mono_bitmap::{FontWeight::*, RasterHeight::*};

use super::canvas::Font;
use super::ticks::ticks;
use super::{Figure, Panel, Scale};

pub(super) const TITLE: Font = Font { weight: Bold, size: Size24, ink: [20; 3] };
pub(super) const PANEL: Font = Font { weight: Bold, size: Size20, ink: [40; 3] };
pub(super) const LABEL: Font = Font { weight: Regular, size: Size20, ink: [60; 3] };
pub(super) const NOTE: Font = Font { weight: Regular, size: Size20, ink: [70; 3] };

pub(super) const MARGIN: usize = 28;
/// Target height of a panel, in pixels.
const TALLEST: usize = 660;
/// Longest side of a map that exceeds the page. Up to this, one image pixel per map pixel; beyond, pixels are
/// skipped.
const LARGEST: usize = 1024;
const NARROWEST_PAGE: usize = 720;
const NARROWEST_CELL: usize = 250;
/// Space left of the panels for the name of the vertical axis.
pub(super) const GUTTER: usize = 30;
pub(super) const TITLE_GAP: usize = 8;
pub(super) const BETWEEN: [usize; 2] = [34, 26];
/// Width of a colour bar, and its minimum height.
pub(super) const BAR: Size = Size::new(16, 190);
pub(super) const BAR_GAP: usize = 14;

/// Space for a letter beside a map and above or below it.
const SIDE: [usize; 2] = [20, 22];

/// The texts of a page, broken into lines, and where they stand.
pub(super) struct Text {
    pub title: Vec<String>,
    pub notes: Vec<String>,
    /// Top of the panels.
    pub grid: usize,
    pub notes_top: usize,
    /// The whole page.
    pub size: Size,
}

impl Text {
    pub fn new(figure: &Figure, page: &PageLayout) -> Self {
        let width = page.width - 2 * MARGIN - GUTTER;
        let title = TITLE.wrap(&figure.title, width, 3);
        let notes: Vec<String> = figure.notes.iter().flat_map(|note| NOTE.wrap(note, width, 12)).collect();
        let grid = MARGIN + title.len() * TITLE.line() + if title.is_empty() { 0 } else { 16 };
        let below = grid + page.rows.iter().sum::<usize>() + BETWEEN[1] * page.rows.len().saturating_sub(1);
        let notes_top = below + if notes.is_empty() { 0 } else { 20 };
        let size = Size::new(page.width, notes_top + notes.len() * (NOTE.line() + 2) + MARGIN);
        Self { title, notes, grid, notes_top, size }
    }
}

/// Sizes that all panels of a figure share.
pub(super) struct PageLayout {
    pub columns: usize,
    /// Space for the letters at the sides of a map: left and right; above and below.
    pub side: [usize; 2],
    /// Image pixels per map pixel, along x and y.
    zoom: [f64; 2],
    /// Image pixels per mm along x, if the spacing is known.
    pub per_mm: Option<f64>,
    pub title_lines: usize,
    /// Width of a panel with its colour bar.
    pub cell: usize,
    /// Height of each row of panels.
    pub rows: Vec<usize>,
    /// Width of the page.
    pub width: usize,
}

impl PageLayout {
    pub fn new(figure: &Figure) -> Self {
        let columns = figure.columns.clamp(1, figure.panels.len().max(1));
        let known = figure.spacing_mm.iter().all(|mm| mm.is_finite() && *mm > 0.0);
        let spacing = if known { figure.spacing_mm } else { [1.0, 1.0] };
        let finest = spacing[0].min(spacing[1]);
        // An aspect above 100 comes from a wrong header; the limit keeps the figure drawable.
        let aspect = spacing.map(|mm| (mm / finest).min(100.0));

        let numbers = figure
            .panels
            .iter()
            .map(|panel| number_width(&scale_ticks(&panel.scale, TALLEST)))
            .max()
            .unwrap_or(0);
        let side = if figure.sides.is_some() { SIDE } else { [0, 0] };
        let bar = BAR_GAP + BAR.nx + 8 + numbers + 4 + LABEL.line() + 2 * side[0];

        let extent = |axis: usize| {
            figure.panels.iter().map(|p| p.values.dim()).map(|(y, x)| [x, y][axis]).max().unwrap_or(0).max(1)
                as f64
                * aspect[axis]
        };
        let wide = (figure.width / columns).saturating_sub(bar + BETWEEN[0]).max(NARROWEST_CELL) as f64;
        let fit = (wide / extent(0)).min(TALLEST as f64 / extent(1));
        let zoom = fit.floor().max((LARGEST as f64 / extent(0).max(extent(1))).min(1.0));

        let mut page = Self {
            columns,
            side,
            zoom: aspect.map(|a| a * zoom),
            per_mm: known.then_some(aspect[0] * zoom / spacing[0]),
            title_lines: 0,
            cell: 0,
            rows: Vec::new(),
            width: 0,
        };
        let sizes: Vec<_> = figure.panels.iter().map(|panel| page.size(panel)).collect();
        page.cell =
            sizes.iter().map(|size| size.nx + bar).max().unwrap_or(NARROWEST_CELL).max(NARROWEST_CELL);
        page.width =
            (2 * MARGIN + GUTTER + columns * (page.cell + BETWEEN[0]) - BETWEEN[0]).max(NARROWEST_PAGE);
        page.title_lines =
            figure.panels.iter().map(|panel| PANEL.wrap(&panel.title, page.cell, 2).len()).max().unwrap_or(0);
        let names = if figure.sides.is_some() { 0 } else { 6 + LABEL.line() };
        let footer = names + 4 + LABEL.line();
        let above = page.title_lines * PANEL.line() + TITLE_GAP + side[1];
        page.rows = sizes
            .chunks(columns)
            .enumerate()
            .map(|(row, sizes)| {
                let first = row * columns;
                let heights = sizes.iter().enumerate().map(|(column, size)| {
                    let lowest = first + columns + column >= figure.panels.len();
                    (size.ny + side[1] + if lowest { footer } else { 0 })
                        .max(page.bar_height(*size) + LABEL.line() / 2)
                });
                above + heights.max().unwrap_or(0)
            })
            .collect();
        page
    }

    /// The size of a panel's map, in image pixels.
    pub fn size(&self, panel: &Panel) -> Size {
        let (rows, columns) = panel.values.dim();
        let along = |n: usize, zoom: f64| ((n as f64 * zoom).round() as usize).max(usize::from(n > 0));
        Size::new(along(columns, self.zoom[0]), along(rows, self.zoom[1]))
    }

    /// Height of the colour bar beside a map of this size.
    pub fn bar_height(&self, size: Size) -> usize {
        size.ny.max(BAR.ny)
    }
}

/// Returns the ticks of a colour bar of this height.
pub(super) fn scale_ticks(scale: &Scale, height: usize) -> Vec<(f64, String)> {
    ticks(f64::from(scale.min), f64::from(scale.max), (height / 30).clamp(2, 9))
}

/// Width of the widest number, with room for the ">" of an exceeded scale.
pub(super) fn number_width(numbers: &[(f64, String)]) -> usize {
    numbers.iter().map(|(_, label)| LABEL.width(label) + LABEL.width(">")).max().unwrap_or(0)
}
