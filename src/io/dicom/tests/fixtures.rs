//! DICOM files in any transfer syntax that palpate reads, by an encoder of their own.

use super::super::tags::{self, Tag};
use super::codecs::{jpeg, rle};
use std::collections::BTreeMap;

pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
pub const RLE: &str = "1.2.840.10008.1.2.5";
pub const JPEG: &str = "1.2.840.10008.1.2.4.57";
pub const JPEG_SV1: &str = "1.2.840.10008.1.2.4.70";

pub const COLUMNS: usize = 5;
pub const ROWS: usize = 4;
/// The direction of rows and of columns: turned about the first axis.
pub const TURNED: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 0.8, 0.6];
/// The direction from slice to slice, and its length.
pub const NORMAL: [f64; 3] = [0.0, -0.6, 0.8];
pub const STEP_MM: f64 = 4.0;

#[derive(Clone)]
enum Value {
    Text(String),
    Bytes(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    F64(Vec<f64>),
    Items(Vec<Made>),
    /// Samples of 16 bits, by frames.
    Frames(Vec<Vec<u16>>),
}

/// A data set.
#[derive(Clone, Default)]
pub struct Made(BTreeMap<u32, ([u8; 2], Value)>);

impl Made {
    fn with(mut self, tag: Tag, value: Value) -> Self {
        self.0.insert(tag.number, (tag.vr, value));
        self
    }

    pub fn text(self, tag: Tag, text: &str) -> Self {
        self.with(tag, Value::Text(text.into()))
    }

    pub fn numbers(self, tag: Tag, numbers: &[f64]) -> Self {
        let value = match &tag.vr {
            b"US" => Value::U16(numbers.iter().map(|v| *v as u16).collect()),
            b"AT" => Value::U16(
                numbers.iter().flat_map(|v| [(*v as u32 >> 16) as u16, *v as u32 as u16]).collect(),
            ),
            b"UL" => Value::U32(numbers.iter().map(|v| *v as u32).collect()),
            b"FD" => Value::F64(numbers.to_vec()),
            _ => Value::Text(numbers.iter().map(f64::to_string).collect::<Vec<_>>().join("\\")),
        };
        self.with(tag, value)
    }

    pub fn bytes(self, tag: Tag, bytes: Vec<u8>) -> Self {
        self.with(tag, Value::Bytes(bytes))
    }

    pub fn items(self, tag: Tag, items: Vec<Made>) -> Self {
        self.with(tag, Value::Items(items))
    }

    pub fn frames(self, frames: Vec<Vec<u16>>) -> Self {
        self.with(tags::PIXELS, Value::Frames(frames))
    }

    pub fn without(mut self, tag: Tag) -> Self {
        self.0.remove(&tag.number);
        self
    }

    fn encode(&self, syntax: &str, columns: usize) -> Vec<u8> {
        let big = syntax == BIG_ENDIAN;
        let u16s = |v: u16| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let u32s = |v: u32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let tag = |number: u32| [u16s((number >> 16) as u16), u16s(number as u16)].concat();
        let mut out = Vec::new();
        for (&number, (vr, value)) in &self.0 {
            let mut undefined = matches!(value, Value::Items(_));
            let mut bytes = match value {
                Value::Text(text) => text.clone().into_bytes(),
                Value::Bytes(bytes) => bytes.clone(),
                Value::U16(v) => v.iter().flat_map(|v| u16s(*v)).collect(),
                Value::U32(v) => v.iter().flat_map(|v| u32s(*v)).collect(),
                Value::F64(v) => {
                    v.iter().flat_map(|v| if big { v.to_be_bytes() } else { v.to_le_bytes() }).collect()
                }
                Value::Items(items) => {
                    let mut bytes = Vec::new();
                    // Items with and without a length.
                    for (n, item) in items.iter().enumerate() {
                        let item = item.encode(syntax, columns);
                        bytes.extend(tag(0xfffe_e000));
                        bytes.extend(u32s(if n % 2 < 1 { item.len() as u32 } else { u32::MAX }));
                        bytes.extend(item);
                        if n % 2 > 0 {
                            bytes.extend([tag(0xfffe_e00d), vec![0; 4]].concat());
                        }
                    }
                    bytes
                }
                Value::Frames(frames) if [RLE, JPEG, JPEG_SV1].contains(&syntax) => {
                    undefined = true;
                    let mut bytes = [tag(0xfffe_e000), vec![0; 4]].concat();
                    for frame in frames {
                        let mut part = match syntax {
                            RLE => rle(frame),
                            JPEG_SV1 => jpeg(frame, columns, 1, 0),
                            _ => jpeg(frame, columns, 7, columns),
                        };
                        part.resize(part.len().next_multiple_of(2), 0);
                        bytes.extend(tag(0xfffe_e000));
                        bytes.extend(u32s(part.len() as u32));
                        bytes.extend(part);
                    }
                    bytes
                }
                Value::Frames(frames) => frames.concat().iter().flat_map(|v| u16s(*v)).collect(),
            };
            if undefined {
                bytes.extend([tag(0xfffe_e0dd), vec![0; 4]].concat());
            } else if bytes.len() % 2 > 0 {
                bytes.push(if vr == b"UI" { 0 } else { b' ' });
            }
            let length = if undefined { u32::MAX } else { bytes.len() as u32 };
            out.extend(tag(number));
            if syntax == IMPLICIT {
                out.extend(u32s(length));
            } else if matches!(vr, b"SQ" | b"OW" | b"OB" | b"UN") {
                out.extend(vr);
                out.extend([0, 0]);
                out.extend(u32s(length));
            } else {
                out.extend(vr);
                out.extend(u16s(length as u16));
            }
            out.extend(bytes);
        }
        out
    }

    /// The file in a transfer syntax.
    pub fn file(&self, syntax: &str) -> Vec<u8> {
        let columns = match self.0.get(&tags::COLUMNS.number) {
            Some((_, Value::U16(columns))) => columns[0].into(),
            _ => 0,
        };
        let class = Tag { number: 0x0002_0002, vr: *b"UI" };
        let instance = Tag { number: 0x0002_0003, vr: *b"UI" };
        let meta = Made::default()
            .text(class, "1.2.840.10008.5.1.4.1.1.4")
            .text(instance, "1.2.3.4")
            .text(tags::TRANSFER_SYNTAX_UID, syntax)
            .encode(EXPLICIT, 0);
        let length = Tag { number: 0x0002_0000, vr: *b"UL" };
        let length = Made::default().numbers(length, &[meta.len() as f64]).encode(EXPLICIT, 0);
        [vec![0; 128], b"DICM".to_vec(), length, meta, self.encode(syntax, columns)].concat()
    }
}

/// The stored sample of a pixel, of 12 bits. `at` is slice, phase offset, direction and frequency.
pub fn stored(x: usize, y: usize, at: [usize; 4]) -> u16 {
    let [slice, phase, direction, frequency] = at;
    ((x + 5 * y + 20 * slice + 41 * phase + 400 * direction + 1300 * frequency) * 3 % 4096) as u16
}

pub fn frame(at: [usize; 4]) -> Vec<u16> {
    (0..ROWS).flat_map(|y| (0..COLUMNS).map(move |x| stored(x, y, at))).collect()
}

/// The position of the first pixel of a slice.
pub fn position(slice: usize) -> [f64; 3] {
    std::array::from_fn(|k| [-30.0, -40.0, 12.5][k] + NORMAL[k] * STEP_MM * slice as f64)
}

/// The places of a series: slices, phase offsets, directions, frequencies.
pub fn places([slices, phases, directions, frequencies]: [usize; 4]) -> Vec<[usize; 4]> {
    let count = slices * phases * directions * frequencies;
    // Scanners take all slices of an offset before the next offset.
    (0..count)
        .map(|n| {
            let rest = n / slices;
            [n % slices, rest % phases, rest / phases % directions, rest / phases / directions]
        })
        .collect()
}

/// What all files of a series have.
pub fn common(series: u32, kind: &str) -> Made {
    Made::default()
        .text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 100")
        .text(tags::IMAGE_TYPE, &format!("ORIGINAL\\PRIMARY\\{kind}\\ND"))
        .text(tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.4")
        .text(tags::STUDY_DATE, "20250102")
        .text(tags::STUDY_TIME, "101112")
        .text(tags::ACCESSION_NUMBER, "A4711")
        .text(tags::MODALITY, "MR")
        .text(tags::SERIES_DESCRIPTION, "mre liver")
        .text(tags::PATIENT_NAME, "Doe^Jane")
        .text(tags::PATIENT_ID, "P4711")
        .text(tags::PATIENT_BIRTH_DATE, "19600203")
        .text(tags::PATIENT_SEX, "F")
        .text(tags::PATIENT_POSITION, "HFS")
        .numbers(tags::SLICE_THICKNESS, &[3.0])
        .text(tags::STUDY_INSTANCE_UID, "1.2.826.0.1.1")
        .text(tags::SERIES_INSTANCE_UID, &format!("1.2.826.0.1.2.{series}"))
        .text(tags::STUDY_ID, "S4711")
        .numbers(tags::SERIES_NUMBER, &[series.into()])
        .text(tags::FRAME_OF_REFERENCE_UID, "1.2.826.0.1.3")
        .numbers(tags::SAMPLES_PER_PIXEL, &[1.0])
        .text(tags::PHOTOMETRIC, "MONOCHROME2")
        .numbers(tags::ROWS, &[ROWS as f64])
        .numbers(tags::COLUMNS, &[COLUMNS as f64])
        .numbers(tags::BITS_ALLOCATED, &[16.0])
        .numbers(tags::BITS_STORED, &[12.0])
        .numbers(tags::HIGH_BIT, &[11.0])
        .numbers(tags::PIXEL_REPRESENTATION, &[0.0])
        .numbers(tags::RESCALE_INTERCEPT, &[-4096.0])
        .numbers(tags::RESCALE_SLOPE, &[2.0])
}

/// One image as a file of its own, with no statement of its phase offset.
pub fn single(series: u32, kind: &str, number: usize, at: [usize; 4]) -> Made {
    common(series, kind)
        .text(tags::SOP_INSTANCE_UID, &format!("1.2.826.0.1.4.{series}.{number}"))
        .numbers(tags::INSTANCE_NUMBER, &[number as f64])
        .numbers(tags::IMAGE_POSITION, &position(at[0]))
        .numbers(tags::IMAGE_ORIENTATION, &TURNED)
        .numbers(tags::PIXEL_SPACING, &[2.0, 1.5])
        .frames(vec![frame(at)])
}

/// A series without statements of phase offsets.
pub fn silent(series: u32, kind: &str, shape: [usize; 4]) -> Vec<Made> {
    places(shape).into_iter().enumerate().map(|(n, at)| single(series, kind, n + 1, at)).collect()
}

/// A series with comments as Siemens research sequences write them.
pub fn commented(series: u32, shape: [usize; 4]) -> Vec<Made> {
    let comment = |[_, phase, direction, frequency]: [usize; 4]| {
        let angles = ["az0 po90", "az90 po90", "az0 po0"][direction % 3];
        format!("f{frequency} d{direction} {angles} t{phase} VP{}", [20000, 16667][frequency % 2])
    };
    let one = |(n, at)| single(series, "P", n + 1, at).text(tags::IMAGE_COMMENTS, &comment(at));
    places(shape).into_iter().enumerate().map(one).collect()
}

/// A file of several frames with functional groups; the kind of its images is that of each frame.
pub fn enhanced(series: u32, shape: [usize; 4], kinds: &[&str]) -> Made {
    let dimension = |tag: u32| Made::default().numbers(tags::DIMENSION_POINTER, &[tag.into()]);
    let shared = Made::default()
        .items(
            tags::PIXEL_MEASURES_SEQUENCE,
            vec![
                Made::default()
                    .numbers(tags::PIXEL_SPACING, &[2.0, 1.5])
                    .numbers(tags::SLICE_THICKNESS, &[3.0]),
            ],
        )
        .items(
            tags::PLANE_ORIENTATION_SEQUENCE,
            vec![Made::default().numbers(tags::IMAGE_ORIENTATION, &TURNED)],
        );
    let group = |kind: &&str, at: [usize; 4]| {
        let [slice, phase, direction, _] = at.map(|n| n as f64 + 1.0);
        let content = Made::default()
            .numbers(tags::IN_STACK_POSITION, &[slice])
            .numbers(tags::TEMPORAL_POSITION_INDEX, &[phase])
            .numbers(tags::DIMENSION_INDEX_VALUES, &[slice, phase, direction]);
        let position = Made::default().numbers(tags::IMAGE_POSITION, &position(at[0]));
        let kind = Made::default().text(tags::FRAME_TYPE, &format!("ORIGINAL\\PRIMARY\\{kind}\\NONE"));
        let scale =
            Made::default().numbers(tags::RESCALE_SLOPE, &[2.0]).numbers(tags::RESCALE_INTERCEPT, &[-4096.0]);
        Made::default()
            .items(tags::FRAME_CONTENT_SEQUENCE, vec![content])
            .items(tags::PLANE_POSITION_SEQUENCE, vec![position])
            .items(tags::MR_FRAME_TYPE_SEQUENCE, vec![kind])
            .items(tags::VALUE_TRANSFORMATION_SEQUENCE, vec![scale])
    };
    let all = || kinds.iter().flat_map(|kind| places(shape).into_iter().map(move |at| (kind, at)));
    common(series, "MIXED")
        .numbers(tags::INSTANCE_NUMBER, &[1.0])
        .numbers(tags::FRAMES, &[all().count() as f64])
        .items(
            tags::DIMENSION_INDEX_SEQUENCE,
            vec![
                dimension(tags::IN_STACK_POSITION.number),
                dimension(tags::TEMPORAL_POSITION_INDEX.number),
                dimension(0x0018_9089),
            ],
        )
        .items(tags::SHARED_GROUPS, vec![shared])
        .items(tags::FRAME_GROUPS, all().map(|(kind, at)| group(kind, at)).collect())
        .frames(all().map(|(_, at)| frame(at)).collect())
        .without(tags::RESCALE_SLOPE)
        .without(tags::RESCALE_INTERCEPT)
}

/// A series of Siemens mosaics, with the slices of each offset in one image.
pub fn mosaics(series: u32, [slices, phases, directions, _]: [usize; 4]) -> Vec<Made> {
    let across = (slices as f64).sqrt().ceil() as usize;
    let size = [COLUMNS * across, ROWS * across];
    let one = |(n, at): (usize, [usize; 4])| {
        let mut pixels = vec![0; size[0] * size[1]];
        for slice in 0..slices {
            for y in 0..ROWS {
                for x in 0..COLUMNS {
                    let row = slice / across * ROWS + y;
                    pixels[row * size[0] + slice % across * COLUMNS + x] =
                        stored(x, y, [slice, at[1], at[2], at[3]]);
                }
            }
        }
        // The position is that of an image of the mosaic's size about the centre of the first slice.
        let half = [(size[0] - COLUMNS) as f64 * 1.5 / 2.0, (size[1] - ROWS) as f64 * 2.0 / 2.0];
        let first = position(0);
        let corner: Vec<f64> =
            (0..3).map(|k| first[k] - half[0] * TURNED[k] - half[1] * TURNED[3 + k]).collect();
        single(series, "P\\MOSAIC", n + 1, at)
            .numbers(tags::IMAGE_POSITION, &corner)
            .numbers(tags::COLUMNS, &[size[0] as f64])
            .numbers(tags::ROWS, &[size[1] as f64])
            .numbers(tags::SPACING_BETWEEN_SLICES, &[STEP_MM])
            .numbers(tags::MOSAIC_IMAGES, &[slices as f64])
            .text(tags::IMAGE_COMMENTS, &format!("d{} t{}", at[2], at[1]))
            .frames(vec![pixels])
    };
    places([1, phases, directions, 1]).into_iter().enumerate().map(one).collect()
}
