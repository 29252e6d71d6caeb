//! Statistics of the maps in regions, as a table.

use super::table::line;
use crate::cli::dime::confidence;
use crate::cli::report::{CONFIDENT, Slice};
use ndarray::ArrayView2;
use palpate::lowlevel::dime::DimeMap;
use palpate::lowlevel::io;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::stats::erode::erode;
use palpate::lowlevel::stats::region::region;
use palpate::lowlevel::wave::WaveImage;
use palpate::{Error, Result};
use std::path::PathBuf;

/// Where the statistics are taken.
#[derive(clap::Args)]
#[command(next_help_heading = "Regions")]
pub struct RegionOptions {
    /// Image of labels, a whole number for each region, that is measured into S_regions.csv; or a binary mask
    #[arg(long, value_name = "FILE")]
    regions: Option<PathBuf>,
    /// Leave out a rim of so many pixels of each region
    #[arg(long, value_name = "PX", default_value_t = 0, requires = "regions")]
    erode: usize,
}

/// A region: its label, and where it is, `[slice][y][x]`.
pub struct Region {
    label: f64,
    inside: Vec<bool>,
}

impl RegionOptions {
    /// The file of the regions.
    pub fn file(&self) -> Option<&PathBuf> {
        self.regions.as_ref()
    }

    /// The regions on the grid of `image`, inside its mask.
    pub fn read(&self, image: &WaveImage) -> Result<Vec<Region>> {
        let Some(path) = &self.regions else { return Ok(Vec::new()) };
        let volume = io::read(path)?;
        let labels = image.labels(&volume).map_err(|error| crate::cli::about(path, error))?;
        let mut regions = Vec::new();
        for (label, mut inside) in labels {
            for (slice, mask) in inside.chunks_exact_mut(image.size.pixels()).zip(&image.masks) {
                let view = ArrayView2::from_shape((image.size.ny, image.size.nx), &*slice);
                let eroded = erode(view.expect("a slice fills its image"), self.erode);
                slice.iter_mut().zip(&eroded).zip(mask).for_each(|((to, from), mask)| *to = *from && *mask);
            }
            regions.push(Region { label, inside });
        }
        if regions.iter().all(|region| !region.inside.contains(&true)) {
            let why = if self.erode > 0 { "; --erode takes too much" } else { " lies inside the mask" };
            return Err(Error::file(path, format!("none of its regions{why}")));
        }
        Ok(regions)
    }
}

/// The table: one line for each region, map, and slice or the whole stack.
pub fn table(regions: &[Region], slices: &[Slice], spacing_mm: [f64; 2]) -> String {
    let head = [
        "region",
        "slice",
        "map",
        "unit",
        "pixels",
        "area_mm2",
        "mean",
        "sd",
        "median",
        "q25",
        "q75",
        "min",
        "max",
        "share_confident",
    ];
    let mut text = line(&head.map(String::from));
    let mmdi = [
        (MmdiMap::Stiffness, "mmdi_stiffness", "kPa"),
        (MmdiMap::Storage, "mmdi_storage", "kPa"),
        (MmdiMap::Loss, "mmdi_loss", "kPa"),
        (MmdiMap::Wavespeed, "mmdi_wavespeed", "m/s"),
    ];
    // Every map as (name, unit, values of all slices, confidence of all slices).
    let sure = Slice::stack(slices, MmdiMap::Confidence);
    let mut maps: Vec<(&str, &str, Vec<f32>, Vec<f32>)> =
        mmdi.map(|(plane, name, unit)| (name, unit, Slice::stack(slices, plane), sure.clone())).into();
    if slices.iter().all(|slice| slice.dime.is_some()) {
        let sure = slices.iter().flat_map(|s| &s.dime).flat_map(|maps| confidence(maps)).collect();
        maps.push(("dime_stiffness", "kPa", Slice::stack_dime(slices, DimeMap::Modulus), sure));
    }
    let n = slices.first().map_or(0, |slice| slice.mask.len());
    for Region { label, inside } in regions {
        let parts = std::iter::once(("all".to_string(), 0..inside.len()))
            .chain((0..slices.len()).map(|i| (i.to_string(), i * n..(i + 1) * n)));
        for (slice, range) in parts {
            for (name, unit, values, sure) in &maps {
                let confidence = (&sure[range.clone()], f64::from(CONFIDENT));
                let Some(s) =
                    region(&values[range.clone()], &inside[range.clone()], spacing_mm, Some(confidence))
                else {
                    continue;
                };
                let numbers = [s.area_mm2, s.mean, s.sd, s.median, s.iqr[0], s.iqr[1], s.min, s.max];
                let cells =
                    [label.to_string(), slice.clone(), (*name).into(), (*unit).into(), s.n.to_string()]
                        .into_iter()
                        .chain(numbers.map(|v| format!("{v:.6}")))
                        .chain([s.share_confident.map_or(String::new(), |v| format!("{v:.4}"))]);
                text += &line(&cells.collect::<Vec<_>>());
            }
        }
    }
    text
}
