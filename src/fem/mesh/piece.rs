//! The pieces of an outline: lines, circular arcs, cubics.

use super::plane::{Point, add, between, cross, distance, dot, norm, scale, sub};
use std::f64::consts::PI;

/// Gauss-Legendre points and weights on 0..1, exact to degree 15.
const GAUSS: [[f64; 2]; 8] = {
    const HALF: [[f64; 2]; 4] = [
        [0.183_434_642_495_649_8, 0.362_683_783_378_362],
        [0.525_532_409_916_329, 0.313_706_645_877_887_27],
        [0.796_666_477_413_626_7, 0.222_381_034_453_374_48],
        [0.960_289_856_497_536_3, 0.101_228_536_290_376_26],
    ];
    let mut all = [[0.0; 2]; 8];
    let mut i = 0;
    while i < 4 {
        all[2 * i] = [0.5 - HALF[i][0] / 2.0, HALF[i][1] / 2.0];
        all[2 * i + 1] = [0.5 + HALF[i][0] / 2.0, HALF[i][1] / 2.0];
        i += 1;
    }
    all
};

/// A piece of a curve. Its parameter t runs from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// A straight line from one point to another.
    Line([Point; 2]),
    /// A circular arc around `centre`, anticlockwise from angle `from` by `sweep` (radians).
    Arc { centre: Point, radius: f64, from: f64, sweep: f64 },
    /// The cubic c0 + c1 t + c2 t² + c3 t³, and its length.
    Cubic([Point; 4], f64),
}

impl Piece {
    /// The cubic with these coefficients.
    pub fn cubic(coefficients: [Point; 4]) -> Piece {
        let length = Piece::Cubic(coefficients, 0.0).length_to(1.0);
        Piece::Cubic(coefficients, length)
    }

    /// The point at `t`.
    pub fn at(&self, t: f64) -> Point {
        match self {
            Piece::Line([a, b]) => between(*a, *b, t),
            Piece::Arc { centre, radius, from, sweep } => {
                let (sin, cos) = (from + sweep * t).sin_cos();
                add(*centre, [radius * cos, radius * sin])
            }
            Piece::Cubic([c0, c1, c2, c3], _) => {
                [0, 1].map(|i| c0[i] + t * (c1[i] + t * (c2[i] + t * c3[i])))
            }
        }
    }

    /// The first and second derivative of the point with respect to `t`.
    pub fn derivatives(&self, t: f64) -> [Point; 2] {
        match self {
            Piece::Line([a, b]) => [sub(*b, *a), [0.0; 2]],
            Piece::Arc { radius, from, sweep, .. } => {
                let (sin, cos) = (from + sweep * t).sin_cos();
                let speed = radius * sweep;
                [[-speed * sin, speed * cos], [-speed * sweep * cos, -speed * sweep * sin]]
            }
            Piece::Cubic([_, c1, c2, c3], _) => [
                [0, 1].map(|i| c1[i] + t * (2.0 * c2[i] + t * 3.0 * c3[i])),
                [0, 1].map(|i| 2.0 * c2[i] + t * 6.0 * c3[i]),
            ],
        }
    }

    /// One over the radius of curvature at `t`.
    pub fn curvature(&self, t: f64) -> f64 {
        let [first, second] = self.derivatives(t);
        cross(first, second).abs() / norm(first).powi(3)
    }

    /// The total length.
    pub fn length(&self) -> f64 {
        match self {
            Piece::Line([a, b]) => distance(*a, *b),
            Piece::Arc { radius, sweep, .. } => radius * sweep,
            Piece::Cubic(_, length) => *length,
        }
    }

    /// The length from the start to `t`.
    fn length_to(&self, t: f64) -> f64 {
        // Two halves are integrated: a cubic's speed is not a polynomial and may have its minimum anywhere.
        let half = |from: f64| {
            GAUSS.iter().map(|[x, w]| w * norm(self.derivatives(from + x * t / 2.0)[0])).sum::<f64>()
        };
        (half(0.0) + half(t / 2.0)) * t / 2.0
    }

    /// The parameter at length `s` from the start.
    pub fn parameter(&self, s: f64) -> f64 {
        let guess = (s / self.length()).clamp(0.0, 1.0);
        match self {
            Piece::Cubic(..) => {
                let mut t = guess;
                for _ in 0..20 {
                    let step = (s - self.length_to(t)) / norm(self.derivatives(t)[0]);
                    t = (t + step).clamp(0.0, 1.0);
                    if step.abs() < 1e-13 {
                        break;
                    }
                }
                t
            }
            _ => guess,
        }
    }

    /// The contribution to the enclosed area: half the integral of x dy - y dx.
    pub fn area(&self) -> f64 {
        match self {
            Piece::Line([a, b]) => cross(*a, *b) / 2.0,
            Piece::Arc { centre, radius, sweep, .. } => {
                (radius * radius * sweep + cross(*centre, sub(self.at(1.0), self.at(0.0)))) / 2.0
            }
            Piece::Cubic(..) => {
                GAUSS.iter().map(|&[t, w]| w * cross(self.at(t), self.derivatives(t)[0]) / 2.0).sum()
            }
        }
    }

    /// The number of chords for a polyline that follows the piece, each with a small change of direction.
    pub fn chords(&self) -> usize {
        match self {
            Piece::Line(_) => 1,
            Piece::Arc { sweep, .. } => (sweep / (PI / 32.0)).ceil() as usize,
            Piece::Cubic(..) => {
                let ways = [0.0, 0.5, 1.0].map(|t| self.derivatives(t)[0]);
                let turn: f64 = ways.windows(2).map(|w| cross(w[0], w[1]).atan2(dot(w[0], w[1])).abs()).sum();
                ((turn / (PI / 32.0)).ceil() as usize).max(2)
            }
        }
    }
}

/// The closed curve through `points` with continuous curvature: a periodic cubic spline. Its parameter is the square
/// root of the points' distances, which avoids loops where the distances differ much.
pub(super) fn spline(points: &[Point]) -> Vec<Piece> {
    let n = points.len();
    let step: Vec<f64> = (0..n).map(|i| distance(points[i], points[(i + 1) % n]).sqrt()).collect();
    let rise = |i: usize| scale(sub(points[(i + 1) % n], points[i]), 1.0 / step[i]);
    let mut slopes = vec![[0.0; 2]; n];
    // Gauss-Seidel: the diagonal is twice the sum of the other entries, so every round at least halves the error.
    for _ in 0..100 {
        for i in 0..n {
            let before = (i + n - 1) % n;
            let (l, r) = (1.0 / step[before], 1.0 / step[i]);
            let load = add(scale(rise(before), 3.0 * l), scale(rise(i), 3.0 * r));
            let around = add(scale(slopes[before], l), scale(slopes[(i + 1) % n], r));
            slopes[i] = scale(sub(load, around), 0.5 / (l + r));
        }
    }
    (0..n)
        .map(|i| {
            let delta = sub(points[(i + 1) % n], points[i]);
            let (m0, m1) = (scale(slopes[i], step[i]), scale(slopes[(i + 1) % n], step[i]));
            let c2 = sub(scale(delta, 3.0), add(scale(m0, 2.0), m1));
            let c3 = sub(add(m0, m1), scale(delta, 2.0));
            Piece::cubic([points[i], m0, c2, c3])
        })
        .collect()
}

/// The signed change of direction, in radians, from the end of one piece to the start of the next.
pub(super) fn bend(before: &Piece, after: &Piece) -> f64 {
    let (a, b) = (before.derivatives(1.0)[0], after.derivatives(0.0)[0]);
    cross(a, b).atan2(dot(a, b))
}
