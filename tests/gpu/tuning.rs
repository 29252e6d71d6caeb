//! Forms are measured once, kept, and chosen by again; what is kept of another device or version is not.

use crate::common::compare::least;
use palpate::kernel::Pipelines;
use palpate::kernel::choose::Chooser;
use palpate::kernel::convolve::{Finish, Form, Geometry, Product};
use palpate::kernel::tune::Tuning;
use palpate::tensor::Shape;
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

fn what_is_measured_is_kept_and_chosen(pipelines: &Pipelines) {
    let caps = pipelines.gpu().caps();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tuning").join("it.toml");

    let chooser = Chooser::tuned(pipelines, Tuning::load(&path, caps).expect("none yet"), Some(path.clone()));
    ask(&chooser);
    assert_eq!(chooser.tune(Duration::ZERO, &|_, _| {}).expect("tuned").answered, 0, "there was no time");
    let tuned = chooser.tune(MINUTES, &|_, _| {}).expect("tuned");
    assert!(tuned.answered == 2 && tuned.not_kept.is_none(), "{tuned:?}");
    let fastest = ask(&chooser);
    let kept = Tuning::load(&path, caps).expect("kept");
    assert_eq!(kept.answers.len(), 2);
    for answer in &kept.answers {
        let least = least(answer.ms.values().copied());
        let own = answer.ms[&answer.form.to_string()];
        assert!(answer.ms.len() > 1 && own <= least / 0.95, "{answer:?}");
        // What came with palpate for other shapes stands beside it.
        assert_eq!(chooser.forms().form(&answer.question), Some(answer.form));
    }

    // Another program finds it, has nothing to measure, and chooses alike.
    let again = Chooser::tuned(pipelines, kept.clone(), Some(path.clone()));
    assert_eq!(ask(&again), fastest);
    assert_eq!(again.tune(MINUTES, &|_, _| {}).expect("tuned").answered, 0);

    // What it is told to go on with it does, whatever is faster.
    let slow =
        Form::candidates(caps, Product { columns: 20, ..Product::LARGE }).pop().expect("a form").direct();
    let mut forms = kept.clone();
    forms.answers.iter_mut().for_each(|answer| answer.form = slow);
    assert_eq!(ask(&again.fixed(forms)), [slow; 2]);

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
    let chooser = Chooser::tuned(pipelines, Tuning::new(caps), Some(blocked));
    ask(&chooser);
    let tuned = chooser.tune(MINUTES, &|_, _| {}).expect("tuned");
    assert!(tuned.answered == 2 && tuned.not_kept.is_some(), "{tuned:?}");
}

fn nothing_is_measured_where_that_is_not_wanted(pipelines: &Pipelines) {
    let chooser = Chooser::new(pipelines);
    ask(&chooser);
    assert_eq!(chooser.tune(MINUTES, &|_, _| {}).expect("nothing").answered, 0);
    assert_eq!(chooser.forms(), Tuning::default());
}
