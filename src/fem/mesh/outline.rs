//! Closed curves: the edges of a body and of its inclusions.

use super::piece::{Piece, bend, spline};
use super::plane::{Point, between, cross, distance, dot, meet, norm, sub};
use crate::error::{Error, Result};
use std::f64::consts::{FRAC_PI_2, TAU};

/// The change of direction above which two pieces meet in a corner, in radians.
const CORNER: f64 = 1e-6;
/// The change of direction above which a corner is too sharp for a mesh, in radians: an angle of 2 degrees remains.
const SPIKE: f64 = 3.106;

/// A closed curve that does not cross itself. It runs anticlockwise (x to the right, y up).
///
/// A point on it is given by its arc position: the length along the curve from the start. The start is a polygon's
/// first corner, or a circle's point of greatest x. Any unit of length may be used, if it is the same everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    kind: &'static str,
    pieces: Vec<Piece>,
    /// The arc position where each piece starts, and the total length at the end.
    starts: Vec<f64>,
    /// The arc positions where every mesh has a node, ascending.
    breaks: Vec<f64>,
    /// The breaks where the direction changes abruptly.
    corners: Vec<f64>,
    /// Points on the curve with their arc positions. The chords between them follow the curve closely.
    polyline: Vec<(f64, Point)>,
    area: f64,
}

impl Outline {
    /// A circle.
    ///
    /// # Errors
    /// [`Error::Usage`] if the radius is not above zero or a number is not finite. The same holds for the other
    /// shapes.
    pub fn circle(center: [f64; 2], radius: f64) -> Result<Outline> {
        positive("circle", "radius", radius)?;
        finite("circle", &[center])?;
        Outline::new("circle", vec![Piece::Arc { centre: center, radius, from: 0.0, sweep: TAU }])
    }

    /// A square with sides along the axes. The sides are numbered anticlockwise from the side of least y.
    pub fn square(center: [f64; 2], side: f64) -> Result<Outline> {
        positive("square", "side", side)?;
        Outline::straight("square", &boxed(center, [side, side]))
    }

    /// A rectangle of `size` along x and y. The sides are numbered anticlockwise from the side of least y.
    pub fn rectangle(center: [f64; 2], size: [f64; 2]) -> Result<Outline> {
        positive("rectangle", "width", size[0])?;
        positive("rectangle", "height", size[1])?;
        Outline::straight("rectangle", &boxed(center, size))
    }

    /// An equilateral triangle around `center`, with one corner toward +y.
    pub fn triangle(center: [f64; 2], side: f64) -> Result<Outline> {
        positive("triangle", "side", side)?;
        let radius = side / 3f64.sqrt();
        let corner = |i: usize| {
            let (sin, cos) = (FRAC_PI_2 + TAU * i as f64 / 3.0).sin_cos();
            [center[0] + radius * cos, center[1] + radius * sin]
        };
        Outline::straight("triangle", &[corner(0), corner(1), corner(2)])
    }

    /// A polygon with straight sides from each point to the next and from the last to the first. The points may run
    /// in either direction.
    ///
    /// # Errors
    /// [`Error::Usage`] for fewer than three points, two equal points in succession, or sides that cross or fold
    /// back.
    pub fn polygon(points: &[[f64; 2]]) -> Result<Outline> {
        Outline::straight("polygon", points)
    }

    /// A smooth curve through the points: a periodic cubic spline. The points may run in either direction.
    ///
    /// # Errors
    /// [`Error::Usage`] for fewer than four points, two equal points in succession, or a curve that crosses itself.
    pub fn smooth(points: &[[f64; 2]]) -> Result<Outline> {
        let points = tidy("smooth outline", points, 4)?;
        Outline::new("smooth outline", spline(&points))
    }

    fn straight(kind: &'static str, points: &[Point]) -> Result<Outline> {
        let points = tidy(kind, points, 3)?;
        let n = points.len();
        Outline::new(kind, (0..n).map(|i| Piece::Line([points[i], points[(i + 1) % n]])).collect())
    }

    fn new(kind: &'static str, pieces: Vec<Piece>) -> Result<Outline> {
        let mut starts = vec![0.0];
        let mut polyline = vec![];
        let mut corners = vec![];
        let mut length = 0.0;
        for (i, piece) in pieces.iter().enumerate() {
            let turn = bend(&pieces[(i + pieces.len() - 1) % pieces.len()], piece);
            if turn.abs() > SPIKE {
                return Err(Error::Usage(format!(
                    "the {kind} folds back on itself at {}; move that point",
                    show(piece.at(0.0))
                )));
            }
            if turn.abs() > CORNER {
                corners.push(length);
            }
            let chords = piece.chords();
            polyline.extend((0..chords).map(|j| {
                let s = piece.length() * j as f64 / chords as f64;
                (length + s, piece.at(piece.parameter(s)))
            }));
            length += piece.length();
            starts.push(length);
        }
        let area = pieces.iter().map(Piece::area).sum();
        let outline = Outline { kind, pieces, starts, breaks: corners.clone(), corners, polyline, area };
        let chords = outline.chords();
        for (i, (_, a)) in chords.iter().enumerate() {
            // Neighbouring chords share an end.
            let last = chords.len() - usize::from(i == 0);
            if let Some((_, b)) = chords[..last].iter().skip(i + 2).find(|(_, b)| meet(*a, *b)) {
                let at = show(b[0]);
                return Err(Error::Usage(format!("the {kind} crosses itself near {at}; change its points")));
            }
        }
        Ok(outline)
    }

    /// The same curve with a break at each of these arc positions: every mesh has a node there, and a new side
    /// starts. It marks the ends of a load.
    pub fn divided(mut self, at: &[f64]) -> Outline {
        let length = self.length();
        let [least, most] = [1e-9, 1.0 - 1e-9].map(|share| share * length);
        let around = |s: &f64| if s.rem_euclid(length) < most { s.rem_euclid(length) } else { 0.0 };
        self.breaks.extend(at.iter().map(around));
        self.breaks.sort_by(f64::total_cmp);
        self.breaks.dedup_by(|b, a| *b - *a < least);
        self
    }

    /// The name of the shape, for example "circle".
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The enclosed area.
    pub fn area(&self) -> f64 {
        self.area
    }

    /// The length of the curve.
    pub fn length(&self) -> f64 {
        self.starts[self.pieces.len()]
    }

    /// The least and the greatest x and y, up to the small distance between the curve and its chords.
    pub fn bounds(&self) -> [[f64; 2]; 2] {
        self.polyline.iter().fold([[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]], |[low, high], (_, p)| {
            [[low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])]]
        })
    }

    /// The arc positions of the corners and of the positions given to [`Outline::divided`].
    ///
    /// Side k runs from break k to the next one, and the last side runs around to the first break. Without breaks
    /// there is one side, from 0 to 0.
    pub fn breaks(&self) -> &[f64] {
        &self.breaks
    }

    /// The point at arc position `s`. `s` may exceed the length of the curve.
    pub fn at(&self, s: f64) -> [f64; 2] {
        let (piece, t) = self.find(s);
        piece.at(t)
    }

    /// The unit vector along the curve at arc position `s`.
    pub fn direction(&self, s: f64) -> [f64; 2] {
        let (piece, t) = self.find(s);
        let [first, _] = piece.derivatives(t);
        let speed = norm(first);
        [first[0] / speed, first[1] / speed]
    }

    /// One over the radius of curvature at arc position `s`.
    pub fn curvature(&self, s: f64) -> f64 {
        let (piece, t) = self.find(s);
        piece.curvature(t)
    }

    fn find(&self, s: f64) -> (&Piece, f64) {
        let s = if (0.0..self.length()).contains(&s) { s } else { s.rem_euclid(self.length()) };
        let i = self.starts.partition_point(|start| *start <= s).clamp(1, self.pieces.len()) - 1;
        (&self.pieces[i], self.pieces[i].parameter(s - self.starts[i]))
    }

    /// Evenly spaced points along the curve. The distance is the one nearest to `spacing` that divides the length.
    pub fn points(&self, spacing: f64) -> Vec<[f64; 2]> {
        let n = (self.length() / spacing).round().max(3.0);
        (0..n as usize).map(|i| self.at(self.length() * i as f64 / n)).collect()
    }

    /// Reports whether `p` is inside the curve.
    pub fn contains(&self, p: [f64; 2]) -> bool {
        let mut inside = false;
        for (arc, [a, b]) in self.chords() {
            let (along, to) = (sub(b, a), sub(p, a));
            let off = cross(along, to);
            // Counts the crossings of a ray toward +x. The ray crosses a rising edge if `p` is to the left of it, and
            // a falling edge if `p` is to the right. Horizontal edges are assigned to one of the two, so that every
            // point has a result.
            let up = along[1] > 0.0 || (along[1] == 0.0 && along[0] < 0.0);
            let crosses = |edge: f64| if up { off > edge } else { off < edge };
            if (a[1] > p[1]) != (b[1] > p[1]) {
                inside ^= crosses(0.0);
            }
            // Between a chord and the curve the polyline gives the wrong result, so it is corrected.
            let square = dot(along, along);
            let t = dot(along, to) / square;
            if off.abs() < 0.2 * square && (0.0..1.0).contains(&t) {
                inside ^= crosses(0.0) != crosses(self.bow(arc, [a, b], t));
            }
        }
        inside
    }

    /// The curve's offset from a chord at the share `t` of the chord, times the chord's length. It is positive to the
    /// left of the chord.
    fn bow(&self, arc: [f64; 2], [a, b]: [Point; 2], t: f64) -> f64 {
        let i = self.starts.partition_point(|start| *start <= arc[0]).clamp(1, self.pieces.len()) - 1;
        if matches!(self.pieces[i], Piece::Line(_)) {
            return 0.0;
        }
        let (along, goal) = (sub(b, a), between(a, b, t));
        let mut s = arc[0] + t * (arc[1] - arc[0]);
        for _ in 0..6 {
            let step = dot(sub(goal, self.at(s)), along) / dot(self.direction(s), along);
            s = (s + step).clamp(arc[0], arc[1]);
        }
        cross(along, sub(self.at(s), a))
    }

    /// The chords of the polyline: the arc positions and the points of their ends.
    pub(super) fn chords(&self) -> Vec<([f64; 2], [Point; 2])> {
        let n = self.polyline.len();
        (0..n)
            .map(|i| {
                let (s, a) = self.polyline[i];
                let (e, b) =
                    if i + 1 < n { self.polyline[i + 1] } else { (self.length(), self.polyline[0].1) };
                ([s, e], [a, b])
            })
            .collect()
    }

    /// The number of corners before arc position `s` (modulo the total), and the total. It identifies the stretch of
    /// the curve between two corners.
    pub(super) fn stretch(&self, s: f64) -> (usize, usize) {
        let n = self.corners.len();
        (self.corners.partition_point(|corner| *corner <= s) % n.max(1), n)
    }
}

fn boxed([x, y]: Point, size: Point) -> [Point; 4] {
    let [w, h] = [size[0] / 2.0, size[1] / 2.0];
    [[x - w, y - h], [x + w, y - h], [x + w, y + h], [x - w, y + h]]
}

/// Formats a point for a message.
pub(super) fn show([x, y]: Point) -> String {
    format!("({x:.4}, {y:.4})")
}

fn positive(kind: &str, name: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::Usage(format!("the {kind}'s {name} is {value}; give a number above zero")))
}

fn finite(kind: &str, points: &[Point]) -> Result<()> {
    match points.iter().flatten().find(|v| !v.is_finite()) {
        Some(v) => Err(Error::Usage(format!("a coordinate of the {kind} is {v}; give a finite number"))),
        None => Ok(()),
    }
}

/// Returns `points` anticlockwise, without a repeated first point at the end.
fn tidy(kind: &str, points: &[Point], least: usize) -> Result<Vec<Point>> {
    finite(kind, points)?;
    let mut points = points.to_vec();
    if points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    let n = points.len();
    if n < least {
        return Err(Error::Usage(format!("the {kind} has {n} points; give at least {least}")));
    }
    let length: f64 = (0..n).map(|i| distance(points[i], points[(i + 1) % n])).sum();
    if let Some(i) = (0..n).find(|&i| distance(points[i], points[(i + 1) % n]) <= 1e-6 * length) {
        let (at, next) = (show(points[i]), (i + 1) % n + 1);
        return Err(Error::Usage(format!(
            "points {} and {next} of the {kind} are alike: {at}; remove one",
            i + 1
        )));
    }
    let area: f64 = (0..n).map(|i| cross(points[i], points[(i + 1) % n])).sum();
    if area < 0.0 {
        points.reverse();
    }
    Ok(points)
}
