//! `palpate demo`: a wave whose stiffness is known exactly, inverted in every way there is, beside the truth.

use super::progress::Bars;
use super::report::CONFIDENT;
use super::{AdapterOption, print};
use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use palpate::colour::ColourMap;
use palpate::io::OutputSet;
use palpate::io::png::{Figure, Panel, Scale};
use palpate::kernel::harmonic::Frames;
use palpate::kernel::{Checks, Pipelines, Plane};
use palpate::mmdi::{Mode, Settings};
use palpate::stats::erode::erode;
use palpate::wave::analytic::{Medium, PlaneWave, Scatterer, add_noise, sample};
use palpate::{Error, Result};
use std::f64::consts::TAU;
use std::path::PathBuf;

/// Invert a wave of known stiffness and show the truth beside the map
///
/// A shear wave meets a stiff, round inclusion: an exact solution of the wave equation, seen through noise as
/// eight phases of a scanner. Writes DIR/demo.png (the figure), demo.md (the table) and demo_wave.npy (the
/// phases, to try `palpate invert` on), over those of an earlier demo.
///
/// Example: palpate demo -o demo
#[derive(clap::Args)]
pub struct Demo {
    /// Folder the figure and the table are written to
    #[arg(short, long, value_name = "DIR", default_value = "palpate-demo")]
    output: PathBuf,
    #[command(flatten)]
    adapter: AdapterOption,
}

const SIZE: [usize; 2] = [256, 256];
const SPACING: [f64; 2] = [1.0, 1.0];
const FREQUENCY: f64 = 60.0;
const DENSITY: f64 = 1000.0;
const PHASES: usize = 8;
const SNR_DB: f64 = 25.0;
const OBJECT_MM: f64 = 90.0;
const CENTRE_MM: [f64; 2] = [-8.0, 12.0];
const RADIUS_MM: f64 = 24.0;
/// How far from an edge, of the object or the inclusion, a pixel of the table lies at least, px.
const MARGIN: usize = 6;

/// The wave and what is known of it, `[ny][nx]`.
struct Phantom {
    wave: Array2<Complex64>,
    mask: Array2<bool>,
    inclusion: Array2<bool>,
    /// |μ*|, kPa.
    truth: Array2<f32>,
}

impl Phantom {
    fn new() -> Result<Self> {
        let medium =
            |storage_kpa| Medium { storage_kpa, damping: 0.1, density: DENSITY, frequency_hz: FREQUENCY };
        let incoming = PlaneWave { medium: medium(2.5), direction: 0.35, amplitude: Complex64::ONE };
        let scatterer = Scatterer::new(incoming, medium(6.0), CENTRE_MM, RADIUS_MM)?;
        let within = |centre: [f64; 2], radius: f64| {
            move |x: f64, y: f64| (x - centre[0]).hypot(y - centre[1]) < radius
        };
        let mask = sample(SIZE, SPACING, within([0.0; 2], OBJECT_MM));
        let mut wave = sample(SIZE, SPACING, |x, y| scatterer.at(x, y));
        add_noise(&mut wave, mask.view(), SNR_DB, &mut fastrand::Rng::with_seed(1));
        Ok(Self {
            wave,
            inclusion: sample(SIZE, SPACING, within(CENTRE_MM, RADIUS_MM)),
            truth: sample(SIZE, SPACING, |x, y| scatterer.medium(x, y).modulus_kpa().norm() as f32),
            mask,
        })
    }

    /// Phases over one period as a scanner would give them, `[phase][ny][nx]`, 0 outside the object.
    fn phases(&self) -> Vec<f32> {
        let frame = |t: usize| {
            let turn = Complex64::cis(TAU * t as f64 / PHASES as f64);
            self.wave.iter().zip(&self.mask).map(move |(u, &m)| if m { (u * turn).re as f32 } else { 0.0 })
        };
        (0..PHASES).flat_map(frame).collect()
    }

    /// What the table tells of: its name, the true stiffness, and the pixels off every edge.
    fn regions(&self) -> [(&'static str, f32, Array2<bool>); 2] {
        let background = ndarray::Zip::from(&self.mask).and(&self.inclusion).map_collect(|&m, &i| m && !i);
        let truth = |inside: &Array2<bool>| {
            self.truth.iter().zip(inside).find(|(_, inside)| **inside).map_or(0.0, |(t, _)| *t)
        };
        [("background", background), ("inclusion", self.inclusion.clone())]
            .map(|(name, inside)| (name, truth(&inside), erode(inside.view(), MARGIN)))
    }
}

impl Demo {
    pub fn run(self) -> Result<()> {
        let names = ["demo.png", "demo.md", "demo_wave.npy"];
        let mut set = OutputSet::new(&self.output, true)?;
        set.check_free(&names.map(String::from))?;
        let gpu = self.adapter.open()?;
        let pipelines = Pipelines::new(&gpu, Checks::Off);
        let phantom = Phantom::new()?;
        let phases = phantom.phases();
        let mask: Vec<bool> = phantom.mask.iter().copied().collect();
        let bars = Bars::default();
        let invert = |mode: Mode| {
            let settings = Settings {
                mode,
                size: SIZE,
                spacing_mm: SPACING,
                frames: Frames::Phases(PHASES),
                zero_lost: false,
                frequency_hz: FREQUENCY,
                density: DENSITY,
            };
            bars.compile(&pipelines, &settings)?.invert(&phases, &mask)
        };
        let maps = [invert(Mode::Corrected)?, invert(Mode::Clinical)?];

        let table = table(&phantom, &maps, &gpu.caps().info.name);
        set.add_bytes(names[0], &figure(&phantom, &maps)?)?;
        set.add_bytes(names[1], table.as_bytes())?;
        set.add_bytes(names[2], &wave_file(&phases)?)?;
        set.commit()?;
        print(&table)?;
        print(&format!("\nFigure: {}\n", self.output.join(names[0]).display()))
    }
}

/// The phases as an NPY array X, Y, phase, as `palpate invert` reads them.
fn wave_file(phases: &[f32]) -> Result<Vec<u8>> {
    use ndarray_npy::WriteNpyExt;
    let fail = |what: String| Error::file("demo_wave.npy", what);
    let cube = ndarray::ArrayView3::from_shape((PHASES, SIZE[1], SIZE[0]), phases);
    let mut bytes = Vec::new();
    let cube = cube.map_err(|e| fail(e.to_string()))?;
    cube.permuted_axes([2, 1, 0]).write_npy(&mut bytes).map_err(|e| fail(e.to_string()))?;
    Ok(bytes)
}

fn view(values: &[f32]) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((SIZE[1], SIZE[0]), values).expect("a map fills its image")
}

fn table(phantom: &Phantom, maps: &[Vec<f32>; 2], adapter: &str) -> String {
    let mut text = format!(
        "|µ*| in kPa, {FREQUENCY} Hz, SNR {SNR_DB} dB, at least {MARGIN} px from any edge; on {adapter}\n\n\
         | region | truth | MMDI corrected | MMDI clinical |\n|---|---|---|---|\n"
    );
    for (name, truth, inside) in phantom.regions() {
        let cells = maps.each_ref().map(|maps| {
            let map = view(Plane::Stiffness.of(maps));
            let values: Vec<f64> =
                map.iter().zip(&inside).filter(|(_, m)| **m).map(|(v, _)| f64::from(*v)).collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            let off = 100.0 * (mean / f64::from(truth) - 1.0);
            format!("{mean:.2} ± {sd:.2} ({off:+.1} %)")
        });
        text += &format!("| {name} | {truth:.2} | {} | {} |\n", cells[0], cells[1]);
    }
    text
}

fn figure(phantom: &Phantom, maps: &[Vec<f32>; 2]) -> Result<Vec<u8>> {
    let [corrected, clinical] = maps;
    let stiffness = || Scale { map: ColourMap::Stiffness, min: 0.0, max: 8.0, label: "kPa".into() };
    let panel = |title: &str, values, scale, hatch| Panel {
        title: title.into(),
        values,
        mask: phantom.mask.view(),
        scale,
        hatch,
    };
    let of = |plane: Plane, maps| view(plane.of(maps));
    let confidence = of(Plane::Confidence, corrected);
    let error = ndarray::Zip::from(of(Plane::Stiffness, corrected))
        .and(&phantom.truth)
        .map_collect(|value, truth| 100.0 * (value / truth - 1.0));
    let wave = Scale { map: ColourMap::Diverging, min: -2.0, max: 2.0, label: String::new() };
    let percent = Scale { map: ColourMap::Diverging, min: -30.0, max: 30.0, label: "%".into() };
    let share = Scale { map: ColourMap::Sequential, min: 0.0, max: 1.0, label: String::new() };
    let panels = vec![
        panel("Wave, real", of(Plane::Real, corrected), wave, None),
        panel("Truth |µ*|", phantom.truth.view(), stiffness(), None),
        panel("MMDI corrected |µ*|", of(Plane::Stiffness, corrected), stiffness(), None),
        panel("Confidence", confidence, share, Some(confidence.mapv(|c| c < CONFIDENT))),
        panel("Corrected / truth - 1", error.view(), percent, None),
        panel("MMDI clinical |µ*|", of(Plane::Stiffness, clinical), stiffness(), None),
    ];
    let figure = Figure {
        title: "palpate demo: a shear wave meets a stiff inclusion".into(),
        notes: vec![
            format!(
                "Exact antiplane shear wave, {FREQUENCY} Hz, {DENSITY} kg/m³, 2.5 kPa with a disc of 6 kPa, \
                 damping 0.1, {PHASES} phases, SNR {SNR_DB} dB."
            ),
            format!("Hatched: confidence below {CONFIDENT:.2}. Grey: outside the object."),
            format!("palpate {}, a research tool, not a medical device.", env!("CARGO_PKG_VERSION")),
        ],
        axes: ["x (axis 0)", "y (axis 1)"].map(String::from),
        spacing_mm: SPACING,
        panels,
        columns: 3,
    };
    figure.png()
}
