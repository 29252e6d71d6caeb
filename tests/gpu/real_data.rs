//! The authors' public samples, where `PALPATE_DATA` names their folder: agreement of the clinical mode with
//! their clinical maps, with the same settings for every study. A measure, never a target to tune to.

use crate::common::compare::assert_close;
use crate::harness::Data;
use palpate::Size;
use palpate::lowlevel::io;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::stats::agreement::{Agreement, agreement};
use palpate::lowlevel::stats::erode::erode;
use palpate::lowlevel::wave::{FrameLayout, ReadOptions, WaveImage, ZeroLevel};
use std::path::Path;

tests![the_clinical_mode_agrees_with_the_clinical_maps, the_corrected_mode_beside_them,];

struct Study {
    folder: &'static str,
    waves: &'static str,
    spacing_mm: Option<f64>,
    /// Their maps are the transpose of their waves.
    transposed: bool,
    /// kPa in a unit of their maps.
    unit: f64,
}

const STUDIES: [Study; 4] = [
    Study { folder: "study1a", waves: "displacement", spacing_mm: None, transposed: false, unit: 1.0 },
    Study { folder: "study1b", waves: "displacement", spacing_mm: None, transposed: false, unit: 1.0 },
    Study { folder: "study2", waves: "displacement", spacing_mm: None, transposed: false, unit: 1.0 },
    Study { folder: "study3", waves: "wave", spacing_mm: Some(360.0 / 256.0), transposed: true, unit: 0.01 },
];

/// Inverts one sample and returns (theirs, ours) over the mask eroded by 12 px.
fn sample(pipelines: &Pipelines, study: &Study, mode: MmdiMode, wave: &Path) -> (Vec<f64>, Vec<f64>) {
    let volume = io::read(wave).expect("a wave image");
    let options = ReadOptions { spacing_mm: study.spacing_mm.map(|mm| [mm; 2]), ..Default::default() };
    let mut image = WaveImage::read(&volume, None, &options).expect("a wave image");
    let mask = image.masks.remove(0);
    let settings = MmdiSettings {
        mode,
        size: image.size,
        spacing_mm: image.spacing_mm,
        frames: if image.layout == FrameLayout::Phases {
            Frames::Phases(image.frames)
        } else {
            Frames::Channels
        },
        directions: 1,
        zero_lost: image.zero == ZeroLevel::Lost,
        frequency_hz: 60.0,
        density: 1000.0,
    };
    let mmdi = Mmdi::new(pipelines, &settings, &|_, _| {}).expect("compile");
    let maps = mmdi.invert(&image.data, &mask).expect("invert");
    let ours = MmdiMap::Stiffness.of(&maps);

    let name = wave.file_stem().expect("a name").to_string_lossy();
    let map = wave.parent().and_then(Path::parent).expect("a study").join(format!("mmdi/{name}.mat"));
    let io::Samples::Real(theirs) = io::read(map).expect("their map").data else {
        panic!("their map is real")
    };
    let Size { nx, ny } = image.size;
    let inner = ndarray::Array2::from_shape_vec((ny, nx), mask).expect("shape");
    let inner = erode(inner.view(), 12);
    let at = |x: usize, y: usize| if study.transposed { y + nx * x } else { x + nx * y };
    let pixels = inner.indexed_iter().filter(|(_, inside)| **inside).map(|((y, x), _)| (x, y));
    pixels.map(|(x, y)| (study.unit * theirs[at(x, y)], f64::from(ours[x + nx * y]))).unzip()
}

fn pooled(pipelines: &Pipelines, data: &Path, study: &Study, mode: MmdiMode) -> Agreement {
    let folder = data.join(study.folder).join(study.waves);
    let mut waves: Vec<_> =
        std::fs::read_dir(&folder).expect("a study").map(|entry| entry.expect("entry").path()).collect();
    waves.sort();
    let samples = waves.iter().map(|wave| sample(pipelines, study, mode, wave));
    let (theirs, ours): (Vec<_>, Vec<_>) = samples.unzip();
    agreement(&theirs.concat(), &ours.concat()).expect("pixels")
}

fn the_clinical_mode_agrees_with_the_clinical_maps(pipelines: &Pipelines, data: Data) {
    // r and median error per cent as found, README.md's for study 3. Their study 2 maps hold spikes of 10⁶ kPa: no r.
    let stated = [(Some(0.928), 4.7), (Some(0.971), 5.1), (None, 3.6), (Some(0.978), 3.4)];
    judge(pipelines, &data, MmdiMode::Clinical, stated);
}

fn the_corrected_mode_beside_them(pipelines: &Pipelines, data: Data) {
    // It is meant to differ: their study 1 maps lie 6 % above the unbiased inversion. The figures of kernels/README.md.
    let stated = [(Some(0.914), 7.05), (Some(0.968), 8.95), (None, 4.25), (Some(0.966), 4.7)];
    judge(pipelines, &data, MmdiMode::Corrected, stated);
}

fn judge(pipelines: &Pipelines, data: &Path, mode: MmdiMode, stated: [(Option<f64>, f64); 4]) {
    for (study, (r_stated, error_stated)) in STUDIES.iter().zip(stated) {
        let found = pooled(pipelines, data, study, mode);
        let (r, error) = (found.pearson_r.expect("r"), found.median_relative_error.expect("error"));
        note!("{}: r {r:.4}, median error {:.2} %, {} px", study.folder, 100.0 * error, found.n);
        assert_close(100.0 * error, error_stated, 0.1, format!("{}: median error, %", study.folder));
        if let Some(stated) = r_stated {
            assert_close(r, stated, 0.002, format!("{}: r", study.folder));
        }
    }
}
