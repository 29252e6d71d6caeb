//! The authors' public samples, where `PALPATE_DATA` names their folder: palpate's DIME beside the authors' own DIME and
//! MMDI, all on the same five samples a study. A measure, never a target to tune to.
//!
//! `cargo test --test dime_data -- --nocapture` prints the tables. `PALPATE_STRIDE=3` has patches as dense as `palpate
//! invert`, in nine times the time; `PALPATE_WEIGHTS` names other weights, to see what they reach, and then nothing is
//! asserted.

use crate::common::compare::{assert_covers, at_most};
use crate::harness::Data;
use palpate::Size;
use palpate::lowlevel::dime::{Dime, DimeMap, DimeSettings, DimeWeights};
use palpate::lowlevel::io::{self, Samples};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::nn::Weights;
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::stats::agreement::Agreement;
use palpate::lowlevel::stats::erode::erode;
use palpate::lowlevel::stats::evaluation::{Evaluation, Sample, evaluate, markdown};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

tests![study_1a, study_1b, study_2, in_vivo,];

const SIDE: usize = 256;
/// Pixels left out where an eroded mask is asked for.
const RIM: usize = 10;

fn values(path: PathBuf) -> Vec<f64> {
    match io::read(path).expect("a sample").data {
        Samples::Real(values) => values,
        Samples::Complex(_) => panic!("their samples are real"),
    }
}

fn narrow(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|v| v as f32).collect()
}

/// Their file of a sample, with whichever ending it has.
fn file(study: &Path, folder: &str, name: &str) -> PathBuf {
    let ending = if folder == "mmdi" || folder == "regions" { "mat" } else { "nii" };
    study.join(folder).join(format!("{name}.{ending}"))
}

fn names(folder: PathBuf) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("a folder");
    let stem = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = files.map(stem).collect();
    names.sort();
    names
}

/// What the file's last index reversed in its first axis shows: their DIME of study 2 lies so.
fn flipped(map: Vec<f32>) -> Vec<f32> {
    map.chunks(SIDE).flat_map(|row| row.iter().rev()).copied().collect()
}

fn transposed(map: &[f32]) -> Vec<f32> {
    (0..SIDE * SIDE).map(|i| map[i % SIDE * SIDE + i / SIDE]).collect()
}

struct Bench {
    chooser: Chooser,
    weights: Option<Weights>,
    stride: usize,
    data: Data,
}

impl Bench {
    fn new(pipelines: &Pipelines, data: Data) -> Self {
        let weights =
            std::env::var_os("PALPATE_WEIGHTS").map(|path| Weights::load(path.as_ref()).expect("weights"));
        let stride = std::env::var("PALPATE_STRIDE").map_or(9, |text| text.parse().expect("a number"));
        Self { chooser: Chooser::new(pipelines), weights, stride, data }
    }

    fn dime(&self, frames: Frames, spacing: f64) -> Dime {
        let own = || DimeWeights::default().weights().expect("palpate's own weights");
        let weights = self.weights.clone().unwrap_or_else(own);
        let settings = DimeSettings {
            size: Size::square(SIDE),
            spacing_mm: [spacing; 2],
            frames,
            conjugated: false,
            frequency_hz: 60.0,
            density: 1000.0,
            stride: self.stride,
            batch: 128,
            patch: None,
            pixel_mm: None,
        };
        Dime::new(&self.chooser, &weights, &settings, &|_, _| {}).expect("compile")
    }

    /// A study's samples, with the estimates "DIME" (ours), "authors' DIME" and "authors' MMDI".
    fn study(&self, folder: &str) -> Vec<Sample> {
        let study = self.data.join(folder);
        let mut dime = self.dime(Frames::Channels, 1.0);
        let mut samples = vec![];
        for name in names(study.join("displacement")) {
            let frames = narrow(values(file(&study, "displacement", &name)));
            let truth = narrow(values(file(&study, "truth", &name)));
            let n = SIDE * SIDE;
            let mask: Vec<bool> =
                (0..n).map(|i| (frames[i] != 0.0 || frames[n + i] != 0.0) && truth[i] > 0.0).collect();
            let maps = dime.invert(&frames, &mask).expect("invert");
            assert_covers(DimeMap::Modulus.of(&maps), &mask);
            let theirs = narrow(values(file(&study, "dime", &name)));
            let theirs = if folder == "study2" { flipped(theirs) } else { theirs };
            // Their MMDI of study 2 blows up at the rim.
            let clinical: Vec<f32> =
                values(file(&study, "mmdi", &name)).into_iter().map(|v| v.min(10.0) as f32).collect();
            let regions: BTreeMap<String, Vec<bool>> = match study.join("regions") {
                regions if regions.is_dir() => names(regions)
                    .into_iter()
                    .map(|region| {
                        let inside = values(file(&study, "regions", &region));
                        (region, inside.iter().zip(&mask).map(|(v, m)| *v != 0.0 && *m).collect())
                    })
                    .collect(),
                _ => BTreeMap::new(),
            };
            let estimates = [
                ("DIME", DimeMap::Modulus.of(&maps).to_vec()),
                ("authors' DIME", theirs),
                ("authors' MMDI", clinical),
            ];
            let estimates = estimates.map(|(name, map)| (name.to_string(), map)).into();
            samples.push(Sample {
                name,
                group: String::new(),
                size: Size::square(SIDE),
                truth,
                mask,
                regions,
                estimates,
            });
        }
        samples
    }
}

fn eroded(samples: &[Sample]) -> Vec<Sample> {
    let mut samples = samples.to_vec();
    for sample in &mut samples {
        let view = ndarray::ArrayView2::from_shape((SIDE, SIDE), &sample.mask).expect("a mask");
        sample.mask = erode(view, RIM).into_iter().collect();
    }
    samples
}

/// What weights that come with palpate must reach on a study; errors in kPa.
struct Asked {
    /// Most root mean square error of pixels.
    pixels: Option<f64>,
    /// … of samples' means.
    means: Option<f64>,
    /// Most standard deviation of errors within a sample, on average.
    inter_pixel_sd: Option<f64>,
    /// Most root mean square error of regions' means, and their least R².
    regions: Option<[f64; 2]>,
    /// Least correlation of pixels, and of samples' means.
    correlation: Option<[f64; 2]>,
}

impl Asked {
    fn check(&self, title: &str, found: &Evaluation) {
        let of = |a: &Option<Agreement>| a.clone().unwrap_or_else(|| panic!("{title}: no figures"));
        let mut failed = vec![];
        let mut most = |what: &str, figure: f64, most: Option<f64>| {
            if most.is_some_and(|most| !at_most(figure, most)) {
                failed.push(format!("{what} {figure:.3}, at most {:.3} is asked", most.unwrap_or_default()));
            }
        };
        most("RMSE of pixels", of(&found.pixels).rmse, self.pixels);
        most("RMSE of means", of(&found.samples_means).rmse, self.means);
        most("inter-pixel SD", found.inter_pixel_sd.unwrap_or(f64::NAN), self.inter_pixel_sd);
        if let Some([rmse, r2]) = self.regions {
            let regions = of(&found.regions);
            most("RMSE of regions", regions.rmse, Some(rmse));
            most("1 - R² of regions", 1.0 - regions.r2.unwrap_or(f64::NAN), Some(1.0 - r2));
        }
        if let Some([pixels, means]) = self.correlation {
            let missing = |a: &Option<Agreement>| 1.0 - of(a).pearson_r.unwrap_or(f64::NAN);
            most("1 - r of pixels", missing(&found.pixels), Some(1.0 - pixels));
            most("1 - r of means", missing(&found.samples_means), Some(1.0 - means));
        }
        assert!(failed.is_empty(), "{title}: {}", failed.join("; "));
    }
}

impl Bench {
    /// Prints a table of every method's agreement, and asserts that ours is as good as asked.
    fn judge(&self, title: &str, samples: &[Sample], asked: &Asked) {
        let all: Vec<&Sample> = samples.iter().collect();
        let methods = samples.first().map_or(vec![], |s| s.estimates.keys().cloned().collect());
        let rows: Vec<_> =
            methods.into_iter().map(|m: String| (String::new(), m.clone(), evaluate(&all, &m))).collect();
        note!("{title}\n\n{}", markdown(&rows));
        let ours = rows.iter().find(|(_, method, _)| method == "DIME").expect("our method");
        if self.weights.is_none() {
            asked.check(title, &ours.2);
        }
    }
}

fn study_1a(pipelines: &Pipelines, data: Data) {
    let bench = Bench::new(pipelines, data);
    let samples = bench.study("study1a");
    bench.judge("Study 1a: homogeneous cylinders, whole mask", &samples, &STUDY_1A);
}

fn study_1b(pipelines: &Pipelines, data: Data) {
    let bench = Bench::new(pipelines, data);
    let samples = bench.study("study1b");
    bench.judge("Study 1b: cylinders with inclusions, whole mask and regions", &samples, &STUDY_1B);
}

fn study_2(pipelines: &Pipelines, data: Data) {
    let bench = Bench::new(pipelines, data);
    let samples = bench.study("study2");
    bench.judge("Study 2: simulated livers (slabs), whole mask", &samples, &STUDY_2);
    bench.judge(&format!("The same, {RIM} px off the rim"), &eroded(&samples), &STUDY_2_ERODED);
}

/// In vivo there is no truth: the "truth" of this table is the clinical MMDI.
fn in_vivo(pipelines: &Pipelines, data: Data) {
    let bench = Bench::new(pipelines, data);
    let study = bench.data.join("study3");
    let mut dime = bench.dime(Frames::Phases(8), 360.0 / 256.0);
    let mut samples = vec![];
    for name in names(study.join("wave")) {
        let frames = narrow(values(file(&study, "wave", &name)));
        let n = SIDE * SIDE;
        let mask: Vec<bool> = (0..n).map(|i| (0..8).any(|t| frames[t * n + i] != 0.0)).collect();
        let maps = dime.invert(&frames, &mask).expect("invert");
        assert_covers(DimeMap::Modulus.of(&maps), &mask);
        let clinical: Vec<f32> =
            values(file(&study, "mmdi", &name)).into_iter().map(|v| v as f32 / 100.0).collect();
        let truth = transposed(&clinical);
        let mask = mask.iter().zip(&truth).map(|(m, t)| *m && *t > 0.0).collect();
        let estimates = [("DIME".to_string(), DimeMap::Modulus.of(&maps).to_vec())].into();
        samples.push(Sample {
            name,
            group: String::new(),
            size: Size::square(SIDE),
            truth,
            mask,
            regions: BTreeMap::new(),
            estimates,
        });
    }
    bench.judge("Study 3: in vivo livers, against the clinical MMDI", &samples, &STUDY_3);
}

// The default weights reach this at the stride of the tests, 9, and a little less error. They were aimed at: 1a .15,
// .11, .12; 1b .48, .30 with R² .98; 2 .32, .06, and .17 with r .985 off the rim; in vivo .80 and .99. Why some are missed:
// docs/dime.md.
const STUDY_1A: Asked = Asked {
    pixels: Some(0.32),
    means: Some(0.25),
    inter_pixel_sd: Some(0.20),
    correlation: Some([0.98, 0.99]),
    ..NOTHING
};
const STUDY_1B: Asked = Asked {
    pixels: Some(0.60),
    means: Some(0.33),
    inter_pixel_sd: Some(0.50),
    regions: Some([0.33, 0.97]),
    correlation: Some([0.96, 0.99]),
};
const STUDY_2: Asked = Asked {
    pixels: Some(0.48),
    means: Some(0.09),
    inter_pixel_sd: Some(0.46),
    correlation: Some([0.91, 0.99]),
    ..NOTHING
};
const STUDY_2_ERODED: Asked = Asked {
    pixels: Some(0.36),
    means: Some(0.18),
    inter_pixel_sd: Some(0.31),
    correlation: Some([0.96, 0.99]),
    ..NOTHING
};
const STUDY_3: Asked = Asked { correlation: Some([0.77, 0.92]), ..NOTHING };
const NOTHING: Asked =
    Asked { pixels: None, means: None, inter_pixel_sd: None, regions: None, correlation: None };
