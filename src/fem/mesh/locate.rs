//! Location of points: the triangle that contains a point, and the reference coordinates in it.

use super::element::{determinant, map};
use super::plane::{Point, sub};
use super::quadratic::Mesh;
use crate::size::Size;

/// The tolerance for rounding at a triangle's side, in units of the triangle's height.
const ROUNDING: f64 = 1e-9;
/// The tolerance at a side on the body's edge, in units of the triangle's height. There the curve may lie outside the
/// parabola that approximates it; this value is ample.
const BOW: f64 = 0.1;

/// A place in a mesh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeshPlace {
    /// The index of the triangle.
    pub triangle: u32,
    /// The reference coordinates in the triangle. They are slightly outside it where the body's edge lies outside the
    /// mesh.
    pub at: [f64; 2],
}

/// Finds points in a mesh with a grid of cells about as large as the triangles.
#[derive(Debug)]
pub struct Locator<'a> {
    mesh: &'a Mesh,
    low: Point,
    step: f64,
    size: [usize; 2],
    /// For each cell, the start of its range in `triangles`. The range ends where the next cell's range starts.
    starts: Vec<u32>,
    triangles: Vec<u32>,
    /// For each triangle, a bit for each side that lies on the body's outline.
    rims: Vec<u8>,
}

impl<'a> Locator<'a> {
    /// Prepares the search in `mesh`.
    pub fn new(mesh: &'a Mesh) -> Locator<'a> {
        let [low, high] =
            mesh.nodes.iter().fold([[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]], |[l, h], p| {
                [[l[0].min(p[0]), l[1].min(p[1])], [h[0].max(p[0]), h[1].max(p[1])]]
            });
        let extent = sub(high, low);
        let step = (extent[0] * extent[1] / mesh.triangles.len() as f64).sqrt().max(1e-12 * extent[0]);
        let size = extent.map(|e| (e / step) as usize + 1);
        let mut locator = Locator { mesh, low, step, size, starts: vec![], triangles: vec![], rims: vec![] };
        let mut pairs = vec![];
        for t in 0..mesh.triangles.len() {
            let [first, last] = locator.cells(&mesh.places(t));
            for y in first[1]..=last[1] {
                pairs.extend((first[0]..=last[0]).map(|x| ((y * size[0] + x) as u32, t as u32)));
            }
        }
        let mut starts = vec![0u32; size[0] * size[1] + 1];
        for (cell, _) in &pairs {
            starts[*cell as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        locator.triangles = vec![0; pairs.len()];
        for (cell, t) in pairs {
            locator.triangles[next[cell as usize] as usize] = t;
            next[cell as usize] += 1;
        }
        locator.starts = starts;
        locator.rims = vec![0; mesh.triangles.len()];
        for edge in &mesh.boundary {
            let middle = mesh.triangles[edge.triangle as usize][3..].iter().position(|m| *m == edge.nodes[1]);
            locator.rims[edge.triangle as usize] |= middle.map_or(0, |k| 1 << k);
        }
        locator
    }

    /// The first and last cell, along x and y, that a triangle may touch. A parabola leaves its nodes' bounding box
    /// by at most a quarter of its middle node's distance from the chord. A margin of an eighth of the box is ample.
    fn cells(&self, places: &[Point; 6]) -> [[usize; 2]; 2] {
        let range = |k: usize| {
            let low = places.iter().map(|p| p[k]).fold(f64::INFINITY, f64::min);
            let high = places.iter().map(|p| p[k]).fold(f64::NEG_INFINITY, f64::max);
            let room = (high - low) / 8.0;
            [low - room, high + room].map(|v| self.cell(v, k))
        };
        let [x, y] = [range(0), range(1)];
        [[x[0], y[0]], [x[1], y[1]]]
    }

    fn cell(&self, v: f64, k: usize) -> usize {
        (((v - self.low[k]) / self.step).max(0.0) as usize).min(self.size[k] - 1)
    }

    /// Finds the place of `p`. Returns `None` outside the body's outline.
    pub fn find(&self, p: [f64; 2]) -> Option<MeshPlace> {
        let reach = [0, 1].map(|k| (p[k] - self.low[k]) / self.step);
        // The body's edge may lie slightly outside the grid.
        if (0..2).any(|k| !(-0.5..=self.size[k] as f64 + 0.5).contains(&reach[k])) {
            return None;
        }
        let cell = self.cell(p[1], 1) * self.size[0] + self.cell(p[0], 0);
        let here = &self.triangles[self.starts[cell] as usize..self.starts[cell + 1] as usize];
        let mut best: Option<(f64, MeshPlace)> = None;
        for &triangle in here {
            let Some(at) = invert(&self.mesh.places(triangle as usize), p) else { continue };
            // The distances from sides 0-1, 1-2, 2-0, in units of the triangle's heights.
            let from = [at[1], 1.0 - at[0] - at[1], at[0]];
            let place = MeshPlace { triangle, at };
            let rim = |k: usize| self.rims[triangle as usize] >> k & 1 == 1;
            if (0..3).all(|k| from[k] >= if rim(k) { -BOW } else { -ROUNDING }) {
                let least = from.into_iter().fold(f64::INFINITY, f64::min);
                if least >= -ROUNDING && self.rims[triangle as usize] == 0 {
                    return Some(place);
                }
                if best.is_none_or(|(other, _)| least > other) {
                    best = Some((least, place));
                }
            }
        }
        let (_, place) = best?;
        self.mesh.body.contains(p).then_some(place)
    }

    /// Finds the places of a grid of points, `[ny][nx]`. Point (x, y) is at `origin` + (x, y) · `spacing`.
    pub fn grid(&self, origin: [f64; 2], spacing: [f64; 2], Size { nx, ny }: Size) -> Vec<Option<MeshPlace>> {
        (0..ny)
            .flat_map(|y| (0..nx).map(move |x| [x, y]))
            .map(|at| self.find([0, 1].map(|k| origin[k] + at[k] as f64 * spacing[k])))
            .collect()
    }
}

/// Inverts the map from the reference triangle at `p` by Newton's method. Returns `None` if `p` is far outside the
/// triangle.
fn invert(places: &[Point; 6], p: Point) -> Option<Point> {
    let [a, b, c, ..] = *places;
    let (e, f, d) = (sub(b, a), sub(c, a), sub(p, a));
    let area = e[0] * f[1] - e[1] * f[0];
    // The initial guess is the solution for straight sides.
    let mut at = [(d[0] * f[1] - d[1] * f[0]) / area, (e[0] * d[1] - e[1] * d[0]) / area];
    if at[0].min(at[1]).min(1.0 - at[0] - at[1]) < -0.3 {
        return None;
    }
    for _ in 0..20 {
        let (place, jacobian) = map(places, at);
        let [[j00, j01], [j10, j11]] = jacobian;
        let miss = sub(p, place);
        let det = determinant(jacobian);
        let step = [(miss[0] * j11 - miss[1] * j01) / det, (miss[1] * j00 - miss[0] * j10) / det];
        at = [at[0] + step[0], at[1] + step[1]];
        // Convergence is quadratic: after so small a step the remaining error is below rounding.
        if step[0].abs() + step[1].abs() < 1e-8 {
            break;
        }
    }
    at[0].is_finite().then_some(at)
}
