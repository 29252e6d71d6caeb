//! Siemens mosaics: all slices of a stack in one image, as tiles.

use super::dataset::Dataset;
use super::place::{Place, cross, normalised};
use super::tags;

/// Maximum number of tiles in a row.
const MOST_ACROSS: usize = 64;

/// The tiles of a mosaic.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mosaic {
    /// Number of tiles that hold a slice, from the top left, by rows.
    pub slices: usize,
    /// Tiles per row and per column.
    pub across: usize,
    /// Columns and rows of a tile.
    pub tile: [usize; 2],
    /// Where each slice lies.
    pub places: Vec<Place>,
}

impl Mosaic {
    /// The tiles of an image of `columns` and `rows` at `place`.
    ///
    /// The position in the file is that of an image as large as the mosaic around the centre of the first slice. So the
    /// first slice begins half of the difference further on.
    ///
    /// # Errors
    /// A clause, if the file does not say how it is cut.
    pub fn of(data: &Dataset, [columns, rows]: [usize; 2], place: Option<Place>) -> Result<Self, String> {
        let csa = data.bytes(tags::CSA_IMAGE_HEADER).map(Csa);
        let csa = |name: &str| csa.as_ref().and_then(|csa| csa.numbers(name)).unwrap_or_default();
        let stated =
            data.number(tags::MOSAIC_IMAGES).or_else(|| csa("NumberOfImagesInMosaic").first().copied());
        let whole = |v: f64| {
            ((1.0..=(MOST_ACROSS * MOST_ACROSS) as f64).contains(&v) && v.fract() == 0.0)
                .then_some(v as usize)
        };
        let slices = stated.and_then(whole);
        let across = match slices {
            Some(slices) => (slices as f64).sqrt().ceil() as usize,
            // The larger entries of the matrix are the sides of a tile.
            None => {
                let matrix = data.numbers(tags::ACQUISITION_MATRIX).unwrap_or_default();
                let side = matrix.iter().copied().fold(0.0, f64::max);
                whole(side).filter(|side| columns % side == 0).map_or(0, |side| columns / side)
            }
        };
        if !(1..=MOST_ACROSS).contains(&across) {
            return Err(
                "is a mosaic that does not say how many slices it has; convert it with dcm2niix".into()
            );
        }
        if columns % across > 0 || rows % across > 0 {
            return Err(format!(
                "is a mosaic of {columns} × {rows} pixels, which cannot be cut into {across} × {across} tiles"
            ));
        }
        let tile = [columns / across, rows / across];
        let slices = slices.unwrap_or(across * across);
        let place = place.ok_or("has no position and orientation of its image")?;
        let step = data.number(tags::SPACING_BETWEEN_SLICES).filter(|step| *step > 0.0);
        let step = match step {
            Some(step) => step,
            None if slices == 1 => 1.0,
            None => return Err("is a mosaic that does not state the spacing between its slices".into()),
        };
        let own = cross(place.row, place.column);
        let normal = <[f64; 3]>::try_from(csa("SliceNormalVector")).ok().and_then(normalised).unwrap_or(own);
        let shift =
            [0, 1].map(|axis| ([columns, rows][axis] - tile[axis]) as f64 / 2.0 * place.spacing[axis]);
        let first = |k: usize| place.position[k] + shift[0] * place.row[k] + shift[1] * place.column[k];
        let at = |n: usize| Place {
            position: std::array::from_fn(|k| first(k) + n as f64 * step * normal[k]),
            ..place
        };
        Ok(Self { slices, across, tile, places: (0..slices).map(at).collect() })
    }
}

/// The private header of a Siemens image: named lists of texts.
struct Csa<'a>(&'a [u8]);

impl Csa<'_> {
    /// The numbers of this name.
    fn numbers(&self, name: &str) -> Option<Vec<f64>> {
        let u32_at = |at: usize| {
            let bytes = self.0.get(at..at.checked_add(4)?)?.first_chunk()?;
            Some(u32::from_le_bytes(*bytes) as usize)
        };
        if !self.0.starts_with(b"SV10") {
            return None;
        }
        let mut at = 16usize;
        for _ in 0..u32_at(8)?.min(4096) {
            let own = self.0.get(at..at.checked_add(64)?)?.split(|b| *b == 0).next()?;
            let items = u32_at(at + 76)?.min(4096);
            let mut numbers = Vec::new();
            at += 84;
            for _ in 0..items {
                let length = u32_at(at.checked_add(4)?)?;
                let start = at.checked_add(16)?;
                let text = self.0.get(start..start.checked_add(length)?)?;
                let text = String::from_utf8_lossy(text);
                numbers.extend(text.trim_matches(['\0', ' ']).parse::<f64>().ok().filter(|v| v.is_finite()));
                at = start.checked_add(length.checked_next_multiple_of(4)?)?;
            }
            if own == name.as_bytes() {
                return (!numbers.is_empty()).then_some(numbers);
            }
        }
        None
    }
}
