//! The outlines of bodies and inclusions.

use crate::error::Result;
use crate::fem::mesh::{Outline, OutlineShape};

/// The outline of a slab or of a prism's cross section.
#[derive(Debug, Clone, PartialEq)]
pub enum BodyOutline {
    /// An outline drawn at random, centred in the image. It starts near its least x (a liver's right lobe) and runs
    /// along the upper edge.
    Drawn {
        /// The kind of outline.
        shape: OutlineShape,
        /// The seed of the random numbers.
        seed: u32,
        /// The width in mm.
        width_mm: f64,
    },
    /// A circle around the image's centre. It starts at its greatest x and runs downward.
    Circle {
        /// The diameter in mm.
        width_mm: f64,
    },
    /// A polygon, rounded with [`Outline::smooth`] if `smooth`. It starts at its first point and runs clockwise as
    /// seen in the image, whatever the direction of the points.
    Points {
        /// The corners in mm.
        points_mm: Vec<[f64; 2]>,
        /// True to round the corners.
        smooth: bool,
    },
}

impl BodyOutline {
    /// The outline in mm from the image's centre.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) as for [`Outline::polygon`], [`Outline::smooth`] and
    /// [`OutlineShape::outline`].
    pub fn outline(&self) -> Result<Outline> {
        match self {
            BodyOutline::Drawn { shape, seed, width_mm } => shape.outline(u64::from(*seed), *width_mm),
            BodyOutline::Circle { width_mm } => Outline::circle([0.0, 0.0], width_mm / 2.0),
            BodyOutline::Points { points_mm, smooth } => {
                let points = clockwise(points_mm);
                if *smooth { Outline::smooth(&points) } else { Outline::polygon(&points) }
            }
        }
    }
}

/// Returns the points in the direction of an outline, clockwise as seen in an image. The first point stays the first;
/// [`Outline::polygon`] alone would make it the last.
fn clockwise(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut points = points.to_vec();
    if points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    let next = points.iter().cycle().skip(1);
    let area: f64 = points.iter().zip(next).map(|(a, b)| a[0] * b[1] - a[1] * b[0]).sum();
    if area < 0.0 {
        points[1..].reverse();
    }
    points
}

/// The shape of an inclusion. Lengths are in mm, positions in mm from the image's centre, and angles in degrees
/// clockwise as seen in the image.
#[derive(Debug, Clone, PartialEq)]
pub enum InclusionShape {
    /// A circle.
    Circle {
        /// The centre in mm.
        center_mm: [f64; 2],
        /// The diameter in mm.
        diameter_mm: f64,
    },
    /// A square. At 0 degrees its sides are along the axes.
    Square {
        /// The centre in mm.
        center_mm: [f64; 2],
        /// The length of a side in mm.
        side_mm: f64,
        /// The rotation in degrees.
        angle_deg: f64,
    },
    /// A rectangle. `size_mm` is the width along x and the height along y at 0 degrees.
    Rectangle {
        /// The centre in mm.
        center_mm: [f64; 2],
        /// Width and height in mm.
        size_mm: [f64; 2],
        /// The rotation in degrees.
        angle_deg: f64,
    },
    /// An equilateral triangle around its centroid. At 0 degrees one corner is at the top.
    Triangle {
        /// The centre in mm.
        center_mm: [f64; 2],
        /// The length of a side in mm.
        side_mm: f64,
        /// The rotation in degrees.
        angle_deg: f64,
    },
    /// A polygon with straight sides from each point to the next, and from the last to the first.
    Polygon {
        /// The corners in mm.
        points_mm: Vec<[f64; 2]>,
    },
}

impl InclusionShape {
    /// The outline in mm from the image's centre.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if a size is not above zero, a number is not finite, or
    /// [`Outline::polygon`] refuses the points.
    pub fn outline(&self) -> Result<Outline> {
        match *self {
            InclusionShape::Circle { center_mm, diameter_mm } => {
                Outline::circle(center_mm, diameter_mm / 2.0)
            }
            InclusionShape::Square { center_mm, side_mm, angle_deg } => {
                boxed(center_mm, [side_mm, side_mm], angle_deg)
            }
            InclusionShape::Rectangle { center_mm, size_mm, angle_deg } => {
                boxed(center_mm, size_mm, angle_deg)
            }
            InclusionShape::Triangle { center_mm, side_mm, angle_deg } => {
                let inner = side_mm / 12f64.sqrt();
                let corners = [[0.0, -2.0 * inner], [side_mm / 2.0, inner], [-side_mm / 2.0, inner]];
                turned(center_mm, &corners, angle_deg)
            }
            InclusionShape::Polygon { ref points_mm } => Outline::polygon(points_mm),
        }
    }
}

fn boxed(center: [f64; 2], size: [f64; 2], angle_deg: f64) -> Result<Outline> {
    let [w, h] = size.map(|s| s / 2.0);
    turned(center, &[[-w, -h], [w, -h], [w, h], [-w, h]], angle_deg)
}

fn turned(center: [f64; 2], corners: &[[f64; 2]], angle_deg: f64) -> Result<Outline> {
    let (sin, cos) = angle_deg.to_radians().sin_cos();
    let turn = |[x, y]: &[f64; 2]| [center[0] + x * cos - y * sin, center[1] + x * sin + y * cos];
    Outline::polygon(&corners.iter().map(turn).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fem::model::Side;
    use std::f64::consts::PI;

    fn close(a: [f64; 2], b: [f64; 2]) -> bool {
        (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-9
    }

    #[test]
    fn angles_turn_clockwise_as_seen_in_the_image() {
        let center_mm = [20.0, -10.0];
        let rectangle = |angle_deg| {
            InclusionShape::Rectangle { center_mm, size_mm: [40.0, 4.0], angle_deg }.outline().unwrap()
        };
        // y grows downward: a point to the right turns to the lower right.
        let [right, down] = [[38.0, -10.0], [20.0 + 12.0, -10.0 + 12.0]];
        assert!(rectangle(0.0).contains(right) && !rectangle(0.0).contains(down));
        assert!(rectangle(45.0).contains(down) && !rectangle(45.0).contains(right));
        assert!(rectangle(-135.0).contains(down));
        let triangle =
            |angle_deg| InclusionShape::Triangle { center_mm, side_mm: 30.0, angle_deg }.outline().unwrap();
        let radius = 30.0 / 3f64.sqrt();
        let top = |outline: &Outline| {
            outline.breaks().iter().any(|s| close(outline.at(*s), [20.0, -10.0 - radius]))
        };
        assert!(top(&triangle(0.0)) && top(&triangle(120.0)) && !top(&triangle(60.0)));
        let right = triangle(90.0);
        assert!(right.breaks().iter().any(|s| close(right.at(*s), [20.0 + radius, -10.0])));
    }

    #[test]
    fn shapes_have_their_size() {
        let (center_mm, angle_deg) = ([3.0, 4.0], 33.0);
        let points_mm = vec![[0.0, 0.0], [0.0, 6.0], [5.0, 0.0]];
        for (shape, area) in [
            (InclusionShape::Circle { center_mm, diameter_mm: 10.0 }, PI * 25.0),
            (InclusionShape::Square { center_mm, side_mm: 10.0, angle_deg }, 100.0),
            (InclusionShape::Rectangle { center_mm, size_mm: [10.0, 3.0], angle_deg }, 30.0),
            (InclusionShape::Triangle { center_mm, side_mm: 10.0, angle_deg }, 25.0 * 3f64.sqrt()),
            (InclusionShape::Polygon { points_mm }, 15.0),
        ] {
            let outline = shape.outline().unwrap();
            assert!((outline.area() - area).abs() < 1e-9, "{shape:?}: {}", outline.area());
            assert!(matches!(shape, InclusionShape::Polygon { .. }) || outline.contains(center_mm));
        }
        assert!(InclusionShape::Circle { center_mm, diameter_mm: 0.0 }.outline().is_err());
        assert!(InclusionShape::Triangle { center_mm, side_mm: f64::NAN, angle_deg }.outline().is_err());
    }

    #[test]
    fn a_square_s_sides_have_the_outline_s_numbers() {
        let outline = Outline::square([0.0, 0.0], 10.0).unwrap();
        for (side, middle) in [
            (Side::Left, [-5.0, 0.0]),
            (Side::Right, [5.0, 0.0]),
            (Side::Top, [0.0, -5.0]),
            (Side::Bottom, [0.0, 5.0]),
        ] {
            assert!(close(outline.at(outline.breaks()[side.number()] + 5.0), middle));
            assert!(close(outline.at(outline.breaks()[side.opposite().number()] + 5.0), middle.map(|v| -v)));
        }
    }

    #[test]
    fn a_slab_s_polygon_starts_at_its_first_point_and_runs_clockwise() {
        let clockwise = vec![[-50.0, -20.0], [40.0, -30.0], [60.0, 35.0], [-45.0, 25.0]];
        let mut other = clockwise.clone();
        other[1..].reverse();
        let closed = [&other[..], &other[..1]].concat();
        for points_mm in [clockwise.clone(), other, closed] {
            for smooth in [false, true] {
                let outline = BodyOutline::Points { points_mm: points_mm.clone(), smooth }.outline().unwrap();
                assert!(close(outline.at(0.0), clockwise[0]));
                // The second point is in the first half of the outline.
                let near = |s: f64| {
                    let p = outline.at(s * outline.length());
                    (p[0] - clockwise[1][0]).hypot(p[1] - clockwise[1][1])
                };
                assert!((1..50).any(|i| near(f64::from(i) / 100.0) < 3.0), "{smooth}");
            }
        }
        assert!(BodyOutline::Points { points_mm: vec![], smooth: true }.outline().is_err());
    }

    #[test]
    fn a_liver_starts_at_its_lateral_end() {
        for seed in 0..20 {
            let shape = OutlineShape::Liver;
            let outline = BodyOutline::Drawn { shape, seed, width_mm: 200.0 }.outline().unwrap();
            let [start, after, before] = [0.0, 0.08, 0.94].map(|s| outline.at(s * outline.length()));
            assert!(start[0] < -95.0 && after[0] < -75.0 && before[0] < -75.0, "{seed}");
            assert!(after[1] < start[1] && start[1] < before[1]);
        }
    }
}
