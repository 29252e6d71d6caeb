//! Phantoms: the body, its material, its vibration, and the image planes.
//!
//! A phantom is read from a TOML file ([`Phantom::read`]), or made in code and checked ([`Phantom::check`]):
//!
//! ```
//! use palpate::lowlevel::phantom::Phantom;
//!
//! # fn main() -> palpate::Result<()> {
//! let text = r#"
//!     kind = "cylinder"
//!     radius_mm = 80
//!     height_mm = 100
//!     [background]
//!     modulus_kpa = 3.5
//!     damping = 0.1
//!     [[inclusion]]
//!     shape = "circle"
//!     center_mm = [30, -20]
//!     size_mm = 20
//!     modulus_kpa = 6
//!     damping = 0.1
//! "#;
//! let phantom = Phantom::parse(text, "phantom.toml".as_ref())?;
//! assert_eq!(phantom.slices_mm, [20.0, 25.0, 30.0]);
//! assert_eq!(phantom.inclusions[0].tissue.modulus_kpa.field().at([30.0, -20.0]), 6.0);
//! # Ok(()) }
//! ```
#![doc = include_str!("../../docs/phantom-file.md")]

mod file;
mod lines;
mod modulus;
mod output;
mod rules;
pub mod set;
mod shape;
mod simulate;
mod source;
#[cfg(test)]
mod tests;

pub use crate::fem::mesh::OutlineShape;
pub use crate::fem::model::{FarFace, Side, WallDirection};
pub use modulus::{Modulus, ModulusField};
pub use output::{FILES, Simulated};
pub use shape::{BodyOutline, InclusionShape};
pub use simulate::{PhantomImages, Quality, WaveMethod};
pub use source::{Contact, Source};

use crate::error::{Error, Result};
use crate::fem::mesh::Outline;
use crate::io::open;
use file::File;
use lines::{Fault, Lines, key_at, position};
use serde::{Deserialize as _, Serialize, Serializer, ser};
use std::io::Read;
use std::path::Path;
use toml::de::{DeTable, Deserializer};

/// The largest size of a file. No description is this long, so a larger file was named by mistake.
const MOST_BYTES: u64 = 1 << 20;

/// A phantom with every default filled in. It serialises to the keys of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Phantom {
    /// The shape, with the values that only one kind of body has.
    pub body: Body,
    /// The frequency of the vibration in Hz.
    pub frequency_hz: f64,
    /// The density in kg/m³.
    pub density: f64,
    /// Poisson's ratio.
    pub poisson: f64,
    /// The image planes in mm above the driven face (cylinder, prism) or the lower free face (slab). Empty for a square.
    pub slices_mm: Vec<f64>,
    /// The side of a pixel in mm.
    pub pixel_mm: f64,
    /// The number of rows and of columns of the image.
    pub size_px: usize,
    /// The vibration; its default for a prism, whose sources are in its body.
    pub drive: Drive,
    /// The material outside the inclusions.
    pub background: Tissue,
    /// The inclusions. They do not touch each other or the body's edge.
    pub inclusions: Vec<Inclusion>,
}

/// The shape of a phantom, centred in the image unless a slab's points say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A cylinder, imaged across its axis. One end face is driven along the axis.
    Cylinder {
        /// The radius in mm.
        radius_mm: f64,
        /// The height in mm.
        height_mm: f64,
        /// The condition on the face opposite to the driven one.
        far_face: FarFace,
    },
    /// A body of any cross section, imaged across its axis. Its end at z = 0, the face, is driven along the axis where
    /// sources are on it, and held elsewhere. The opposite end is held along the axis. The wall is free where no source
    /// is.
    Prism {
        /// The outline of the cross section.
        outline: BodyOutline,
        /// The height in mm.
        height_mm: f64,
        /// The sources of the waves.
        sources: Vec<Source>,
    },
    /// A square in plane strain. `edge` is driven along itself.
    Square {
        /// The length of a side in mm.
        side_mm: f64,
        /// The condition on the face opposite to the driven one.
        far_face: FarFace,
        /// The driven edge.
        edge: Side,
    },
    /// A plate with free faces. Part of its edge is driven perpendicular to the faces. `arc` is the start and end of
    /// this part, in shares of the outline's length.
    Slab {
        /// The outline of the faces.
        outline: BodyOutline,
        /// The thickness in mm.
        thickness_mm: f64,
        /// The start and the end of the driven part, in shares of the outline's length.
        arc: [f64; 2],
    },
}

/// The vibration of a phantom.
#[derive(Debug, Clone, PartialEq)]
pub struct Drive {
    /// The amplitude in mm.
    pub amplitude_mm: f64,
    /// The point where a cylinder's face is pushed, in mm from its centre; `[0, 0]` for other bodies.
    pub offset_mm: [f64; 2],
    /// The radius in mm of a soft pad on a cylinder's face. Without a pad, a rigid plate covers the face.
    pub radius_mm: Option<f64>,
}

impl Default for Drive {
    fn default() -> Drive {
        Drive { amplitude_mm: 0.5, offset_mm: [0.0; 2], radius_mm: None }
    }
}

/// The material of a region, with the complex modulus μ(1 + iη).
#[derive(Debug, Clone, PartialEq)]
pub struct Tissue {
    /// The storage modulus μ in kPa.
    pub modulus_kpa: Modulus,
    /// The loss factor η.
    pub damping: f64,
}

/// A region of different material.
#[derive(Debug, Clone, PartialEq)]
pub struct Inclusion {
    /// Its outline.
    pub shape: InclusionShape,
    /// Its material.
    pub tissue: Tissue,
}

impl Phantom {
    /// Reads the file of a phantom.
    ///
    /// # Errors
    /// [`Error::File`] if the file is missing, a folder, unreadable, empty, larger than 1 MiB or not UTF-8.
    /// [`Error::Usage`] as in [`Phantom::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Phantom> {
        let path = path.as_ref();
        let mut bytes = vec![];
        let file = open(path)?;
        file.take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Error::file(
                path,
                "is larger than 1 MiB, too large for the description of a phantom; check the path",
            ));
        }
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            let [line, column] = position(&String::from_utf8_lossy(&bytes[..e.valid_up_to()]), usize::MAX);
            Error::file(path, format!("is not UTF-8 text at line {line}, column {column}; save it as UTF-8"))
        })?;
        Phantom::parse(text, path)
    }

    /// Parses the text of a phantom's file. `name` is the file's name for messages.
    ///
    /// # Errors
    /// [`Error::Usage`], with file, line and column, if the text is not TOML, or if a key is unknown, missing or
    /// belongs to another kind. Also if [`Phantom::check`] refuses the phantom.
    pub fn parse(text: &str, name: &Path) -> Result<Phantom> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let refuse = |[line, column]: [usize; 2], what: &str| {
            Error::Usage(format!("{}:{line}:{column}: {what}", name.display()))
        };
        let start = |e: &toml::de::Error| e.span().map_or(0, |span| span.start);
        let table = DeTable::parse(text)
            .map_err(|e| refuse(position(text, start(&e)), &e.message().replace('\n', ", ")))?;
        let file = File::deserialize(Deserializer::from(table.clone())).map_err(|e| {
            let key = key_at(table.get_ref(), start(&e)).map_or(String::new(), |key| format!("{key}: "));
            let said = reworded(e.message());
            let hint = if key == "inclusion: " && said.starts_with("found a table") {
                "; write [[inclusion]]"
            } else {
                ""
            };
            refuse(position(text, start(&e)), &format!("{key}{said}{hint}"))
        })?;
        let lines = Lines(Some((text, table.get_ref())));
        let found = file.phantom().and_then(|phantom| phantom.rules(&lines).map(|()| phantom));
        found.map_err(|Fault { at, what }| refuse(lines.find(at).unwrap_or([1, 1]), &what))
    }

    /// Applies the checks of [`Phantom::parse`] to a phantom made in code.
    ///
    /// # Errors
    /// [`Error::Usage`] in these cases:
    /// - A number or a modulus is out of range.
    /// - Inclusions overlap or reach outside the body.
    /// - Slices are outside the body, or the body is outside the image.
    /// - A slab is too thick for its shear wavelength.
    /// - The far face is free and no solution exists.
    pub fn check(&self) -> Result<()> {
        self.rules(&Lines(None)).map_err(|fault| Error::Usage(fault.what))
    }

    /// The text of the phantom's file. [`Phantom::parse`] restores the same phantom from it.
    pub fn to_toml(&self) -> String {
        toml::to_string(&File::from(self)).expect("a file has only values that TOML can represent")
    }

    /// The outline of the body in mm from the image's centre. A slab's outline has breaks at the ends of the driven
    /// arc.
    ///
    /// # Errors
    /// [`Error::Usage`] if a size is not above zero or points do not form an outline.
    pub fn outline(&self) -> Result<Outline> {
        match &self.body {
            Body::Cylinder { radius_mm, .. } => Outline::circle([0.0, 0.0], *radius_mm),
            Body::Prism { outline, .. } => outline.outline(),
            Body::Square { side_mm, .. } => Outline::square([0.0, 0.0], *side_mm),
            Body::Slab { outline, arc, .. } => {
                let outline = outline.outline()?;
                let ends = arc.map(|share| share * outline.length());
                Ok(outline.divided(&ends))
            }
        }
    }

    /// The outlines of the inclusions in mm from the image's centre.
    ///
    /// # Errors
    /// [`Error::Usage`] if a size is not above zero or points do not form an outline.
    pub fn inclusion_outlines(&self) -> Result<Vec<Outline>> {
        self.inclusions.iter().map(|inclusion| inclusion.shape.outline()).collect()
    }

    /// The prescribed displacement in mm at a point `p` of the driven face, for bodies with a [`Drive`].
    ///
    /// On a cylinder it is along the axis. A rigid plate of radius R on an elastic bed, pushed at o, gives
    /// A(1 + 4 o·r/R²). A pad of radius w gives A(1 - s²/w²)² at a distance s < w from its centre, and 0 elsewhere.
    /// On other bodies it is A.
    pub fn drive_mm(&self, p: [f64; 2]) -> f64 {
        let Drive { amplitude_mm, offset_mm: [x, y], radius_mm: pad } = self.drive;
        match (&self.body, pad) {
            (Body::Cylinder { .. }, Some(pad)) => {
                let share = (p[0] - x).hypot(p[1] - y) / pad;
                if share < 1.0 { amplitude_mm * (1.0 - share * share).powi(2) } else { 0.0 }
            }
            (Body::Cylinder { radius_mm, .. }, None) => {
                amplitude_mm * (1.0 + 4.0 * (x * p[0] + y * p[1]) / radius_mm.powi(2))
            }
            _ => amplitude_mm,
        }
    }

    /// Reports whether the waves do not vary around the axis: a cylinder of constant modulus without inclusions,
    /// whose whole face moves uniformly.
    pub fn is_axisymmetric(&self) -> bool {
        matches!(self.body, Body::Cylinder { .. })
            && self.background.modulus_kpa.is_constant()
            && self.inclusions.is_empty()
            && self.drive.radius_mm.is_none()
            && self.drive.offset_mm == [0.0, 0.0]
    }

    /// The centre of the pixel in row `i` and column `j`, in mm from the image's centre.
    pub fn pixel_centre(&self, i: usize, j: usize) -> [f64; 2] {
        let middle = (self.size_px as f64 - 1.0) / 2.0;
        [j, i].map(|k| (k as f64 - middle) * self.pixel_mm)
    }
}

impl Serialize for Phantom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A TOML table omits absent keys.
        toml::Table::try_from(File::from(self)).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

/// Rephrases a message of serde in the style of the other messages.
fn reworded(message: &str) -> String {
    let wrong =
        ["invalid type: ", "invalid value: "].into_iter().find_map(|start| message.strip_prefix(start));
    let Some((found, expected)) = wrong.and_then(|text| text.rsplit_once(", expected ")) else {
        return message.replacen("unknown field", "unknown key", 1).replacen(
            "unknown variant",
            "unknown value",
            1,
        );
    };
    let found = match found {
        "sequence" => "a list",
        "map" => "a table",
        other => other,
    };
    let expected = match expected {
        "f64" => "a number",
        "u32" => "a whole number from 0 to 4294967295",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    format!("found {found}, expected {expected}")
}
