//! Maps as DICOM files of the study that they were computed from.
//!
//! A map is written as a series of MR images, which every viewer shows, or as one parametric map, which holds the numbers
//! as they are. Identifiers are hashes of the source's identifiers and of everything written, so that the same map has
//! the same identifiers, and another map has others.

use super::encode::{Elements, uid};
use super::source::Source;
use super::tags;
use crate::error::{Error, Result};

const MR_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.4";
const PARAMETRIC_MAP: &str = "1.2.840.10008.5.1.4.1.1.30";
/// The largest stored number of an MR image, which stands for the largest absolute value.
const LARGEST: f64 = 32767.0;

/// The unit of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Kilopascals.
    Kilopascal,
    /// Metres per second.
    MetrePerSecond,
    /// A number without a unit.
    One,
}

impl Unit {
    /// Code and meaning, as UCUM (the Unified Code for Units of Measure) has them.
    fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::Kilopascal => ("kPa", "kilopascal"),
            Self::MetrePerSecond => ("m/s", "meter per second"),
            Self::One => ("1", "no units"),
        }
    }
}

/// A map on the grid of its source.
#[derive(Debug, Clone, Copy)]
pub struct Derived<'a> {
    /// The values, `[slice][y][x]`, all of them finite.
    pub values: &'a [f32],
    /// A short name, such as `stiffness`.
    pub name: &'a str,
    /// The description of the series.
    pub description: &'a str,
    /// The unit of the values.
    pub unit: Unit,
    /// How the values were computed.
    pub method: &'a str,
}

/// A map with all that its files have in common.
struct Study<'a> {
    source: &'a Source,
    map: &'a Derived<'a>,
    number: u32,
    class: &'static str,
    series: String,
}

impl<'a> Study<'a> {
    fn new(source: &'a Source, map: &'a Derived, number: u32, class: &'static str) -> Result<Self> {
        let [columns, rows, slices] = source.size();
        if map.values.len() != columns * rows * slices {
            return Err(Error::Data(format!(
                "the map {} has {} values, but its grid has {columns} × {rows} × {slices}",
                map.name,
                map.values.len()
            )));
        }
        if !map.values.iter().all(|v| v.is_finite()) {
            return Err(Error::Data(format!("the map {} holds values that are NaN or infinite", map.name)));
        }
        let series = uid(&[
            source.bytes(tags::STUDY_INSTANCE_UID).unwrap_or_default(),
            source.series.as_bytes(),
            class.as_bytes(),
            &number.to_le_bytes(),
            map.name.as_bytes(),
            map.description.as_bytes(),
            map.method.as_bytes(),
            map.unit.code().0.as_bytes(),
            env!("CARGO_PKG_VERSION").as_bytes(),
            bytemuck::cast_slice(map.values),
        ]);
        Ok(Self { source, map, number, class, series })
    }

    /// The identifier of a part of the series.
    fn uid(&self, part: &str, n: usize) -> String {
        uid(&[self.series.as_bytes(), part.as_bytes(), &(n as u64).to_le_bytes()])
    }

    /// The elements of file `n` about patient, study, series, equipment and image, without its pixels.
    fn elements(&self, n: usize) -> Elements {
        let mut out = Elements::default();
        // Attributes of the second type are there, be they empty.
        for tag in [
            tags::STUDY_DATE,
            tags::STUDY_TIME,
            tags::ACCESSION_NUMBER,
            tags::REFERRING_PHYSICIAN,
            tags::PATIENT_NAME,
            tags::PATIENT_ID,
            tags::PATIENT_BIRTH_DATE,
            tags::PATIENT_SEX,
            tags::PATIENT_POSITION,
            tags::STUDY_ID,
            tags::LATERALITY,
            tags::POSITION_REFERENCE,
        ] {
            out.text(tag, "");
        }
        for (tag, bytes) in &self.source.kept {
            out.bytes(*tag, bytes.clone());
        }
        for (tag, part) in
            [(tags::STUDY_INSTANCE_UID, "study"), (tags::FRAME_OF_REFERENCE_UID, "frame of reference")]
        {
            if self.source.bytes(tag).is_none() {
                // All maps of a series share it, and those of other patients do not.
                let mut parts = vec![part.as_bytes(), self.source.series.as_bytes()];
                parts.extend(self.source.kept.iter().map(|(_, bytes)| &bytes[..]));
                out.text(tag, &uid(&parts));
            }
        }
        let version = env!("CARGO_PKG_VERSION");
        out.text(tags::SOP_CLASS_UID, self.class)
            .text(tags::SOP_INSTANCE_UID, &self.uid("instance", n))
            .text(tags::SERIES_INSTANCE_UID, &self.series)
            .text(tags::MODALITY, "MR")
            .numbers(tags::SERIES_NUMBER, &[f64::from(self.number)])
            .numbers(tags::INSTANCE_NUMBER, &[n as f64 + 1.0])
            .text(tags::SERIES_DESCRIPTION, &plain(self.map.description, 64))
            .text(tags::DERIVATION_DESCRIPTION, &plain(self.map.method, 1024))
            .text(tags::MANUFACTURER, "palpate")
            .text(tags::MODEL_NAME, "palpate")
            .text(tags::DEVICE_SERIAL_NUMBER, version)
            .text(tags::SOFTWARE_VERSIONS, &format!("palpate {version}"))
            .text(tags::BURNED_IN, "NO")
            .text(tags::RECOGNIZABLE, "NO")
            .text(tags::LOSSY, "00")
            .numbers(tags::SAMPLES_PER_PIXEL, &[1.0])
            .text(tags::PHOTOMETRIC, "MONOCHROME2")
            .text(tags::PRESENTATION_SHAPE, "IDENTITY")
            .numbers(tags::ROWS, &[self.source.size()[1] as f64])
            .numbers(tags::COLUMNS, &[self.source.size()[0] as f64]);
        out
    }

    /// The mapping from stored to true values, without its range of stored values.
    fn real_world(&self, slope: f64) -> Elements {
        let (code, meaning) = self.map.unit.code();
        let mut unit = Elements::default();
        unit.text(tags::CODE_VALUE, code).text(tags::CODING_SCHEME, "UCUM").text(tags::CODE_MEANING, meaning);
        let mut out = Elements::default();
        out.text(tags::LUT_EXPLANATION, &plain(self.map.description, 64))
            .text(tags::LUT_LABEL, &label(self.map.name))
            .item(tags::UNITS_CODE_SEQUENCE, unit)
            .numbers(tags::REAL_WORLD_INTERCEPT, &[0.0])
            .numbers(tags::REAL_WORLD_SLOPE, &[slope]);
        out
    }

    fn name(&self) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        self.map.name.chars().map(safe).collect()
    }

    /// The spacing of rows, then of columns, as DICOM has them.
    fn spacing(&self) -> [f64; 2] {
        let [x, y] = self.source.places()[0].spacing;
        [y, x]
    }

    fn orientation(&self, slice: usize) -> [f64; 6] {
        let place = self.source.places()[slice];
        let ([a, b, c], [d, e, f]) = (place.row, place.column);
        [a, b, c, d, e, f]
    }
}

/// Encodes a map as a series of MR images, one file per slice with its name: 16 bits, with a slope to the true values and
/// their unit. 0 stays exactly 0; other values are off by half of a step of 1/32767 of the largest at most.
///
/// # Errors
/// [`Error::Data`] if the values do not fit the grid of the source or are not finite.
pub fn encode_mr_series(
    source: &Source,
    map: &Derived,
    series_number: u32,
) -> Result<Vec<(String, Vec<u8>)>> {
    let study = Study::new(source, map, series_number, MR_IMAGE)?;
    let largest = map.values.iter().fold(0f32, |m, v| m.max(v.abs()));
    // The values are rounded by the slope as the file states it.
    let slope = if largest > 0.0 { f64::from(largest) / LARGEST } else { 1.0 };
    let slope = super::encode::decimal(slope).parse().ok().filter(|v| *v > 0.0).unwrap_or(slope);
    let [columns, rows, slices] = source.size();
    let (code, _) = map.unit.code();
    let distance = source.grid.step.iter().map(|v| v * v).sum::<f64>().sqrt();
    let one = |slice: usize| {
        let values = &map.values[slice * columns * rows..][..columns * rows];
        let stored = |v: &f32| (f64::from(*v) / slope).round().clamp(-LARGEST, LARGEST) as i16;
        let pixels: Vec<u8> = values.iter().flat_map(|v| stored(v).to_le_bytes()).collect();
        let mut range = study.real_world(slope);
        // Stored numbers are signed, and so are the ends of their range.
        let signed = |tag: tags::Tag| tags::Tag { vr: *b"SS", ..tag };
        range
            .bytes(signed(tags::REAL_WORLD_FIRST), (-LARGEST as i16).to_le_bytes().to_vec())
            .bytes(signed(tags::REAL_WORLD_LAST), (LARGEST as i16).to_le_bytes().to_vec());
        let mut out = study.elements(slice);
        out.text(tags::IMAGE_TYPE, "DERIVED\\SECONDARY\\OTHER")
            .text(tags::SCANNING_SEQUENCE, "RM")
            .text(tags::SEQUENCE_VARIANT, "NONE")
            .text(tags::SCAN_OPTIONS, "")
            .text(tags::ACQUISITION_TYPE, "")
            .text(tags::REPETITION_TIME, "")
            .text(tags::ECHO_TIME, "")
            .text(tags::ECHO_TRAIN_LENGTH, "")
            .numbers(tags::SLICE_THICKNESS, &[source.thickness])
            .numbers(tags::SPACING_BETWEEN_SLICES, &[distance])
            .numbers(tags::IMAGE_POSITION, &source.places()[slice].position)
            .numbers(tags::IMAGE_ORIENTATION, &study.orientation(slice))
            .numbers(tags::PIXEL_SPACING, &study.spacing())
            .numbers(tags::BITS_ALLOCATED, &[16.0])
            .numbers(tags::BITS_STORED, &[16.0])
            .numbers(tags::HIGH_BIT, &[15.0])
            .numbers(tags::PIXEL_REPRESENTATION, &[1.0])
            .numbers(tags::WINDOW_CENTER, &[f64::from(largest) / 2.0])
            .numbers(tags::WINDOW_WIDTH, &[f64::from(largest).max(slope)])
            .numbers(tags::RESCALE_INTERCEPT, &[0.0])
            .numbers(tags::RESCALE_SLOPE, &[slope])
            .text(tags::RESCALE_TYPE, code)
            .item(tags::REAL_WORLD_SEQUENCE, range)
            .bytes(tags::PIXELS, pixels);
        (format!("{}_{:04}.dcm", study.name(), slice + 1), out.file())
    };
    Ok((0..slices).map(one).collect())
}

/// Encodes a map as one parametric map, a file with its name: floats of 32 bits, and their unit by its UCUM code.
///
/// # Errors
/// [`Error::Data`] if the values do not fit the grid of the source or are not finite.
pub fn encode_parametric_map(
    source: &Source,
    map: &Derived,
    series_number: u32,
) -> Result<(String, Vec<u8>)> {
    const TYPE: &str = "DERIVED\\PRIMARY\\VOLUME\\QUANTITY";
    let study = Study::new(source, map, series_number, PARAMETRIC_MAP)?;
    let [_, _, slices] = source.size();
    let date = |tag, fallback: &[u8]| source.bytes(tag).unwrap_or(fallback).to_vec();
    let item = |fill: &dyn Fn(&mut Elements)| {
        let mut item = Elements::default();
        fill(&mut item);
        item
    };
    let distance = source.grid.step.iter().map(|v| v * v).sum::<f64>().sqrt();
    let measures = item(&|item| {
        item.numbers(tags::SLICE_THICKNESS, &[source.thickness])
            .numbers(tags::SPACING_BETWEEN_SLICES, &[distance])
            .numbers(tags::PIXEL_SPACING, &study.spacing());
    });
    let orientation = item(&|item| {
        item.numbers(tags::IMAGE_ORIENTATION, &study.orientation(0));
    });
    let transformation = item(&|item| {
        item.numbers(tags::RESCALE_INTERCEPT, &[0.0])
            .numbers(tags::RESCALE_SLOPE, &[1.0])
            .text(tags::RESCALE_TYPE, "US");
    });
    let mut range = study.real_world(1.0);
    let ends = map.values.iter().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    range
        .numbers(tags::REAL_WORLD_FIRST_DOUBLE, &[ends.0.into()])
        .numbers(tags::REAL_WORLD_LAST_DOUBLE, &[ends.1.into()]);
    let shared = item(&|item| {
        item.item(tags::PIXEL_MEASURES_SEQUENCE, measures.clone())
            .item(tags::PLANE_ORIENTATION_SEQUENCE, orientation.clone())
            .item(tags::VALUE_TRANSFORMATION_SEQUENCE, transformation.clone())
            .item(tags::REAL_WORLD_SEQUENCE, range.clone())
            .item(tags::MAP_FRAME_TYPE_SEQUENCE, {
                let mut kind = Elements::default();
                kind.text(tags::FRAME_TYPE, TYPE);
                kind
            });
    });
    let frame = |slice: usize| {
        let content = item(&|item| {
            item.text(tags::STACK_ID, "1")
                .numbers(tags::IN_STACK_POSITION, &[slice as f64 + 1.0])
                .numbers(tags::DIMENSION_INDEX_VALUES, &[1.0, slice as f64 + 1.0]);
        });
        let position = item(&|item| {
            item.numbers(tags::IMAGE_POSITION, &source.places()[slice].position);
        });
        item(&|item| {
            item.item(tags::FRAME_CONTENT_SEQUENCE, content.clone())
                .item(tags::PLANE_POSITION_SEQUENCE, position.clone());
        })
    };
    let organisation = study.uid("dimensions", 0);
    let dimension = |pointer| {
        item(&|item| {
            item.text(tags::DIMENSION_UID, &organisation)
                .pointer(tags::DIMENSION_POINTER, pointer)
                .pointer(tags::FUNCTIONAL_GROUP_POINTER, tags::FRAME_CONTENT_SEQUENCE);
        })
    };
    let pixels = map.values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let mut out = study.elements(0);
    out.text(tags::IMAGE_TYPE, TYPE)
        .bytes(tags::CONTENT_DATE, date(tags::STUDY_DATE, b"19700101"))
        .bytes(tags::CONTENT_TIME, date(tags::STUDY_TIME, b"000000"))
        .text(tags::CONTENT_QUALIFICATION, "RESEARCH")
        .text(tags::CONTENT_LABEL, &label(map.name).to_ascii_uppercase())
        .text(tags::CONTENT_DESCRIPTION, &plain(map.description, 64))
        .text(tags::CONTENT_CREATOR, "")
        .numbers(tags::BITS_ALLOCATED, &[32.0])
        .numbers(tags::FRAMES, &[slices as f64])
        .item(
            tags::DIMENSION_ORGANIZATION_SEQUENCE,
            item(&|item| {
                item.text(tags::DIMENSION_UID, &organisation);
            }),
        )
        .items(
            tags::DIMENSION_INDEX_SEQUENCE,
            vec![dimension(tags::STACK_ID), dimension(tags::IN_STACK_POSITION)],
        )
        .items(tags::ACQUISITION_CONTEXT_SEQUENCE, Vec::new())
        .item(tags::SHARED_GROUPS, shared)
        .items(tags::FRAME_GROUPS, (0..slices).map(frame).collect())
        .bytes(tags::FLOAT_PIXELS, pixels);
    Ok((format!("{}.dcm", study.name()), out.file()))
}

/// A text of at most `length` characters that means the same in every character set.
fn plain(text: &str, length: usize) -> String {
    let plain = |c: char| match c {
        'μ' | 'µ' => 'u',
        c if c.is_ascii() && !c.is_ascii_control() && c != '\\' => c,
        _ => '?',
    };
    text.chars().map(plain).take(length).collect()
}

/// A short name: letters, digits and underscores.
fn label(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(safe).take(16).collect()
}
