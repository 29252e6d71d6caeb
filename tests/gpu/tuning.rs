//! Forms are measured once, kept, and chosen by again; what is kept of another device or version is not.

use crate::harness::SharedGpu;
use palpate::lowlevel::kernel::form::{Chooser, Form, Product, Question, Tuning, Work};
use palpate::lowlevel::kernel::nn::convolve::{Finish, Geometry};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::proof::{Qualifier, Tuned, Tuner};
use palpate::lowlevel::tensor::Shape;
use std::time::Duration;

tests![what_is_measured_is_kept_and_chosen, nothing_is_measured_where_that_is_not_wanted,];

const SHAPE: Shape = Shape::new(4, 12, 12, 24);
const MINUTES: Duration = Duration::from_secs(600);

fn ask(chooser: &Chooser) -> [Form; 2] {
    [
        chooser.convolve(Geometry::Three, Finish::Plain, SHAPE, 20).expect("a form"),
        chooser.convolve_weights(Geometry::Three, SHAPE, 20).expect("a form"),
    ]
}

fn questions() -> [Question; 2] {
    [Work::Convolution, Work::Weights].map(|work| Question::new(work, Geometry::Three, SHAPE, 20))
}

fn tune(tuner: &mut Tuner, within: Duration) -> Tuned {
    tuner.tune(&questions(), within, &mut |_, _| {}).expect("tuned")
}

fn what_is_measured_is_kept_and_chosen(SharedGpu(pipelines): SharedGpu) {
    let caps = pipelines.device().caps();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tuning").join("it.toml");

    let qualifier = Qualifier::new(pipelines);
    let tuner = |own: Tuning, kept| Tuner::new(&qualifier, pipelines, own, kept);
    let mut first = tuner(Tuning::load(&path, caps).expect("none yet"), Some(path.clone()));
    assert_eq!(tune(&mut first, Duration::ZERO).answered, 0, "there was no time");
    let tuned = tune(&mut first, MINUTES);
    assert!(tuned.answered == 2 && tuned.not_kept.is_none(), "{tuned:?}");
    let chooser = first.chooser();
    let fastest = ask(&chooser);
    let kept = Tuning::load(&path, caps).expect("kept");
    assert_eq!(kept.answers.len(), 2);
    for answer in &kept.answers {
        // Which of the times decides is `fastest` of the tuner, which has a test of its own on times that are known.
        assert!(answer.ms.len() > 1 && answer.ms.contains_key(&answer.form.to_string()), "{answer:?}");
        // What came with palpate for other shapes stands beside it.
        assert_eq!(chooser.choices().form(&answer.question), Some(answer.form));
    }

    // Another program finds it, has nothing to measure, and chooses alike.
    let mut again = tuner(kept.clone(), Some(path.clone()));
    assert_eq!(ask(&again.chooser()), fastest);
    assert_eq!(tune(&mut again, MINUTES).answered, 0);

    // What it is told to go on with it does, whatever is faster.
    let slow =
        Form::candidates(caps, Product { columns: 20, ..Product::LARGE }).pop().expect("a form").direct();
    let mut forms = kept.clone();
    forms.answers.iter_mut().for_each(|answer| answer.form = slow);
    assert_eq!(ask(&Chooser::new(pipelines).with_choices(forms)), [slow; 2]);

    // Of another driver, another set of kernels, nothing.
    let text = std::fs::read_to_string(&path).expect("text");
    for line in [format!("driver = {:?}", kept.of.driver), format!("kernels = {:?}", kept.of.kernels)] {
        let key = line.split(' ').next().expect("a key");
        assert!(text.contains(&line), "{text}");
        std::fs::write(
            &path,
            text.replace(&line, &format!("{key} = \"other\"")).replace("form = \"", "form = \"un"),
        )
        .expect("written");
        assert_eq!(Tuning::load(&path, caps).expect("fresh"), Tuning::new(caps));
    }
    std::fs::write(&path, "form 8").expect("written");
    let error = Tuning::load(&path, caps).expect_err("refused").to_string();
    assert!(error.contains("it.toml") && error.contains("delete it"), "{error}");

    // Where nothing can be kept, it is chosen by all the same.
    let blocked = path.join("below");
    let tuned = tune(&mut tuner(Tuning::new(caps), Some(blocked)), MINUTES);
    assert!(tuned.answered == 2 && tuned.not_kept.is_some(), "{tuned:?}");
}

fn nothing_is_measured_where_that_is_not_wanted(pipelines: &Pipelines) {
    // A chooser is a pure function: asking it compiles, submits and notes nothing.
    let (chooser, before) = (Chooser::new(pipelines), pipelines.device().pool().peak());
    assert_eq!(ask(&chooser), ask(&chooser));
    assert_eq!(chooser.choices(), &Tuning::default());
    assert_eq!(pipelines.device().pool().peak(), before);
}
