//! When the program doubts its results, and what it says they are.

use crate::common::compare::{assert_below, assert_close, median};
use crate::files::map::pixels;
use crate::files::{Folder, SIZE, array, inside, masked, phase, phases, plain};
use ndarray::Array2;
use num_complex::Complex64;
use serde_json::Value;
use std::f64::consts::{PI, TAU};

tests![
    results_that_cannot_be_are_doubted_and_good_ones_are_not,
    the_line_of_a_result_tells_the_numbers_of_its_report,
    wrapped_phases_give_the_maps_of_the_unwrapped,
];

fn codes(report: &Value) -> Vec<&str> {
    let warnings = report["warnings"].as_array().expect("warnings");
    warnings.iter().map(|w| w["code"].as_str().expect("a code")).collect()
}

/// Noise of one amplitude and any phase inside the mask, the same at each call.
fn noise() -> impl Fn(usize, usize) -> Complex64 {
    let mut random = fastrand::Rng::with_seed(3);
    let values =
        Array2::from_shape_simple_fn(SIZE.axes(), || Complex64::from_polar(1000.0, TAU * random.f64()));
    move |x, y| if inside(x, y) { values[[x, y]] } else { Complex64::ZERO }
}

fn results_that_cannot_be_are_doubted_and_good_ones_are_not() {
    let folder = Folder::new();
    folder.nifti("a.nii", &plain(), &phases(masked));
    folder.nifti("noise.nii", &plain(), &phases(noise()));
    let told = |line: &str, name: &str| {
        let ran = folder.good(&format!("invert {line} -o {name}"));
        let input = line.split('.').next().expect("a stem");
        let report = folder.json(&format!("{name}/{input}.json"));
        for warning in report["warnings"].as_array().expect("warnings") {
            let text = warning["message"].as_str().expect("a message");
            assert_eq!(ran.err.matches(text).count(), 1, "{}", ran.err);
        }
        codes(&report).into_iter().map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(told("a.nii", "clean"), [""; 0]);
    assert_eq!(told("a.nii --spacing 100", "coarse"), ["implausible-stiffness"]);
    assert_eq!(told("a.nii --spacing 0.05", "fine"), ["implausible-stiffness"]);
    let codes = told("noise.nii", "noise");
    assert!(codes.contains(&"low-confidence".into()), "{codes:?}");
}

/// The numbers before and after each ±, and the share, of a line of standard output.
fn told(line: &str) -> Vec<f64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| words[at].parse().unwrap_or_else(|e| panic!("`{}`: {e}: {line}", words[at]));
    (1..words.len() - 1)
        .flat_map(|i| match words[i] {
            "±" if words[i - 1] != "(mean" => vec![number(i - 1), number(i + 1)],
            "%" => vec![number(i - 1)],
            _ => Vec::new(),
        })
        .collect()
}

fn the_line_of_a_result_tells_the_numbers_of_its_report() {
    let folder = Folder::new();
    let noise = noise();
    // Most of the soft part drowns, so that what is confident is stiffer than the whole.
    let u = |x: usize, y: usize| if x < 16 { noise(x, y) } else { masked(x, y) };
    folder.nifti("half.nii", &plain(), &phases(u));
    folder.nifti("noise.nii", &plain(), &phases(&noise));
    let ran = folder.good("invert half.nii noise.nii -o out");
    let line = |name: &str| ran.out.lines().find(|line| line.starts_with(name)).expect("a line");
    let report = folder.json("out/half.json");
    let stats =
        |region: &str, key: &str| report["regions"][region]["stiffness_kpa"][key].as_f64().expect("a number");
    let expected = [
        stats("mask", "mean"),
        stats("mask", "sd"),
        stats("confident", "mean"),
        stats("confident", "sd"),
        100.0 * stats("mask", "share_confident"),
    ];
    let got = told(line("half.nii"));
    assert!((expected[2] / expected[0] - 1.0).abs() > 0.1, "the means cannot be told apart: {expected:?}");
    assert!((stats("mask", "median") / expected[0] - 1.0).abs() > 0.03, "nor mean and median: {expected:?}");
    assert!((5.0..80.0).contains(&expected[4]), "{expected:?}");
    assert_eq!(got.len(), expected.len(), "{}", line("half.nii"));
    for ((got, expected), step) in got.iter().zip(expected).zip([0.01, 0.01, 0.01, 0.01, 1.0]) {
        assert_close(*got, expected, 0.5001 * step, line("half.nii"));
    }
    let area = format!("{:.0} cm²", stats("mask", "area_mm2") / 100.0);
    assert!(line("half.nii").contains(&area), "{}", line("half.nii"));

    // Where nothing is confident there is no second mean.
    if folder.json("out/noise.json")["regions"]["confident"].is_null() {
        assert!(line("noise.nii").contains("no pixel"), "{}", line("noise.nii"));
        assert_eq!(told(line("noise.nii")).len(), 2);
    }
}

fn wrapped_phases_give_the_maps_of_the_unwrapped() {
    let folder = Folder::new();
    // Up to 3.4 rad about a mean that differs from pixel to pixel, below half a turn from frame to frame.
    let value = |i: &[usize]| {
        let mean = 0.9 + 0.11 * i[0] as f64 - 0.07 * i[1] as f64;
        if inside(i[0], i[1]) { mean + 2.5e-3 * phase(masked(i[0], i[1]), i[2], 8) } else { 0.0 }
    };
    let wrap = |v: f64| v - TAU * ((v + PI) / TAU).floor();
    let shape = [SIZE.nx, SIZE.ny, 8];
    let straight = array(&shape, |i| value(i) as f32);
    let wrapped = array(&shape, |i| wrap(value(i)) as f32);
    let moved = straight.iter().zip(&wrapped).filter(|(a, b)| a != b).count();
    assert!(moved > straight.len() / 5, "{moved} samples are wrapped");
    folder.npy("straight.npy", &straight);
    folder.npy("wrapped.npy", &wrapped);
    folder.good("invert straight.npy wrapped.npy -o out --spacing 1.5");
    for (name, due) in [("straight", false), ("wrapped", true)] {
        let report = folder.json(&format!("out/{name}.json"));
        let notes = report["notes"].as_array().expect("notes");
        assert_eq!(notes.iter().any(|note| note["code"] == "unwrapped"), due, "{name}: {notes:?}");
    }
    for map in ["amplitude", "mmdi_stiffness"] {
        let [a, b] = ["straight", "wrapped"].map(|name| folder.map(&format!("out/{name}_{map}.nii.gz")));
        let off = pixels().filter(|&(x, y)| inside(x, y)).map(|(x, y)| (b.at(x, y) / a.at(x, y) - 1.0).abs());
        assert_below(median(off), 0.01, map);
    }
}
