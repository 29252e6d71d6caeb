//! The picture of an inversion: wave, stiffness and confidence of every slice, turned as radiologists read them.

mod range;
mod view;

use super::report::{CONFIDENT, Method, Report, Slice};
use ndarray::Array2;
use palpate::lowlevel::colour::ColourMap;
use palpate::lowlevel::dime::DimeMap;
use palpate::lowlevel::io::Format;
use palpate::lowlevel::io::png::{Figure, Panel, Scale, USUAL_WIDTH, pick_slices};
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::wave::WaveImage;
use palpate::{Error, Result, Size};
use range::{covered, quantile, round_above};
use view::View;

/// The longest side of a picture, and its most pixels: programs that show pictures cope with this much.
const LARGEST: usize = 12_000;
const MOST_PIXELS: usize = 60_000_000;
/// Width that the page of a stack aims at for each kind of map, pixels.
const STACK_WIDTH: usize = 550;
/// The range of colours if there is nothing to choose it by, kPa.
const USUAL_KPA: f32 = 8.0;

/// What a picture shows beside the maps, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct PictureOptions<'a> {
    /// The range of the colours of stiffness, kPa. Without it, the data choose it.
    pub scale: Option<[f32; 2]>,
    /// The magnitude, `[slice][y][x]`, shown outside the mask.
    pub magnitude: Option<&'a [f32]>,
}

/// The picture as PNG.
pub fn inversion(
    stem: &str,
    image: &WaveImage,
    slices: &[Slice],
    report: &Report,
    options: &PictureOptions,
) -> Result<Vec<u8>> {
    let matrix = matches!(image.format, Format::Matlab | Format::Npy);
    let view = View::new(image.size, matrix, image.geometry.affine.as_ref());
    let picture = Picture::new(view, image.spacing_mm, slices, report.method(), options)?;
    let (mut figure, left_out) = picture.fitted();
    figure.title = stem.into();
    figure.notes = report.notes();
    figure.notes.extend(picture.notes(&left_out));
    figure.notes.extend(report.warnings().map(|w| format!("Warning: {w}")));
    figure
        .notes
        .push(format!("palpate {}, a research tool, not a medical device.", env!("CARGO_PKG_VERSION")));
    figure.png()
}

/// What is drawn, before the slices are chosen.
struct Picture<'a> {
    slices: &'a [Slice],
    method: Method,
    view: View,
    spacing_mm: [f64; 2],
    /// The slices whose mask is not empty.
    full: Vec<usize>,
    /// The colours of stiffness, and the end of those of uncertainty, kPa.
    stiffness: [f32; 2],
    uncertainty: f32,
    /// The magnitude of all slices, from 0 to 1.
    magnitude: Option<Vec<f32>>,
}

impl<'a> Picture<'a> {
    fn new(
        view: View,
        spacing_mm: [f64; 2],
        slices: &'a [Slice],
        method: Method,
        options: &PictureOptions,
    ) -> Result<Self> {
        let full: Vec<usize> = (0..slices.len()).filter(|&i| slices[i].mask.contains(&true)).collect();
        // With a magnitude, anatomy about the mask helps to find one's way.
        let about = if options.magnitude.is_some() { 4 } else { 16 };
        let view = view.cropped(slices.iter().map(|slice| slice.mask.as_slice()), about);
        let magnitude = options.magnitude.map(|values| brightness(values, slices)).transpose()?;
        let (mmdi, dime) = (method.mmdi().then(|| of_mmdi(slices)), of_dime(slices, DimeMap::Modulus));
        let stiffest = mmdi.flatten().into_iter().chain(dime).reduce(f32::max);
        let uncertain = slices.iter().flat_map(|slice| {
            let values = slice.dime.as_deref().map_or(&[][..], |maps| DimeMap::Uncertainty.of(maps));
            values.iter().zip(&slice.mask).filter(|(_, inside)| **inside).map(|(v, _)| *v)
        });
        Ok(Self {
            slices,
            method,
            view,
            spacing_mm,
            full,
            stiffness: options.scale.unwrap_or([0.0, stiffest.and_then(round_above).unwrap_or(USUAL_KPA)]),
            uncertainty: quantile(uncertain, 0.98).and_then(round_above).unwrap_or(1.0),
            magnitude,
        })
    }

    /// The figure of as many slices as a picture can hold, without words, and the slices that were left out.
    fn fitted(&self) -> (Figure<'_>, Vec<usize>) {
        let mut count = self.full.len();
        loop {
            let shown: Vec<usize> =
                pick_slices(self.full.len(), count).into_iter().map(|at| self.full[at]).collect();
            let kinds = self.kinds();
            // About as many rows as columns, so that a page of many slices is no strip; and large maps of one slice.
            let square = (count as f64 / kinds as f64).sqrt().round() as usize;
            let beside = [square, square + 1, square.saturating_sub(1)].map(|n| n.max(1) * kinds);
            for columns in if count == 1 { [kinds / 2; 3] } else { beside } {
                let figure = self.figure(&shown, columns);
                let Size { nx, ny } = figure.size();
                if count <= 1 || (nx.max(ny) <= LARGEST && nx * ny <= MOST_PIXELS) {
                    let left_out = self.full.iter().copied().filter(|i| !shown.contains(i)).collect();
                    return (figure, left_out);
                }
            }
            count = count * 9 / 10;
        }
    }

    /// The kinds of maps that are shown of each slice.
    fn kinds(&self) -> usize {
        if self.method == Method::Both { 6 } else { 4 }
    }

    /// The figure of these slices, with so many maps side by side.
    fn figure(&self, shown: &[usize], columns: usize) -> Figure<'_> {
        Figure {
            title: String::new(),
            notes: Vec::new(),
            axes: self.view.axes(),
            sides: self.view.sides(),
            spacing_mm: self.view.spacing(self.spacing_mm),
            panels: shown.iter().flat_map(|&i| self.row(i)).collect(),
            columns,
            width: if shown.len() > 1 { self.kinds() * STACK_WIDTH } else { USUAL_WIDTH },
        }
    }

    /// The maps of one slice.
    fn row(&self, at: usize) -> Vec<Panel<'_>> {
        let slice = &self.slices[at];
        let name = if self.slices.len() > 1 { format!(", slice {at}") } else { String::new() };
        let pixels = slice.mask.len();
        let backdrop = self.magnitude.as_ref().map(|all| self.view.of(&all[at * pixels..][..pixels]));
        let panel = |title: &str, values: &'a [f32], scale, hatch| Panel {
            title: format!("{title}{name}"),
            values: self.view.of(values),
            mask: self.view.of(&slice.mask),
            scale,
            hatch,
            backdrop,
        };
        let scale = |map, [min, max]: [f32; 2], label: &str| Scale { map, min, max, label: label.into() };
        let doubtful = |confidence: &[f32]| -> Option<Array2<bool>> {
            Some(self.view.of(confidence).mapv(|c| c < CONFIDENT))
        };
        let peak = wave_peak(slice);
        let wave = || scale(ColourMap::Diverging, [-peak, peak], "input units");
        let stiffness = || scale(ColourMap::Stiffness, self.stiffness, "kPa");
        let of = |plane: MmdiMap| plane.of(&slice.maps);
        let mut panels = vec![
            panel("Wave, real", of(MmdiMap::Real), wave(), None),
            panel("Wave, imaginary", of(MmdiMap::Imaginary), wave(), None),
        ];
        if self.method.mmdi() {
            let both = self.method == Method::Both;
            let titles = ["Stiffness |µ*|", "Confidence", "MMDI stiffness |µ*|", "MMDI confidence"];
            let [title, sure] = [titles[2 * usize::from(both)], titles[1 + 2 * usize::from(both)]];
            let confidence = of(MmdiMap::Confidence);
            panels.push(panel(title, of(MmdiMap::Stiffness), stiffness(), doubtful(confidence)));
            let share = scale(ColourMap::Sequential, [0.0, 1.0], "");
            panels.push(panel(sure, confidence, share, doubtful(confidence)));
        }
        if let Some(maps) = &slice.dime {
            let confidence = super::dime::confidence(maps);
            let [modulus, error] = [DimeMap::Modulus, DimeMap::Uncertainty].map(|plane| plane.of(maps));
            panels.push(panel("DIME stiffness µ", modulus, stiffness(), doubtful(&confidence)));
            let most = scale(ColourMap::Sequential, [0.0, self.uncertainty], "kPa");
            panels.push(panel("DIME uncertainty", error, most, doubtful(&confidence)));
        }
        panels
    }

    /// What marks on the picture mean, and which slices it lacks.
    fn notes(&self, left_out: &[usize]) -> Vec<String> {
        let hatched = match self.method {
            Method::Mmdi => "on the maps of stiffness and of confidence",
            Method::Dime => "on the maps of stiffness and of uncertainty",
            Method::Both => "by MMDI on the maps of MMDI, by DIME on the maps of DIME",
        };
        let outside =
            if self.magnitude.is_some() { "Outside the mask: magnitude" } else { "Grey: outside the mask" };
        let mut notes = vec![format!("Hatched: confidence below {CONFIDENT:.2}, {hatched}. {outside}.")];
        if self.view.sides().is_some() {
            notes.push(
                "R, L: right and left of the patient. A, P: front and back. H, F: towards head and feet. The \
                 picture is turned for reading; the maps in the files are not."
                    .into(),
            );
        }
        let empty: Vec<usize> = (0..self.slices.len()).filter(|i| !self.full.contains(i)).collect();
        if !empty.is_empty() && !self.full.is_empty() {
            notes.push(format!("Not shown, because the mask is empty there: {}.", slices_text(&empty)));
        }
        if !left_out.is_empty() {
            let text = slices_text(left_out);
            notes.push(format!("Not shown, because the picture would be too large: {text}."));
        }
        notes
    }
}

/// What the colours must cover of MMDI's stiffness.
fn of_mmdi(slices: &[Slice]) -> Option<f32> {
    covered(slices.iter().flat_map(|slice| {
        let [values, confidence] =
            [MmdiMap::Stiffness, MmdiMap::Confidence].map(|plane| plane.of(&slice.maps));
        values.iter().zip(confidence).zip(&slice.mask).map(|((v, c), m)| (*v, *c, *m))
    }))
}

/// What the colours must cover of one of DIME's maps.
fn of_dime(slices: &[Slice], plane: DimeMap) -> Option<f32> {
    let pixels: Vec<(f32, f32, bool)> = slices
        .iter()
        .filter_map(|slice| Some((slice.dime.as_ref()?, &slice.mask)))
        .flat_map(|(maps, mask)| {
            let confidence = super::dime::confidence(maps);
            plane.of(maps).iter().zip(confidence).zip(mask).map(|((v, c), m)| (*v, c, *m)).collect::<Vec<_>>()
        })
        .collect();
    covered(pixels.into_iter())
}

/// The magnitude from 0 to 1. Single bright pixels do not darken the rest.
fn brightness(values: &[f32], slices: &[Slice]) -> Result<Vec<f32>> {
    let wanted: usize = slices.iter().map(|slice| slice.mask.len()).sum();
    if values.len() != wanted {
        return Err(Error::Data(format!(
            "the magnitude has {} samples, but the {} slices of the wave have {wanted}",
            values.len(),
            slices.len()
        )));
    }
    let brightest = quantile(values.iter().copied(), 0.995).filter(|v| *v > 0.0).unwrap_or(1.0);
    Ok(values.iter().map(|v| v / brightest).collect())
}

/// The amplitude that 99 % of the pixels stay below: single spikes do not flatten the colours.
fn wave_peak(slice: &Slice) -> f32 {
    let amplitude = MmdiMap::Amplitude.of(&slice.maps);
    let inside = amplitude.iter().zip(&slice.mask).filter(|(_, m)| **m).map(|(a, _)| *a);
    quantile(inside, 0.99).filter(|peak| *peak > 0.0).unwrap_or(1.0)
}

/// Names slices, runs of them by their ends: `slices 0, 2-5 and 9`.
fn slices_text(slices: &[usize]) -> String {
    let mut runs: Vec<[usize; 2]> = Vec::new();
    for &i in slices {
        match runs.last_mut() {
            Some([_, last]) if *last + 1 == i => *last = i,
            _ => runs.push([i, i]),
        }
    }
    let run = |[first, last]: &[usize; 2]| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}-{last}"),
    };
    let named = if slices.len() == 1 { "slice" } else { "slices" };
    format!("{named} {}", runs.iter().map(run).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use palpate::lowlevel::io::Affine;

    const SIZE: Size = Size::new(40, 30);

    /// A mask of 20 × 16 pixels, 3 kPa in its left half and 6.3 kPa, doubtful, in its right one.
    fn slice(dime: bool) -> Slice {
        let at = |i: usize| [i % SIZE.nx, i / SIZE.nx];
        let inside = |i: usize| (10..30).contains(&at(i)[0]) && (8..24).contains(&at(i)[1]);
        let plane = |plane: &MmdiMap| -> Vec<f32> {
            let value = |i: usize| match plane {
                MmdiMap::Stiffness => [6.3, 3.0][usize::from(at(i)[0] < 20)],
                MmdiMap::Confidence => [0.5, 0.95][usize::from(at(i)[0] < 20)],
                _ => 1.0,
            };
            (0..SIZE.pixels()).map(|i| if inside(i) { value(i) } else { 0.0 }).collect()
        };
        let maps = MmdiMap::ALL.iter().flat_map(plane).collect();
        let [modulus, error, spread] = [4.7, 0.13, 0.0].map(|v| vec![v; SIZE.pixels()]);
        let dime = dime.then(|| [modulus, error, spread].concat());
        Slice { maps, dime, ..Slice::empty((0..SIZE.pixels()).map(inside).collect()) }
    }

    fn picture<'a>(slices: &'a [Slice], method: Method, options: &PictureOptions) -> Picture<'a> {
        Picture::new(View::new(SIZE, false, None), [1.0, 1.0], slices, method, options).unwrap()
    }

    #[test]
    fn colours_of_stiffness_are_chosen_for_all_maps_by_what_is_sure() {
        let slices = [slice(true), slice(true)];
        let none = PictureOptions::default();
        assert_eq!(picture(&slices, Method::Mmdi, &none).stiffness, [0.0, 5.0]);
        let both = picture(&slices, Method::Both, &none);
        assert_eq!((both.stiffness, both.uncertainty), ([0.0, 5.0], 0.2));
        let ends: Vec<f32> = both
            .fitted()
            .0
            .panels
            .iter()
            .filter(|p| p.title.contains("tiffness"))
            .map(|p| p.scale.max)
            .collect();
        assert_eq!(ends, [5.0; 4]);
        let slices = [slice(false)];
        assert_eq!(picture(&slices, Method::Mmdi, &none).stiffness, [0.0, 4.0]);
        let fixed = PictureOptions { scale: Some([1.0, 9.0]), ..none };
        assert_eq!(picture(&slices, Method::Mmdi, &fixed).stiffness, [1.0, 9.0]);
        let nothing = [Slice { mask: vec![false; SIZE.pixels()], ..slice(false) }];
        let empty = picture(&nothing, Method::Mmdi, &none);
        assert_eq!((empty.stiffness, empty.fitted().0.panels.len()), ([0.0, 8.0], 0));
    }

    #[test]
    fn stiffness_is_hatched_where_it_is_doubtful() {
        let slices = [slice(true)];
        let picture = picture(&slices, Method::Both, &PictureOptions::default());
        let (figure, _) = picture.fitted();
        for panel in &figure.panels {
            // The box of the mask, with 4 pixels about it.
            assert_eq!((panel.values.dim(), panel.mask[[4, 4]]), ((24, 28), true));
            let hatched = panel.hatch.as_ref().map(|hatch| [hatch[[12, 8]], hatch[[12, 20]]]);
            let wanted = match panel.title.as_str() {
                "MMDI stiffness |µ*|" | "MMDI confidence" => Some([false, true]),
                "DIME stiffness µ" | "DIME uncertainty" => Some([false, false]),
                _ => None,
            };
            assert_eq!(hatched, wanted, "{}", panel.title);
        }
        assert!(
            picture.notes(&[])[0].starts_with("Hatched: confidence below 0.90, by MMDI on the maps of MMDI")
        );
    }

    #[test]
    fn pictures_are_turned_and_the_magnitude_lies_behind_them() {
        let slices = [slice(false), slice(false)];
        // Axis 0 runs to the left of the patient, axis 1 forwards.
        let affine = Affine([[-2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0]]);
        let mut magnitude = vec![0.5; 2 * SIZE.pixels()];
        // A bright pixel to the right and in front, beside the mask.
        magnitude[SIZE.pixels() + 26 * SIZE.nx + 7] = 1.0;
        magnitude[SIZE.pixels() - 13..SIZE.pixels()].fill(1.0);
        let options = PictureOptions { magnitude: Some(&magnitude), ..PictureOptions::default() };
        let view = View::new(SIZE, false, Some(&affine));
        let picture = Picture::new(view.clone(), [2.0, 2.0], &slices, Method::Mmdi, &options).unwrap();
        let (figure, _) = picture.fitted();
        assert_eq!(figure.sides, Some(['R', 'L', 'A', 'P']));
        let behind = figure.panels[4].backdrop.unwrap();
        assert_eq!([behind[[2, 2]], behind[[2, 1]], behind[[12, 3]]], [1.0, 0.5, 0.5]);
        assert!(figure.panels[4].title.ends_with(", slice 1"));
        assert!(picture.notes(&[])[0].contains("Outside the mask: magnitude."));
        let short = PictureOptions { magnitude: Some(&magnitude[1..]), ..options };
        assert!(Picture::new(view, [2.0, 2.0], &slices, Method::Mmdi, &short).is_err());
    }

    #[test]
    fn all_slices_are_shown_as_far_as_a_picture_can_hold_them() {
        let count = |n: usize| {
            let slices: Vec<Slice> = (0..n).map(|_| slice(false)).collect();
            let picture = picture(&slices, Method::Mmdi, &PictureOptions::default());
            let (figure, left_out) = picture.fitted();
            let Size { nx, ny } = figure.size();
            assert!(nx.max(ny) <= LARGEST && nx * ny <= MOST_PIXELS, "{n}: {nx} × {ny}");
            assert_eq!(figure.panels.len() / 4 + left_out.len(), n);
            left_out.len()
        };
        assert_eq!([1, 5, 40].map(count), [0; 3]);
        assert!((1..700).contains(&count(800)));
    }

    #[test]
    fn slices_are_named_briefly() {
        assert_eq!(slices_text(&[3]), "slice 3");
        assert_eq!(slices_text(&[0, 1, 4, 5, 6, 9]), "slices 0, 1, 4-6, 9");
    }
}
