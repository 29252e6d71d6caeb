//! The file of a phantom, in which every key is optional, and its conversion to and from a [`Phantom`].

use super::lines::{Fault, Table};
use super::source::WrittenSource;
use super::{
    Body, BodyOutline, Drive, FarFace, Inclusion, InclusionShape, Modulus, OutlineShape, Phantom, Side,
    Tissue,
};
use serde::{Deserialize, Serialize};

/// The driven part of a drawn slab's outline, in shares of its length. It includes the start, which is a liver's right
/// lobe.
const ARC: [f64; 2] = [0.94, 1.08];

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    kind: Option<Kind>,
    radius_mm: Option<f64>,
    height_mm: Option<f64>,
    side_mm: Option<f64>,
    outline: Option<WrittenOutline>,
    outline_seed: Option<u32>,
    width_mm: Option<f64>,
    smooth: Option<bool>,
    thickness_mm: Option<f64>,
    far_face: Option<FarFace>,
    frequency_hz: Option<f64>,
    density: Option<f64>,
    poisson: Option<f64>,
    slices_mm: Option<Vec<f64>>,
    pixel_mm: Option<f64>,
    size_px: Option<u32>,
    drive: Option<WrittenDrive>,
    source: Option<Vec<WrittenSource>>,
    background: Option<WrittenTissue>,
    inclusion: Option<Vec<WrittenInclusion>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Cylinder,
    Prism,
    Square,
    Slab,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Cylinder => "cylinder",
            Kind::Prism => "prism",
            Kind::Square => "square",
            Kind::Slab => "slab",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "give \"liver\", \"kidney\", \"torso\", \"blob\", \"circle\", or points in mm: [[x, y], [x, y], [x, y], ...]"
)]
enum WrittenOutline {
    Drawn(OutlineShape),
    Circle(Circle),
    Points(Vec<[f64; 2]>),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Circle {
    Circle,
}

/// Exactly two numbers. A plain array would accept a longer list and take its first two numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged, expecting = "give two numbers, [a, b]")]
pub(super) enum Pair {
    Of([f64; 2]),
}

impl Pair {
    pub fn get(self) -> [f64; 2] {
        let Pair::Of(pair) = self;
        pair
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDrive {
    amplitude_mm: Option<f64>,
    offset_mm: Option<Pair>,
    radius_mm: Option<f64>,
    edge: Option<Side>,
    arc: Option<Pair>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTissue {
    modulus_kpa: Option<Modulus>,
    damping: Option<f64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenInclusion {
    shape: Option<ShapeName>,
    center_mm: Option<Pair>,
    size_mm: Option<WrittenSize>,
    angle_deg: Option<f64>,
    points_mm: Option<Vec<Pair>>,
    modulus_kpa: Option<Modulus>,
    damping: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ShapeName {
    Circle,
    Square,
    Rectangle,
    Triangle,
    Polygon,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged, expecting = "give a number, or [width, height] for a rectangle")]
enum WrittenSize {
    One(f64),
    Two([f64; 2]),
}

pub(super) fn need<T>(value: Option<T>, table: Table, what: &str) -> Result<T, Fault> {
    value.map_or_else(|| table.fault(format!("{}{what} is missing; add it", table.prefix())), Ok)
}

impl File {
    /// Converts the file to a phantom and fills in the defaults. It checks that the keys are those of the phantom's
    /// kind; it does not check the range of numbers.
    pub fn phantom(self) -> Result<Phantom, Fault> {
        let kinds = "kind = \"cylinder\", \"prism\", \"square\" or \"slab\"";
        let kind = need(self.kind, Table::Top, kinds)?;
        let drive = self.drive.clone().unwrap_or_default();
        self.refuse_other_kinds(kind, &drive)?;
        let top = |value: Option<f64>, key: &str| {
            need(value, Table::Top, &format!("{key}, which a {} needs,", kind.name()))
        };
        let far_face = self.far_face.unwrap_or(FarFace::Roller);
        let body = match kind {
            Kind::Cylinder => Body::Cylinder {
                radius_mm: top(self.radius_mm, "radius_mm")?,
                height_mm: top(self.height_mm, "height_mm")?,
                far_face,
            },
            Kind::Prism => {
                let sources = need(self.source.as_ref(), Table::Top, "[[source]], which a prism needs,")?;
                let sources = sources.iter().enumerate().map(|(i, written)| written.source(Table::Source(i)));
                Body::Prism {
                    outline: self.body_outline(kind)?,
                    height_mm: top(self.height_mm, "height_mm")?,
                    sources: sources.collect::<Result<_, _>>()?,
                }
            }
            Kind::Square => Body::Square {
                side_mm: top(self.side_mm, "side_mm")?,
                far_face,
                edge: drive.edge.unwrap_or(Side::Left),
            },
            Kind::Slab => {
                let outline = self.body_outline(kind)?;
                let drawn = matches!(outline, BodyOutline::Drawn { .. });
                let arc = drive.arc.map(Pair::get).or(drawn.then_some(ARC));
                Body::Slab {
                    outline,
                    thickness_mm: top(self.thickness_mm, "thickness_mm")?,
                    arc: need(arc, Table::Drive, "arc, which a circle or an outline of points needs,")?,
                }
            }
        };
        let slices_mm = self.slices_mm.unwrap_or_else(|| match &body {
            Body::Cylinder { height_mm, .. } | Body::Prism { height_mm, .. } => {
                [0.2, 0.25, 0.3].map(|share| share * height_mm).to_vec()
            }
            Body::Square { .. } => vec![],
            Body::Slab { thickness_mm, .. } => vec![thickness_mm / 2.0],
        });
        let background = need(self.background, Table::Top, "[background] with modulus_kpa and damping")?;
        let inclusions = self.inclusion.unwrap_or_default().into_iter().enumerate();
        Ok(Phantom {
            body,
            frequency_hz: self.frequency_hz.unwrap_or(60.0),
            density: self.density.unwrap_or(1000.0),
            poisson: self.poisson.unwrap_or(0.499),
            slices_mm,
            pixel_mm: self.pixel_mm.unwrap_or(1.0),
            size_px: self.size_px.unwrap_or(256) as usize,
            drive: Drive {
                amplitude_mm: drive.amplitude_mm.unwrap_or(Drive::default().amplitude_mm),
                offset_mm: drive.offset_mm.map(Pair::get).unwrap_or_default(),
                radius_mm: drive.radius_mm,
            },
            background: tissue(Table::Background, background.modulus_kpa, background.damping)?,
            inclusions: inclusions.map(|(i, written)| written.inclusion(i)).collect::<Result<_, _>>()?,
        })
    }

    /// Refuses keys that belong to other kinds of phantoms.
    fn refuse_other_kinds(&self, kind: Kind, drive: &WrittenDrive) -> Result<(), Fault> {
        use Kind::{Cylinder, Prism, Slab, Square};
        let keys: [(Table, &'static str, bool, &[Kind]); 14] = [
            (Table::Top, "radius_mm", self.radius_mm.is_some(), &[Cylinder]),
            (Table::Top, "height_mm", self.height_mm.is_some(), &[Cylinder, Prism]),
            (Table::Top, "side_mm", self.side_mm.is_some(), &[Square]),
            (Table::Top, "outline", self.outline.is_some(), &[Prism, Slab]),
            (Table::Top, "outline_seed", self.outline_seed.is_some(), &[Prism, Slab]),
            (Table::Top, "width_mm", self.width_mm.is_some(), &[Prism, Slab]),
            (Table::Top, "smooth", self.smooth.is_some(), &[Prism, Slab]),
            (Table::Top, "thickness_mm", self.thickness_mm.is_some(), &[Slab]),
            (Table::Top, "far_face", self.far_face.is_some(), &[Cylinder, Square]),
            (Table::Top, "source", self.source.is_some(), &[Prism]),
            (Table::Top, "drive", self.drive.is_some(), &[Cylinder, Square, Slab]),
            (Table::Drive, "edge", drive.edge.is_some(), &[Square]),
            (Table::Drive, "arc", drive.arc.is_some(), &[Slab]),
            (Table::Drive, "offset_mm", drive.offset_mm.is_some(), &[Cylinder]),
        ];
        for (table, key, given, kinds) in keys {
            if given && !kinds.contains(&kind) {
                let names: Vec<_> = kinds.iter().map(|k| format!("a {}", k.name())).collect();
                let theirs = names.join(" or ");
                let what = format!("is for {theirs}, and this phantom is a {}; leave it out", kind.name());
                return table.refuse(key, what);
            }
        }
        Ok(())
    }

    fn body_outline(&self, kind: Kind) -> Result<BodyOutline, Fault> {
        let kinds = format!(
            "outline = \"liver\", \"kidney\", \"torso\", \"blob\", \"circle\" or [[x, y], ...], which a {} needs,",
            kind.name()
        );
        let written = need(self.outline.as_ref(), Table::Top, &kinds)?;
        let (drawn, points) =
            (matches!(written, WrittenOutline::Drawn(_)), matches!(written, WrittenOutline::Points(_)));
        let foreign = [
            ("outline_seed", !drawn && self.outline_seed.is_some(), "is for a drawn outline; leave it out"),
            ("width_mm", points && self.width_mm.is_some(), "is not for an outline of points; leave it out"),
            ("smooth", !points && self.smooth.is_some(), "is for an outline of points; leave it out"),
        ];
        if let Some((key, _, what)) = foreign.into_iter().find(|(_, wrong, _)| *wrong) {
            return Table::Top.refuse(key, what);
        }
        let width_mm = self.width_mm.unwrap_or(180.0);
        Ok(match written {
            WrittenOutline::Drawn(shape) => {
                BodyOutline::Drawn { shape: *shape, seed: self.outline_seed.unwrap_or(1), width_mm }
            }
            WrittenOutline::Circle(Circle::Circle) => BodyOutline::Circle { width_mm },
            WrittenOutline::Points(points_mm) => {
                BodyOutline::Points { points_mm: points_mm.clone(), smooth: self.smooth.unwrap_or(false) }
            }
        })
    }

    fn write_outline(&mut self, outline: &BodyOutline) {
        match outline {
            BodyOutline::Drawn { shape, seed, width_mm } => {
                self.outline = Some(WrittenOutline::Drawn(*shape));
                (self.outline_seed, self.width_mm) = (Some(*seed), Some(*width_mm));
            }
            BodyOutline::Circle { width_mm } => {
                self.outline = Some(WrittenOutline::Circle(Circle::Circle));
                self.width_mm = Some(*width_mm);
            }
            BodyOutline::Points { points_mm, smooth } => {
                self.outline = Some(WrittenOutline::Points(points_mm.clone()));
                self.smooth = Some(*smooth);
            }
        }
    }
}

fn tissue(table: Table, modulus: Option<Modulus>, damping: Option<f64>) -> Result<Tissue, Fault> {
    Ok(Tissue {
        modulus_kpa: need(modulus, table, "modulus_kpa")?,
        damping: need(damping, table, "damping")?,
    })
}

impl WrittenInclusion {
    fn inclusion(self, i: usize) -> Result<Inclusion, Fault> {
        let table = Table::Inclusion(i);
        let shapes = "shape = \"circle\", \"square\", \"rectangle\", \"triangle\" or \"polygon\"";
        let shape = need(self.shape, table, shapes)?;
        let (circle, polygon) = (shape == ShapeName::Circle, shape == ShapeName::Polygon);
        let foreign = [
            ("center_mm", polygon && self.center_mm.is_some(), "is not for a polygon; leave it out"),
            ("size_mm", polygon && self.size_mm.is_some(), "is not for a polygon; leave it out"),
            ("angle_deg", polygon && self.angle_deg.is_some(), "is not for a polygon; turn its points"),
            ("angle_deg", circle && self.angle_deg.is_some(), "is not for a circle; leave it out"),
            (
                "points_mm",
                !polygon && self.points_mm.is_some(),
                "is for a polygon; give center_mm and size_mm",
            ),
        ];
        if let Some((key, _, what)) = foreign.into_iter().find(|(_, wrong, _)| *wrong) {
            return table.refuse(key, what);
        }
        let center = || need(self.center_mm, table, "center_mm").map(Pair::get);
        let angle_deg = self.angle_deg.unwrap_or(0.0);
        let one = || match need(self.size_mm, table, "size_mm")? {
            WrittenSize::One(size) => Ok(size),
            WrittenSize::Two(_) => table.refuse("size_mm", "takes one number for this shape"),
        };
        let two = || match need(self.size_mm, table, "size_mm = [width, height]")? {
            WrittenSize::Two(size) => Ok(size),
            WrittenSize::One(_) => table.refuse("size_mm", "takes [width, height] for a rectangle"),
        };
        let shape = match shape {
            ShapeName::Circle => InclusionShape::Circle { center_mm: center()?, diameter_mm: one()? },
            ShapeName::Square => InclusionShape::Square { center_mm: center()?, side_mm: one()?, angle_deg },
            ShapeName::Triangle => {
                InclusionShape::Triangle { center_mm: center()?, side_mm: one()?, angle_deg }
            }
            ShapeName::Rectangle => {
                InclusionShape::Rectangle { center_mm: center()?, size_mm: two()?, angle_deg }
            }
            ShapeName::Polygon => {
                let points = need(self.points_mm, table, "points_mm")?;
                InclusionShape::Polygon { points_mm: points.into_iter().map(Pair::get).collect() }
            }
        };
        Ok(Inclusion { shape, tissue: tissue(table, self.modulus_kpa, self.damping)? })
    }
}

impl From<&Phantom> for File {
    fn from(phantom: &Phantom) -> File {
        let mut file = File {
            frequency_hz: Some(phantom.frequency_hz),
            density: Some(phantom.density),
            poisson: Some(phantom.poisson),
            pixel_mm: Some(phantom.pixel_mm),
            // A size beyond u32 is refused later in any case.
            size_px: Some(u32::try_from(phantom.size_px).unwrap_or(u32::MAX)),
            background: Some(WrittenTissue {
                modulus_kpa: Some(phantom.background.modulus_kpa.clone()),
                damping: Some(phantom.background.damping),
            }),
            ..File::default()
        };
        let mut drive =
            WrittenDrive { amplitude_mm: Some(phantom.drive.amplitude_mm), ..WrittenDrive::default() };
        match &phantom.body {
            Body::Cylinder { radius_mm, height_mm, far_face } => {
                file.kind = Some(Kind::Cylinder);
                (file.radius_mm, file.height_mm) = (Some(*radius_mm), Some(*height_mm));
                file.far_face = Some(*far_face);
                drive.offset_mm = Some(Pair::Of(phantom.drive.offset_mm));
                drive.radius_mm = phantom.drive.radius_mm;
            }
            Body::Prism { outline, height_mm, sources } => {
                file.kind = Some(Kind::Prism);
                file.height_mm = Some(*height_mm);
                file.write_outline(outline);
                file.source = Some(sources.iter().map(WrittenSource::from).collect());
            }
            Body::Square { side_mm, far_face, edge } => {
                file.kind = Some(Kind::Square);
                (file.side_mm, file.far_face) = (Some(*side_mm), Some(*far_face));
                drive.edge = Some(*edge);
            }
            Body::Slab { outline, thickness_mm, arc } => {
                file.kind = Some(Kind::Slab);
                file.thickness_mm = Some(*thickness_mm);
                drive.arc = Some(Pair::Of(*arc));
                file.write_outline(outline);
            }
        }
        file.drive = Some(drive).filter(|_| file.source.is_none());
        file.slices_mm = Some(phantom.slices_mm.clone()).filter(|slices| !slices.is_empty());
        let inclusions: Vec<_> = phantom.inclusions.iter().map(WrittenInclusion::from).collect();
        file.inclusion = Some(inclusions).filter(|inclusions| !inclusions.is_empty());
        file
    }
}

impl From<&Inclusion> for WrittenInclusion {
    fn from(inclusion: &Inclusion) -> WrittenInclusion {
        let one = |shape, center: [f64; 2], size, angle: Option<f64>| WrittenInclusion {
            shape: Some(shape),
            center_mm: Some(Pair::Of(center)),
            size_mm: Some(size),
            angle_deg: angle,
            ..WrittenInclusion::default()
        };
        let written = match &inclusion.shape {
            InclusionShape::Circle { center_mm, diameter_mm } => {
                one(ShapeName::Circle, *center_mm, WrittenSize::One(*diameter_mm), None)
            }
            InclusionShape::Square { center_mm, side_mm, angle_deg } => {
                one(ShapeName::Square, *center_mm, WrittenSize::One(*side_mm), Some(*angle_deg))
            }
            InclusionShape::Triangle { center_mm, side_mm, angle_deg } => {
                one(ShapeName::Triangle, *center_mm, WrittenSize::One(*side_mm), Some(*angle_deg))
            }
            InclusionShape::Rectangle { center_mm, size_mm, angle_deg } => {
                one(ShapeName::Rectangle, *center_mm, WrittenSize::Two(*size_mm), Some(*angle_deg))
            }
            InclusionShape::Polygon { points_mm } => WrittenInclusion {
                shape: Some(ShapeName::Polygon),
                points_mm: Some(points_mm.iter().copied().map(Pair::Of).collect()),
                ..WrittenInclusion::default()
            },
        };
        let Tissue { modulus_kpa, damping } = &inclusion.tissue;
        WrittenInclusion { modulus_kpa: Some(modulus_kpa.clone()), damping: Some(*damping), ..written }
    }
}
