//! The rules for a phantom. They are the same for a phantom from a file and one made in code; only the first has line
//! numbers.

use super::lines::{Fault, Lines, Table};
use super::modulus::DEGREE;
use super::source::MOST_SOURCES;
use super::{Body, BodyOutline, Drive, FarFace, InclusionShape, Modulus, Phantom, Tissue};
use crate::error::{Error, Result};
use crate::fem::mesh::{Clash, How, Outline, clash};
use crate::fem::model::wavelength;
use std::fmt::Display;

/// Limits that no real phantom comes near. They keep the checks fast.
const MOST_POINTS: usize = 500;
const MOST_INCLUSIONS: usize = 100;
const MOST_SLICES: usize = 1024;
const MOST_LAYERS: usize = 20;
/// The largest coordinate in mm. No image reaches this far.
const FAR: f64 = 1e4;
/// The range of moduli in kPa: above the first value, up to the second.
const MODULUS: [f64; 2] = [0.01, 1000.0];
/// The smallest and the largest part of a slab's outline that can be driven.
const ARC: [f64; 2] = [0.01, 0.5];
/// The largest number of pixels of all planes: 1024 planes of 256 x 256.
const MOST_PIXELS: usize = 1 << 26;
/// The thickest slab, in shear wavelengths. Up to this thickness, polynomials of degree 6 resolve the displacement
/// along z.
const THICKEST: f64 = 1.25;
/// The number of grid points each way at which a varying modulus is checked.
const GRID: usize = 48;

pub(super) type Checked = Result<(), Fault>;

impl Phantom {
    /// Refuses phantoms that the solver cannot compute.
    pub(super) fn rules(&self, lines: &Lines) -> Checked {
        self.numbers()?;
        if self.inclusions.len() > MOST_INCLUSIONS {
            let what =
                format!("{} inclusions are too many; give at most {MOST_INCLUSIONS}", self.inclusions.len());
            return Table::Inclusion(MOST_INCLUSIONS).fault(what);
        }
        for (i, inclusion) in self.inclusions.iter().enumerate() {
            shape(Table::Inclusion(i), &inclusion.shape)?;
        }
        let body = self.body_outline()?;
        self.image_sees(&body)?;
        if let Body::Prism { height_mm, sources, .. } = &self.body {
            for (i, source) in sources.iter().enumerate() {
                source.check(Table::Source(i), &body, *height_mm)?;
            }
        }
        let mut inclusions = vec![];
        for (i, inclusion) in self.inclusions.iter().enumerate() {
            let key = if matches!(inclusion.shape, InclusionShape::Polygon { .. }) {
                "points_mm"
            } else {
                "size_mm"
            };
            inclusions.push(inclusion.shape.outline().or_else(|e| Table::Inclusion(i).refuse(key, made(e)))?);
        }
        apart(&body, &inclusions, lines)?;
        let mut softest = tissue(Table::Background, &self.background, &body, &inclusions)?;
        for (i, (inclusion, outline)) in self.inclusions.iter().zip(&inclusions).enumerate() {
            softest = softest.min(tissue(Table::Inclusion(i), &inclusion.tissue, outline, &[])?);
        }
        self.thin(softest)?;
        self.far_face()
    }

    /// Refuses a slab so thick that waves through its thickness would not be resolved.
    fn thin(&self, softest_kpa: f64) -> Checked {
        let Body::Slab { thickness_mm, .. } = self.body else { return Ok(()) };
        let most = THICKEST * wavelength(softest_kpa, self.density, self.frequency_hz);
        if thickness_mm <= most {
            return Ok(());
        }
        let what = format!(
            "is {} mm, too thick for a slab; give at most {THICKEST} shear wavelengths of its softest tissue, here {most:.1} mm",
            show(thickness_mm)
        );
        Table::Top.refuse("thickness_mm", what)
    }

    fn numbers(&self) -> Checked {
        const TOP: Table = Table::Top;
        within(TOP, "frequency_hz", self.frequency_hz, [1.0, 2000.0], " Hz")?;
        within(TOP, "density", self.density, [100.0, 20_000.0], " kg/m³")?;
        within(TOP, "poisson", self.poisson, [0.0, 0.4999], "")?;
        within(TOP, "pixel_mm", self.pixel_mm, [0.05, 20.0], " mm")?;
        if !(8..=4096).contains(&self.size_px) {
            return TOP.refuse("size_px", format!("is {}; give a number from 8 to 4096", self.size_px));
        }
        let planes = self.slices_mm.len().max(1);
        if planes * self.size_px * self.size_px > MOST_PIXELS {
            let what = format!(
                "is {}, which makes more than {MOST_PIXELS} pixels in {planes} planes; give fewer slices or a smaller image",
                self.size_px
            );
            return TOP.refuse("size_px", what);
        }
        above_zero(Table::Drive, "amplitude_mm", self.drive.amplitude_mm, 100.0, " mm")?;
        place(Table::Drive, "offset_mm", self.drive.offset_mm)?;
        if let Some(radius) = self.drive.radius_mm {
            length(Table::Drive, "radius_mm", radius)?;
        }
        let [x, y] = self.drive.offset_mm;
        match &self.body {
            Body::Cylinder { radius_mm, height_mm, .. } => {
                length(TOP, "radius_mm", *radius_mm)?;
                length(TOP, "height_mm", *height_mm)?;
                if x.hypot(y) >= *radius_mm {
                    let what = format!(
                        "is {} mm from the face's middle; keep it within the face's radius of {} mm",
                        show(x.hypot(y)),
                        show(*radius_mm)
                    );
                    return Table::Drive.refuse("offset_mm", what);
                }
                return self.slices("height_mm", *height_mm);
            }
            Body::Prism { outline, height_mm, sources } => {
                length(TOP, "height_mm", *height_mm)?;
                written(outline)?;
                if !(1..=MOST_SOURCES).contains(&sources.len()) {
                    let what = format!("has {} entries; give 1 to {MOST_SOURCES}", sources.len());
                    return TOP.refuse("source", what);
                }
                if self.drive != Drive::default() {
                    return TOP.refuse("drive", "is not for a prism; give its sources instead");
                }
                return self.slices("height_mm", *height_mm);
            }
            Body::Square { side_mm, .. } => {
                length(TOP, "side_mm", *side_mm)?;
                if !self.slices_mm.is_empty() {
                    let what = "is not for a square: in plane strain every plane is the same; leave it out";
                    return TOP.refuse("slices_mm", what);
                }
            }
            Body::Slab { outline, thickness_mm, arc } => {
                length(TOP, "thickness_mm", *thickness_mm)?;
                self.slices("thickness_mm", *thickness_mm)?;
                written(outline)?;
                driven(Table::Drive, *arc)?;
            }
        }
        for (key, given) in
            [("offset_mm", [x, y] != [0.0, 0.0]), ("radius_mm", self.drive.radius_mm.is_some())]
        {
            if given {
                let what = "is for a cylinder, and this phantom is not one; leave it out";
                return Table::Drive.refuse(key, what);
            }
        }
        Ok(())
    }

    /// Checks that the slices are between 0 and the body's extent `top`, which `key` gives.
    fn slices(&self, key: &str, top: f64) -> Checked {
        let n = self.slices_mm.len();
        if !(1..=MOST_SLICES).contains(&n) {
            let what = format!("has {n} planes; give 1 to {MOST_SLICES}");
            return Table::Top.refuse("slices_mm", what);
        }
        match self.slices_mm.iter().position(|z| !(0.0..=top).contains(z)) {
            None => Ok(()),
            Some(i) => {
                let z = show(self.slices_mm[i]);
                let what =
                    format!("has plane {} at {z} mm; keep it from 0 to {key}, {} mm", i + 1, show(top));
                Table::Top.refuse("slices_mm", what)
            }
        }
    }

    fn body_outline(&self) -> Result<Outline, Fault> {
        let outline = self.outline().or_else(|e| match &self.body {
            Body::Cylinder { .. } => Table::Top.refuse("radius_mm", made(e)),
            Body::Square { .. } => Table::Top.refuse("side_mm", made(e)),
            Body::Prism { .. } | Body::Slab { .. } => Table::Top.refuse("outline", made(e)),
        })?;
        if matches!(self.body, Body::Prism { .. } | Body::Slab { .. }) {
            extent(Table::Top, "outline", &outline)?;
        }
        Ok(outline)
    }

    /// Refuses a body that contains no pixel centre of the image.
    fn image_sees(&self, body: &Outline) -> Checked {
        let [first, step, n] = [self.pixel_centre(0, 0)[0], self.pixel_mm, self.size_px as f64];
        let [low, high] = body.bounds();
        let points = body.points(body.length() / 4096.0);
        // The chords of the outline leave out only a little of a curved edge.
        let row = |i: f64| ((i - first) / step).clamp(0.0, n);
        let rows = row(low[1]).floor() as usize..=(row(high[1]).ceil() as usize).min(self.size_px - 1);
        let seen = rows.into_iter().any(|i| {
            let y = self.pixel_centre(i, 0)[1];
            let mut crossings: Vec<f64> = points
                .iter()
                .zip(points.iter().cycle().skip(1))
                .filter(|(a, b)| (a[1] > y) != (b[1] > y))
                .map(|(a, b)| a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
                .collect();
            crossings.sort_by(f64::total_cmp);
            crossings.chunks_exact(2).any(|run| {
                let next = ((run[0] - first) / step).ceil().max(0.0);
                next < n && first + next * step <= run[1]
            })
        });
        if seen {
            return Ok(());
        }
        let what = format!(
            "no pixel of the image is in the body: the image reaches from {} to {} mm around its centre, the body from \
             {} to {}; move the body, or give a larger size_px or another pixel_mm",
            show(first - step / 2.0),
            show(-first + step / 2.0),
            pair(low),
            pair(high)
        );
        Table::Top.fault(what)
    }

    fn far_face(&self) -> Checked {
        if !matches!(self.body, Body::Cylinder { far_face: FarFace::Free, .. }) || self.is_axisymmetric() {
            return Ok(());
        }
        let why = if !self.background.modulus_kpa.is_constant() {
            "its modulus varies"
        } else if !self.inclusions.is_empty() {
            "it has inclusions"
        } else if self.drive.radius_mm.is_some() {
            "it is driven by a pad"
        } else {
            "it is driven off its centre"
        };
        let what = format!(
            "is \"free\", which needs a homogeneous cylinder with a uniform drive, but {why}; give \"roller\""
        );
        Table::Top.refuse("far_face", what)
    }
}

/// Formats a length for people.
pub(super) fn show(value: f64) -> String {
    let plain = value == 0.0 || (1e-4..1e9).contains(&value.abs()) || !value.is_finite();
    if plain { value.to_string() } else { format!("{value:e}") }
}

fn pair([x, y]: [f64; 2]) -> String {
    // Adding 0 turns -0 into 0.
    let [x, y] = [x, y].map(|v| show((v * 1e3).round() / 1e3 + 0.0));
    format!("({x}, {y})")
}

/// Formats an error from an outline's constructor, to follow the key.
fn made(error: Error) -> String {
    format!("makes no outline: {error}")
}

pub(super) fn within(
    table: Table,
    key: &'static str,
    value: f64,
    [low, high]: [f64; 2],
    unit: &str,
) -> Checked {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    table.refuse(key, format!("is {}; give a number from {low} to {high}{unit}", show(value)))
}

pub(super) fn above_zero(
    table: Table,
    key: &'static str,
    value: f64,
    most: f64,
    unit: impl Display,
) -> Checked {
    if value > 0.0 && value <= most {
        return Ok(());
    }
    table.refuse(key, format!("is {}; give a number above 0, up to {most}{unit}", show(value)))
}

pub(super) fn length(table: Table, key: &'static str, value: f64) -> Checked {
    within(table, key, value, [1.0, 2000.0], " mm")
}

pub(super) fn place(table: Table, key: &'static str, place: [f64; 2]) -> Checked {
    let bad = place.into_iter().find(|v| !(-FAR..=FAR).contains(v));
    bad.map_or(Ok(()), |v| table.refuse(key, format!("holds {}; give numbers within {FAR} mm", show(v))))
}

fn points(table: Table, key: &'static str, points: &[[f64; 2]]) -> Checked {
    if points.len() > MOST_POINTS {
        return table.refuse(key, format!("has {} points; give at most {MOST_POINTS}", points.len()));
    }
    points.iter().try_for_each(|p| place(table, key, *p))
}

/// Checks the numbers of an outline, which do not depend on its shape.
fn written(outline: &BodyOutline) -> Checked {
    match outline {
        BodyOutline::Drawn { width_mm, .. } | BodyOutline::Circle { width_mm } => {
            length(Table::Top, "width_mm", *width_mm)
        }
        BodyOutline::Points { points_mm, .. } => points(Table::Top, "outline", points_mm),
    }
}

/// Checks the size of an outline.
fn extent(table: Table, key: &'static str, outline: &Outline) -> Checked {
    let [low, high] = outline.bounds();
    let size = [high[0] - low[0], high[1] - low[1]];
    if size.iter().all(|s| (1.0..=2000.0).contains(s)) {
        return Ok(());
    }
    table.refuse(key, format!("reaches over {} mm; give an outline of 1 to 2000 mm each way", pair(size)))
}

/// Checks the start and the end of a driven part of an outline.
pub(super) fn driven(table: Table, [start, end]: [f64; 2]) -> Checked {
    if !(0.0..1.0).contains(&start) {
        return table.refuse("arc", format!("starts at {}; give a start from 0 to below 1", show(start)));
    }
    // A length that is exactly at the limit in decimal may exceed it slightly in binary.
    let [least, most] = [ARC[0] - 1e-9, ARC[1] + 1e-9];
    if !(least..=most).contains(&(end - start)) {
        let what = format!(
            "runs from {} to {}; give an end above the start by {} to {}; it may exceed 1 to go around",
            show(start),
            show(end),
            ARC[0],
            ARC[1]
        );
        return table.refuse("arc", what);
    }
    Ok(())
}

fn shape(table: Table, shape: &InclusionShape) -> Checked {
    let side = |center: [f64; 2], size: f64, angle: f64| {
        place(table, "center_mm", center)?;
        length(table, "size_mm", size)?;
        within(table, "angle_deg", angle, [-360.0, 360.0], " degrees")
    };
    match shape {
        InclusionShape::Circle { center_mm, diameter_mm } => side(*center_mm, *diameter_mm, 0.0),
        InclusionShape::Square { center_mm, side_mm, angle_deg }
        | InclusionShape::Triangle { center_mm, side_mm, angle_deg } => {
            side(*center_mm, *side_mm, *angle_deg)
        }
        InclusionShape::Rectangle { center_mm, size_mm: [width, height], angle_deg } => {
            side(*center_mm, *width, *angle_deg)?;
            side(*center_mm, *height, *angle_deg)
        }
        InclusionShape::Polygon { points_mm } => points(table, "points_mm", points_mm),
    }
}

/// Refuses inclusions that are not inside the body or not separate. The error has the line of the later one.
fn apart(body: &Outline, inclusions: &[Outline], lines: &Lines) -> Checked {
    let outlines: Vec<&Outline> = std::iter::once(body).chain(inclusions).collect();
    let Some(Clash { first, second, how }) = clash(&outlines) else { return Ok(()) };
    // In a clash, number 0 is the body.
    let table = Table::Inclusion(second - 1);
    let other = || match first {
        0 => "the body's edge".to_string(),
        _ => lines.inclusion(first - 1),
    };
    table.fault(match how {
        How::Reaches => format!("{table} reaches outside the body; move it or make it smaller"),
        How::Outside => format!("{table} lies outside the body; move it"),
        How::Overlap => format!("{table} overlaps {}; move one or make it smaller", other()),
        How::Near { gap, least, at } => format!(
            "{table} comes within {gap:.3} mm of {} near {}; leave at least {least:.3} mm",
            other(),
            pair(at)
        ),
    })
}

/// Checks the material of a region and returns its least modulus in kPa. `holes` are other regions inside it.
fn tissue(table: Table, tissue: &Tissue, region: &Outline, holes: &[Outline]) -> Result<f64, Fault> {
    above_zero(table, "damping", tissue.damping, 2.0, ": the solver needs loss")?;
    let modulus = &tissue.modulus_kpa;
    match modulus {
        Modulus::Constant(_) => {}
        Modulus::Polynomial(terms) => polynomial(table, terms)?,
        Modulus::Random { mean_kpa, spread, length_mm, seed: _ } => {
            let key = "modulus_kpa";
            if !(*mean_kpa > MODULUS[0] && *mean_kpa <= MODULUS[1]) {
                return table.refuse(key, format!("has mean_kpa = {}; {}", show(*mean_kpa), limits()));
            }
            if !(*spread > 0.0 && *spread <= 2.0) {
                let what = format!("has spread = {}; give a number above 0, up to 2", show(*spread));
                return table.refuse(key, what);
            }
            if !(1.0..=2000.0).contains(length_mm) {
                let what = format!("has length_mm = {}; give a number from 1 to 2000 mm", show(*length_mm));
                return table.refuse(key, what);
            }
        }
        Modulus::Layers { layers_kpa, edges_mm, angle_deg, blend_mm } => {
            layers(table, layers_kpa, edges_mm, *angle_deg, *blend_mm)?;
        }
    }
    let field = modulus.field();
    let probes = if modulus.is_constant() { vec![[0.0, 0.0]] } else { probes(region, holes) };
    // The value farthest out of range is the most informative.
    let far = |p: &[f64; 2]| {
        let kpa = field.at(*p);
        if kpa.is_nan() { f64::INFINITY } else { (MODULUS[0] - kpa).max(kpa - MODULUS[1]) }
    };
    let bad = |p: &[f64; 2]| !(field.at(*p) > MODULUS[0] && field.at(*p) <= MODULUS[1]);
    let worst = probes.iter().copied().filter(bad).max_by(|a, b| far(a).total_cmp(&far(b)));
    if let Some(p) = worst {
        let at = if modulus.is_constant() { String::new() } else { format!(" at {} mm", pair(p)) };
        return table.refuse("modulus_kpa", format!("is {}{at}; {}", show(field.at(p)), limits()));
    }
    Ok(probes.iter().map(|p| field.at(*p)).fold(f64::INFINITY, f64::min))
}

fn limits() -> String {
    format!("give a modulus above {} kPa and up to {} kPa, everywhere in its region", MODULUS[0], MODULUS[1])
}

fn polynomial(table: Table, terms: &[(u32, u32, f64)]) -> Checked {
    let key = "modulus_kpa";
    if terms.is_empty() {
        return table.refuse(key, "has a polynomial without terms; give [[i, j, c], ...]");
    }
    for (n, (i, j, c)) in terms.iter().enumerate() {
        if i.saturating_add(*j) > DEGREE {
            let what = format!("has a term x^{i} y^{j}; give terms with i + j up to {DEGREE}");
            return table.refuse(key, what);
        }
        if !c.is_finite() {
            return table.refuse(key, format!("has a term x^{i} y^{j} times {c}; give a finite number"));
        }
        if terms[..n].iter().any(|(k, l, _)| (k, l) == (i, j)) {
            return table.refuse(key, format!("has the term x^{i} y^{j} twice; add them up"));
        }
    }
    Ok(())
}

fn layers(table: Table, kpa: &[f64], edges: &[f64], angle: f64, blend: f64) -> Checked {
    let key = "modulus_kpa";
    let n = kpa.len();
    if !(2..=MOST_LAYERS).contains(&n) || edges.len() != n - 1 {
        let what = format!(
            "has {n} layers_kpa and {} edges_mm; give 2 to {MOST_LAYERS} layers and one edge between each pair",
            edges.len()
        );
        return table.refuse(key, what);
    }
    if let Some(bad) = kpa.iter().find(|v| !(**v > MODULUS[0] && **v <= MODULUS[1])) {
        return table.refuse(key, format!("has a layer of {}; {}", show(*bad), limits()));
    }
    edges.iter().try_for_each(|at| place(table, key, [*at, 0.0]))?;
    if let Some(pair) = edges.windows(2).find(|pair| pair[0] >= pair[1]) {
        let [a, b] = [pair[0], pair[1]].map(show);
        return table.refuse(key, format!("has edges_mm {a} and {b}; give them in ascending order"));
    }
    if !(-360.0..=360.0).contains(&angle) {
        return table.refuse(key, format!("has angle_deg = {}; give a number from -360 to 360", show(angle)));
    }
    if !(1.0..=2000.0).contains(&blend) {
        let what = format!("has blend_mm = {}; give a number from 1 to 2000 mm", show(blend));
        return table.refuse(key, what);
    }
    Ok(())
}

/// Points on the region's edge and on a grid inside it.
fn probes(region: &Outline, holes: &[Outline]) -> Vec<[f64; 2]> {
    let [low, high] = region.bounds();
    let along = |k: usize, i: usize| low[k] + (high[k] - low[k]) * (i as f64 + 0.5) / GRID as f64;
    let grid = (0..GRID * GRID).map(|i| [along(0, i % GRID), along(1, i / GRID)]);
    let inside = |p: &[f64; 2]| region.contains(*p) && !holes.iter().any(|hole| hole.contains(*p));
    let mut probes = region.points(region.length() / (4 * GRID) as f64);
    probes.extend(grid.filter(inside));
    probes
}
