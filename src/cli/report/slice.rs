//! What an inversion computes of one slice.

use palpate::lowlevel::dime::DimeMap;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;

/// The maps of one slice and its mask.
pub struct Slice {
    /// `[plane][ny][nx]`.
    pub maps: Vec<f32>,
    /// `[ny][nx]`.
    pub mask: Vec<bool>,
    /// DIME's maps, if they were asked for.
    pub dime: Option<Vec<f32>>,
    /// Of several directions or frequencies, the wave of each, `[frequency × direction]`, with the planes of `maps`.
    pub waves: Vec<Vec<f32>>,
    /// Of several frequencies, the maps of each.
    pub frequencies: Vec<Vec<f32>>,
    /// Maps of each direction and frequency alone, if they were asked for.
    pub parts: Vec<Part>,
}

/// MMDI's maps of one direction or frequency alone.
pub struct Part {
    /// The end of the maps' names.
    pub name: String,
    /// `[plane][ny][nx]`.
    pub maps: Vec<f32>,
}

impl Slice {
    /// A slice that nothing was computed of yet.
    pub fn empty(mask: Vec<bool>) -> Self {
        Self { maps: vec![], mask, dime: None, waves: vec![], frequencies: vec![], parts: vec![] }
    }

    /// One plane of all slices, `[slice][ny][nx]`.
    pub fn stack(slices: &[Self], plane: MmdiMap) -> Vec<f32> {
        slices.iter().flat_map(|s| plane.of(&s.maps)).copied().collect()
    }

    /// One plane of DIME's.
    pub fn stack_dime(slices: &[Self], plane: DimeMap) -> Vec<f32> {
        slices.iter().flat_map(|s| &s.dime).flat_map(|maps| plane.of(maps)).copied().collect()
    }
}
