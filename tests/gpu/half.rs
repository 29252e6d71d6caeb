//! Half precision on matrix units: how far from full precision it takes a map, imitated where a device has none; and that it
//! is refused where there are none.

use crate::common::compare::{assert_near, assert_within, relative_error};
use crate::harness::{Given, Missing, On, SharedGpu, WithUnits};
use libtest_mimic::Completion;
use palpate::Size;
use palpate::lowlevel::dime::{Dime, DimeSettings, DimeWeights};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::form::{Form, Units};
use palpate::lowlevel::kernel::nn::convolve::{Finish, Geometry};
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::nn::{Forward, Network, NormKind, Unet, UnetSettings, Weights};
use palpate::lowlevel::plan::{Checks, Pipelines};
use palpate::lowlevel::proof::Qualifier;
use palpate::lowlevel::tensor::Shape;

tests![
    networks_differ_by_the_rounding_of_factors,
    a_map_hardly_differs,
    without_matrix_units_it_is_refused,
    the_program_says_so_too,
];

const IMITATED: Form = Form::Half(Units { side: 16, imitated: true });

fn relative(a: &[f32], b: &[f32]) -> f64 {
    let wide = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
    relative_error(&wide(a), &wide(b)).expect("alike")
}

/// Choosers of full and of half precision.
struct Precisions([Chooser; 2]);

impl Given for Precisions {
    const ON: &'static [On] = &[On::Gpu];

    fn given(_: Option<On>) -> Result<Self, Missing> {
        let SharedGpu(pipelines) = SharedGpu::given(None)?;
        let caps = pipelines.device().caps();
        if !caps.features.contains(palpate::wgpu::Features::SHADER_F16) {
            return Err(Missing::Ignored(format!("{} has no half precision", caps.info.name)));
        }
        Ok(Self([Chooser::new(pipelines), Chooser::only(pipelines, IMITATED)]))
    }
}

fn networks_differ_by_the_rounding_of_factors(Precisions(choosers): Precisions) {
    let mut rng = fastrand::Rng::with_seed(5);
    for (norm, size) in [(NormKind::Batch, Size::square(30)), (NormKind::Instance, Size::new(33, 19))] {
        let unet = Unet::new(UnetSettings { chans: 8, pools: 2, norm, ..Default::default() });
        let weights = Weights::random(unet.expect("settings"), 3);
        let images: Vec<f32> = (0..3 * 2 * size.pixels()).map(|_| rng.f32() - 0.5).collect();
        let [full, half] = choosers.each_ref().map(|chooser| {
            let network = Forward::new(chooser, &weights, size, 3, &|_, _| {}).expect("compiles");
            let labels: Vec<_> = network.plan().timings().map(|t| t.label).collect();
            (labels, network.run(&images, &|_| {}).expect("runs"))
        });
        // None but of half precision; none of it before.
        let in_half = |labels: &[String]| labels.iter().filter(|l| l.starts_with("convolve_half")).count();
        let convolutions = full.0.iter().filter(|l| l.starts_with("convolve ")).count();
        assert_eq!([in_half(&full.0), in_half(&half.0)], [0, convolutions]);
        assert!(convolutions > 8 && !half.0.iter().any(|l| l.starts_with("convolve ")));
        let error = relative(&half.1, &full.1);
        note!("{norm:?}: {error:.1e}");
        // A half has 11 bits: each factor is off by 2.8e-4 at the most, many of them average out.
        assert_within(error, 1e-5..=2e-3, format!("{norm:?}"));
    }
}

fn a_map_hardly_differs(Precisions(choosers): Precisions) {
    let size @ Size { nx, ny } = Size::new(48, 44);
    let frames: Vec<f32> = (0..2 * nx * ny)
        .map(|i| {
            let (x, y) = ((i % nx) as f32, (i % (nx * ny) / nx) as f32);
            let phase = 0.25 * x + 0.08 * y;
            if i < nx * ny { phase.cos() } else { phase.sin() }
        })
        .collect();
    let mask: Vec<bool> = (0..nx * ny).map(|i| (i % nx).min(i / nx) > 2).collect();
    let settings = DimeSettings {
        size,
        spacing_mm: [1.0; 2],
        frames: Frames::Channels,
        conjugated: false,
        frequency_hz: 60.0,
        density: 1000.0,
        stride: 9,
        batch: 16,
        patch: None,
        pixel_mm: None,
    };
    let weights = DimeWeights::Bulk.weights().expect("weights");
    let [full, half] = choosers.map(|chooser| {
        let mut dime = Dime::new(&chooser, &weights, &settings, &|_, _| {}).expect("compiles");
        dime.invert(&frames, &mask).expect("a map")[..nx * ny].to_vec()
    });
    let error = relative(&half, &full);
    note!("{error:.1e}");
    // kernels/README.md: 9e-5.
    assert_near(error, 9e-5, 0.3, "the map");
}

fn without_matrix_units_it_is_refused(WithUnits(gpu): WithUnits) {
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let half = || Qualifier::new(&pipelines).in_half(&Chooser::new(&pipelines));
    if Form::in_half(gpu.caps()).is_empty() {
        let error = half().err().expect("refused").to_string();
        assert!(error.contains("matrix units") && error.contains(&gpu.caps().info.name), "{error}");
    } else {
        let half = half().expect("allowed");
        let form = half.convolve(Geometry::Three, Finish::Plain, Shape::new(4, 30, 30, 64), 64);
        assert!(matches!(form, Ok(Form::Half(_))), "{form:?}");
    }
}

fn the_program_says_so_too(WithUnits(gpu): WithUnits) -> Completion {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_palpate"));
    if !Form::in_half(gpu.caps()).is_empty() || !program.exists() {
        return Completion::ignored_with("the device has matrix units, or the program was not built");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let network = folder.path().join("net.safetensors");
    let unet = Unet::new(UnetSettings { chans: 4, pools: 1, ..Default::default() }).expect("settings");
    Weights::random(unet, 1).save(&network).expect("saved");
    let images = folder.path().join("x.npy");
    ndarray_npy::write_npy(&images, &ndarray::Array4::<f32>::ones((1, 2, 8, 8))).expect("written");
    let ran = std::process::Command::new(program)
        .args(["forward", "--matrix-units", "--weights"])
        .arg(&network)
        .arg("--input")
        .arg(&images)
        .arg("--output")
        .arg(folder.path().join("y.npy"))
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("no matrix units") && said.contains("--adapter"), "{said}");
    assert!(!folder.path().join("y.npy").exists());
    Completion::Completed
}
