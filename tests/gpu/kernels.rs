//! Every kernel of the table, in every specialisation, against its f64 oracle on a real adapter:
//! odd sizes and real ones, buffers filled with NaN beforehand. `soundness.rs` compares with run-time checks.

use crate::common::{
    self,
    compare::{at_most, relative_error_with_nan},
};
use crate::harness::OwnGpu;
use crate::harness::WithUnits;
use palpate::lowlevel::device::Device;
use palpate::lowlevel::kernel::form::{Chooser, Form, Product, Question, Work};
use palpate::lowlevel::kernel::kernels;
use palpate::lowlevel::kernel::nn::convolve::{Finish, Geometry};
use palpate::lowlevel::plan::{Checks, Pipelines, Plan, Recorder, Spec};
use palpate::lowlevel::proof::{self, At, Expect, Qualifier, TrialSize};
use palpate::lowlevel::tensor::Shape;

tests![every_kernel_agrees_with_its_oracle, a_form_that_computes_wrongly_is_not_chosen,];

/// Runs one trial and returns ‖a−b‖₂/‖b‖₂ of the worst of its results against its tolerance.
fn trial(pipelines: &Pipelines, spec: &Spec, size: TrialSize) -> Result<f64, String> {
    let mut rng = fastrand::Rng::with_seed(size.pixels() as u64);
    let mut rec = Recorder::new();
    let expected = (proof::trial(spec.kernel()).record)(&mut rec, spec, size, &mut rng);
    let uses = rec.dispatches().iter().any(|d| d.spec() == spec);
    assert!(uses, "{} at {size:?}: the trial does not run the specialisation it was asked for", spec.label());
    for place in expected.iter().map(|e| &e.place) {
        if let At::Buffer(buf) = place {
            rec.keep(*buf);
        }
    }
    let plan = Plan::compile(rec, pipelines, &|_, _| {}).map_err(|e| e.to_string())?;
    plan.poison().map_err(|e| e.to_string())?;
    plan.run().map_err(|e| e.to_string())?;
    let first = read(&plan, pipelines.device(), &expected);
    plan.run().map_err(|e| e.to_string())?;
    let mut worst = 0f64;
    for ((e, got), again) in expected.iter().zip(first).zip(read(&plan, pipelines.device(), &expected)) {
        if got.iter().map(|v| v.to_bits()).ne(again.iter().map(|v| v.to_bits())) {
            return Err("a second run gave other bits".into());
        }
        // The pool of an image of one pixel is empty. `read` has looked at what lies behind it.
        if e.values.is_empty() {
            continue;
        }
        let error = relative_error_with_nan(&got, &e.values)?;
        worst = worst.max(error);
        if !at_most(error, e.tolerance) {
            return Err(format!("relative error {error:.1e}, allowed {:.1e}", e.tolerance));
        }
    }
    Ok(worst)
}

fn read(plan: &Plan, gpu: &Device, expected: &[Expect]) -> Vec<Vec<f64>> {
    let place = |e: &Expect| match e.place {
        At::Buffer(buf) => {
            let values: Vec<f32> = plan.read(buf).expect("read");
            let (own, behind) = values.split_at(e.values.len());
            // What lies behind a result (`trial::room`, or an input updated in place) stays NaN.
            let untouched = behind.len() < 64 || behind[behind.len() - 64..].iter().all(|v| v.is_nan());
            assert!(untouched, "something was written behind a result");
            own.iter().map(|&v| f64::from(v)).collect()
        }
        At::Texture(tex) => {
            let texels = match plan.texture(tex) {
                Some(texture) => common::read_texture(gpu, texture),
                None => plan.texels(tex).expect("the plan's own"),
            };
            texels.into_iter().map(f64::from).collect()
        }
    };
    expected.iter().map(place).collect()
}

fn every_kernel_agrees_with_its_oracle(WithUnits(gpu): WithUnits) {
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let mut failures = Vec::new();
    for kernel in kernels() {
        for spec in kernel.specs().iter().filter(|s| s.runs_on(gpu.caps())) {
            for &size in proof::trial(kernel).sizes {
                match trial(&pipelines, spec, size) {
                    Ok(error) => note!("{:<34} {:?} {error:.1e}", spec.label(), size),
                    Err(what) => failures.push(format!("{} at {size:?}: {what}", spec.label())),
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// `spec` with `from` in its source replaced: what a driver that miscompiles makes of it.
fn miscompiled(spec: &Spec, [from, to]: [&str; 2]) -> Spec {
    let source = spec.kernel().source();
    assert!(source.contains(from), "{from}");
    // SAFETY: other taps and other sums stay within the same buffers.
    unsafe { spec.with_source(String::leak(source.replace(from, to))) }
}

fn a_form_that_computes_wrongly_is_not_chosen(OwnGpu(gpu): OwnGpu) {
    let forms = Form::candidates(gpu.caps(), Product { columns: 32, ..Product::LARGE });
    // Pipelines are found by name and constants: the wrong one, made first, stands for the right one.
    let spoil = |pipelines: &Pipelines, spec: Spec, change: [&str; 2]| {
        pipelines.get(&miscompiled(&spec, change)).expect("compiles");
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
            for spec in specs.into_iter().filter(|spec| spec.kernel().name() == "convolve") {
                spoil(&pipelines, spec, convolution);
            }
        }
        let less = wrong.min(gradients.len());
        for &form in &gradients[..less] {
            let question = Question::new(Work::Weights, Geometry::Three, src, 32);
            spoil(&pipelines, question.specs(form).remove(0), gradient);
        }
        let (qualifier, rule) = (Qualifier::new(&pipelines), Chooser::new(&pipelines));
        let forward = |c: &Chooser| c.convolve(Geometry::Three, Finish::Plain, src, 32);
        let backward = |c: &Chooser| c.convolve_weights(Geometry::Three, src, 32);
        let question = Question::new(Work::Weights, Geometry::Three, src, 32);
        for _ in 0..2 {
            let qualified = [
                qualifier.chooser(&rule, &|c| Ok(forward(c)?.convolves(Geometry::Three, Finish::Plain))),
                qualifier.chooser(&rule, &|c| Ok(question.specs(backward(c)?))),
            ];
            let [a, b] = qualified;
            let chosen = [
                (a.and_then(|c| forward(&c)), forms.clone(), wrong),
                (b.and_then(|c| backward(&c)), gradients.clone(), less),
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
