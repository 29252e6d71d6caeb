//! The picture of truths and estimates.

use ndarray::ArrayView2;
use palpate::Result;
use palpate::lowlevel::colour::ColourMap;
use palpate::lowlevel::io::png::{Figure, Panel, Scale, USUAL_WIDTH, pick_slices};
use palpate::lowlevel::stats::evaluation::Sample;
use std::collections::BTreeSet;

/// Samples shown.
const SHOWN: usize = 5;

/// The first `n` values as rows of `nx`.
fn image(values: &[f32], nx: usize, n: usize) -> Option<ArrayView2<'_, f32>> {
    ArrayView2::from_shape((n / nx, nx), &values[..n]).ok()
}

/// Truth, estimates and their differences of some samples.
pub fn maps(samples: &[Sample], methods: &BTreeSet<String>) -> Result<Vec<u8>> {
    let shown: Vec<&Sample> = pick_slices(samples.len(), SHOWN).into_iter().map(|i| &samples[i]).collect();
    let largest = shown.iter().flat_map(|s| s.truth.iter().zip(&s.mask)).filter(|(_, m)| **m);
    let most = if largest.fold(0f32, |most, (v, _)| most.max(*v)) > 8.0 { 16.0 } else { 8.0 };
    let stiffness = || Scale { map: ColourMap::Stiffness, min: 0.0, max: most, label: "kPa".into() };
    let off = || Scale { map: ColourMap::Diverging, min: -2.0, max: 2.0, label: "kPa".into() };
    let differences: Vec<Vec<Vec<f32>>> = shown
        .iter()
        .map(|s| {
            let off =
                |m: &String| s.estimates.get(m).map(|e| e.iter().zip(&s.truth).map(|(e, t)| e - t).collect());
            methods.iter().map(|m| off(m).unwrap_or_else(|| vec![f32::NAN; s.truth.len()])).collect()
        })
        .collect();
    let mut panels = vec![];
    for (sample, differences) in shown.iter().zip(&differences) {
        // Of stacks, the first slice.
        let [nx, n] = [sample.size.nx, sample.size.pixels()];
        let mask = ArrayView2::from_shape((n / nx, nx), &sample.mask[..n]).expect("a mask fills its image");
        let panel =
            |title: String, values, scale| Panel { title, values, mask, scale, hatch: None, backdrop: None };
        panels.extend(
            image(&sample.truth, nx, n).map(|v| panel(format!("{}: truth", sample.name), v, stiffness())),
        );
        for (method, difference) in methods.iter().zip(differences) {
            let estimate = sample.estimates.get(method).unwrap_or(difference);
            panels.extend(image(estimate, nx, n).map(|v| panel(method.clone(), v, stiffness())));
            panels.extend(image(difference, nx, n).map(|v| panel(format!("{method} - truth"), v, off())));
        }
    }
    let figure = Figure {
        title: "Stiffness: truth and estimates".into(),
        notes: vec![
            "Storage modulus of the truth, and what each method calls stiffness, kPa. Grey: not compared."
                .into(),
            format!("palpate {}, a research tool, not a medical device.", env!("CARGO_PKG_VERSION")),
        ],
        axes: ["x (axis 0)", "y (axis 1)"].map(String::from),
        sides: None,
        spacing_mm: [f64::NAN; 2],
        columns: 1 + 2 * methods.len(),
        width: USUAL_WIDTH,
        panels,
    };
    figure.png()
}
