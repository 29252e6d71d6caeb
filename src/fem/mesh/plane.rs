//! Points and vectors in the plane.

pub(super) type Point = [f64; 2];

pub(super) fn add(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1]]
}

pub(super) fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

pub(super) fn scale(a: Point, by: f64) -> Point {
    [a[0] * by, a[1] * by]
}

pub(super) fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// The area of the parallelogram of `a` and `b`, positive if `b` is to the left of `a`.
pub(super) fn cross(a: Point, b: Point) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

pub(super) fn norm(a: Point) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn distance(a: Point, b: Point) -> f64 {
    norm(sub(a, b))
}

pub(super) fn between(a: Point, b: Point, t: f64) -> Point {
    add(scale(a, 1.0 - t), scale(b, t))
}

/// The share of the way from `a` to `b` where the segment is nearest to `p`, and the distance there.
pub(super) fn nearest(p: Point, [a, b]: [Point; 2]) -> (f64, f64) {
    let ab = sub(b, a);
    let t = (dot(sub(p, a), ab) / dot(ab, ab)).clamp(0.0, 1.0);
    (t, distance(p, between(a, b, t)))
}

/// Reports whether two segments have a point in common, including a touch.
pub(super) fn meet([a, b]: [Point; 2], [c, d]: [Point; 2]) -> bool {
    let apart = |i: usize| a[i].max(b[i]) < c[i].min(d[i]) || c[i].max(d[i]) < a[i].min(b[i]);
    if apart(0) || apart(1) {
        return false;
    }
    let side = |p, q, r| cross(sub(q, p), sub(r, p));
    side(a, b, c) * side(a, b, d) <= 0.0 && side(c, d, a) * side(c, d, b) <= 0.0
}

/// Twice the signed area of a triangle, positive if its corners run anticlockwise.
pub(super) fn turn(a: Point, b: Point, c: Point) -> f64 {
    cross(sub(b, a), sub(c, a))
}

/// The least angle of a triangle, in radians.
pub(super) fn least_angle(corners: [Point; 3]) -> f64 {
    (0..3)
        .map(|i| {
            let [a, b, c] = [corners[i], corners[(i + 1) % 3], corners[(i + 2) % 3]];
            turn(a, b, c).atan2(dot(sub(b, a), sub(c, a)))
        })
        .fold(f64::INFINITY, f64::min)
}
