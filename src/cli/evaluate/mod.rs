//! `palpate evaluate`: estimates against the truth.

mod doubts;
mod figure;
mod pairs;

use super::{json, print, say};
use clap::ValueEnum;
use doubts::Fit;
use ndarray::ArrayView2;
use pairs::{files, list, other_map, partner, read};
use palpate::Size;
use palpate::lowlevel::io::png::{Scatter, scatter};
use palpate::lowlevel::io::{Affine, OutputSet};
use palpate::lowlevel::patches::{SetImages, Split, is_set};
use palpate::lowlevel::stats::agreement::agreement;
use palpate::lowlevel::stats::erode::erode;
use palpate::lowlevel::stats::evaluation::{Evaluation, Sample, evaluate, markdown, points};
use palpate::{Error, Result};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Compare stiffness maps with the truth
///
/// Pairs the files of a folder of true maps (kPa) with those of one or more folders of estimates by their stems: the
/// estimate of S.nii.gz is S.* or, as `palpate invert` writes them, S_mmdi_stiffness.nii.gz and S_dime_stiffness.nii.gz.
/// The truth may also be a set of `palpate simulate`. Writes evaluation.json, evaluation.md, agreement.png (estimates over
/// truths, and Bland and Altman's plot) and maps.png.
///
/// Example: palpate evaluate --truth phantoms --estimate maps -o agreement
#[derive(clap::Args)]
pub struct Evaluate {
    /// Folder of true maps, or a set of `palpate simulate`
    #[arg(long, value_name = "DIR")]
    truth: PathBuf,
    /// Folder of estimated maps; NAME=DIR gives the method a name (may be given again)
    #[arg(long, value_name = "[NAME=]DIR", required = true)]
    estimate: Vec<String>,
    /// Folder of masks, one for each region, that hold for all samples
    #[arg(long, value_name = "DIR")]
    regions: Option<PathBuf>,
    /// Leave out a rim of so many pixels
    #[arg(long, value_name = "PX", default_value_t = 0)]
    erode: usize,
    /// Of a simulated set, only the phantoms that are kept for this
    #[arg(long, value_enum)]
    split: Option<SplitOption>,
    /// Folder the results are written to
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum SplitOption {
    Train,
    Validation,
    Test,
}

const FILES: [&str; 4] = ["evaluation.json", "evaluation.md", "agreement.png", "maps.png"];

/// The places of the true maps, by their names.
type Places = BTreeMap<String, Affine>;

/// Affine, size and number of slices of a true map.
fn place(sample: &Sample, places: &Places) -> (Option<Affine>, Size, usize) {
    (places.get(&sample.name).copied(), sample.size, sample.truth.len() / sample.size.pixels())
}

/// An array of kPa with its shape.
#[derive(Clone)]
struct Map {
    shape: Vec<usize>,
    values: Vec<f32>,
    /// The place of the map, if its file states it.
    affine: Option<Affine>,
}

impl Map {
    /// "256 × 256", "256 × 256 × 4".
    fn text(&self) -> String {
        self.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
    }
}

fn shape_of(sample: &Sample) -> String {
    let size = sample.size;
    match sample.truth.len() / size.pixels() {
        1 => size.to_string(),
        slices => format!("{size} × {slices}"),
    }
}

#[derive(Serialize)]
struct Row {
    group: String,
    method: String,
    #[serde(flatten)]
    evaluation: Evaluation,
}

#[derive(Serialize)]
struct Report {
    palpate: &'static str,
    truth: String,
    estimates: Vec<String>,
    eroded_px: usize,
    unit: &'static str,
    /// Which phantoms of a simulated set; none where there is no such thing.
    split: Option<SplitOption>,
    regions: Option<String>,
    missing: Vec<String>,
    /// Ratio and overlap of estimates and truth, by method.
    fits: Vec<Fit>,
    evaluations: Vec<Row>,
}

impl Evaluate {
    pub fn run(self) -> Result<()> {
        let mut set = OutputSet::new(&self.output, self.force)?;
        set.check_free(&FILES.map(String::from))?;
        let (mut samples, places) = self.truths()?;
        let missing = self.add_estimates(&mut samples, &places)?;
        for what in &missing {
            say(format_args!("warning: {what}"));
        }
        self.add_regions(&mut samples, &places)?;
        let methods: BTreeSet<String> = samples.iter().flat_map(|s| s.estimates.keys().cloned()).collect();
        if methods.is_empty() {
            let stems: Vec<&str> = samples.iter().take(3).map(|s| s.name.as_str()).collect();
            return Err(Error::Data(format!(
                "no estimate belongs to any of the {} true maps ({}, …); an estimate has its truth's stem, or that with \
                 _METHOD_stiffness behind",
                samples.len(),
                stems.join(", ")
            )));
        }
        let mut rows = vec![];
        let groups: BTreeSet<&str> = samples.iter().map(|s| s.group.as_str()).collect();
        let all: Vec<&Sample> = samples.iter().collect();
        for method in &methods {
            let total = if groups.len() > 1 { "all" } else { "" };
            rows.push((total.to_string(), method.clone(), evaluate(&all, method)));
            for group in groups.iter().filter(|_| groups.len() > 1) {
                let own: Vec<&Sample> = samples.iter().filter(|s| s.group == *group).collect();
                rows.push((group.to_string(), method.clone(), evaluate(&own, method)));
            }
        }
        for (_, method, found) in rows.iter().filter(|(group, ..)| group.is_empty() || group == "all") {
            if found.not_finite + found.zeros > 0 {
                say(format_args!(
                    "warning: within the masks, {} pixels by {method} are not finite and left out, and {} are 0 and count",
                    found.not_finite, found.zeros
                ));
            }
        }
        let fits: Vec<Fit> = methods.iter().map(|method| Fit::of(&samples, method)).collect();
        for doubt in fits.iter().flat_map(Fit::doubts) {
            say(format_args!("warning: {doubt}"));
        }
        if is_set(&self.truth) && self.split.is_none() {
            say(
                "warning: of all phantoms, those a network may have learned from are among them; --split test leaves them out",
            );
        }
        let table = markdown(&rows);
        let mut scatters = vec![];
        for method in &methods {
            let points: Vec<[f64; 2]> = points(&all, method).into_iter().map(|(_, p)| p).collect();
            let (truth, estimate): (Vec<f64>, Vec<f64>) = points.iter().map(|[t, e]| (*t, *e)).unzip();
            match agreement(&truth, &estimate) {
                Ok(agreement) => scatters.push(Scatter { method: method.clone(), points, agreement }),
                Err(_) => say(format_args!("{method}: too few samples for a plot of their means")),
            }
        }
        let title = format!(
            "Means of {}, kPa",
            if samples.iter().all(|s| s.regions.is_empty()) { "samples" } else { "regions" }
        );
        let report = Report {
            palpate: env!("CARGO_PKG_VERSION"),
            truth: self.truth.display().to_string(),
            estimates: self.estimate.clone(),
            eroded_px: self.erode,
            unit: "kPa",
            split: self.split,
            regions: self.regions.as_ref().map(|folder| folder.display().to_string()),
            missing,
            fits,
            evaluations: rows
                .into_iter()
                .map(|(group, method, evaluation)| Row { group, method, evaluation })
                .collect(),
        };
        set.add_bytes(FILES[0], json(&report)?.as_bytes())?;
        set.add_bytes(FILES[1], table.as_bytes())?;
        // With no plot there is an empty one: an older run's must not stand beside these figures.
        set.add_bytes(FILES[2], &scatter(&title, &scatters)?)?;
        set.add_bytes(FILES[3], &figure::maps(&samples, &methods)?)?;
        set.commit()?;
        print(&table)?;
        print(&format!("\n{}\n", self.output.display()))
    }

    /// The true maps.
    fn truths(&self) -> Result<(Vec<Sample>, Places)> {
        if is_set(&self.truth) {
            return Ok((self.set()?, Places::new()));
        }
        if self.split.is_some() {
            let what =
                "holds plain maps, and --split chooses among the phantoms of a simulated set; leave it out";
            return Err(Error::Usage(format!("{} {what}", self.truth.display())));
        }
        let mut samples = vec![];
        let mut places = Places::new();
        for (stem, path) in files(&self.truth)? {
            let map = read(&path)?;
            places.extend(map.affine.map(|affine| (stem.clone(), affine)));
            samples.push(self.sample(stem, String::new(), map, None)?);
        }
        Ok((samples, places))
    }

    fn set(&self) -> Result<Vec<Sample>> {
        let splits = match self.split {
            Some(SplitOption::Train) => vec![Split::Train],
            Some(SplitOption::Validation) => vec![Split::Validation],
            Some(SplitOption::Test) => vec![Split::Test],
            None => vec![Split::Train, Split::Validation, Split::Test],
        };
        let mut samples = vec![];
        for split in splits {
            // A small set has no phantoms for validation or testing.
            let images = match SetImages::open(&[&self.truth], split) {
                Err(Error::Data(_)) if self.split.is_none() => continue,
                images => images?,
            };
            for i in 0..images.len() {
                let (name, family) = images.name(i);
                let planes: Vec<_> = (0..images.planes(i)).map(|plane| images.image(i, plane)).collect();
                let size = planes.first().map_or(0, |p| p.size);
                let shape = if planes.len() == 1 { vec![size, size] } else { vec![size, size, planes.len()] };
                let values = planes.iter().flat_map(|p| p.modulus).copied().collect();
                let mask = planes.iter().flat_map(|p| p.mask).map(|m| *m > 0).collect();
                samples.push(self.sample(
                    name.into(),
                    family.name().into(),
                    Map { shape, values, affine: None },
                    Some(mask),
                )?);
            }
        }
        samples.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(samples)
    }

    /// A true map; without a mask, it is where the truth is not 0.
    fn sample(&self, name: String, group: String, truth: Map, mask: Option<Vec<bool>>) -> Result<Sample> {
        let Map { shape, values, .. } = truth;
        let size = Size::new(shape[0], shape[1]);
        let mut mask = mask.unwrap_or_else(|| values.iter().map(|v| *v != 0.0 && v.is_finite()).collect());
        for slice in mask.chunks_exact_mut(size.pixels()) {
            let view = ArrayView2::from_shape((size.ny, size.nx), slice).expect("a slice fills its image");
            let eroded = erode(view, self.erode);
            slice.iter_mut().zip(&eroded).for_each(|(to, from)| *to = *from);
        }
        if !mask.contains(&true) {
            return Err(Error::Data(format!(
                "nothing is left of '{name}' to compare{}",
                if self.erode > 0 { "; --erode takes too much" } else { ": its truth is 0 everywhere" }
            )));
        }
        let (regions, estimates) = (BTreeMap::new(), BTreeMap::new());
        Ok(Sample { name, group, size, truth: values, mask, regions, estimates })
    }

    /// Adds what estimates there are; returns what is missing, in words.
    fn add_estimates(&self, samples: &mut [Sample], places: &Places) -> Result<Vec<String>> {
        let mut missing = vec![];
        for given in &self.estimate {
            let (name, folder) = match given.split_once('=') {
                Some((name, folder)) if !name.is_empty() && !Path::new(given).exists() => {
                    (Some(name), folder)
                }
                _ => (None, given.as_str()),
            };
            let mut found: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
            let mut strangers = vec![];
            for (file, path) in files(Path::new(folder))? {
                let Some((at, method)) = partner(samples, &file, name, folder) else {
                    strangers.push(file);
                    continue;
                };
                let sample = &mut samples[at];
                let map = read(&path)?;
                let map = map.laid_on(place(sample, places), false).map_err(|e| super::about(&path, e))?;
                if map.shape[..2] != sample.size.axes() || map.values.len() != sample.truth.len() {
                    return Err(Error::file(
                        path,
                        format!(
                            "has {} pixels, where its truth has {}; maps are compared pixel by pixel",
                            map.text(),
                            shape_of(sample)
                        ),
                    ));
                }
                if sample.estimates.insert(method.clone(), map.values).is_some() {
                    return Err(Error::Usage(format!(
                        "'{}' has two estimates by {method}; give their folders names: --estimate NAME=DIR",
                        sample.name
                    )));
                }
                found.entry(method).or_default();
            }
            let methods: Vec<String> = found.into_keys().collect();
            for method in &methods {
                let without: Vec<&str> = samples
                    .iter()
                    .filter(|s| !s.estimates.contains_key(method))
                    .map(|s| s.name.as_str())
                    .collect();
                if !without.is_empty() {
                    missing.push(format!("{folder} has no estimate by {method} of {}", list(&without)));
                }
            }
            // With a split, maps of other phantoms are no strangers.
            let own = |s: &&str| self.split.is_some() || !other_map(s);
            let strangers: Vec<&str> = strangers.iter().map(String::as_str).filter(own).collect();
            if methods.is_empty() {
                missing.push(format!("{folder} holds no estimate of any true map"));
            }
            if !strangers.is_empty() {
                missing.push(format!("{} has no true map for {}", self.truth.display(), list(&strangers)));
            }
        }
        Ok(missing)
    }

    fn add_regions(&self, samples: &mut [Sample], places: &Places) -> Result<()> {
        let Some(folder) = &self.regions else { return Ok(()) };
        for (name, path) in files(folder)? {
            let stored = read(&path)?;
            for sample in samples.iter_mut() {
                let region = stored.clone().laid_on(place(sample, places), true);
                let region = region.map_err(|e| super::about(&path, e))?;
                let inside: Vec<bool> = region.values.iter().map(|v| *v > 0.5).collect();
                // One slice's region serves all slices.
                if region.shape[..2] != sample.size.axes() || !sample.truth.len().is_multiple_of(inside.len())
                {
                    let shape = shape_of(sample);
                    let what =
                        format!("is a region of {} pixels, and '{}' has {shape}", region.text(), sample.name);
                    return Err(Error::file(path, what));
                }
                let both = inside.iter().cycle().zip(&sample.mask).map(|(a, b)| *a && *b).collect();
                sample.regions.insert(name.clone(), both);
            }
        }
        Ok(())
    }
}
