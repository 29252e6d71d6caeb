//! The inner loops beside inaccessible pages. A read or a write outside of a slice ends the whole program there, so each
//! slice lies once directly before such a page, and once directly behind one. The results are those of plain loops.

use super::{Edge, NOWHERE, Outer, Panel, Side, Strip, Tap, Tile, Transform, chains};
use crate::processor::Instructions;
use crate::processor::instructions::Present;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where the inaccessible page touches the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    Before,
    Behind,
}

const GUARDS: [Guard; 2] = [Guard::Before, Guard::Behind];

/// Values between inaccessible pages.
struct Guarded {
    /// All pages, and their bytes.
    pages: *mut libc::c_void,
    bytes: usize,
    first: *mut f32,
    len: usize,
}

impl Guarded {
    fn new(values: &[f32], guard: Guard) -> Self {
        let (len, size) = (values.len(), size_of_val(values));
        // SAFETY: new pages of no one else. The middle ones are made accessible, and the values lie within them, at a
        // multiple of 4 bytes because pages and values are multiples of 4 bytes.
        unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            let room = size.next_multiple_of(page).max(page);
            let bytes = room + 2 * page;
            let own = libc::MAP_PRIVATE | libc::MAP_ANON;
            let pages = libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, own, -1, 0);
            assert_ne!(pages, libc::MAP_FAILED, "pages");
            let middle = pages.byte_add(page);
            assert_eq!(libc::mprotect(middle, room, libc::PROT_READ | libc::PROT_WRITE), 0, "accessible");
            let gap = if guard == Guard::Before { 0 } else { room - size };
            let first = middle.byte_add(gap).cast::<f32>();
            first.copy_from_nonoverlapping(values.as_ptr(), len);
            Self { pages, bytes, first, len }
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the pages are this value's own, and nothing borrows them any more.
        unsafe { libc::munmap(self.pages, self.bytes) };
    }
}

impl Deref for Guarded {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `len` values were written there, and the borrow is this value's.
        unsafe { std::slice::from_raw_parts(self.first, self.len) }
    }
}

impl DerefMut for Guarded {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: the same, and no one else has the pages.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.len) }
    }
}

fn sets() -> impl Iterator<Item = Present> {
    Instructions::ALL.into_iter().filter_map(Present::new)
}

/// One panel of each width that the instruction set has.
fn panels(present: Present) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Panel::for_outer(present, 124).map(|(_, panel)| panel).collect();
    panels.dedup();
    assert_eq!(panels.last().map(|panel| panel.columns), Some(4));
    panels
}

/// A value that no result of these tests has.
const POISON: f32 = -12345.0;

fn random(len: usize, rng: &mut fastrand::Rng) -> Vec<f32> {
    (0..len).map(|_| 2.0 * rng.f32() - 1.0).collect()
}

/// Compares a result with the sum of `terms`, within the roundings of so many.
#[track_caller]
fn assert_sum(got: f32, terms: impl Iterator<Item = f64> + Clone, what: &dyn Fn() -> String) {
    let (sum, size) = (terms.clone().sum::<f64>(), terms.clone().map(f64::abs).sum::<f64>());
    let most = terms.count() as f64 * f64::from(f32::EPSILON) * size;
    assert!((f64::from(got) - sum).abs() <= most, "{}: {got}, not {sum}", what());
}

/// Checks that `work` panics by the assertion that says `words`.
#[track_caller]
fn assert_refused(words: &str, work: impl FnOnce()) {
    let payload = catch_unwind(AssertUnwindSafe(work)).expect_err("a slice that is too short");
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
    assert!(text.contains(words), "'{text}' does not say '{words}'");
}

/// A strip with the least room for its taps: everything that it reads and writes.
struct Case {
    panel: Panel,
    pixels: usize,
    channels: usize,
    taps: Vec<Tap>,
    /// The first pixel's place, and the distances of pixels, of rows of weights, and of results.
    first: usize,
    stride: usize,
    pitch: usize,
    step: usize,
    src: Vec<f32>,
    weights: Vec<f32>,
    start: Vec<f32>,
    room: usize,
}

impl Case {
    /// `steps` are the taps: the distance in pixels, and the edge.
    fn new(
        panel: Panel,
        pixels: usize,
        channels: usize,
        steps: &[(isize, Edge)],
        gap: usize,
        rng: &mut fastrand::Rng,
    ) -> Self {
        let (columns, stride) = (panel.columns, channels + gap);
        // The pixels that are read, counted from the strip's first.
        let reach = |&(step, edge): &(isize, Edge)| {
            let [first, last] = [edge == Edge::First, edge == Edge::Last].map(isize::from);
            [step + first, step + pixels as isize - 1 - last]
        };
        let low = steps.iter().map(|tap| reach(tap)[0]).min().expect("a tap").min(0);
        let high = steps.iter().map(|tap| reach(tap)[1]).max().expect("a tap");
        let tap = |(weights, &(step, edge)): (usize, &(isize, Edge))| Tap {
            src: step * stride as isize,
            weights,
            edge,
        };
        let (pitch, step) = (columns + gap, columns + gap);
        Self {
            panel,
            pixels,
            channels,
            taps: steps.iter().enumerate().map(tap).collect(),
            first: (-low) as usize * stride,
            stride,
            pitch,
            step,
            src: random((high - low) as usize * stride + channels, rng),
            weights: random((steps.len() * channels - 1) * pitch + columns, rng),
            start: random(columns, rng),
            room: (pixels - 1) * step + columns,
        }
    }

    /// Computes from `start`, or adds to `dst`.
    fn compute(&self, [src, weights]: [&[f32]; 2], start: Option<&[f32]>, dst: &mut [f32]) {
        let strip = Strip {
            src,
            first: self.first,
            stride: self.stride,
            channels: self.channels,
            taps: &self.taps,
            weights,
            pitch: self.pitch,
            start,
        };
        strip.compute(self.panel, self.pixels, dst, self.step);
    }

    /// The terms of one result.
    fn terms(&self, pixel: usize, column: usize) -> impl Iterator<Item = f64> + Clone {
        let reaches = move |tap: &&Tap| match tap.edge {
            Edge::None => true,
            Edge::First => pixel > 0,
            Edge::Last => pixel + 1 < self.pixels,
        };
        let products = self.taps.iter().filter(reaches).flat_map(move |tap| {
            let from = (self.first + pixel * self.stride).wrapping_add_signed(tap.src);
            (0..self.channels).map(move |c| {
                let weight = self.weights[(tap.weights * self.channels + c) * self.pitch + column];
                f64::from(self.src[from + c]) * f64::from(weight)
            })
        });
        std::iter::once(f64::from(self.start[column])).chain(products)
    }

    fn check(&self, guard: Guard) {
        [false, true].into_iter().for_each(|add| self.check_sums(guard, add));
    }

    /// Checks all results; with `add`, the values that they start from lie in the result beforehand.
    fn check_sums(&self, guard: Guard, add: bool) {
        let [src, weights, start] =
            [&self.src, &self.weights, &self.start].map(|values| Guarded::new(values, guard));
        let before = |i: usize| match self.start.get(i % self.step) {
            Some(value) if add => *value,
            _ => POISON,
        };
        let mut dst = Guarded::new(&(0..self.room).map(before).collect::<Vec<_>>(), guard);
        self.compute([&src, &weights], (!add).then_some(&start), &mut dst);
        for (i, &got) in dst.iter().enumerate() {
            let (pixel, column) = (i / self.step, i % self.step);
            let what = || {
                let Self { panel, channels, taps, .. } = self;
                format!("{panel:?}, {channels} channels, {taps:?}, {guard:?}, pixel {pixel}, column {column}")
            };
            if column < self.panel.columns {
                assert_sum(got, self.terms(pixel, column), &what);
            } else {
                assert_eq!(got, POISON, "{}: what lies between results", what());
            }
        }
    }
}

/// One tap at each edge, three side by side as an image's border has them, and three as its inside has them.
const TAPS: [&[(isize, Edge)]; 5] = [
    &[(0, Edge::None)],
    &[(-1, Edge::First), (0, Edge::None)],
    &[(0, Edge::None), (1, Edge::Last)],
    &[(-1, Edge::First), (0, Edge::None), (1, Edge::Last)],
    &[(-1, Edge::None), (0, Edge::None), (1, Edge::None)],
];

#[test]
fn strips_touch_nothing_outside_of_their_slices() {
    let mut rng = fastrand::Rng::with_seed(1);
    for panel in sets().flat_map(panels) {
        for pixels in 1..=panel.pixels {
            for taps in TAPS {
                // A strip of one pixel has no tap that skips it.
                let skips = taps.iter().any(|(_, edge)| *edge != Edge::None);
                for (channels, gap) in [(1, 0), (4, 0), (7, 0), (4, 3)] {
                    if pixels > 1 || !skips {
                        let case = Case::new(panel, pixels, channels, taps, gap, &mut rng);
                        GUARDS.into_iter().for_each(|guard| case.check(guard));
                    }
                }
            }
        }
    }
}

#[test]
fn a_strip_refuses_slices_that_are_one_value_too_short() {
    let mut rng = fastrand::Rng::with_seed(2);
    for panel in sets().flat_map(panels) {
        for pixels in [2, panel.pixels] {
            let case = Case::new(panel, pixels, 4, TAPS[4], 0, &mut rng);
            let lengths = [case.src.len(), case.weights.len(), case.start.len(), case.room];
            for (short, words) in ["the tap's pixels", "the tap's weights", "a value for each column", "room"]
                .into_iter()
                .enumerate()
            {
                let all = [&case.src, &case.weights, &case.start, &vec![POISON; case.room]];
                let mut own = [0, 1, 2, 3].map(|i| {
                    let len = lengths[i] - usize::from(i == short);
                    Guarded::new(&all[i][..len], Guard::Behind)
                });
                let [src, weights, start, dst] = &mut own;
                assert_refused(words, || case.compute([src, weights], Some(start), dst));
            }
            // The first pixel of the first tap lies before the source.
            let early = Case { first: case.first - 1, ..case };
            let mut dst = vec![POISON; early.room];
            let given = [&early.src[..], &early.weights];
            assert_refused("the tap's pixels", || early.compute(given, Some(&early.start), &mut dst));
        }
    }
}

/// Lines of images: the lines of the run, those that count, and the pixels of each.
#[derive(Clone, Debug)]
struct Run {
    height: usize,
    lines: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
    count: usize,
}

impl Run {
    /// Image and line of each line that counts.
    fn used(&self) -> impl Iterator<Item = [usize; 2]> + Clone {
        let (height, rows) = (self.height, self.rows.clone());
        self.lines
            .clone()
            .map(move |line| [line / height, line % height])
            .filter(move |[_, y]| rows.contains(y))
    }

    /// The distances for pixels of `width` values, the first pixel's index, and the least length of the slice.
    fn layout(&self, width: usize, gap: usize) -> ([usize; 3], isize, usize) {
        let pixel = width + gap;
        let line = self.count * pixel + gap;
        let strides = [self.height * line + gap, line, pixel];
        let places = self.used().map(|[image, y]| image * strides[0] + y * strides[1]);
        let [low, high] = [places.clone().min(), places.max()].map(|place| place.expect("a line"));
        (strides, -(low as isize), high - low + (self.count - 1) * pixel + width)
    }
}

const RUNS: [Run; 4] = [
    Run { height: 1, lines: 0..1, rows: 0..1, count: 1 },
    Run { height: 3, lines: 1..5, rows: 0..3, count: 2 },
    Run { height: 3, lines: 0..6, rows: 1..3, count: 5 },
    Run { height: 4, lines: 2..11, rows: 0..2, count: 3 },
];

/// The numbers of input channels that a panel takes.
fn steps(panel: Panel) -> Vec<usize> {
    let mut steps: Vec<usize> = (1..=12).map(|n| panel.step(4 * n)).collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}

#[test]
fn outer_products_touch_nothing_outside_of_their_slices() {
    let mut rng = fastrand::Rng::with_seed(3);
    for panel in sets().flat_map(panels) {
        for (rows, run, gap) in steps(panel)
            .into_iter()
            .flat_map(|rows| RUNS.into_iter().flat_map(move |run| [0, 4].map(|gap| (rows, run.clone(), gap))))
        {
            let sides = [rows, panel.columns].map(|width| run.layout(width, gap));
            let values = sides.map(|(_, _, len)| random(len, &mut rng));
            let stride = panel.columns + gap;
            let before = random((rows - 1) * stride + panel.columns, &mut rng);
            for guard in GUARDS {
                let [left, right] = values.each_ref().map(|values| Guarded::new(values, guard));
                let mut dst = Guarded::new(&before, guard);
                outer(&run, [&left, &right], sides).add(panel, rows, &mut dst, stride);
                for (i, &got) in dst.iter().enumerate() {
                    let (row, column) = (i / stride, i % stride);
                    let what = || format!("{panel:?}, {rows} rows, {run:?}, {guard:?}, {row}, {column}");
                    if column >= panel.columns {
                        assert_eq!(got, before[i], "{}: what lies between results", what());
                        continue;
                    }
                    let at = |side: usize, [image, y]: [usize; 2], pixel: usize, channel: usize| {
                        let ([of_image, of_line, of_pixel], first, _) = sides[side];
                        let place = image * of_image + y * of_line + pixel * of_pixel + channel;
                        f64::from(values[side][place.wrapping_add_signed(first)])
                    };
                    let pixels = run.used().flat_map(|line| (0..run.count).map(move |pixel| (line, pixel)));
                    let products =
                        pixels.map(|(line, pixel)| at(0, line, pixel, row) * at(1, line, pixel, column));
                    assert_sum(got, std::iter::once(f64::from(before[i])).chain(products), &what);
                }
            }
        }
    }
}

fn outer<'a>(run: &Run, values: [&'a [f32]; 2], sides: [([usize; 3], isize, usize); 2]) -> Outer<'a> {
    let side = |i: usize| Side { values: values[i], first: sides[i].1, strides: sides[i].0 };
    let Run { height, lines, rows, count } = run.clone();
    Outer { left: side(0), right: side(1), height, lines, rows, count }
}

#[test]
fn outer_products_refuse_slices_that_are_one_value_too_short() {
    for panel in sets().flat_map(panels) {
        for (rows, run) in steps(panel).into_iter().flat_map(|rows| RUNS.map(|run| (rows, run))) {
            let sides = [rows, panel.columns].map(|width| run.layout(width, 0));
            let room = (rows - 1) * panel.columns + panel.columns;
            let pixels = "the line's pixels";
            for (short, words) in [pixels, pixels, "room for the block"].into_iter().enumerate() {
                let lengths = [sides[0].2, sides[1].2, room];
                let mut own = [0, 1, 2]
                    .map(|i| Guarded::new(&vec![1.0; lengths[i] - usize::from(i == short)], Guard::Behind));
                let [left, right, dst] = &mut own;
                let outer = outer(&run, [left, right], sides);
                assert_refused(words, || outer.add(panel, rows, dst, panel.columns));
            }
            // The first line lies before the slice.
            let values = sides.map(|(_, _, len)| vec![1.0; len]);
            let early = [sides[0], sides[1]].map(|(strides, first, len)| (strides, first - 1, len));
            let outer = outer(&run, [&values[0], &values[1]], early);
            assert_refused(pixels, || outer.add(panel, rows, &mut vec![0.0; room], panel.columns));
        }
    }
}

#[test]
fn chains_touch_nothing_outside_of_their_slice() {
    let [a, b] = [[0.9f32, -0.5, 0.1, 0.7], [1.0f32, 2.0, -3.0, 0.25]];
    for (present, steps) in sets().flat_map(|present| [0, 1, 5].map(|steps| (present, steps))) {
        for (quads, guard) in (1..=9).flat_map(|quads| GUARDS.map(|guard| (quads, guard))) {
            let mut dst = Guarded::new(&vec![POISON; 4 * quads], guard);
            chains(present, [a, b], steps, bytemuck::cast_slice_mut(&mut dst));
            for (i, &got) in dst.iter().enumerate() {
                let [a, b] = [a, b].map(|quad| f64::from(quad[i % 4]));
                let chain = |start: u32| (0..steps).fold(f64::from(start), |sum, _| sum * a + b);
                let sums = (0..12).map(chain);
                assert_sum(got, sums, &|| format!("{present:?}, {quads} quads, {guard:?}, value {i}"));
            }
        }
    }
}

/// The matrix of a transform along one axis, by Toom and Cook's rule: rows of N factors.
fn matrix(transform: Transform) -> Vec<Vec<f64>> {
    let points = [0.0, 0.75, -0.75, 1.5, -1.5];
    // The products with the other points, of which the last row is the one of infinity.
    let scale = |p: f64| points.iter().filter(|q| **q != p).map(|q| p - q).product::<f64>();
    let powers = |n: usize, scaled: bool| -> Vec<Vec<f64>> {
        let row = |p: &f64| (0..n).map(|i| p.powi(i as i32) / if scaled { scale(*p) } else { 1.0 }).collect();
        let last = (0..n).map(|i| f64::from(u8::from(i == n - 1))).collect();
        points.iter().map(row).chain([last]).collect()
    };
    // The coefficients of the product of (x - q) over `roots`, the lowest power first.
    let polynomial = |roots: &[f64]| {
        roots.iter().fold(vec![1.0], |own: Vec<f64>, root| {
            let shifted = std::iter::once(&0.0).chain(&own);
            shifted.zip(own.iter().chain([&0.0])).map(|(up, same)| up - root * same).collect()
        })
    };
    let turned = |rows: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        (0..rows[0].len()).map(|i| rows.iter().map(|row| row[i]).collect()).collect()
    };
    match transform {
        Transform::Source => {
            let others = |p: &f64| points.into_iter().filter(|q| q != p).collect::<Vec<_>>();
            let rows = points.iter().map(|p| polynomial(&others(p))).chain([polynomial(&points)]);
            rows.map(|mut row| {
                row.resize(6, 0.0);
                row
            })
            .collect()
        }
        Transform::Weights => powers(3, true),
        Transform::WeightsGradient => turned(powers(3, true)),
        Transform::Upstream => powers(4, false),
        Transform::Result => turned(powers(4, false)),
    }
}

#[test]
fn tiles_touch_nothing_outside_of_their_slices() {
    let mut rng = fastrand::Rng::with_seed(5);
    for (present, transform) in sets().flat_map(|present| Transform::ALL.map(|own| (present, own))) {
        let (rows, [n, m]) = (matrix(transform), transform.sizes());
        for (channels, guard) in [4, 8, 16, 20, 36].into_iter().flat_map(|c| GUARDS.map(|guard| (c, guard))) {
            // Places one after another in another order, but for one on each side.
            let places = |n: usize| -> Vec<usize> {
                let place = |i: usize| (i * 7 % (n * n)) * channels;
                (0..n * n).map(|i| if i == 4 { NOWHERE } else { place(i) }).collect()
            };
            let [from, to] = [n, m].map(places);
            let src = Guarded::new(&random(n * n * channels, &mut rng), guard);
            let mut dst = Guarded::new(&vec![POISON; m * m * channels], guard);
            let tile = Tile { src: &src, from: &from, to: &to, channels };
            tile.compute(present, transform, &mut dst);
            for (i, &at) in to.iter().enumerate().filter(|(_, at)| **at != NOWHERE) {
                for c in 0..channels {
                    let terms = (0..n * n)
                        .filter(|&k| from[k] != NOWHERE)
                        .map(|k| rows[i / m][k / n] * rows[i % m][k % n] * f64::from(src[from[k] + c]));
                    assert_sum(dst[at + c], terms, &|| {
                        format!("{present:?}, {transform:?}, {channels}, {guard:?}, {i}")
                    });
                }
            }
            let untouched = dst.iter().filter(|value| **value == POISON).count();
            assert_eq!(
                untouched, channels,
                "{present:?}, {transform:?}, {channels}: the place that is not wanted"
            );
        }
    }
}

#[test]
fn a_tile_refuses_slices_that_are_one_value_too_short() {
    for (present, transform) in sets().flat_map(|present| Transform::ALL.map(|own| (present, own))) {
        let [from, to] = transform.sizes().map(|n| (0..n * n).map(|i| 4 * i).collect::<Vec<_>>());
        let [src, dst] = [&from, &to].map(|places| vec![1.0; 4 * places.len()]);
        let compute = |src: &[f32], from: &[usize], channels: usize, mut dst: Vec<f32>| {
            Tile { src, from, to: &to, channels }.compute(present, transform, &mut dst);
        };
        compute(&src, &from, 4, dst.clone());
        assert_refused("the tile's numbers", || compute(&src[1..], &from, 4, dst.clone()));
        assert_refused("room for the results", || compute(&src, &from, 4, dst[1..].to_vec()));
        assert_refused("a place for each number", || compute(&src, &from[1..], 4, dst.clone()));
        assert_refused("channels in fours", || compute(&src, &from, 3, dst.clone()));
        let far: Vec<usize> = from.iter().map(|at| if *at == 4 { NOWHERE - 1 } else { *at }).collect();
        assert_refused("the tile's numbers", || compute(&src, &far, 4, dst.clone()));
    }
}
