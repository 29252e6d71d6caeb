//! The files of a folder, and the images that they hold.

use super::Kind;
use super::comments::Comment;
use super::dataset::Dataset;
use super::mosaic::Mosaic;
use super::parse::{Header, parse};
use super::pixels::Layout;
use super::place::Place;
use super::tags::{self, Tag};
use crate::error::{Error, Result};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Maximum number of files in a folder.
const MAX_FILES: usize = 100_000;
/// Maximum number of images in a folder.
const MAX_IMAGES: usize = 1 << 20;
/// Maximum length of a file in bytes.
const MAX_BYTES: u64 = 2 << 30;

/// A folder of media has an index of this class.
const DIRECTORY_CLASS: &str = "1.2.840.10008.1.3.10";

/// One file with pixels.
#[derive(Debug)]
pub(super) struct File {
    /// The path below the folder.
    pub path: PathBuf,
    /// Identifier of the series.
    pub series: String,
    pub number: u32,
    pub description: String,
    pub columns: usize,
    pub rows: usize,
    /// How the pixels are stored, or a clause about pixels that palpate cannot read.
    pub layout: Result<Layout, String>,
    /// Thickness of the slices, mm.
    pub thickness: Option<f64>,
}

/// One image: a file of one frame, a frame of a file, or a tile of a mosaic.
#[derive(Debug, Clone)]
pub(super) struct Image {
    /// Index of the file.
    pub file: usize,
    pub frame: usize,
    /// Column and row in the frame at which the image begins.
    pub corner: [usize; 2],
    /// Columns and rows.
    pub size: [usize; 2],
    pub kind: Kind,
    /// The place, or a clause that says what is wrong with it.
    pub place: Result<Place, String>,
    pub slope: f64,
    pub intercept: f64,
    pub instance: Option<i64>,
    pub comment: Comment,
    /// Index of the phase offset.
    pub temporal: Option<i64>,
    /// Time since the trigger, ms.
    pub trigger_ms: Option<f64>,
    /// Indices of dimensions that are neither place, time nor kind.
    pub others: Vec<i64>,
}

/// The files and the images of a folder.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub files: Vec<File>,
    pub images: Vec<Image>,
}

impl Scan {
    /// Reads the headers of all DICOM files in a folder and its subfolders.
    pub fn of(folder: &Path) -> Result<Self> {
        let mut scan = Self::default();
        for path in paths(folder)? {
            let own = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
            if !is_dicom(&path) {
                continue;
            }
            let header = header(&path).map_err(|what| Error::file(&own, what))?;
            scan.add(&own, &header);
            if scan.images.len() > MAX_IMAGES {
                return Err(Error::Data(format!("the folder holds more than {MAX_IMAGES} images")));
            }
        }
        if scan.files.is_empty() {
            return Err(Error::Data("the folder holds no DICOM files with images".into()));
        }
        Ok(scan)
    }

    /// Adds a file with its images, unless it has no pixels.
    fn add(&mut self, path: &Path, header: &Header) {
        let data = &header.data;
        let Some(stored) = &header.stored else { return };
        if data.text(tags::SOP_CLASS_UID).as_deref() == Some(DIRECTORY_CLASS) {
            return;
        }
        let count = |tag: Tag| data.number(tag).map_or(0, |v| v as usize);
        let [columns, rows, frames] =
            [count(tags::COLUMNS), count(tags::ROWS), data.number(tags::FRAMES).map_or(1, |v| v as usize)];
        let grouped = data.items(tags::FRAME_GROUPS).len();
        // A fault matters only where the series is read.
        let fault = if columns == 0 || rows == 0 {
            Some("does not state its numbers of rows and columns".to_string())
        } else if frames == 0 || (grouped != frames && (frames > 1 || grouped > 0)) {
            Some(format!("claims {frames} frames, but says of {grouped} where they lie"))
        } else {
            None
        };
        let number = data.number(tags::SERIES_NUMBER).filter(|n| (0.0..4e9).contains(n)).unwrap_or(0.0);
        let description: String = data
            .text(tags::SERIES_DESCRIPTION)
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .collect();
        let file = self.files.len();
        self.files.push(File {
            path: path.to_path_buf(),
            series: data.text(tags::SERIES_INSTANCE_UID).unwrap_or_default(),
            number: number as u32,
            description: description.chars().take(64).collect(),
            columns,
            rows,
            layout: match &fault {
                Some(what) => Err(what.clone()),
                None => Layout::of(header, stored, [columns, rows], frames),
            },
            thickness: Frame::new(data, 0).number(tags::PIXEL_MEASURES_SEQUENCE, tags::SLICE_THICKNESS),
        });
        let whole = [columns, rows];
        if fault.is_some() {
            self.images.push(image(data, file, 0, whole));
        } else if is_mosaic(data) {
            let image = image(data, file, 0, whole);
            let place = image.place.clone().ok();
            match Mosaic::of(data, whole, place) {
                Ok(mosaic) => {
                    let tile = |(n, place): (usize, Place)| {
                        let corner = [n % mosaic.across * mosaic.tile[0], n / mosaic.across * mosaic.tile[1]];
                        Image { corner, size: mosaic.tile, place: Ok(place), ..image.clone() }
                    };
                    self.images.extend(mosaic.places.iter().copied().enumerate().map(tile));
                }
                Err(what) => self.images.push(Image { place: Err(what), ..image }),
            }
        } else {
            self.images.extend((0..frames).map(|frame| image(data, file, frame, whole)));
        }
    }
}

/// Reports whether the file says that it is one of several slices in one image.
fn is_mosaic(data: &Dataset) -> bool {
    data.text(tags::IMAGE_TYPE).is_some_and(|text| text.split('\\').any(|part| part.trim() == "MOSAIC"))
}

/// One frame of a file: its own functional groups, those of all frames, and the elements of the file.
struct Frame<'a> {
    data: &'a Dataset,
    groups: [Option<&'a Dataset>; 2],
}

impl<'a> Frame<'a> {
    fn new(data: &'a Dataset, frame: usize) -> Self {
        let groups = [data.items(tags::FRAME_GROUPS).get(frame), data.items(tags::SHARED_GROUPS).first()];
        Self { data, groups }
    }

    /// Where an attribute of a functional group may stand: in the group, then in the file.
    fn places(&self, sequence: Tag) -> impl Iterator<Item = &'a Dataset> {
        let groups = self.groups.into_iter().flatten();
        groups.filter_map(move |group| group.items(sequence).first()).chain([self.data])
    }

    fn number(&self, sequence: Tag, tag: Tag) -> Option<f64> {
        self.places(sequence).find_map(|data| data.number(tag))
    }

    fn exactly<const N: usize>(&self, sequence: Tag, tag: Tag) -> Option<[f64; N]> {
        self.places(sequence).find_map(|data| data.exactly(tag))
    }

    fn text(&self, sequence: Tag, tag: Tag) -> Option<String> {
        self.places(sequence).find_map(|data| data.text(tag))
    }

    fn place(&self) -> Result<Place, String> {
        let position = self.exactly(tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION);
        let orientation = self.exactly(tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION);
        let spacing = self.exactly(tags::PIXEL_MEASURES_SEQUENCE, tags::PIXEL_SPACING);
        match (position, orientation, spacing) {
            (Some(position), Some(orientation), Some(spacing)) => Place::new(position, orientation, spacing),
            (None, ..) => Err("does not state the position of its image (ImagePositionPatient)".into()),
            (_, None, _) => {
                Err("does not state the orientation of its image (ImageOrientationPatient)".into())
            }
            _ => Err("does not state its pixel spacing (PixelSpacing)".into()),
        }
    }

    fn kind(&self) -> Kind {
        let of = |data: &Dataset, tag: Tag| data.text(tag).map_or(Kind::Other, |text| Kind::of(&text));
        let sequence = tags::MR_FRAME_TYPE_SEQUENCE;
        let found = self.places(sequence).flat_map(|data| {
            [tags::COMPLEX_COMPONENT, tags::FRAME_TYPE, tags::IMAGE_TYPE].map(|tag| of(data, tag))
        });
        found.into_iter().find(|kind| *kind != Kind::Other).unwrap_or_else(|| self.private_kind())
    }

    /// The kind as GE's scanners state it in an element of their own.
    fn private_kind(&self) -> Kind {
        let ge = self.data.text(tags::MANUFACTURER).is_some_and(|name| name.to_uppercase().starts_with("GE"));
        match self.data.number(tags::GE_IMAGE_KIND).filter(|_| ge) {
            Some(0.0) => Kind::Magnitude,
            Some(1.0) => Kind::Phase,
            _ => Kind::Other,
        }
    }
}

/// Reports whether a dimension of a multi-frame file counts phase offsets.
fn is_time(pointer: u32) -> bool {
    [tags::TEMPORAL_POSITION, tags::TEMPORAL_POSITION_INDEX, tags::TRIGGER_TIME, tags::NOMINAL_TRIGGER_DELAY]
        .iter()
        .any(|tag| tag.number == pointer)
}

/// Reports whether a dimension of a multi-frame file is known from elsewhere.
fn is_place_or_kind(pointer: u32) -> bool {
    [
        tags::STACK_ID,
        tags::IN_STACK_POSITION,
        tags::IMAGE_POSITION,
        tags::IMAGE_ORIENTATION,
        tags::PLANE_POSITION_SEQUENCE,
        tags::PLANE_ORIENTATION_SEQUENCE,
        tags::COMPLEX_COMPONENT,
        tags::FRAME_TYPE,
        tags::IMAGE_TYPE,
    ]
    .iter()
    .any(|tag| tag.number == pointer)
}

fn image(data: &Dataset, file: usize, frame: usize, size: [usize; 2]) -> Image {
    let own = Frame::new(data, frame);
    let content = tags::FRAME_CONTENT_SEQUENCE;
    let comment = own.text(content, tags::FRAME_COMMENTS).or_else(|| data.text(tags::IMAGE_COMMENTS));
    let dimensions = data.items(tags::DIMENSION_INDEX_SEQUENCE).iter();
    let dimensions = dimensions.map(|item| item.number(tags::DIMENSION_POINTER).unwrap_or(0.0) as u32);
    let values = own.places(content).find_map(|data| data.numbers(tags::DIMENSION_INDEX_VALUES));
    let values: Vec<(u32, i64)> =
        dimensions.zip(values.unwrap_or_default().into_iter().map(|v| v as i64)).collect();
    let temporal = own
        .number(content, tags::TEMPORAL_POSITION_INDEX)
        .or_else(|| data.number(tags::TEMPORAL_POSITION))
        .map(|v| v as i64);
    let by_dimension = values.iter().find(|(pointer, _)| is_time(*pointer)).map(|(_, value)| *value);
    let rest =
        |&(pointer, value): &(u32, i64)| (!is_time(pointer) && !is_place_or_kind(pointer)).then_some(value);
    Image {
        file,
        frame,
        corner: [0, 0],
        size,
        kind: own.kind(),
        place: own.place(),
        slope: own.number(tags::VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_SLOPE).unwrap_or(1.0),
        intercept: own.number(tags::VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_INTERCEPT).unwrap_or(0.0),
        instance: data.number(tags::INSTANCE_NUMBER).map(|v| v as i64),
        comment: comment.map(|text| Comment::parse(&text)).unwrap_or_default(),
        temporal: temporal.or(by_dimension),
        trigger_ms: own
            .number(tags::CARDIAC_SEQUENCE, tags::NOMINAL_TRIGGER_DELAY)
            .or_else(|| data.number(tags::TRIGGER_TIME)),
        others: values.iter().filter_map(rest).collect(),
    }
}

/// Parses the header of a file.
pub(super) fn header(path: &Path) -> Result<Header, String> {
    let file = std::fs::File::open(path).map_err(|e| format!("cannot be read: {}", e.kind()))?;
    let length = file.metadata().map_err(|e| format!("cannot be read: {}", e.kind()))?.len();
    if length > MAX_BYTES {
        return Err(format!("has {length} bytes; palpate reads DICOM files of at most {MAX_BYTES}"));
    }
    parse(file, length)
}

/// Reports whether a file has DICOM's magic.
pub(super) fn is_dicom(path: &Path) -> bool {
    let mut start = [0; 132];
    // A pipe would block the program forever.
    let regular = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    regular
        && std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start[128..] == *b"DICM"
}

/// The files in a folder and in its subfolders, by name.
pub(super) fn paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut below = Vec::new();
    entries(folder, folder, &mut found, Some(&mut below))?;
    for own in below {
        entries(folder, &own, &mut found, None)?;
    }
    found.sort();
    Ok(found)
}

/// Adds the files of `own`, which is `root` or below it, and its folders.
fn entries(
    root: &Path,
    own: &Path,
    files: &mut Vec<PathBuf>,
    mut folders: Option<&mut Vec<PathBuf>>,
) -> Result<()> {
    let name = own.strip_prefix(root).ok().filter(|name| !name.as_os_str().is_empty()).unwrap_or(root);
    let unreadable = |e: std::io::Error| Error::file(name, format!("cannot be read: {}", e.kind()));
    for entry in std::fs::read_dir(own).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !path.is_dir() {
            files.push(path);
        } else if let Some(folders) = &mut folders {
            folders.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(Error::file(root, format!("holds more than {MAX_FILES} files")));
        }
    }
    Ok(())
}
