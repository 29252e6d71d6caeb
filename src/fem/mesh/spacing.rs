//! The edge lengths of a mesh. They follow the caller's function, and are shorter where outlines are near each other
//! or bend sharply. They change slowly everywhere.

use super::outline::{Outline, show};
use super::plane::{Point, add, cross, distance, dot, meet, nearest, norm, scale, sub};
use crate::error::{Error, Result};

/// The maximum growth of the edge length per unit of distance.
const GROWTH: f64 = 0.3;
/// Edges per radius of curvature. Two give edges of 29 degrees of arc.
const PER_RADIUS: f64 = 2.0;
/// The least distance between two outlines, relative to the square root of the body's area.
const LEAST_GAP: f64 = 1e-3;
/// The largest number of grid nodes.
const MOST_NODES: f64 = 1e6;
/// The largest number of triangles of a mesh.
const MOST_TRIANGLES: f64 = 2e6;

/// The name of an outline in messages.
pub(super) fn name(outlines: &[&Outline], i: usize) -> String {
    let kind = outlines[i].kind();
    if i == 0 { format!("the body ({kind})") } else { format!("inclusion {i} ({kind})") }
}

/// A pair of outlines that cannot be meshed together, by number. The body is number 0.
pub(crate) struct Clash {
    pub first: usize,
    /// The greater of the two numbers: always an inclusion.
    pub second: usize,
    pub how: How,
}

/// The conflict between two outlines.
pub(crate) enum How {
    /// The inclusion crosses the body's edge.
    Reaches,
    /// The inclusion is outside the body.
    Outside,
    /// The inclusions cross, or one is inside the other.
    Overlap,
    /// The outlines are nearer to each other than a mesh allows.
    Near { gap: f64, least: f64, at: Point },
}

/// Refuses inclusions that are not entirely inside the body (the first outline) or that overlap.
pub(super) fn check(outlines: &[&Outline]) -> Result<()> {
    let Some(Clash { first, second, how }) = clash(outlines) else { return Ok(()) };
    let [first, second] = [first, second].map(|i| name(outlines, i));
    Err(Error::Usage(match how {
        How::Reaches => format!("{second} reaches outside {first}"),
        How::Outside => format!("{second} lies outside {first}"),
        How::Overlap => format!("{second} and {first} overlap"),
        How::Near { gap, least, at } => format!(
            "{second} and {first} come within {gap:.3} of each other near {}; leave at least {least:.3}",
            show(at)
        ),
    }))
}

/// Finds the first pair of outlines in conflict: an inclusion that is not entirely inside the body, or two inclusions
/// that overlap or are too near.
pub(crate) fn clash(outlines: &[&Outline]) -> Option<Clash> {
    let least = LEAST_GAP * outlines[0].area().sqrt();
    for (i, a) in outlines.iter().enumerate() {
        for (j, b) in outlines.iter().enumerate().skip(i + 1) {
            let found = |how| Some(Clash { first: i, second: j, how });
            let (first, second) = (a.chords(), b.chords());
            let apart =
                |p: &Point| first.iter().map(|(_, c)| nearest(*p, *c).1).fold(f64::INFINITY, f64::min);
            if first.iter().any(|(_, c)| second.iter().any(|(_, d)| meet(*c, *d))) {
                return found(if i == 0 { How::Reaches } else { How::Overlap });
            }
            let within = a.contains(b.at(0.0));
            if i == 0 && !within {
                return found(How::Outside);
            }
            if i > 0 && (within || b.contains(a.at(0.0))) {
                return found(How::Overlap);
            }
            if let Some((_, [p, _])) = second.iter().find(|(_, [p, _])| apart(p) < least) {
                return found(How::Near { gap: apart(p), least, at: *p });
            }
        }
    }
    None
}

/// The edge length as a function of position, stored on a grid.
pub(super) struct Spacing {
    origin: Point,
    step: f64,
    size: [usize; 2],
    values: Vec<f64>,
    /// True for grid nodes inside the body.
    inside: Vec<bool>,
    /// The smallest length on the grid.
    pub least: f64,
}

impl Spacing {
    pub fn new(outlines: &[&Outline], wish: &dyn Fn(Point) -> f64) -> Result<Spacing> {
        let bad = std::cell::Cell::new(None);
        let wish = |p: Point| {
            let h = wish(p);
            if !(h > 0.0 && h.is_finite()) {
                bad.set(Some((p, h)));
                return 1.0;
            }
            h
        };
        let body = outlines[0];
        let [low, high] = body.bounds();
        let extent = sub(high, low);
        let marks = marks(outlines, &wish);
        let coarse = norm(extent) / 64.0;
        let probe = Spacing::blank(body, low, extent, coarse);
        let least = marks.iter().map(|(_, h)| *h).chain(probe.nodes_inside().map(|(_, p)| wish(p)));
        let least = least.fold(f64::INFINITY, f64::min);
        let smallest = (extent[0] * extent[1] / MOST_NODES).sqrt();
        let mut spacing = Spacing::blank(body, low, extent, (least / 1.5).max(smallest));
        for (i, p) in spacing.nodes_inside().collect::<Vec<_>>() {
            spacing.values[i] = wish(p);
        }
        if let Some((p, h)) = bad.get() {
            return Err(Error::Usage(format!(
                "the edge length at {} is {h}; give a length above zero",
                show(p)
            )));
        }
        for (p, h) in marks {
            let (corner, _) = spacing.cell(p);
            for i in [0, 1, spacing.size[0], spacing.size[0] + 1].map(|more| corner + more) {
                // Outside the body there is no desired length. Growth there would only lengthen the edges on the
                // outline.
                let growth = if spacing.inside[i] { GROWTH * distance(p, spacing.node(i)) } else { 0.0 };
                spacing.values[i] = spacing.values[i].min(h + growth);
            }
        }
        spacing.smooth();
        spacing.least = spacing.values.iter().copied().fold(f64::INFINITY, f64::min);
        let triangles: f64 =
            spacing.nodes_inside().map(|(i, _)| 2.3 * (spacing.step / spacing.values[i]).powi(2)).sum();
        if triangles > MOST_TRIANGLES {
            return Err(Error::Usage(format!(
                "edges as short as {:.3e} would make about {triangles:.0} triangles, and the limit is {MOST_TRIANGLES}; use longer edges",
                spacing.least
            )));
        }
        Ok(spacing)
    }

    fn blank(body: &Outline, low: Point, extent: Point, step: f64) -> Spacing {
        let origin = sub(low, [step, step]);
        let size = extent.map(|e| (e / step).ceil() as usize + 4);
        let nodes = size[0] * size[1];
        let values = vec![f64::INFINITY; nodes];
        let mut spacing = Spacing { origin, step, size, values, inside: vec![false; nodes], least: 0.0 };
        let chords = body.chords();
        for row in 0..size[1] {
            let y = origin[1] + row as f64 * step;
            // Every crossing of this row with the body's edge flips the state of all nodes beyond it.
            for (_, [a, b]) in chords.iter().filter(|(_, [a, b])| (a[1] > y) != (b[1] > y)) {
                let x = a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
                let first = ((x - origin[0]) / step).ceil().max(0.0) as usize;
                for node in &mut spacing.inside[row * size[0] + first.min(size[0])..(row + 1) * size[0]] {
                    *node = !*node;
                }
            }
        }
        spacing
    }

    fn node(&self, i: usize) -> Point {
        add(self.origin, scale([(i % self.size[0]) as f64, (i / self.size[0]) as f64], self.step))
    }

    fn nodes_inside(&self) -> impl Iterator<Item = (usize, Point)> {
        (0..self.inside.len()).filter(|&i| self.inside[i]).map(|i| (i, self.node(i)))
    }

    /// Lowers each node to the largest value its neighbours allow, in one forward and one backward sweep over the
    /// grid.
    fn smooth(&mut self) {
        let [w, h] = self.size;
        let (straight, across) = (GROWTH * self.step, GROWTH * self.step * 2f64.sqrt());
        let forth = (1..h - 1).flat_map(|y| (1..w - 1).map(move |x| y * w + x));
        let back = (1..h - 1).rev().flat_map(|y| (1..w - 1).rev().map(move |x| y * w + x));
        for i in forth.chain(back) {
            let v = &self.values;
            let by_side = v[i - 1].min(v[i + 1]).min(v[i - w]).min(v[i + w]) + straight;
            let corner = v[i - w - 1].min(v[i - w + 1]).min(v[i + w - 1]).min(v[i + w + 1]) + across;
            self.values[i] = v[i].min(by_side).min(corner);
        }
        // Copies values to the border nodes. Only interpolation at the body's extremes reads them.
        for i in 0..w * h {
            let inner = |k: usize, n: usize| k.clamp(1, n - 2);
            self.values[i] = self.values[inner(i / w, h) * w + inner(i % w, w)];
        }
    }

    /// The grid cell of `p`: the index of its first node, and the position of `p` in the cell.
    fn cell(&self, p: Point) -> (usize, Point) {
        let place = [0, 1]
            .map(|k| ((p[k] - self.origin[k]) / self.step).clamp(0.0, (self.size[k] - 1) as f64 - 1e-9));
        let first = place.map(f64::floor);
        (first[1] as usize * self.size[0] + first[0] as usize, sub(place, first))
    }

    /// The desired edge length at `p`.
    pub fn at(&self, p: Point) -> f64 {
        let (i, [x, y]) = self.cell(p);
        let (v, w) = (&self.values, self.size[0]);
        (v[i] * (1.0 - x) + v[i + 1] * x) * (1.0 - y) + (v[i + w] * (1.0 - x) + v[i + w + 1] * x) * y
    }

    /// Reports whether `p` is inside the body. Returns `None` near the body's edge.
    pub fn contains(&self, p: Point) -> Option<bool> {
        let (i, _) = self.cell(p);
        let around = [1, self.size[0], self.size[0] + 1].map(|more| self.inside[i + more]);
        around.iter().all(|inside| *inside == self.inside[i]).then_some(self.inside[i])
    }
}

/// Points along the outlines, each with the edge length it allows.
fn marks(outlines: &[&Outline], wish: &dyn Fn(Point) -> f64) -> Vec<(Point, f64)> {
    let chords: Vec<_> = outlines.iter().map(|o| o.chords()).collect();
    let mut marks = vec![];
    for (i, outline) in outlines.iter().enumerate() {
        let breaks = outline.breaks();
        let n = (128.0 * (outline.length() / outlines[0].length()).sqrt()).ceil().max(32.0) as usize;
        let n = n.max(chords[i].len());
        let step = outline.length() / n as f64;
        let evenly = (0..n).map(|j| (j as f64 + 0.5) * step);
        for s in evenly.chain(breaks.iter().copied()) {
            let (p, along) = (outline.at(s), outline.direction(s));
            let normal = [along[1], -along[0]];
            let inward = add(p, scale(normal, -1e-6 * step));
            let k = breaks.partition_point(|b| *b <= s);
            let side = match breaks.len() {
                0 | 1 => outline.length(),
                count => (breaks[k % count] - breaks[(k + count - 1) % count]).rem_euclid(outline.length()),
            };
            let mut h = wish(inward).min(side);
            if i > 0 {
                h = h.min(wish(add(p, scale(normal, 1e-6 * step))));
            }
            for part in [-0.5, -0.25, 0.0, 0.25, 0.5] {
                h = h.min(1.0 / (PER_RADIUS * outline.curvature(s + part * step)));
            }
            let (stretch, stretches) = outline.stretch(s);
            for (j, chords) in chords.iter().enumerate() {
                for (arc, [a, b]) in chords {
                    let (t, d) = nearest(p, [*a, *b]);
                    if d >= h {
                        continue;
                    }
                    // On the same curve, only a stretch that faces this point across a gap counts. The two stretches
                    // that meet this one in a corner do not count.
                    let (other, _) = outline.stretch(arc[0]);
                    let apart = (other + stretches - stretch).min(stretch + stretches - other);
                    let meets = i == j && stretches > 1 && (apart % stretches <= 1 || apart == stretches - 1);
                    let q = sub(add(scale(*a, 1.0 - t), scale(*b, t)), p);
                    let faces = dot(sub(*b, *a), along) < -0.2 * distance(*a, *b)
                        && cross(along, q).abs() > 0.5 * norm(q);
                    if i != j || (!meets && faces) {
                        h = h.min(d);
                    }
                }
            }
            marks.push((p, h));
        }
    }
    marks
}
