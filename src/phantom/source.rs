//! The sources of a prism's waves: plates and pads on its face, and patches of its wall.

use super::file::{Pair, need};
use super::lines::{Fault, Table};
use super::rules::{Checked, above_zero, driven, length, place, show, within};
use crate::fem::mesh::Outline;
use crate::fem::model::{WallDirection, WallLoad, bump};
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// The largest number of sources.
pub(super) const MOST_SOURCES: usize = 32;
/// The least height of a patch, as a share of the body's. The harmonics along z do not resolve a lower one.
const LEAST_SPAN: f64 = 0.1;
/// The number of points of the outline for a plate's moments.
const MOMENTS: f64 = 4096.0;

/// A source of a prism's waves. All sources act together.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The place and the strength.
    pub contact: Contact,
    /// The phase in degrees by which it leads.
    pub phase_deg: f64,
}

/// The contact of a source with a prism.
#[derive(Debug, Clone, PartialEq)]
pub enum Contact {
    /// A rigid plate on an elastic bed covers the face and is pushed at a point.
    Plate {
        /// The displacement in mm at the face's centroid.
        amplitude_mm: f64,
        /// The point where it is pushed, in mm. Away from the face's centroid the plate tilts. `None` is the centroid.
        center_mm: Option<[f64; 2]>,
    },
    /// A soft pad on the face.
    Pad {
        /// The displacement in mm at its centre.
        amplitude_mm: f64,
        /// The centre in mm.
        center_mm: [f64; 2],
        /// The radius in mm.
        radius_mm: f64,
    },
    /// A patch of the wall with a traction, which falls smoothly to 0 at the patch's ends.
    Wall {
        /// The traction in kPa at the middle.
        traction_kpa: f64,
        /// The start and the end in shares of the outline's length.
        arc: [f64; 2],
        /// The start and the end in mm above the driven face.
        span_mm: [f64; 2],
        /// The direction of the traction.
        direction: WallDirection,
    },
}

impl Source {
    /// The factor e^(iφ) of the phase.
    fn phase(&self) -> Complex64 {
        Complex64::cis(self.phase_deg.to_radians())
    }

    /// The complex displacement of the face in mm as a function of position; `None` for a patch of the wall.
    ///
    /// A plate moves by A(1 + g·(r − c)), with the face's centroid c. The moments of the bed's pressure balance the push
    /// at o if J g = o − c, where J is the face's mean of (r − c)(r − c)ᵀ. On a disc of radius R, g is 4(o − c)/R².
    pub(super) fn face(&self, outline: &Outline) -> Option<Box<dyn Fn([f64; 2]) -> Complex64>> {
        let phase = self.phase();
        match self.contact {
            Contact::Plate { amplitude_mm, center_mm } => {
                let ([cx, cy], [xx, xy, yy]) = moments(outline);
                let [x, y] = center_mm.map_or([0.0; 2], |[x, y]| [x - cx, y - cy]);
                let det = xx * yy - xy * xy;
                let tilt = [(yy * x - xy * y) / det, (xx * y - xy * x) / det];
                Some(Box::new(move |p| {
                    amplitude_mm * phase * (1.0 + tilt[0] * (p[0] - cx) + tilt[1] * (p[1] - cy))
                }))
            }
            Contact::Pad { amplitude_mm, center_mm: [x, y], radius_mm } => {
                Some(Box::new(move |p| amplitude_mm * phase * bump((p[0] - x).hypot(p[1] - y) / radius_mm)))
            }
            Contact::Wall { .. } => None,
        }
    }

    /// The load of a patch of the wall; `None` for a source on the face.
    pub(super) fn wall(&self, outline: &Outline) -> Option<WallLoad<'static>> {
        let Contact::Wall { traction_kpa, arc, span_mm, direction } = self.contact else { return None };
        let (phase, whole) = (self.phase(), outline.length());
        let traction = move |s: f64| {
            // The patch may go around past the outline's start.
            let share = (s / whole - arc[0]).rem_euclid(1.0);
            traction_kpa * phase * bump(2.0 * share / (arc[1] - arc[0]) - 1.0)
        };
        Some(WallLoad { traction: Box::new(traction), direction, span: span_mm })
    }

    /// The largest edge length at a position that resolves the source, mm.
    pub(super) fn edge_length(&self, outline: &Outline, at: [f64; 2]) -> f64 {
        let (middle, half, fine) = match self.contact {
            Contact::Plate { .. } => return f64::INFINITY,
            Contact::Pad { center_mm, radius_mm, .. } => (center_mm, radius_mm, radius_mm),
            Contact::Wall { arc, span_mm, .. } => {
                let half = (arc[1] - arc[0]) / 2.0 * outline.length();
                let middle = outline.at((arc[0] + arc[1]) / 2.0 * outline.length());
                (middle, half, half.min((span_mm[1] - span_mm[0]) / 2.0))
            }
        };
        let near = (at[0] - middle[0]).hypot(at[1] - middle[1]) < 1.2 * half;
        if near { fine / 4.0 } else { f64::INFINITY }
    }

    /// Refuses a source that is out of range, or not on a body of this outline and height.
    pub(super) fn check(&self, table: Table, outline: &Outline, height_mm: f64) -> Checked {
        within(table, "phase_deg", self.phase_deg, [-360.0, 360.0], " degrees")?;
        let on_face = |center: [f64; 2]| {
            place(table, "center_mm", center)?;
            if outline.contains(center) {
                return Ok(());
            }
            let [x, y] = center.map(show);
            table.refuse("center_mm", format!("is ({x}, {y}), outside the face; move it into the outline"))
        };
        match self.contact {
            Contact::Plate { amplitude_mm, center_mm } => {
                above_zero(table, "amplitude_mm", amplitude_mm, 100.0, " mm")?;
                center_mm.map_or(Ok(()), on_face)
            }
            Contact::Pad { amplitude_mm, center_mm, radius_mm } => {
                above_zero(table, "amplitude_mm", amplitude_mm, 100.0, " mm")?;
                length(table, "radius_mm", radius_mm)?;
                on_face(center_mm)
            }
            Contact::Wall { traction_kpa, arc, span_mm: [low, high], .. } => {
                above_zero(table, "traction_kpa", traction_kpa, 1000.0, " kPa")?;
                driven(table, arc)?;
                let inside = |z: f64| (0.0..=height_mm).contains(&z);
                let least = LEAST_SPAN * height_mm;
                if inside(low) && inside(high) && high - low >= least * (1.0 - 1e-9) {
                    return Ok(());
                }
                let what = format!(
                    "runs from {} to {} mm; keep it on the wall, from 0 to height_mm, {} mm, with an end at least {} mm above the start",
                    show(low),
                    show(high),
                    show(height_mm),
                    show(least)
                );
                table.refuse("span_mm", what)
            }
        }
    }
}

/// The centroid of the enclosed area, and the mean of xx, xy and yy around it.
pub(super) fn moments(outline: &Outline) -> ([f64; 2], [f64; 3]) {
    let points = outline.points(outline.length() / MOMENTS);
    let origin = points[0];
    let (mut area, mut first, mut second) = (0.0, [0.0; 2], [0.0; 3]);
    // The triangles from the first point to each chord.
    for (a, b) in points.iter().zip(&points[1..]) {
        let [a, b] = [a, b].map(|p| [p[0] - origin[0], p[1] - origin[1]]);
        let part = (a[0] * b[1] - a[1] * b[0]) / 2.0;
        area += part;
        for k in 0..2 {
            first[k] += part * (a[k] + b[k]) / 3.0;
        }
        for (sum, [k, l]) in second.iter_mut().zip([[0, 0], [0, 1], [1, 1]]) {
            let both = a[k] + b[k];
            *sum += part * (a[k] * a[l] + b[k] * b[l] + both * (a[l] + b[l])) / 12.0;
        }
    }
    let [x, y] = first.map(|v| v / area);
    let [xx, xy, yy] = second.map(|v| v / area);
    ([origin[0] + x, origin[1] + y], [xx - x * x, xy - x * y, yy - y * y])
}

/// A source as written in a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSource {
    kind: Option<Kind>,
    amplitude_mm: Option<f64>,
    center_mm: Option<Pair>,
    radius_mm: Option<f64>,
    traction_kpa: Option<f64>,
    arc: Option<Pair>,
    span_mm: Option<Pair>,
    direction: Option<WallDirection>,
    phase_deg: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Plate,
    Pad,
    Wall,
}

impl WrittenSource {
    /// Converts the source and fills in the defaults. `table` is its place in the file.
    pub fn source(&self, table: Table) -> Result<Source, Fault> {
        use Kind::{Pad, Plate, Wall};
        let kind = need(self.kind, table, "kind = \"plate\", \"pad\" or \"wall\"")?;
        let keys: [(&'static str, bool, &[Kind], &str); 7] = [
            ("amplitude_mm", self.amplitude_mm.is_some(), &[Plate, Pad], "a plate or a pad"),
            ("center_mm", self.center_mm.is_some(), &[Plate, Pad], "a plate or a pad"),
            ("radius_mm", self.radius_mm.is_some(), &[Pad], "a pad"),
            ("traction_kpa", self.traction_kpa.is_some(), &[Wall], "a wall"),
            ("arc", self.arc.is_some(), &[Wall], "a wall"),
            ("span_mm", self.span_mm.is_some(), &[Wall], "a wall"),
            ("direction", self.direction.is_some(), &[Wall], "a wall"),
        ];
        if let Some((key, .., theirs)) =
            keys.into_iter().find(|(_, given, of, _)| *given && !of.contains(&kind))
        {
            return table.refuse(key, format!("is for {theirs}; leave it out"));
        }
        let amplitude_mm = self.amplitude_mm.unwrap_or(0.5);
        let contact = match kind {
            Plate => Contact::Plate { amplitude_mm, center_mm: self.center_mm.map(super::file::Pair::get) },
            Pad => Contact::Pad {
                amplitude_mm,
                center_mm: need(self.center_mm, table, "center_mm")?.get(),
                radius_mm: need(self.radius_mm, table, "radius_mm")?,
            },
            Wall => Contact::Wall {
                traction_kpa: self.traction_kpa.unwrap_or(0.5),
                arc: need(self.arc, table, "arc = [start, end]")?.get(),
                span_mm: need(self.span_mm, table, "span_mm = [start, end]")?.get(),
                direction: self.direction.unwrap_or(WallDirection::Along),
            },
        };
        Ok(Source { contact, phase_deg: self.phase_deg.unwrap_or(0.0) })
    }
}

impl From<&Source> for WrittenSource {
    fn from(source: &Source) -> WrittenSource {
        let phase_deg = Some(source.phase_deg);
        match source.contact {
            Contact::Plate { amplitude_mm, center_mm } => WrittenSource {
                kind: Some(Kind::Plate),
                amplitude_mm: Some(amplitude_mm),
                center_mm: center_mm.map(Pair::Of),
                phase_deg,
                ..WrittenSource::default()
            },
            Contact::Pad { amplitude_mm, center_mm, radius_mm } => WrittenSource {
                kind: Some(Kind::Pad),
                amplitude_mm: Some(amplitude_mm),
                center_mm: Some(Pair::Of(center_mm)),
                radius_mm: Some(radius_mm),
                phase_deg,
                ..WrittenSource::default()
            },
            Contact::Wall { traction_kpa, arc, span_mm, direction } => WrittenSource {
                kind: Some(Kind::Wall),
                traction_kpa: Some(traction_kpa),
                arc: Some(Pair::Of(arc)),
                span_mm: Some(Pair::Of(span_mm)),
                direction: Some(direction),
                phase_deg,
                ..WrittenSource::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plate_balances_the_push() {
        let disc = Outline::circle([3.0, -5.0], 80.0).unwrap();
        let at = |outline: &Outline, center_mm, p| {
            let contact = Contact::Plate { amplitude_mm: 0.4, center_mm };
            Source { contact, phase_deg: 0.0 }.face(outline).unwrap()(p).re
        };
        // 4 · 20 mm · 40 mm / (80 mm)² is one half.
        let push = Some([15.0, -21.0]);
        assert!((at(&disc, push, [27.0, -37.0]) - 0.6).abs() < 1e-6);
        assert!((at(&disc, push, [-21.0, 27.0]) - 0.2).abs() < 1e-6);
        assert!((at(&disc, None, [60.0, 0.0]) - 0.4).abs() < 1e-12);
        // A rectangle of 120 by 60 mm: J is diag(120², 60²)/12.
        let sheet = Outline::rectangle([10.0, 0.0], [120.0, 60.0]).unwrap();
        let [x, y] = [[70.0, 0.0], [10.0, 30.0]].map(|p| at(&sheet, Some([22.0, 5.0]), p));
        assert!((x - 0.4 * (1.0 + 60.0 * 12.0 / 1200.0)).abs() < 1e-3, "{x}");
        assert!((y - 0.4 * (1.0 + 30.0 * 5.0 / 300.0)).abs() < 1e-3, "{y}");
    }

    #[test]
    fn a_phase_leads_and_a_patch_goes_around() {
        let disc = Outline::circle([0.0; 2], 50.0).unwrap();
        let contact = Contact::Pad { amplitude_mm: 0.5, center_mm: [10.0, 0.0], radius_mm: 20.0 };
        let pad = Source { contact, phase_deg: 90.0 };
        let u = pad.face(&disc).unwrap();
        assert!((u([10.0, 0.0]) - Complex64::new(0.0, 0.5)).norm() < 1e-12);
        assert!((u([20.0, 0.0]).im - 0.5 * 0.5625).abs() < 1e-12 && u([31.0, 0.0]).norm() == 0.0);
        assert!(pad.wall(&disc).is_none());
        let contact = Contact::Wall {
            traction_kpa: 2.0,
            arc: [0.9, 1.1],
            span_mm: [10.0, 40.0],
            direction: WallDirection::Normal,
        };
        let wall = Source { contact, phase_deg: 0.0 };
        let load = wall.wall(&disc).unwrap();
        let at = |share: f64| (load.traction)(share * disc.length()).re;
        assert!((at(0.0) - 2.0).abs() < 1e-9 && (at(1.0) - 2.0).abs() < 1e-9);
        assert!((at(0.05) - 2.0 * 0.5625).abs() < 1e-9 && (at(0.95) - 2.0 * 0.5625).abs() < 1e-9);
        assert!(at(0.12) == 0.0 && at(0.88) == 0.0 && at(0.5) == 0.0);
        assert!(wall.face(&disc).is_none());
        // The patch of 30 mm by 30 mm is resolved in its neighbourhood.
        assert!((wall.edge_length(&disc, [48.0, 0.0]) - 15.0 / 4.0).abs() < 1e-9);
        assert_eq!(wall.edge_length(&disc, [-48.0, 0.0]), f64::INFINITY);
    }
}
