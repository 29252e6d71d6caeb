//! Placement of the triangles' corners: along the outlines first, then inward from them.

use super::outline::Outline;
use super::plane::{Point, add, between, distance, scale, sub};
use super::spacing::Spacing;

/// The least distance of a new point from the others, in desired edge lengths.
const NEAREST: f64 = 0.75;

/// A closed chain of corners along an outline.
pub(super) struct Ring {
    /// The index of the first corner; the others follow.
    pub first: usize,
    /// The arc positions of the corners, ascending.
    pub arcs: Vec<f64>,
}

impl Ring {
    /// The edges of the ring, as the indices of their two corners.
    pub fn edges(&self) -> impl Iterator<Item = [usize; 2]> {
        let n = self.arcs.len();
        (0..n).map(move |i| [self.first + i, self.first + (i + 1) % n])
    }
}

/// Places corners along each outline: at its breaks, and between them at the distances that `spacing` asks for.
pub(super) fn along(outlines: &[&Outline], spacing: &Spacing) -> (Vec<Point>, Vec<Ring>) {
    let mut points = vec![];
    let mut rings = vec![];
    for outline in outlines {
        let length = outline.length();
        let breaks = if outline.breaks().is_empty() { &[0.0][..] } else { outline.breaks() };
        let mut arcs = vec![];
        for (k, &start) in breaks.iter().enumerate() {
            let end = if k + 1 < breaks.len() { breaks[k + 1] } else { breaks[0] + length };
            // The samples are dense enough that the desired length changes little between two of them.
            let samples = ((end - start) / spacing.least * 4.0).ceil().clamp(4.0, 1e5) as usize;
            let step = (end - start) / samples as f64;
            let per: Vec<f64> = (0..samples)
                .map(|i| step / spacing.at(outline.at(start + (i as f64 + 0.5) * step)))
                .collect();
            let total: f64 = per.iter().sum();
            let count = total.round().max(if breaks.len() < 3 { 4.0 } else { 1.0 });
            let mut sum = 0.0;
            let mut next = 0.0;
            for (i, part) in per.iter().enumerate() {
                while sum + part >= next * total / count && next < count {
                    let t = (next * total / count - sum) / part;
                    arcs.push((start + (i as f64 + t) * step).rem_euclid(length));
                    next += 1.0;
                }
                sum += part;
            }
        }
        arcs.sort_by(f64::total_cmp);
        rings.push(Ring { first: points.len(), arcs: arcs.clone() });
        points.extend(arcs.iter().map(|s| outline.at(*s)));
    }
    (points, rings)
}

/// Adds points inside the body, each about the desired edge length from some earlier point. An advancing front starts
/// at the rings and places equilateral triangles as long as there is room.
pub(super) fn inward(points: &mut Vec<Point>, rings: &[Ring], body: &Outline, spacing: &Spacing) {
    let mut near = Near::new(spacing, points, body.bounds());
    let mut front = vec![];
    let mut offer = |from: Point, way: Point, points: &mut Vec<Point>, front: &mut Vec<(Point, Point)>| {
        let first = add(from, scale(way, spacing.at(from)));
        let reach = (spacing.at(from) + spacing.at(first)) / 2.0;
        let p = add(from, scale(way, reach));
        let room = NEAREST * spacing.at(p);
        let within = spacing.contains(p).unwrap_or_else(|| body.contains(p));
        if within && near.free(points, p, room) {
            near.add(points, p);
            front.push((p, way));
        }
    };
    for (k, ring) in rings.iter().enumerate() {
        for [a, b] in ring.edges() {
            let (a, b) = (points[a], points[b]);
            let edge = sub(b, a);
            let length = distance(a, b);
            let left = [-edge[1] / length, edge[0] / length];
            let sides = if k == 0 { &[left][..] } else { &[left, scale(left, -1.0)][..] };
            for side in sides {
                let middle = between(a, b, 0.5);
                // The apex of the equilateral triangle is √3/2 of the edge away. `offer` steps a whole edge length,
                // so the step starts behind the edge.
                let behind = add(middle, scale(*side, (3f64.sqrt() / 2.0 - 1.0) * length));
                offer(behind, *side, points, &mut front);
            }
        }
    }
    let mut done = 0;
    while done < front.len() {
        let (p, [x, y]) = front[done];
        done += 1;
        let (c, s) = (0.5, 3f64.sqrt() / 2.0);
        for way in [[x, y], [c * x - s * y, s * x + c * y], [c * x + s * y, c * y - s * x]] {
            offer(p, way, points, &mut front);
            offer(p, scale(way, -1.0), points, &mut front);
        }
    }
}

/// Points by position: linked lists over a grid.
struct Near {
    origin: Point,
    step: f64,
    size: [usize; 2],
    heads: Vec<u32>,
    next: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Near {
    fn new(spacing: &Spacing, points: &[Point], [low, high]: [Point; 2]) -> Near {
        let extent = sub(high, low);
        let step = spacing.least.max((extent[0] * extent[1] / 4e6).sqrt());
        let size = extent.map(|e| (e / step) as usize + 1);
        let heads = vec![NONE; size[0] * size[1]];
        let mut near = Near { origin: low, step, size, heads, next: vec![] };
        for p in points {
            near.link(*p);
        }
        near
    }

    fn place(&self, p: Point) -> [usize; 2] {
        [0, 1].map(|k| (((p[k] - self.origin[k]) / self.step).max(0.0) as usize).min(self.size[k] - 1))
    }

    fn link(&mut self, p: Point) {
        let [x, y] = self.place(p);
        let head = &mut self.heads[y * self.size[0] + x];
        self.next.push(*head);
        *head = (self.next.len() - 1) as u32;
    }

    fn add(&mut self, points: &mut Vec<Point>, p: Point) {
        points.push(p);
        self.link(p);
    }

    /// Reports whether no point is within `room` of `p`.
    fn free(&self, points: &[Point], p: Point, room: f64) -> bool {
        let [left, below] = self.place(sub(p, [room, room]));
        let [right, above] = self.place(add(p, [room, room]));
        (below..=above).flat_map(|y| (left..=right).map(move |x| y * self.size[0] + x)).all(|cell| {
            let mut i = self.heads[cell];
            while i != NONE {
                if distance(points[i as usize], p) < room {
                    return false;
                }
                i = self.next[i as usize];
            }
            true
        })
    }
}
