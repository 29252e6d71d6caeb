//! Our phantoms against the authors' fields, where `PALPATE_DATA` names their folder: the bodies, the moduli and the
//! frequency are theirs; the loss factor and the depth of the image plane, which they do not state, come from a small
//! grid. Their files lost the zero level and the gain of both channels, so an offset and two gains are fitted to each.
//!
//! `cargo test --test phantom_data -- --nocapture` prints the tables.

use super::authors::{Fit, SIZE, Sample, each};
use crate::common::compare::{assert_below, assert_close, least, median};
use crate::harness::{Data, Given, Missing, On};
use ndarray::ArrayView2;
use num_complex::Complex64;
use palpate::Size;
use palpate::lowlevel::fem::form::WeakForm;
use palpate::lowlevel::fem::integrals::Material;
use palpate::lowlevel::fem::mesh::{Locator, Mesh};
use palpate::lowlevel::fem::model::wavelength;
use palpate::lowlevel::fem::system::{System, pattern};
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::phantom::{Phantom, Quality};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::stats::erode::erode;
use palpate::lowlevel::stats::region::region;
use std::path::Path;
use std::sync::OnceLock;

tests![
    the_waves_of_homogeneous_cylinders_are_theirs,
    waves_around_inclusions_are_nearer_theirs_than_antiplane_ones,
    inversion_finds_our_cylinders_as_much_too_stiff_as_theirs,
];

/// How far the filters and stencils see beyond the mask, px.
const RIM: usize = 12;

/// The best of a grid of loss factors and image planes.
struct Best {
    damping: f64,
    slice_mm: f64,
    fit: Fit,
    /// The simulated u_z at the pixels inside, m.
    simulated: Vec<Complex64>,
}

/// Simulates `phantom` with each of the loss factors, the same in all its regions, and looks at all its planes.
fn closest(sample: &Sample, phantom: &Phantom, dampings: &[f64], quality: &Quality) -> Best {
    let mut best: Option<Best> = None;
    for &damping in dampings {
        let images = damped(phantom, damping).simulate(quality).expect("simulate");
        for (plane, slice_mm) in images.slices_mm.iter().enumerate() {
            let u = images.component(plane, 2);
            let simulated: Vec<Complex64> =
                sample.inside.iter().map(|i| Complex64::new(u[*i].re.into(), u[*i].im.into())).collect();
            let fit = Fit::new(&simulated, &sample.field);
            if best.as_ref().is_none_or(|best| fit.left < best.fit.left) {
                best = Some(Best { damping, slice_mm: *slice_mm, fit, simulated });
            }
        }
    }
    best.expect("a loss factor and a plane")
}

fn damped(phantom: &Phantom, damping: f64) -> Phantom {
    let mut phantom = phantom.clone();
    phantom.background.damping = damping;
    phantom.inclusions.iter_mut().for_each(|inclusion| inclusion.tissue.damping = damping);
    phantom
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// A homogeneous cylinder of theirs, and ours that is closest.
struct Cylinder {
    sample: Sample,
    modulus_kpa: f64,
    best: Best,
}

/// Study 1a, simulated once for all tests.
struct Cylinders(&'static [Cylinder]);

impl Given for Cylinders {
    fn given(on: Option<On>) -> Result<Self, Missing> {
        static CYLINDERS: OnceLock<Vec<Cylinder>> = OnceLock::new();
        let data = Data::given(on)?;
        Ok(Self(CYLINDERS.get_or_init(|| simulated(&data))))
    }
}

fn simulated(data: &Path) -> Vec<Cylinder> {
    let samples = Sample::all(&data.join("study1a"));
    let fits = each(&samples, |sample| {
        let modulus_kpa = sample.truth[sample.inside[0]];
        let slices: Vec<f64> = (19..=30).map(f64::from).collect();
        let text = format!(
            r#"
            kind = "cylinder"
            radius_mm = 80
            height_mm = 100
            slices_mm = {slices:?}
            [background]
            modulus_kpa = {modulus_kpa:?}
            damping = 0.1
            "#
        );
        let phantom = Phantom::parse(&text, "study1a".as_ref()).expect("a phantom");
        let dampings = [0.05, 0.08, 0.11, 0.14, 0.2, 0.3];
        (modulus_kpa, closest(sample, &phantom, &dampings, &Quality::default()))
    });
    let cylinders = samples.into_iter().zip(fits);
    cylinders.map(|(sample, (modulus_kpa, best))| Cylinder { sample, modulus_kpa, best }).collect()
}

fn the_waves_of_homogeneous_cylinders_are_theirs(Cylinders(cylinders): Cylinders) {
    note!("sample  kPa    damping  slice    R²      R² of the profile");
    for Cylinder { sample, modulus_kpa, best } in cylinders {
        let field = sample.ringed(|k| Complex64::new(sample.field[k][0], sample.field[k][1]));
        let field: Vec<[f64; 2]> = field.iter().map(|v| [v.re, v.im]).collect();
        let profile = Fit::new(&sample.ringed(|k| best.simulated[k]), &field);
        note!(
            "{}    {modulus_kpa:.3}  {:.2}     {:4.1} mm  {:.4}  {:.4}",
            sample.name,
            best.damping,
            best.slice_mm,
            best.fit.r_squared(),
            profile.r_squared()
        );
    }
    let r_squared = mean(cylinders.iter().map(|c| c.best.fit.r_squared()));
    note!("mean R² {r_squared:.4}");
    assert!(r_squared >= 0.98, "{r_squared}");
}

/// Their four inclusions, as their true maps show them. The masks of `regions` leave out 3 mm along their edges.
const INCLUSIONS: [&str; 4] = [
    "shape = \"circle\"\ncenter_mm = [-40, -40]\nsize_mm = 40",
    "shape = \"square\"\ncenter_mm = [40, -40]\nsize_mm = 40",
    "shape = \"rectangle\"\ncenter_mm = [35, 40]\nsize_mm = [30, 60]",
    "shape = \"polygon\"\npoints_mm = [[-60, 40], [-20, 10], [-20, 70]]",
];

/// A phantom like one of study 1b, each region's modulus the median of its true map, which is wrong on some strips.
fn heterogeneous(sample: &Sample, slices_mm: &[f64]) -> Phantom {
    let text = |moduli: [f64; 5]| {
        let mut text = format!(
            r#"
            kind = "cylinder"
            radius_mm = 100
            height_mm = 100
            slices_mm = {slices_mm:?}
            [background]
            modulus_kpa = {:?}
            damping = 0.1
            "#,
            moduli[0]
        );
        for (shape, modulus) in INCLUSIONS.iter().zip(&moduli[1..]) {
            text += &format!("\n[[inclusion]]\n{shape}\nmodulus_kpa = {modulus:?}\ndamping = 0.1\n");
        }
        Phantom::parse(&text, "study1b".as_ref()).expect("a phantom")
    };
    let blank = text([1.0; 5]);
    let outlines = blank.inclusion_outlines().expect("outlines");
    let mut regions: [Vec<f64>; 5] = Default::default();
    for &pixel in &sample.inside {
        let at = blank.pixel_centre(pixel / SIZE, pixel % SIZE);
        let region = outlines.iter().position(|outline| outline.contains(at)).map_or(0, |k| k + 1);
        regions[region].push(sample.truth[pixel]);
    }
    text(regions.map(median))
}

/// Waves of u_z alone that come in from a rim that moves as a whole, at the pixels inside.
fn antiplane(sample: &Sample, phantom: &Phantom) -> Vec<Complex64> {
    let outlines = phantom.inclusion_outlines().expect("outlines");
    let tissues: Vec<_> = std::iter::once(&phantom.background)
        .chain(phantom.inclusions.iter().map(|inclusion| &inclusion.tissue))
        .map(|tissue| (tissue.modulus_kpa.field(), tissue.damping))
        .collect();
    let modulus = |region: u32, at: [f64; 2]| tissues[region as usize].0.at(at);
    let size = |at: [f64; 2]| {
        let region = outlines.iter().position(|outline| outline.contains(at)).map_or(0, |k| k + 1);
        2.0 * wavelength(modulus(region as u32, at), phantom.density, phantom.frequency_hz) / 12.0
    };
    let mesh = Mesh::new(&phantom.outline().expect("an outline"), &outlines, &size).expect("a mesh");
    let (mut free, mut held) = (vec![true; mesh.nodes.len()], vec![Complex64::default(); mesh.nodes.len()]);
    for node in mesh.boundary.iter().flat_map(|edge| edge.nodes) {
        (free[node as usize], held[node as usize]) = (false, Complex64::ONE);
    }
    let damping: Vec<f64> = tissues.iter().map(|(_, damping)| *damping).collect();
    let material =
        Material { modulus: &modulus, damping: &damping, density: phantom.density, poisson: phantom.poisson };
    let symbolic = pattern(&mesh, 1, &free).expect("a pattern");
    let mut system = System::new(&mesh, &symbolic, &material, phantom.frequency_hz, false);
    let solution = system.solve(&WeakForm::antiplane(), &held, &[], &[]).expect("a solution");
    let locator = Locator::new(&mesh);
    let at = |pixel: &usize| {
        let place = locator.find(phantom.pixel_centre(pixel / SIZE, pixel % SIZE)).expect("a pixel inside");
        solution.at(&mesh, &place, 0)
    };
    sample.inside.iter().map(at).collect()
}

fn waves_around_inclusions_are_nearer_theirs_than_antiplane_ones(data: Data) {
    let samples = Sample::all(&data.join("study1b"));
    let slices: Vec<f64> = (0..7).map(|i| 18.0 + 2.0 * f64::from(i)).collect();
    let dampings = [0.1, 0.15, 0.2];
    // The default's misfits are no more than 0.01 higher.
    let quality = Quality { nodes_per_wavelength: 8.0, harmonics_tolerance: 1e-2, ..Quality::default() };
    let found = each(&samples, |sample| {
        let phantom = heterogeneous(sample, &slices);
        let flat = dampings
            .map(|damping| Fit::new(&antiplane(sample, &damped(&phantom, damping)), &sample.field).misfit());
        (closest(sample, &phantom, &dampings, &quality), least(flat))
    });
    note!("sample  damping  slice    misfit  R²      antiplane misfit");
    for (sample, (best, flat)) in samples.iter().zip(&found) {
        note!(
            "{}    {:.2}     {:4.1} mm  {:.3}   {:.4}  {flat:.3}",
            sample.name,
            best.damping,
            best.slice_mm,
            best.fit.misfit(),
            best.fit.r_squared()
        );
    }
    for (sample, (best, flat)) in samples.iter().zip(&found) {
        let misfit = best.fit.misfit();
        assert_below(misfit, 0.7 * flat, &sample.name);
    }
}

/// The median of an inversion's |μ*| over the mask without its rim, over the true modulus.
fn excess(inverted: &[f32], mask: &[bool], modulus_kpa: f64) -> f64 {
    let inner = erode(ArrayView2::from_shape((SIZE, SIZE), mask).expect("shape"), RIM);
    let inner = inner.into_raw_vec_and_offset().0;
    let found = region(inverted, &inner, [1.0; 2], None).expect("pixels");
    assert_eq!(found.n, inner.iter().filter(|m| **m).count(), "pixels that are not finite");
    found.median / modulus_kpa
}

/// Each channel stretched to the range of their files.
fn stretched(field: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let bounds = [0, 1].map(|c| {
        let values = field.iter().map(|v| v[c]);
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)])
    });
    let stretch = |c: usize, v: f64| 4095.0 * (v - bounds[c][0]) / (bounds[c][1] - bounds[c][0]);
    field.iter().map(|v| [stretch(0, v[0]), stretch(1, v[1])]).collect()
}

fn inversion_finds_our_cylinders_as_much_too_stiff_as_theirs(
    pipelines: &Pipelines,
    Cylinders(cylinders): Cylinders,
) {
    let settings = MmdiSettings {
        mode: MmdiMode::Clinical,
        size: Size::square(SIZE),
        spacing_mm: [1.0; 2],
        frames: Frames::Channels,
        directions: 1,
        zero_lost: true,
        frequency_hz: 60.0,
        density: 1000.0,
    };
    let mmdi = Mmdi::new(pipelines, &settings, &|_, _| {}).expect("compile");
    let inverted = |sample: &Sample, field: &[[f64; 2]], modulus_kpa: f64| {
        let mut mask = vec![false; SIZE * SIZE];
        let mut image = vec![0f32; 2 * SIZE * SIZE];
        for (pixel, channels) in sample.inside.iter().zip(stretched(field)) {
            mask[*pixel] = true;
            channels.iter().enumerate().for_each(|(c, v)| image[c * SIZE * SIZE + pixel] = *v as f32);
        }
        let maps = mmdi.invert(&image, &mask).expect("invert");
        [
            excess(MmdiMap::Stiffness.of(&maps), &mask, modulus_kpa),
            excess(&sample.inverted, &mask, modulus_kpa),
        ]
    };
    let mut ratios = vec![];
    note!("sample  kPa    ours   theirs  our inversion of their field");
    for Cylinder { sample, modulus_kpa, best } in cylinders {
        let simulated: Vec<[f64; 2]> = best.simulated.iter().map(|u| [u.re, u.im]).collect();
        let [ours, theirs] = inverted(sample, &simulated, *modulus_kpa);
        let [between, _] = inverted(sample, &sample.field, *modulus_kpa);
        note!("{}    {modulus_kpa:.3}  {ours:.3}  {theirs:.3}   {between:.3}", sample.name);
        ratios.push([ours, theirs, between]);
    }
    let [ours, theirs, between] = [0, 1, 2].map(|k| mean(ratios.iter().map(|ratio| ratio[k])));
    note!("mean           {ours:.3}  {theirs:.3}   {between:.3}");
    assert_close(ours, theirs, 0.06, "the mean over the truth");
    for (cylinder, [ours, theirs, _]) in cylinders.iter().zip(&ratios) {
        // The two inversions differ by up to 0.15 on one field of theirs; on their softest sample the fields differ
        // as well, for theirs is that of a body about 5 % stiffer.
        let name = &cylinder.sample.name;
        assert!(*ours > 1.1 && (ours - theirs).abs() < 0.25, "{name}: {ours} against {theirs}");
    }
}
