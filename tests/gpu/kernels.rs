//! Every kernel of the table, in every specialisation, against its f64 oracle on a real adapter:
//! odd sizes and real ones, buffers filled with NaN beforehand, without and with run-time checks.

use crate::common::{
    self,
    compare::{at_most, relative_error_with_nan},
};
use crate::harness::WithUnits;
use palpate::gpu::Gpu;
use palpate::kernel::choose::Chooser;
use palpate::kernel::convolve::{Finish, Form, Geometry, Product};
use palpate::kernel::{
    Checks, Expect, Kernel, Layout, Pipelines, Place, Size, Spec, TABLE, convolve_weights,
};
use palpate::plan::{Plan, Recorder};
use palpate::tensor::Shape;

tests![
    every_kernel_agrees_with_its_oracle,
    and_with_run_time_checks,
    a_form_that_computes_wrongly_is_not_chosen,
];

/// Runs one trial and returns ‖a−b‖₂/‖b‖₂ of the worst of its results against its tolerance.
fn trial(pipelines: &Pipelines, spec: &Spec, size: Size) -> Result<f64, String> {
    let mut rng = fastrand::Rng::with_seed(size.pixels() as u64);
    let mut rec = Recorder::new();
    let expected = (spec.kernel.trial)(&mut rec, spec, size, &mut rng);
    let uses = rec.dispatches().iter().any(|d| d.spec == *spec);
    assert!(uses, "{} at {size:?}: the trial does not run the specialisation it was asked for", spec.label());
    for place in expected.iter().map(|e| &e.place) {
        if let Place::Buffer(buf) = place {
            rec.keep(*buf);
        }
    }
    let plan = Plan::compile(rec, pipelines, &|_, _| {}).map_err(|e| e.to_string())?;
    plan.poison().map_err(|e| e.to_string())?;
    plan.run().map_err(|e| e.to_string())?;
    let first = read(&plan, pipelines.gpu(), &expected);
    plan.run().map_err(|e| e.to_string())?;
    let mut worst = 0f64;
    for ((e, got), again) in expected.iter().zip(first).zip(read(&plan, pipelines.gpu(), &expected)) {
        if got.iter().map(|v| v.to_bits()).ne(again.iter().map(|v| v.to_bits())) {
            return Err("a second run gave other bits".into());
        }
        let error = relative_error_with_nan(&got, &e.values)?;
        worst = worst.max(error);
        if !at_most(error, e.tolerance) {
            return Err(format!("relative error {error:.1e}, allowed {:.1e}", e.tolerance));
        }
    }
    Ok(worst)
}

fn read(plan: &Plan, gpu: &Gpu, expected: &[Expect]) -> Vec<Vec<f64>> {
    let place = |e: &Expect| match e.place {
        Place::Buffer(buf) => {
            let values: Vec<f32> = plan.read(buf).expect("read");
            let (own, behind) = values.split_at(e.values.len());
            // What lies behind a result (`trial::room`, or an input updated in place) stays NaN.
            let untouched = behind.len() < 64 || behind[behind.len() - 64..].iter().all(|v| v.is_nan());
            assert!(untouched, "something was written behind a result");
            own.iter().map(|&v| f64::from(v)).collect()
        }
        Place::Texture(tex) => {
            let texture = plan.texture(tex).expect("the plan's own");
            common::read_texture(gpu, texture).into_iter().map(f64::from).collect()
        }
    };
    expected.iter().map(place).collect()
}

fn whole_table(gpu: &Gpu, checks: Checks) {
    let pipelines = Pipelines::new(gpu, checks);
    let mut failures = Vec::new();
    for kernel in TABLE {
        for spec in (kernel.specs)().iter().filter(|s| s.runs_on(gpu.caps())) {
            for &size in kernel.sizes {
                match trial(&pipelines, spec, size) {
                    Ok(error) => note!("{:<34} {:?} {error:.1e}", spec.label(), size),
                    Err(what) => failures.push(format!("{} at {size:?}: {what}", spec.label())),
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn every_kernel_agrees_with_its_oracle(WithUnits(gpu): WithUnits) {
    whole_table(&gpu, Checks::Off);
}

fn and_with_run_time_checks(WithUnits(gpu): WithUnits) {
    whole_table(&gpu, Checks::On);
}

/// `kernel` with `from` in its source replaced: what a driver that miscompiles makes of it.
fn miscompiled(kernel: &'static Kernel, from: &str, to: &str) -> &'static Kernel {
    assert!(kernel.source.contains(from), "{from}");
    let Kernel { name, bindings, ref params, specs, sizes, trial, .. } = *kernel;
    let params = Layout { fields: params.fields, size: params.size };
    let source = String::leak(kernel.source.replace(from, to));
    Box::leak(Box::new(Kernel { name, source, bindings, params, specs, sizes, trial }))
}

fn a_form_that_computes_wrongly_is_not_chosen(gpu: Gpu) {
    let forms = Form::candidates(gpu.caps(), Product { columns: 32, ..Product::LARGE });
    // Pipelines are found by name and constants: the wrong one, made first, stands for the right one.
    let spoil = |pipelines: &Pipelines, spec: Spec, [from, to]: [&str; 2]| {
        let kernel = miscompiled(spec.kernel, from, to);
        pipelines.get(&Spec { kernel, ..spec }).expect("compiles");
    };
    // The wrong taps; sums that grow too fast.
    let convolution = ["max(t, along_z)", "(max(t, along_z) / 2u)"];
    let gradient = [" fma(", " 2.0 * fma("];
    let src = Shape::new(128, 32, 32, 32);
    // Weight gradients have an order of their own, and no Winograd.
    let mut gradients = Form::candidates(gpu.caps(), Product { rows: 32, columns: 32, split: true });
    gradients.retain(|form| form.direct() == *form);
    for wrong in 0..=forms.len() {
        let pipelines = Pipelines::new(&gpu, Checks::Off);
        for &form in &forms[..wrong] {
            let specs = form.convolves(Geometry::Three, Finish::Plain);
            for spec in specs.into_iter().filter(|spec| spec.kernel.name == "convolve") {
                spoil(&pipelines, spec, convolution);
            }
        }
        let less = wrong.min(gradients.len());
        for &form in &gradients[..less] {
            spoil(&pipelines, convolve_weights::spec(form, Geometry::Three, [32, 32]), gradient);
        }
        let chooser = Chooser::new(&pipelines);
        for _ in 0..2 {
            let chosen = [
                (chooser.convolve(Geometry::Three, Finish::Plain, src, 32), forms.clone(), wrong),
                (chooser.convolve_weights(Geometry::Three, src, 32), gradients.clone(), less),
            ];
            for (chosen, forms, wrong) in chosen {
                match (chosen, forms.get(wrong)) {
                    (Ok(form), Some(right)) => assert_eq!(form, *right, "{wrong} of {forms:?} are wrong"),
                    (Err(error), None) => {
                        let text = error.to_string();
                        assert!(
                            text.contains("no form") && text.contains("differs from its oracle"),
                            "{text}"
                        );
                        assert_eq!(text.matches("differs").count(), forms.len(), "{text}");
                    }
                    (chosen, _) => panic!("{wrong} of {forms:?} are wrong, and {chosen:?} was chosen"),
                }
            }
        }
    }
}
