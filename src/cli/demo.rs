//! `palpate demo`: a phantom is simulated, and its wave inverted in every way there is, beside the truth.

use super::dime::DimeNetwork;
use super::progress::Bars;
use super::{AdapterOption, Forms, TuneOption, print};
use ndarray::{Array2, ArrayView2};
use ndarray_npy::WriteNpyExt;
use num_complex::{Complex32, Complex64};
use palpate::Size;
use palpate::lowlevel::colour::ColourMap;
use palpate::lowlevel::dime::{DimeMap, DimeWeights};
use palpate::lowlevel::io::OutputSet;
use palpate::lowlevel::io::png::{Figure, Panel, Scale, USUAL_WIDTH};
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::MmdiSettings;
use palpate::lowlevel::phantom::{InclusionShape, Phantom, Quality};
use palpate::lowlevel::stats::erode::erode;
use palpate::lowlevel::wave::analytic::add_noise;
use palpate::{Error, Result};
use std::f64::consts::TAU;
use std::path::PathBuf;

/// Simulate a phantom, invert its wave and show the truth beside the maps
///
/// A cylinder of gelatine with four inclusions, one end driven: finite elements in three dimensions, seen through noise
/// as eight phases of a scanner in one slice. MMDI, which takes waves for flat, and DIME, which has learned from such
/// phantoms, invert it. Writes DIR/demo.png (the figure), demo.md (the table), and demo_wave.npy and demo_truth.npy, to
/// try `palpate invert` and `palpate evaluate` on, over those of an earlier demo.
///
/// Example: palpate demo -o demo
#[derive(clap::Args)]
pub struct Demo {
    /// Folder the figure and the table are written to
    #[arg(short, long, value_name = "DIR", default_value = "palpate-demo")]
    output: PathBuf,
    #[command(flatten)]
    adapter: AdapterOption,
    #[command(flatten)]
    tune: TuneOption,
}

const PHANTOM: &str = include_str!("../../examples/phantoms/cylinder.toml");
const PHASES: usize = 8;
const SNR_DB: f64 = 25.0;
/// How far from an edge, of the object or an inclusion, a pixel of the table lies at least, px.
const MARGIN: usize = 6;

/// The wave in one slice and what is known of it, `[ny][nx]`.
struct Slice {
    phantom: Phantom,
    wave: Array2<Complex64>,
    mask: Array2<bool>,
    /// Storage modulus, kPa.
    truth: Array2<f32>,
}

/// The maps of the slice.
struct Maps {
    mmdi: Vec<f32>,
    dime: Vec<f32>,
}

impl Slice {
    fn new() -> Result<Self> {
        let phantom = Phantom::parse(PHANTOM, "cylinder.toml".as_ref())?;
        let images = phantom.simulate(&Quality::default())?;
        let shape = (images.size, images.size);
        let plane = images.planes() / 2;
        let field = images.component(plane, phantom.driven_component());
        let image = |u: &Complex32| Complex64::new(u.re.into(), u.im.into()) * 1e6;
        let wave = Array2::from_shape_vec(shape, field.iter().map(image).collect());
        let mask = Array2::from_shape_vec(shape, images.mask.clone());
        let truth = Array2::from_shape_vec(shape, images.modulus.clone());
        let (Ok(mut wave), Ok(mask), Ok(truth)) = (wave, mask, truth) else {
            return Err(Error::Data("the phantom's images differ in size".into()));
        };
        add_noise(&mut wave, mask.view(), SNR_DB, &mut fastrand::Rng::with_seed(1));
        Ok(Self { phantom, wave, mask, truth })
    }

    /// Phases over one period as a scanner would give them, `[phase][ny][nx]`, 0 outside the object.
    fn phases(&self) -> Vec<f32> {
        let frame = |t: usize| {
            let turn = Complex64::cis(TAU * t as f64 / PHASES as f64);
            self.wave.iter().zip(&self.mask).map(move |(u, &m)| if m { (u * turn).re as f32 } else { 0.0 })
        };
        (0..PHASES).flat_map(frame).collect()
    }

    /// What the table tells of: its name, and the pixels off every edge.
    fn regions(&self) -> Result<Vec<(&'static str, Array2<bool>)>> {
        let outlines = self.phantom.inclusion_outlines()?;
        let part = |(row, column): (usize, usize)| {
            let at = self.phantom.pixel_centre(row, column);
            outlines.iter().position(|outline| outline.contains(at))
        };
        let parts = Array2::from_shape_fn(self.mask.dim(), part);
        let pick = |wanted: Option<usize>| {
            let inside = ndarray::Zip::from(&self.mask).and(&parts).map_collect(|&m, p| m && *p == wanted);
            erode(inside.view(), MARGIN)
        };
        let name = |shape: &InclusionShape| match shape {
            InclusionShape::Circle { .. } => "disc",
            InclusionShape::Square { .. } => "square",
            InclusionShape::Rectangle { .. } => "rectangle",
            InclusionShape::Triangle { .. } => "triangle",
            InclusionShape::Polygon { .. } => "polygon",
        };
        let inclusions = self.phantom.inclusions.iter().enumerate();
        let parts = inclusions.map(|(k, inclusion)| (name(&inclusion.shape), pick(Some(k))));
        Ok(std::iter::once(("background", pick(None))).chain(parts).collect())
    }

    fn size(&self) -> Size {
        Size::new(self.mask.ncols(), self.mask.nrows())
    }

    fn view<'a>(&self, values: &'a [f32]) -> ArrayView2<'a, f32> {
        ArrayView2::from_shape(self.mask.dim(), values).expect("a map fills its image")
    }
}

impl Demo {
    pub fn run(self) -> Result<()> {
        let names = ["demo.png", "demo.md", "demo_wave.npy", "demo_truth.npy"];
        let mut set = OutputSet::new(&self.output, true)?;
        set.check_free(&names.map(String::from))?;
        let device = self.adapter.open(false)?;
        let forms = self.tune.forms(&device);
        let bars = Bars::default();
        let spinner = bars.spinner("simulating a phantom");
        let slice = Slice::new();
        spinner.finish_and_clear();
        let slice = slice?;
        let maps = invert(&forms, &bars, &slice)?;

        let table = table(&slice, &maps, &device.caps().info.name)?;
        set.add_bytes(names[0], &figure(&slice, &maps)?)?;
        set.add_bytes(names[1], table.as_bytes())?;
        let Size { nx, ny } = slice.size();
        let phases = ndarray::Array3::from_shape_vec((PHASES, ny, nx), slice.phases());
        let phases = phases.map_err(|e| Error::Data(format!("the phases do not fill their images: {e}")))?;
        set.add_bytes(names[2], &npy(phases.permuted_axes([2, 1, 0]).view())?)?;
        let inside = ndarray::Zip::from(&slice.truth).and(&slice.mask);
        let truth = inside.map_collect(|t, m| if *m { *t } else { 0.0 });
        set.add_bytes(names[3], &npy(truth.t())?)?;
        set.commit()?;
        print(&table)?;
        print(&format!("\nFigure: {}\n", self.output.join(names[0]).display()))
    }
}

fn invert(forms: &Forms, bars: &Bars, slice: &Slice) -> Result<Maps> {
    let phantom = &slice.phantom;
    let settings = MmdiSettings {
        frequency_hz: phantom.frequency_hz,
        density: phantom.density,
        ..MmdiSettings::new(slice.size(), [phantom.pixel_mm; 2], Frames::Phases(PHASES))
    };
    let (phases, mask): (_, Vec<bool>) = (slice.phases(), slice.mask.iter().copied().collect());
    let mmdi = bars.compile(forms.chooser.pipelines(), &settings)?.invert(&phases, &mask)?;
    let mut network = DimeNetwork::builtin(DimeWeights::Mixed)?;
    let settings = network.settings(&settings, false);
    let dime = network.compile(forms, &settings, bars)?;
    let spinner = bars.spinner("inverting by DIME");
    let dime = dime.invert(&phases, &mask);
    spinner.finish_and_clear();
    Ok(Maps { mmdi, dime: dime? })
}

/// A NumPy file of an array with its axes X, Y, …, as `palpate invert` reads them.
fn npy<D: ndarray::Dimension>(array: ndarray::ArrayView<f32, D>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).map_err(|e| Error::Data(format!("an array cannot be written: {e}")))?;
    Ok(bytes)
}

fn table(slice: &Slice, maps: &Maps, adapter: &str) -> Result<String> {
    let phantom = &slice.phantom;
    let mut text = format!(
        "Stiffness in kPa (truth and DIME, forward model mixed: storage modulus µ; MMDI: |µ*|), {} Hz, SNR {SNR_DB} dB, at least {MARGIN} px \
         from any edge; on {adapter}\n\n| region | truth | MMDI | DIME | its uncertainty |\n|---|---|---|---|---|\n",
        phantom.frequency_hz
    );
    let [mmdi, dime, uncertainty] = [
        MmdiMap::Stiffness.of(&maps.mmdi),
        DimeMap::Modulus.of(&maps.dime),
        DimeMap::Uncertainty.of(&maps.dime),
    ];
    for (name, inside) in slice.regions()? {
        let within = |map: ArrayView2<f32>| -> Vec<f64> {
            map.iter().zip(&inside).filter(|(_, m)| **m).map(|(v, _)| f64::from(*v)).collect()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let truth = mean(&within(slice.truth.view()));
        let cells = [mmdi, dime].map(|map| {
            let values = within(slice.view(map));
            let mean = mean(&values);
            let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
            let sd = (squares / (values.len() - 1) as f64).sqrt();
            format!("{mean:.2} ± {sd:.2} ({:+.1} %)", 100.0 * (mean / truth - 1.0))
        });
        let sure = mean(&within(slice.view(uncertainty)));
        text += &format!("| {name} | {truth:.2} | {} | {} | {sure:.2} |\n", cells[0], cells[1]);
    }
    Ok(text)
}

fn figure(slice: &Slice, maps: &Maps) -> Result<Vec<u8>> {
    let stiffness = || Scale { map: ColourMap::Stiffness, min: 0.0, max: 8.0, label: "kPa".into() };
    let panel = |title: &str, values, scale| Panel {
        title: title.into(),
        values,
        mask: slice.mask.view(),
        scale,
        hatch: None,
        backdrop: None,
    };
    let [mmdi, real] = [MmdiMap::Stiffness, MmdiMap::Real].map(|plane| slice.view(plane.of(&maps.mmdi)));
    let [modulus, uncertainty] =
        [DimeMap::Modulus, DimeMap::Uncertainty].map(|plane| slice.view(plane.of(&maps.dime)));
    let off = |map: ArrayView2<f32>| {
        ndarray::Zip::from(map).and(&slice.truth).map_collect(|value, truth| value - truth)
    };
    let [mmdi_off, dime_off] = [off(mmdi), off(modulus)];
    let peak = real.iter().fold(0f32, |peak, v| peak.max(v.abs())) * 0.8;
    let wave = Scale { map: ColourMap::Diverging, min: -peak, max: peak, label: "µm".into() };
    let difference = || Scale { map: ColourMap::Diverging, min: -2.0, max: 2.0, label: "kPa".into() };
    let share = Scale { map: ColourMap::Sequential, min: 0.0, max: 1.0, label: "kPa".into() };
    let phantom = &slice.phantom;
    let figure = Figure {
        title: "palpate demo: a shear wave in a cylinder with four inclusions".into(),
        notes: vec![
            format!(
                "Finite elements in three dimensions, {} Hz, {} kg/m³, {PHASES} phases, SNR {SNR_DB} dB. MMDI takes the wave \
                 for a flat one; DIME has learned from phantoms of this kind, though not from this one.",
                phantom.frequency_hz, phantom.density
            ),
            "Truth and DIME (forward model mixed, normalisation patch, time exp(+iwt)): storage modulus µ. MMDI: |µ*|. Uncertainty: expected RMS error of DIME. Grey: outside the object."
                .into(),
            format!("palpate {}, a research tool, not a medical device.", env!("CARGO_PKG_VERSION")),
        ],
        axes: ["x (axis 0)", "y (axis 1)"].map(String::from),
        sides: None,
        spacing_mm: [phantom.pixel_mm; 2],
        panels: vec![
            panel("Truth µ", slice.truth.view(), stiffness()),
            panel("MMDI |µ*|", mmdi, stiffness()),
            panel("DIME µ", modulus, stiffness()),
            panel("DIME uncertainty", uncertainty, share),
            panel("Wave, real", real, wave),
            panel("MMDI - truth", mmdi_off.view(), difference()),
            panel("DIME - truth", dime_off.view(), difference()),
        ],
        columns: 4,
        width: USUAL_WIDTH,
    };
    figure.png()
}
