//! What an inversion says of itself: statistics, settings, warnings; the JSON beside the maps.

mod sense;
mod slice;

use super::advise;
use super::dime::DimeReport;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::mmdi::{MmdiMode, MmdiSettings};
use palpate::lowlevel::stats::region::{RegionStats, region};
use palpate::lowlevel::wave::warning::{Code, Warning};
use palpate::lowlevel::wave::{Certainty, FrameLayout, Note, Origin, WaveImage, ZeroLevel};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

pub use sense::{Sense, sense};
pub use slice::{Part, Slice};

/// The least confidence that counts as confident: below it pictures are hatched.
pub const CONFIDENT: f32 = 0.9;

/// Median stiffness outside this range calls for a warning.
const SOFT_TISSUE_KPA: std::ops::RangeInclusive<f64> = 0.1..=100.0;
/// A share of confident pixels below this calls for a warning.
const FEW: f64 = 0.05;

/// The JSON beside the maps.
#[derive(Serialize)]
pub struct Report {
    palpate: &'static str,
    notice: &'static str,
    input: String,
    method: Method,
    /// MMDI's.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<MmdiMode>,
    /// One number, or a list in the order of the frequency axis.
    frequency_hz: OneOrMore,
    density_kg_m3: f64,
    /// Columns and rows. Readers of the file expect an array.
    size_px: [usize; 2],
    slices: usize,
    spacing_mm: [f64; 2],
    /// Whether frequency, spacing and density were given, stated by the file, or assumed.
    origins: Origins,
    layout: FrameLayout,
    zero_level: ZeroLevel,
    /// The axes of the array, and how they are known.
    axes: String,
    axes_known: Certainty,
    /// Of several directions of motion, their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    directions: Vec<String>,
    adapter: String,
    confidence_threshold: f32,
    definitions: BTreeMap<&'static str, &'static str>,
    warnings: Vec<Told>,
    /// What was understood or done that is no reason for doubt.
    notes: Vec<Note>,
    /// MMDI's figures over all slices: the whole mask, and its confident part.
    regions: Regions,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    per_slice: Vec<PerSlice>,
    /// Of several frequencies, MMDI's figures of each over all slices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    per_frequency: Vec<PerFrequency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dime: Option<DimeReport>,
}

/// A number, or a list of several.
#[derive(Serialize)]
#[serde(untagged)]
enum OneOrMore {
    One(f64),
    More(Vec<f64>),
}

impl OneOrMore {
    fn of(values: &[f64]) -> Self {
        match values {
            [one] => Self::One(*one),
            more => Self::More(more.to_vec()),
        }
    }
}

impl std::fmt::Display for OneOrMore {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let values = match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::More(values) => values,
        };
        f.write_str(&values.iter().map(|v| rounded(*v)).collect::<Vec<_>>().join(", "))
    }
}

/// A quantity without the digits that come of a period or of an f32 in a header.
pub fn rounded(value: f64) -> String {
    ((value * 1e4).round() / 1e4).to_string()
}

/// Where each quantity comes from.
#[derive(Clone, Copy, Serialize)]
struct Origins {
    frequency: Origin,
    spacing: Origin,
    density: Origin,
}

/// A warning as the user of the command line is told it.
#[derive(Serialize)]
struct Told {
    code: Code,
    message: String,
}

impl Told {
    fn new(warning: &Warning) -> Self {
        Self { code: warning.code(), message: advise(warning) }
    }
}

/// What maps are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Multimodel direct inversion
    Mmdi,
    /// A network that was trained on simulated waves
    Dime,
    /// Both, side by side
    Both,
}

impl Method {
    pub fn mmdi(self) -> bool {
        self != Self::Dime
    }

    pub fn dime(self) -> bool {
        self != Self::Mmdi
    }
}

/// Statistics of each map over the mask and over its confident part.
#[derive(Serialize)]
struct Regions {
    mask: Option<Maps>,
    confident: Option<Maps>,
}

/// One slice of a stack, counted from 0.
#[derive(Serialize)]
struct PerSlice {
    slice: usize,
    #[serde(flatten)]
    regions: Regions,
}

/// One of several frequencies.
#[derive(Serialize)]
struct PerFrequency {
    frequency_hz: f64,
    #[serde(flatten)]
    regions: Regions,
}

#[derive(Serialize)]
struct Maps {
    stiffness_kpa: RegionStats,
    storage_kpa: RegionStats,
    loss_kpa: RegionStats,
    wavespeed_m_s: RegionStats,
    confidence: RegionStats,
    coherence: RegionStats,
}

/// What each map holds, in words; part of every output.
const DEFINITIONS: [(MmdiMap, &str, &str); 8] = [
    (MmdiMap::Stiffness, "stiffness", "|mu*|, kPa"),
    (MmdiMap::Storage, "storage", "storage modulus Re mu*, kPa"),
    (MmdiMap::Loss, "loss", "loss modulus Im mu*, kPa"),
    (MmdiMap::Wavespeed, "wavespeed", "shear phase velocity, m/s"),
    (MmdiMap::Confidence, "confidence", "1 - predicted relative error"),
    (MmdiMap::Coherence, "coherence", "coherence, 0..1"),
    (MmdiMap::Amplitude, "amplitude", "|u|, units of the input"),
    (MmdiMap::Real, "wave", "u of Re(u exp(+i omega t))"),
];

impl Report {
    pub fn new(
        input: &Path,
        image: &WaveImage,
        settings: &MmdiSettings,
        slices: &[Slice],
        adapter: String,
        dime: Option<DimeReport>,
        method: Method,
    ) -> Self {
        let all: Vec<&Slice> = slices.iter().collect();
        let regions = Regions::new(&all, settings.spacing_mm);
        let mut warnings = image.warnings.clone();
        if let Some(maps) = &regions.mask {
            let wavelength = settings.wavelength_mm(maps.stiffness_kpa.median);
            let extent = slices.iter().map(|s| extent_mm(&s.mask, settings)).fold(0.0, f64::max);
            if extent < wavelength {
                warnings.push(Warning::BelowWavelength { extent_mm: extent, wavelength_mm: wavelength });
            }
        }
        if let Some(maps) = &regions.mask {
            let (median, share) =
                (maps.stiffness_kpa.median, maps.stiffness_kpa.share_confident.unwrap_or(0.0));
            if !SOFT_TISSUE_KPA.contains(&median) {
                warnings.push(Warning::ImplausibleStiffness { kpa: median });
            }
            let unseen = dime.as_ref().and_then(|dime| dime.unseen(median));
            warnings.extend(unseen.map(|seen| Warning::OutsideTraining { kpa: median, seen }));
            let unlike = dime.as_ref().and_then(DimeReport::unlike);
            warnings.extend(unlike.map(|[apart, usual]| Warning::UnlikeTraining { apart, usual }));
            if share < FEW && method.mmdi() {
                warnings.push(Warning::LowConfidence { share, least: CONFIDENT });
            }
        }
        match sense(slices, settings.spacing_mm) {
            Sense::Conjugated(loss_kpa) => {
                warnings.push(Warning::Conjugated { loss_kpa, corrected: method.dime() });
            }
            Sense::Unknown if method.dime() && regions.mask.is_some() => {
                warnings.push(Warning::UnknownSense);
            }
            _ => {}
        }
        warnings.sort_by_key(Warning::rank);
        let per_frequency = |(f, hz): (usize, &f64)| {
            let of = |slice: &Slice| {
                let maps = slice.frequencies.get(f).cloned().unwrap_or_default();
                Slice { maps, ..Slice::empty(slice.mask.clone()) }
            };
            let slices: Vec<Slice> = slices.iter().map(of).collect();
            let all: Vec<&Slice> = slices.iter().collect();
            PerFrequency { frequency_hz: *hz, regions: Regions::new(&all, settings.spacing_mm) }
        };
        let several = image.frequencies_hz.len() > 1 && method.mmdi();
        Self {
            palpate: env!("CARGO_PKG_VERSION"),
            notice: "a research tool, not a medical device",
            input: input.display().to_string(),
            method,
            mode: method.mmdi().then_some(settings.mode),
            frequency_hz: OneOrMore::of(&image.frequencies_hz),
            density_kg_m3: image.density,
            size_px: settings.size.axes(),
            slices: slices.len(),
            spacing_mm: settings.spacing_mm,
            origins: Origins {
                frequency: image.frequency_origin,
                spacing: image.spacing_origin,
                density: image.density_origin,
            },
            layout: image.layout,
            zero_level: image.zero,
            axes: image.axes.clone(),
            axes_known: image.certainty,
            directions: if image.directions > 1 { image.direction_names.clone() } else { Vec::new() },
            adapter,
            confidence_threshold: CONFIDENT,
            definitions: DEFINITIONS
                .iter()
                .filter(|(plane, ..)| method.mmdi() || matches!(plane, MmdiMap::Amplitude | MmdiMap::Real))
                .map(|(_, name, text)| (*name, *text))
                .collect(),
            warnings: warnings.iter().map(Told::new).collect(),
            notes: image.notes.clone(),
            regions: if method.mmdi() { regions } else { Regions { mask: None, confident: None } },
            per_slice: (0..)
                .zip(slices.iter().filter(|_| method.mmdi()))
                .map(|(slice, s)| PerSlice { slice, regions: Regions::new(&[s], settings.spacing_mm) })
                .collect(),
            per_frequency: if several {
                image.frequencies_hz.iter().enumerate().map(per_frequency).collect()
            } else {
                Vec::new()
            },
            dime,
        }
    }

    /// What `plane` holds, in words.
    pub fn definition(&self, plane: MmdiMap) -> &'static str {
        DEFINITIONS.iter().find(|(p, ..)| *p == plane).map_or("", |(.., text)| text)
    }

    /// The path of the input, as it was given.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// The messages of the warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.warnings.iter().map(|w| w.message.as_str())
    }

    /// The messages of the notes.
    pub fn told_notes(&self) -> impl Iterator<Item = String> {
        self.notes.iter().map(Note::to_string)
    }

    /// What maps there are.
    pub fn method(&self) -> Method {
        self.method
    }

    /// What was done, a line for each method, for pictures.
    pub fn notes(&self) -> Vec<String> {
        let mmdi = self.method.mmdi().then(|| [self.settings(), self.mmdi_summary()]);
        let waves = format!("{} Hz, {} kg/m³.", self.frequency_hz, self.density_kg_m3);
        let dime = self.dime.as_ref().map(|d| [format!("{} {waves}", d.settings()), d.summary()]);
        mmdi.into_iter().chain(dime).flatten().collect()
    }

    /// The result in words.
    fn summary(&self) -> String {
        let mmdi = self.method.mmdi().then(|| self.mmdi_summary());
        let parts: Vec<_> = mmdi.into_iter().chain(self.dime.as_ref().map(DimeReport::summary)).collect();
        parts.join("; ")
    }

    /// What was assumed, as the end of the result's line.
    fn assumed(&self) -> String {
        let Origins { frequency, spacing, density } = self.origins;
        let quantities = [
            (frequency, format!("{} Hz", self.frequency_hz)),
            (spacing, format!("{} mm", self.spacing_mm[0])),
            (density, format!("{} kg/m³", self.density_kg_m3)),
        ];
        let assumed: Vec<String> = quantities
            .into_iter()
            .filter(|(origin, _)| *origin == Origin::Assumed)
            .map(|(_, text)| text)
            .collect();
        if assumed.is_empty() { String::new() } else { format!("; {} assumed", assumed.join(", ")) }
    }

    fn settings(&self) -> String {
        let mode = self.mode.map_or(String::new(), |mode| format!(", {mode}"));
        let [hx, hy] = self.spacing_mm;
        // Headers hold f32: 1.1 mm reads 1.10000002.
        let [hx, hy] = [hx, hy].map(|h| (h * 1e4).round() / 1e4);
        let spacing = if hx == hy { format!("{hx} mm") } else { format!("{hx} × {hy} mm") };
        format!(
            "MMDI{mode}. {} Hz, {} kg/m³, pixels of {spacing}, zero level {}.",
            self.frequency_hz,
            self.density_kg_m3,
            if self.zero_level == ZeroLevel::Known { "known" } else { "lost" }
        )
    }

    fn mmdi_summary(&self) -> String {
        let Some(maps) = &self.regions.mask else { return "the mask is empty".into() };
        let s = &maps.stiffness_kpa;
        let text =
            format!("|µ*| {:.2} ± {:.2} kPa (mean ± SD over {:.0} cm²)", s.mean, s.sd, s.area_mm2 / 100.0);
        let share = 100.0 * s.share_confident.unwrap_or_default();
        match &self.regions.confident {
            Some(c) => format!(
                "{text}; {:.2} ± {:.2} kPa over the {share:.0} % of confidence {CONFIDENT:.2} or more",
                c.stiffness_kpa.mean, c.stiffness_kpa.sd
            ),
            None => format!("{text}; no pixel reaches a confidence of {CONFIDENT:.2}"),
        }
    }

    /// One line for standard output.
    pub fn line(&self, folder: &Path) -> String {
        format!("{}: {}{} -> {}\n", self.input, self.summary(), self.assumed(), folder.display())
    }
}

impl Regions {
    fn new(slices: &[&Slice], spacing_mm: [f64; 2]) -> Self {
        let stack =
            |plane: MmdiMap| -> Vec<f32> { slices.iter().flat_map(|s| plane.of(&s.maps)).copied().collect() };
        let confidence = stack(MmdiMap::Confidence);
        let mask: Vec<bool> = slices.iter().flat_map(|s| &s.mask).copied().collect();
        let sure: Vec<bool> = mask.iter().zip(&confidence).map(|(&m, &c)| m && c >= CONFIDENT).collect();
        let maps = |inside: &[bool]| {
            let of = |plane: MmdiMap| {
                region(&stack(plane), inside, spacing_mm, Some((&confidence, CONFIDENT.into())))
            };
            Some(Maps {
                stiffness_kpa: of(MmdiMap::Stiffness)?,
                storage_kpa: of(MmdiMap::Storage)?,
                loss_kpa: of(MmdiMap::Loss)?,
                wavespeed_m_s: of(MmdiMap::Wavespeed)?,
                confidence: of(MmdiMap::Confidence)?,
                coherence: of(MmdiMap::Coherence)?,
            })
        };
        Self { mask: maps(&mask), confident: maps(&sure) }
    }
}

/// The longer side of the box about the mask, mm.
fn extent_mm(mask: &[bool], settings: &MmdiSettings) -> f64 {
    let nx = settings.size.nx;
    let span = |along: fn(usize, usize) -> usize, h: f64| {
        let inside = mask.iter().enumerate().filter(|(_, m)| **m).map(|(i, _)| along(i, nx));
        let (low, high) = inside.fold((usize::MAX, 0), |(low, high), k| (low.min(k), high.max(k)));
        if low > high { 0.0 } else { (high - low + 1) as f64 * h }
    };
    span(|i, nx| i % nx, settings.spacing_mm[0]).max(span(|i, nx| i / nx, settings.spacing_mm[1]))
}
