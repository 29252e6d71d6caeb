//! Six-node triangles whose sides follow the outlines.

use super::element::least_determinant;
use super::fill::{Ring, along, inward};
use super::outline::{Outline, show};
use super::plane::{Point, add, between, distance, norm, scale};
use super::spacing::{Spacing, check};
use super::triangulate::triangulate;
use crate::error::{Error, Result};

/// A mesh of quadratic triangles that follow the edges of a body and of its inclusions.
///
/// The same arguments give the same mesh, bit for bit. The corners are numbered first, then the midside nodes. A
/// seventh node in each triangle, for a bubble, has the number [`Mesh::bubble`].
#[derive(Debug, Clone)]
pub struct Mesh {
    /// The positions of the nodes.
    pub nodes: Vec<[f64; 2]>,
    /// The number of corner nodes; they come first.
    pub corners: usize,
    /// The nodes of each triangle: three corners anticlockwise, then the midside nodes of 0-1, 1-2, 2-0.
    pub triangles: Vec<[u32; 6]>,
    /// The region of each triangle: 0 for the background, k for the k-th inclusion.
    pub regions: Vec<u32>,
    /// The edges along the body's outline, in order of arc position.
    pub boundary: Vec<Edge>,
    /// The edges along each inclusion's outline, in order of arc position. Their triangles belong to the inclusion.
    pub interfaces: Vec<Vec<Edge>>,
    pub(super) body: Outline,
}

/// A triangle side on an outline. The triangle is to its left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// The triangle inside the outline.
    pub triangle: u32,
    /// The first corner, the midside node and the last corner, in the outline's direction.
    pub nodes: [u32; 3],
    /// The arc positions of both ends. The last edge ends at the first edge's start plus the outline's length.
    pub arc: [f64; 2],
    /// The number of the outline's side, as divided by [`Outline::breaks`].
    pub side: usize,
}

impl Edge {
    /// The point at `t` (0 at the first corner, 1 at the last) and the outward normal there. The normal's length is
    /// the length of curve per t. The integral of a load is the sum of weight, traction and this length over the
    /// quadrature points.
    pub fn at(&self, nodes: &[[f64; 2]], t: f64) -> ([f64; 2], [f64; 2]) {
        let [a, m, b] = self.nodes.map(|i| nodes[i as usize]);
        let sum = |w: [f64; 3]| add(add(scale(a, w[0]), scale(m, w[1])), scale(b, w[2]));
        let along = sum([4.0 * t - 3.0, 4.0 - 8.0 * t, 4.0 * t - 1.0]);
        (sum(Edge::shape(t)), [along[1], -along[0]])
    }

    /// The shape functions of the edge's three nodes at `t`.
    pub fn shape(t: f64) -> [f64; 3] {
        [(1.0 - t) * (1.0 - 2.0 * t), 4.0 * t * (1.0 - t), t * (2.0 * t - 1.0)]
    }

    /// The outward unit normal at the middle of the edge.
    pub fn normal(&self, nodes: &[[f64; 2]]) -> [f64; 2] {
        let (_, normal) = self.at(nodes, 0.5);
        scale(normal, 1.0 / norm(normal))
    }
}

impl Mesh {
    /// Meshes `body` with `inclusions` in it. `size` is the desired edge length as a function of position, in the
    /// outlines' unit. It is evaluated inside the body only.
    ///
    /// Edges are shorter where a curve bends sharply or leaves a narrow gap. The edge length changes by at most three
    /// tenths of the distance, so small triangles have small neighbours.
    ///
    /// # Errors
    /// [`Error::Usage`] in these cases:
    /// - Inclusions overlap, reach outside the body or are too near to each other or to its edge. The message gives
    ///   their numbers (from 1).
    /// - An edge length is not above zero, or so short that the mesh would have more than 2 million triangles.
    /// - A curve bends too sharply for its edges.
    pub fn new(body: &Outline, inclusions: &[Outline], size: &dyn Fn([f64; 2]) -> f64) -> Result<Mesh> {
        let outlines: Vec<&Outline> = std::iter::once(body).chain(inclusions).collect();
        check(&outlines)?;
        let spacing = Spacing::new(&outlines, size)?;
        let (mut points, rings) = along(&outlines, &spacing);
        inward(&mut points, &rings, body, &spacing);
        let triangles = triangulate(&mut points, &rings, body, &spacing)?;
        Mesh::quadratic(points, &triangles.corners, triangles.regions, &outlines, &rings)
    }

    /// Adds the midside nodes.
    fn quadratic(
        mut nodes: Vec<Point>,
        corners: &[[u32; 3]],
        regions: Vec<u32>,
        outlines: &[&Outline],
        rings: &[Ring],
    ) -> Result<Mesh> {
        let count = nodes.len();
        // Every side of every triangle, sorted so that equal sides are adjacent: ends, triangle, side.
        let mut sides: Vec<([u32; 2], u32, u32)> = (0..corners.len())
            .flat_map(|t| {
                (0..3).map(move |k| {
                    let (a, b) = (corners[t][k], corners[t][(k + 1) % 3]);
                    ([a.min(b), a.max(b)], t as u32, k as u32)
                })
            })
            .collect();
        sides.sort_unstable();
        let mut triangles: Vec<[u32; 6]> = corners.iter().map(|&[a, b, c]| [a, b, c, 0, 0, 0]).collect();
        for pair in sides.chunk_by(|a, b| a.0 == b.0) {
            let [a, b] = pair[0].0.map(|i| nodes[i as usize]);
            for (_, t, k) in pair {
                triangles[*t as usize][3 + *k as usize] = nodes.len() as u32;
            }
            nodes.push(between(a, b, 0.5));
        }
        let mut edges = vec![];
        for (outline, ring) in outlines.iter().zip(rings) {
            let (n, breaks) = (ring.arcs.len(), outline.breaks());
            let mut of_ring = Vec::with_capacity(n);
            for (i, [a, b]) in ring.edges().enumerate() {
                let (a, b) = (a as u32, b as u32);
                let start = ring.arcs[i];
                let end = if i + 1 < n { ring.arcs[i + 1] } else { ring.arcs[0] + outline.length() };
                let first = sides.partition_point(|side| side.0 < [a.min(b), a.max(b)]);
                let left =
                    sides[first..].iter().take(2).find(|(_, t, k)| corners[*t as usize][*k as usize] == a);
                let Some(&(_, triangle, k)) = left else {
                    return Err(Error::Usage(format!(
                        "the mesh lost an edge of an outline at {}; use another edge length",
                        show(outline.at(start))
                    )));
                };
                let middle = triangles[triangle as usize][3 + k as usize];
                nodes[middle as usize] = outline.at((start + end) / 2.0);
                let side =
                    (breaks.partition_point(|s| *s <= start) + breaks.len().max(1) - 1) % breaks.len().max(1);
                of_ring.push(Edge { triangle, nodes: [a, middle, b], arc: [start, end], side });
            }
            edges.push(of_ring);
        }
        let boundary = edges.remove(0);
        let body = outlines[0].clone();
        let mesh = Mesh { nodes, corners: count, triangles, regions, boundary, interfaces: edges, body };
        for t in 0..mesh.triangles.len() {
            let places = mesh.places(t);
            if least_determinant(&places) <= 0.0 {
                return Err(Error::Usage(format!(
                    "an outline bends too sharply for the mesh near {}; make it smoother or the edges shorter",
                    show(places[0])
                )));
            }
        }
        Ok(mesh)
    }

    /// The positions of triangle `t`'s six nodes.
    pub fn places(&self, t: usize) -> [[f64; 2]; 6] {
        self.triangles[t].map(|i| self.nodes[i as usize])
    }

    /// The number of the bubble's node in triangle `t`. Bubbles are numbered after all nodes of the mesh.
    pub fn bubble(&self, t: usize) -> usize {
        self.nodes.len() + t
    }

    /// The body's outline.
    pub fn body(&self) -> &Outline {
        &self.body
    }

    /// The least angle in degrees between the chords of a triangle's sides, over all triangles.
    pub fn least_angle(&self) -> f64 {
        (0..self.triangles.len())
            .map(|t| {
                let [a, b, c, ..] = self.places(t);
                super::plane::least_angle([a, b, c]).to_degrees()
            })
            .fold(f64::INFINITY, f64::min)
    }

    /// The lengths of the chords of triangle `t`'s sides.
    pub fn side_lengths(&self, t: usize) -> [f64; 3] {
        let [a, b, c, ..] = self.places(t);
        [distance(a, b), distance(b, c), distance(c, a)]
    }
}
