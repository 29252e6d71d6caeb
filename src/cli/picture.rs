//! The picture of an inversion: wave, stiffness and confidence of up to three slices.

use super::report::{CONFIDENT, Method, Report, Slice};
use ndarray::{Array2, ArrayView2, ShapeBuilder};
use palpate::Result;
use palpate::Size;
use palpate::lowlevel::colour::ColourMap;
use palpate::lowlevel::dime::DimeMap;
use palpate::lowlevel::io::Format;
use palpate::lowlevel::io::png::{Figure, Panel, Scale, pick_slices};
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::wave::WaveImage;

/// Slices shown of a stack.
const SHOWN: usize = 3;

/// A map as a picture shows it: rows downwards. Images have x to the right; matrices, as MATLAB and NumPy
/// print them, have their first axis downwards.
struct Orientation {
    size: Size,
    matrix: bool,
}

impl Orientation {
    fn view<'a, T>(&self, map: &'a [T]) -> ArrayView2<'a, T> {
        let Size { nx, ny } = self.size;
        let shape = if self.matrix { (nx, ny).strides((1, nx)) } else { (ny, nx).strides((nx, 1)) };
        ArrayView2::from_shape(shape, map).expect("a map fills its image")
    }

    fn axes(&self) -> [String; 2] {
        let axes = if self.matrix { ["axis 1", "axis 0"] } else { ["x (axis 0)", "y (axis 1)"] };
        axes.map(String::from)
    }

    fn spacing(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        if self.matrix { [y, x] } else { [x, y] }
    }
}

/// The picture as PNG.
pub fn inversion(stem: &str, image: &WaveImage, slices: &[Slice], report: &Report) -> Result<Vec<u8>> {
    let orientation = Orientation { size: image.size, matrix: image.format != Format::Nifti };
    let full: Vec<usize> = (0..slices.len()).filter(|&i| slices[i].mask.contains(&true)).collect();
    let panels = pick_slices(full.len(), SHOWN).into_iter().map(|at| full[at]).flat_map(|i| {
        let name = if slices.len() > 1 { format!(", slice {i}") } else { String::new() };
        row(&slices[i], &orientation, &name, report.method())
    });
    let panels: Vec<Panel> = panels.collect();
    let mut notes = report.notes();
    notes.push(format!("Hatched: confidence below {CONFIDENT:.2}. Grey: outside the mask."));
    notes.extend(report.warnings().map(|w| format!("Warning: {w}")));
    notes.push(format!("palpate {}, a research tool, not a medical device.", env!("CARGO_PKG_VERSION")));
    let figure = Figure {
        title: stem.into(),
        notes,
        axes: orientation.axes(),
        spacing_mm: orientation.spacing(image.spacing_mm),
        panels,
        columns: if report.method() == Method::Both { 6 } else { 4 },
    };
    figure.png()
}

fn row<'a>(slice: &'a Slice, orientation: &Orientation, name: &str, method: Method) -> Vec<Panel<'a>> {
    let peak = wave_peak(slice);
    let wave = |label: &str| Scale { map: ColourMap::Diverging, min: -peak, max: peak, label: label.into() };
    let scale = |map, max: f32, label: &str| Scale { map, min: 0.0, max, label: label.into() };
    let confidence = orientation.view(MmdiMap::Confidence.of(&slice.maps));
    let doubtful: Array2<bool> = confidence.mapv(|c| c < CONFIDENT);
    let panel = |plane: MmdiMap, title: &str, scale, hatch| Panel {
        title: format!("{title}{name}"),
        values: orientation.view(plane.of(&slice.maps)),
        mask: orientation.view(&slice.mask),
        scale,
        hatch,
    };
    let unsure = slice.dime.as_ref().map(|maps| {
        let confidence = super::dime::confidence(maps);
        orientation.view(&confidence).mapv(|c| c < CONFIDENT)
    });
    let dime = |plane: DimeMap, title: &str, scale, hatch| {
        Some(Panel {
            title: format!("{title}{name}"),
            values: orientation.view(plane.of(slice.dime.as_ref()?)),
            mask: orientation.view(&slice.mask),
            scale,
            hatch,
        })
    };
    let of = if method == Method::Both { "MMDI " } else { "" };
    let mut panels = vec![
        panel(MmdiMap::Real, "Wave, real", wave("input units"), None),
        panel(MmdiMap::Imaginary, "Wave, imaginary", wave("input units"), None),
    ];
    if method.mmdi() {
        let [stiffness, sure] = ["stiffness |µ*|", "confidence"].map(|name| capital(&format!("{of}{name}")));
        panels.push(panel(MmdiMap::Stiffness, &stiffness, scale(ColourMap::Stiffness, 8.0, "kPa"), None));
        panels.push(panel(MmdiMap::Confidence, &sure, scale(ColourMap::Sequential, 1.0, ""), Some(doubtful)));
    }
    panels.extend(dime(DimeMap::Modulus, "DIME stiffness µ", scale(ColourMap::Stiffness, 8.0, "kPa"), None));
    let most = scale(ColourMap::Sequential, 1.0, "kPa");
    panels.extend(dime(DimeMap::Uncertainty, "DIME uncertainty", most, unsure));
    panels
}

/// With a capital at the start.
fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// The amplitude that 99 % of the pixels stay below: single spikes do not flatten the colours.
fn wave_peak(slice: &Slice) -> f32 {
    let amplitude = MmdiMap::Amplitude.of(&slice.maps);
    let mut inside: Vec<f32> =
        amplitude.iter().zip(&slice.mask).filter(|(_, m)| **m).map(|(a, _)| *a).collect();
    inside.sort_by(f32::total_cmp);
    match inside.get(inside.len() * 99 / 100) {
        Some(&peak) if peak > 0.0 => peak,
        _ => 1.0,
    }
}
