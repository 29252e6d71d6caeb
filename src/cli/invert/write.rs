//! The files that an inversion writes.

use super::Invert;
use super::input::Exam;
use super::regions::{Region, RegionOptions, table};
use crate::cli::dime::{CONFIDENCE, DimeNetwork, STIFFNESS, confidence, uncertainty};
use crate::cli::report::{Method, Report, Slice, rounded};
use crate::cli::{json, picture};
use num_complex::Complex32;
use palpate::Result;
use palpate::lowlevel::dime::DimeMap;
use palpate::lowlevel::io::OutputSet;
use palpate::lowlevel::io::dicom::{Derived, Source, Unit, encode_mr_series, encode_parametric_map};
use palpate::lowlevel::io::nifti::{encode_complex64, encode_f32};
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::mmdi::MmdiSettings;
use palpate::lowlevel::wave::WaveImage;

/// The maps written for each method, and the end of their names.
const MAPS: [(MmdiMap, &str); 6] = [
    (MmdiMap::Stiffness, "mmdi_stiffness"),
    (MmdiMap::Storage, "mmdi_storage"),
    (MmdiMap::Loss, "mmdi_loss"),
    (MmdiMap::Wavespeed, "mmdi_wavespeed"),
    (MmdiMap::Confidence, "mmdi_confidence"),
    (MmdiMap::Coherence, "mmdi_coherence"),
];

/// DIME's maps.
const DIME: [&str; 3] = ["dime_stiffness", "dime_uncertainty", "dime_confidence"];

/// Every file that is known to come of the exam of this name before it is read.
pub fn names(name: &str, method: Method, regions: &RegionOptions) -> Vec<String> {
    let mmdi = MAPS.iter().map(|(_, name)| *name).filter(|_| method.mmdi());
    let dime = DIME.into_iter().filter(|_| method.dime());
    let maps = mmdi.chain(dime).chain(["wave", "amplitude", "mask"]);
    maps.map(|map| format!("{name}_{map}.nii.gz"))
        .chain([format!("{name}.png"), format!("{name}.json")])
        .chain(regions.file().map(|_| format!("{name}_regions.csv")))
        .collect()
}

impl Invert {
    #[expect(clippy::too_many_arguments, reason = "all that is known of an exam goes into its files")]
    pub(super) fn write(
        &self,
        exam: &Exam,
        image: &WaveImage,
        settings: &MmdiSettings,
        slices: &[Slice],
        report: &Report,
        network: Option<&DimeNetwork>,
        regions: &[Region],
        source: Option<&Source>,
    ) -> Result<()> {
        let stem = &exam.name;
        let mut set = OutputSet::new(&self.output, self.force)?;
        let hz: Vec<String> = image.frequencies_hz.iter().map(|hz| rounded(*hz)).collect();
        let about = |method: &str| {
            format!(
                "{method}{} Hz {} kg/m3; palpate {}",
                hz.join(","),
                image.density,
                env!("CARGO_PKG_VERSION")
            )
        };
        let mmdi = about(&format!("MMDI {} ", settings.mode));
        let mut add = |name: &str, values: &[f32], what: &str, about: &str| {
            let text = format!("{what}; {about}");
            let bytes = encode_f32(values, &image.map_dims, &image.geometry, image.spacing_mm, &text)?;
            set.add_bytes(&format!("{stem}_{name}.nii.gz"), &bytes)
        };
        if self.method.mmdi() {
            for (plane, name) in MAPS {
                add(name, &Slice::stack(slices, plane), report.definition(plane), &mmdi)?;
            }
            let parts = slices.first().map_or(0, |slice| slice.parts.len());
            for part in 0..parts {
                for (plane, name) in [MAPS[0], MAPS[4]] {
                    let values: Vec<f32> =
                        slices.iter().flat_map(|s| plane.of(&s.parts[part].maps)).copied().collect();
                    let name = format!("{name}_{}", file_name(&slices[0].parts[part].name));
                    add(&name, &values, report.definition(plane), &mmdi)?;
                }
            }
        }
        if let Some(network) = network {
            let dime = about(&format!("DIME {} ", network.model.forward_model));
            let sure: Vec<f32> = slices.iter().flat_map(|s| &s.dime).flat_map(|m| confidence(m)).collect();
            let [modulus, uncertain] =
                [DimeMap::Modulus, DimeMap::Uncertainty].map(|p| Slice::stack_dime(slices, p));
            add(DIME[0], &modulus, STIFFNESS, &dime)?;
            let what = uncertainty(&network.model, &network.settings(settings, false));
            add(DIME[1], &uncertain, what, &dime)?;
            add(DIME[2], &sure, CONFIDENCE, &dime)?;
        }
        let plain = about("");
        let amplitude = Slice::stack(slices, MmdiMap::Amplitude);
        add("amplitude", &amplitude, report.definition(MmdiMap::Amplitude), &plain)?;
        let inside: Vec<f32> = slices.iter().flat_map(|s| s.mask.iter().map(|&m| f32::from(m))).collect();
        add("mask", &inside, "mask", &plain)?;
        let (wave, dims) = waves(image, slices);
        let what = format!("first harmonic; {plain}");
        let bytes = encode_complex64(&wave, &dims, &image.geometry, image.spacing_mm, &what)?;
        set.add_bytes(&format!("{stem}_wave.nii.gz"), &bytes)?;
        let pictured = picture::PictureOptions { scale: self.scale(), magnitude: image.magnitude.as_deref() };
        set.add_bytes(&format!("{stem}.png"), &picture::inversion(stem, image, slices, report, &pictured)?)?;
        if !regions.is_empty() {
            set.add_bytes(
                &format!("{stem}_regions.csv"),
                table(regions, slices, image.spacing_mm).as_bytes(),
            )?;
        }
        if let Some(source) = source.filter(|_| self.dicom) {
            for (name, bytes) in self.encode_dicom(exam, source, slices, &mmdi)? {
                set.add_bytes(&format!("{stem}_{name}"), &bytes)?;
            }
        }
        set.add_bytes(&format!("{stem}.json"), json(report)?.as_bytes())?;
        set.commit().map(drop)
    }

    /// The maps as DICOM files: names and bytes. Their series have the numbers after a hundred times the source's.
    fn encode_dicom(
        &self,
        exam: &Exam,
        source: &Source,
        slices: &[Slice],
        method: &str,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        let mut maps: Vec<(&str, &str, Unit, Vec<f32>)> = Vec::new();
        if self.method.mmdi() {
            let [stiffness, sure] =
                [MmdiMap::Stiffness, MmdiMap::Confidence].map(|plane| Slice::stack(slices, plane));
            maps.push(("mmdi_stiffness", "MMDI stiffness |mu*|", Unit::Kilopascal, stiffness));
            maps.push(("mmdi_confidence", "MMDI confidence", Unit::One, sure));
        }
        if self.method.dime() {
            let modulus = Slice::stack_dime(slices, DimeMap::Modulus);
            maps.push(("dime_stiffness", "DIME stiffness mu", Unit::Kilopascal, modulus));
            let sure = slices.iter().flat_map(|s| &s.dime).flat_map(|m| confidence(m)).collect();
            maps.push(("dime_confidence", "DIME confidence", Unit::One, sure));
        }
        let mut files = Vec::new();
        let first = 100 * exam.series().unwrap_or(0) + 1;
        for (number, (name, description, unit, values)) in (first..).step_by(2).zip(&maps) {
            let map = Derived { values, name, description, unit: *unit, method };
            files.extend(encode_mr_series(source, &map, number)?);
            files.push(encode_parametric_map(source, &map, number + 1)?);
        }
        Ok(files)
    }
}

/// A part's name as part of a file's name.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '-' }).collect()
}

/// The first harmonic and its axes: those of the maps, and directions and frequencies where there are several.
fn waves(image: &WaveImage, slices: &[Slice]) -> (Vec<Complex32>, Vec<usize>) {
    let complex = |planes: &[f32]| {
        let parts = [MmdiMap::Real, MmdiMap::Imaginary].map(|plane| plane.of(planes).to_vec());
        let [re, im] = parts;
        re.into_iter().zip(im).map(|(re, im)| Complex32::new(re, im)).collect::<Vec<_>>()
    };
    let (directions, frequencies) = (image.directions, image.frequencies_hz.len());
    if directions * frequencies == 1 {
        return (slices.iter().flat_map(|s| complex(&s.maps)).collect(), image.map_dims.clone());
    }
    let all =
        (0..directions * frequencies).flat_map(|i| slices.iter().flat_map(move |s| complex(&s.waves[i])));
    let mut dims = vec![image.size.nx, image.size.ny, image.slices, directions];
    if frequencies > 1 {
        dims.push(frequencies);
    }
    (all.collect(), dims)
}
