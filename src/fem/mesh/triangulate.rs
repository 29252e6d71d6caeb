//! Triangulation of given corners: constrained Delaunay triangulation, smoothing, regions.

use super::fill::Ring;
use super::outline::Outline;
use super::plane::{Point, add, between, distance, dot, least_angle, norm, scale, sub, turn};
use super::spacing::Spacing;
use crate::error::{Error, Result};
use spade::handles::FixedVertexHandle;
use spade::{ConstrainedDelaunayTriangulation, Point2, Triangulation};

/// Rounds of smoothing and triangulation.
const ROUNDS: usize = 4;
/// Moves of each corner in a round.
const MOVES: usize = 3;
/// The angle below which corners are added, in degrees.
const LEAST_ANGLE: f64 = 28.0;
/// The number of times that corners are added.
const REPAIRS: usize = 4;
/// The region of triangles outside the body.
const OUTSIDE: u32 = u32::MAX;

/// Straight-sided triangles.
#[derive(Debug, Default)]
pub(super) struct Triangles {
    /// The corners of each triangle, anticlockwise.
    pub corners: Vec<[u32; 3]>,
    /// The region of each triangle: 0 for the background, k for the k-th inclusion.
    pub regions: Vec<u32>,
}

/// Triangulates `points`. The first points are on `rings` and stay in place. The others may move, and more may be
/// added.
pub(super) fn triangulate(
    points: &mut Vec<Point>,
    rings: &[Ring],
    body: &Outline,
    spacing: &Spacing,
) -> Result<Triangles> {
    let fixed = rings.iter().map(|ring| ring.arcs.len()).sum();
    for _ in 0..ROUNDS {
        let triangles = delaunay(points, rings)?;
        smooth(points, fixed, &triangles, spacing);
    }
    let mut triangles = delaunay(points, rings)?;
    for _ in 0..REPAIRS {
        let (least, thin) = thin(points, &triangles);
        if thin.is_empty() {
            break;
        }
        // Delaunay refinement, rarely needed: adds a corner at the circumcentre of a thin triangle, if there is room.
        // At a sharp corner of an outline it has no effect.
        let mut more = points.clone();
        for t in thin {
            let (centre, radius) = circumcircle(triangles.corners[t].map(|i| points[i as usize]));
            let new = &more[points.len()..];
            if body.contains(centre) && new.iter().all(|p| distance(*p, centre) > radius) {
                more.push(centre);
            }
        }
        // A new corner on an outline's edge would divide the edge. The mesh is then left as it was.
        let Ok(refined) = delaunay(&more, rings) else { break };
        smooth(&mut more, fixed, &refined, spacing);
        let Ok(refined) = delaunay(&more, rings) else { break };
        if self::thin(&more, &refined).0 <= least {
            break;
        }
        (*points, triangles) = (more, refined);
    }
    Ok(triangles)
}

/// The least angle of any triangle in radians, and the triangles with an angle below [`LEAST_ANGLE`].
fn thin(points: &[Point], triangles: &Triangles) -> (f64, Vec<usize>) {
    let angles = triangles.corners.iter().map(|t| least_angle(t.map(|i| points[i as usize])));
    let (mut least, mut thin) = (f64::INFINITY, vec![]);
    for (t, angle) in angles.enumerate() {
        least = least.min(angle);
        if angle < LEAST_ANGLE.to_radians() {
            thin.push(t);
        }
    }
    (least, thin)
}

/// The centre and radius of the circle through three points.
fn circumcircle([a, b, c]: [Point; 3]) -> (Point, f64) {
    let (e, f) = (sub(b, a), sub(c, a));
    let (ee, ff, twice) = (dot(e, e), dot(f, f), 2.0 * turn(a, b, c));
    let to = [(f[1] * ee - e[1] * ff) / twice, (e[0] * ff - f[0] * ee) / twice];
    (add(a, to), norm(to))
}

/// The triangles of the constrained Delaunay triangulation that are inside the body.
fn delaunay(points: &[Point], rings: &[Ring]) -> Result<Triangles> {
    let vertices = points.iter().map(|p| Point2::new(p[0], p[1])).collect();
    let edges = rings.iter().flat_map(Ring::edges).collect();
    let mut crossing = false;
    let mesh = ConstrainedDelaunayTriangulation::<Point2<f64>>::try_bulk_load_cdt(vertices, edges, |_| {
        crossing = true
    })
    .map_err(|error| Error::Usage(format!("the outlines could not be triangulated: {error}")))?;
    if crossing || mesh.num_vertices() != points.len() {
        return Err(Error::Usage(
            "the outlines are too near each other or to themselves for edges of this length; use shorter edges".into(),
        ));
    }
    let mut region = vec![None; mesh.num_all_faces()];
    let mut front = vec![];
    for (k, ring) in rings.iter().enumerate() {
        for [a, b] in ring.edges() {
            let [a, b] = [a, b].map(FixedVertexHandle::from_index);
            let Some(edge) = mesh.get_edge_from_neighbors(a, b) else {
                return Err(Error::Usage(
                    "an edge of an outline runs through a corner of another; move one of them".into(),
                ));
            };
            let (inner, outer) = if k == 0 { (0, OUTSIDE) } else { (k as u32, 0) };
            for (face, is) in [(edge.face(), inner), (edge.rev().face(), outer)] {
                region[face.index()] = Some(is);
                front.push(face);
            }
        }
    }
    while let Some(face) = front.pop() {
        let Some(face) = face.as_inner() else { continue };
        for edge in face.adjacent_edges().into_iter().filter(|edge| !edge.is_constraint_edge()) {
            let next = edge.rev().face();
            if region[next.index()].is_none() {
                region[next.index()] = region[face.index()];
                front.push(next);
            }
        }
    }
    let mut triangles = Triangles::default();
    for face in mesh.inner_faces() {
        if let Some(is) = region[face.index()].filter(|is| *is != OUTSIDE) {
            triangles.corners.push(face.vertices().map(|v| v.index() as u32));
            triangles.regions.push(is);
        }
    }
    Ok(triangles)
}

/// Moves each corner from index `fixed` on to the centroid of the triangles around it. Each triangle is weighted by
/// its area over the cube of its desired edge length. If the full move would fold or thin the triangles, the corner
/// moves half the way or not at all.
fn smooth(points: &mut [Point], fixed: usize, triangles: &Triangles, spacing: &Spacing) {
    let mut starts = vec![0usize; points.len() + 1];
    for t in &triangles.corners {
        for &i in t {
            starts[i as usize + 1] += 1;
        }
    }
    for i in 0..points.len() {
        starts[i + 1] += starts[i];
    }
    let mut filled = starts.clone();
    let mut around = vec![[0u32; 2]; 3 * triangles.corners.len()];
    for &[a, b, c] in &triangles.corners {
        for (i, next) in [(a, [b, c]), (b, [c, a]), (c, [a, b])] {
            around[filled[i as usize]] = next;
            filled[i as usize] += 1;
        }
    }
    let lengths: Vec<f64> = points.iter().map(|p| spacing.at(*p)).collect();
    for _ in 0..MOVES {
        for i in fixed..points.len() {
            let star = &around[starts[i]..starts[i + 1]];
            if star.is_empty() {
                continue;
            }
            let old = points[i];
            let (mut sum, mut weights) = ([0.0; 2], 0.0);
            for &[a, b] in star {
                let (pa, pb) = (points[a as usize], points[b as usize]);
                let wanted = lengths[i] + lengths[a as usize] + lengths[b as usize];
                let weight = turn(old, pa, pb) / wanted.powi(3);
                sum = add(sum, scale(add(add(old, pa), pb), weight / 3.0));
                weights += weight;
            }
            let new = scale(sum, 1.0 / weights);
            let thinnest = |p: Point| {
                star.iter()
                    .map(|s| shape([p, points[s[0] as usize], points[s[1] as usize]]))
                    .fold(1.0, f64::min)
            };
            let before = thinnest(old).min(0.8);
            if let Some(p) = [new, between(old, new, 0.5)].into_iter().find(|p| thinnest(*p) >= before) {
                points[i] = p;
            }
        }
    }
}

/// The shape quality of a triangle: one if equilateral, zero if flat, negative if inverted.
fn shape([a, b, c]: [Point; 3]) -> f64 {
    let squares: f64 =
        [[a, b], [b, c], [c, a]].iter().map(|[p, q]| (q[0] - p[0]).powi(2) + (q[1] - p[1]).powi(2)).sum();
    2.0 * 3f64.sqrt() * turn(a, b, c) / squares
}
