//! What a tape says: how it prints, which gradients there are, and which mistakes it names.

use super::graph::Forms;
use palpate::Error;
use palpate::Size;
use palpate::lowlevel::kernel::nn::convolve::Geometry;
use palpate::lowlevel::kernel::nn::norm::Per;
use palpate::lowlevel::kernel::nn::pool::Pooling;
use palpate::lowlevel::plan::{Plan, Recorder};
use palpate::lowlevel::tape::{Leaves, Lowering, Tape, Var};
use palpate::lowlevel::tensor::{Shape, Tensor};

tests![
    prints_an_operation_a_line,
    what_nothing_depends_on_has_no_gradient,
    what_has_no_gradient_is_refused,
    mistakes_name_the_shapes,
    mistakes_name_the_numbers,
    one_buffer_for_what_is_read_and_written_is_refused,
    concatenations_in_place_take_no_dispatch,
];

fn image(tape: &mut Tape, c: usize) -> Var {
    tape.input(Shape::new(2, 3, 5, c))
}

fn row(tape: &mut Tape, c: usize) -> Var {
    tape.parameter(0, Shape::new(1, 1, 1, c))
}

fn weights(tape: &mut Tape, geometry: Geometry, ci: usize, co: usize) -> Var {
    tape.parameter(8, geometry.weights(ci, co))
}

/// The sentence of an error in how something is used.
fn usage<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::Usage(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn prints_an_operation_a_line() {
    let mut tape = Tape::new();
    let x = tape.input(Shape::new(2, 3, 5, 2));
    let w = tape.parameter(0, Geometry::One.weights(2, 1));
    let y = tape.convolve(x, w, None, Geometry::One).unwrap();
    let target = tape.input(Shape::new(2, 3, 5, 1));
    let mse = tape.mse(y, target, None).unwrap();
    let loss = tape.combine(&[(mse, 0.5)]).unwrap();
    tape.gradients(loss, &[w]).unwrap();
    let expected = "\
%0    [2, 3, 5, 2]           Input
%1    [1, 1, 4, 1]           Parameter { first: 0 }
%2    [2, 3, 5, 1]           Convolve { src: %0, weights: %1, bias: None, geometry: One }
%3    [2, 3, 5, 1]           Input
%4    [1, 1, 1, 1]           Mse { prediction: %2, target: %3, weights: None }
%5    [1, 1, 1, 1]           Combine { terms: [(%4, 0.5)] }
%6    [1, 1, 1, 1]           One
%7    [1, 1, 1, 1]           Combine { terms: [(%6, 0.5)] }
%8    [2, 3, 5, 1]           MseGrad { loss: %4, of: Mse { prediction: %2, target: %3, weights: None }, upstream: %7 }
%9    [1, 1, 4, 1]           ConvolveWeights { src: %0, grad: %8, geometry: One }
";
    assert_eq!(tape.to_string(), expected);
}

fn what_nothing_depends_on_has_no_gradient() {
    let mut tape = Tape::new();
    let [x, target, apart] = [(); 3].map(|()| image(&mut tape, 3));
    let unused = row(&mut tape, 3);
    let aside = tape.add([x, apart]).unwrap();
    let mse = tape.mse(x, target, None).unwrap();
    let later = image(&mut tape, 3);
    let gradients = tape.gradients(mse, &[x, apart, unused, aside, later, mse]).unwrap();
    let there: Vec<bool> = gradients.iter().map(Option::is_some).collect();
    assert_eq!(there, [true, false, false, false, false, true]);
    let shapes: Vec<_> = gradients.into_iter().flatten().map(|g| tape.shape(g)).collect();
    assert_eq!(shapes, [tape.shape(x), Shape::SCALAR]);
}

fn what_has_no_gradient_is_refused() {
    let mut tape = Tape::new();
    let [x, target] = [(); 2].map(|()| image(&mut tape, 3));
    assert!(usage(tape.gradients(x, &[x])).contains("[2, 3, 5, 3]"));

    let running = tape.state(0, 3);
    let statistics = tape.running_statistics(running);
    let normed = tape.norm(x, statistics, None, 0.2).unwrap();
    let mse = tape.mse(normed, target, None).unwrap();
    assert!(usage(tape.gradients(mse, &[x])).contains("inference"));
    // What lies after it has one.
    assert!(tape.gradients(mse, &[normed]).unwrap()[0].is_some());

    let mse = tape.mse(x, target, None).unwrap();
    assert!(usage(tape.gradients(mse, &[target])).contains("target"));
    let grad = tape.gradients(mse, &[x]).unwrap()[0].unwrap();
    let of_gradient = tape.mse(grad, target, None).unwrap();
    assert!(usage(tape.gradients(of_gradient, &[x])).contains("second derivatives"));

    let own = tape.statistics(x, Per::Batch, None).unwrap();
    let of_statistics = tape.total_variation(own, None).unwrap();
    assert!(usage(tape.gradients(of_statistics, &[x])).contains("statistics"));

    let even = tape.input(Shape::new(1, 2, 2, 3));
    let down = weights(&mut tape, Geometry::Down, 3, 2);
    let y = tape.convolve(even, down, None, Geometry::Down).unwrap();
    let variation = tape.total_variation(y, None).unwrap();
    assert!(usage(tape.gradients(variation, &[down])).contains("weights"));
}

/// What is done, how, and what its error says.
type Mistake = (&'static str, fn(&mut Tape) -> Result<Var, Error>, &'static [&'static str]);

fn mistakes_name_the_shapes() {
    let mistakes: [Mistake; 16] = [
        (
            "weights of other channels",
            |t| {
                let (x, w) = (image(t, 5), weights(t, Geometry::Three, 4, 3));
                t.convolve(x, w, None, Geometry::Three)
            },
            &["[2, 3, 5, 5]", "[9, 1, 4, 3]"],
        ),
        (
            "weights of another geometry",
            |t| {
                let (x, w) = (image(t, 3), weights(t, Geometry::One, 3, 3));
                t.convolve(x, w, None, Geometry::Up)
            },
            &["Up", "[1, 1, 4, 3]"],
        ),
        (
            "a bias of other channels",
            |t| {
                let (x, w, b) = (image(t, 3), weights(t, Geometry::One, 3, 2), row(t, 3));
                t.convolve(x, w, Some(b), Geometry::One)
            },
            &["[1, 1, 1, 3]"],
        ),
        (
            "odd sizes halved",
            |t| {
                let (x, w) = (image(t, 3), weights(t, Geometry::Down, 3, 2));
                t.convolve(x, w, None, Geometry::Down)
            },
            &["[2, 3, 5, 3]"],
        ),
        (
            "statistics of one pixel",
            |t| {
                let x = t.input(Shape::new(2, 1, 1, 3));
                t.statistics(x, Per::Image, None)
            },
            &["[2, 1, 1, 3]"],
        ),
        (
            "running statistics of images",
            |t| {
                let (x, running) = (image(t, 3), t.state(0, 3));
                t.statistics(x, Per::Image, Some(running))
            },
            &["[2, 3, 5, 3]", "[1, 1, 2, 3]"],
        ),
        (
            "running statistics of other channels",
            |t| {
                let (x, running) = (image(t, 3), t.state(0, 4));
                t.statistics(x, Per::Batch, Some(running))
            },
            &["[2, 3, 5, 3]", "[1, 1, 2, 4]"],
        ),
        (
            "statistics of something else",
            |t| {
                let (x, other) = (image(t, 3), image(t, 4));
                let statistics = t.statistics(other, Per::Image, None)?;
                t.norm(x, statistics, None, 1.0)
            },
            &["[2, 3, 5, 3]", "[2, 1, 2, 4]"],
        ),
        (
            "scale and shift of other channels",
            |t| {
                let (x, scale, shift) = (image(t, 3), row(t, 3), row(t, 4));
                let statistics = t.statistics(x, Per::Batch, None)?;
                t.norm(x, statistics, Some([scale, shift]), 1.0)
            },
            &["[1, 1, 1, 4]"],
        ),
        (
            "pooling one row",
            |t| {
                let x = t.input(Shape::new(1, 1, 8, 3));
                t.pool(x, Pooling::Max)
            },
            &["[1, 1, 8, 3]"],
        ),
        (
            "padding by two",
            |t| {
                let x = image(t, 3);
                t.pad(x, Size::square(5))
            },
            &["[2, 3, 5, 3]", "5 × 5"],
        ),
        (
            "reflecting one row",
            |t| {
                let x = t.input(Shape::new(1, 1, 8, 3));
                t.pad(x, Size::new(8, 2))
            },
            &["[1, 1, 8, 3]", "8 × 2"],
        ),
        (
            "joining two sizes",
            |t| {
                let (x, y) = (image(t, 3), t.input(Shape::new(2, 3, 4, 3)));
                t.concatenate([x, y])
            },
            &["[2, 3, 5, 3]", "[2, 3, 4, 3]"],
        ),
        (
            "adding two shapes",
            |t| {
                let (x, y) = (image(t, 3), image(t, 4));
                t.add([x, y])
            },
            &["[2, 3, 5, 3]", "[2, 3, 5, 4]"],
        ),
        (
            "weights of channels",
            |t| {
                let (x, y, w) = (image(t, 3), image(t, 3), image(t, 3));
                t.mse(x, y, Some(w))
            },
            &["[2, 3, 5, 3] and [2, 3, 5, 3]"],
        ),
        (
            "combining what is no number",
            |t| {
                let x = image(t, 3);
                t.combine(&[(x, 1.0)])
            },
            &["[2, 3, 5, 3]"],
        ),
    ];
    for (what, mistake, shapes) in mistakes {
        let said = usage(mistake(&mut Tape::new()));
        assert!(shapes.iter().all(|shape| said.contains(shape)), "{what}: {said}");
    }
}

fn mistakes_name_the_numbers() {
    let mut tape = Tape::new();
    let x = image(&mut tape, 3);
    for rate in [1.0, -0.1, f32::NAN] {
        assert!(usage(tape.dropout(x, rate, 0)).contains(&rate.to_string()));
    }
    let statistics = tape.statistics(x, Per::Batch, None).unwrap();
    for slope in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(usage(tape.norm(x, statistics, None, slope)).contains(&slope.to_string()));
    }
    assert!(usage(tape.combine(&[])).contains("one to four"));
    assert_eq!(tape.dropout(x, 0.0, 0).unwrap(), x, "nothing to drop");
    assert_eq!(tape.pad(x, Size::new(5, 3)).unwrap(), x, "nothing to add");
}

/// A part of a concatenation that lies elsewhere in its buffer is no part of it in place.
fn one_buffer_for_what_is_read_and_written_is_refused(forms: Forms) {
    let chooser = forms.first();
    let mut tape = Tape::new();
    let [a, b] = [4, 4].map(|c| image(&mut tape, c));
    let whole = tape.concatenate([a, b]).unwrap();
    let variation = tape.total_variation(whole, None).unwrap();
    let gradients = tape.gradients(variation, &[whole, a]).unwrap();
    for wanted in [[whole, a], [gradients[0].unwrap(), gradients[1].unwrap()]] {
        let mut rec = Recorder::new();
        let buf = rec.output::<f32>("all", 2048);
        let nothing = rec.constant("nothing", &[0f32]);
        let leaves = Leaves { parameters: nothing, state: nothing, step: nothing };
        let wanted = [0, 1].map(|i| (wanted[i], Some(Tensor::span(buf, 1024 * i, tape.shape(wanted[i])))));
        Lowering::new(&tape, &mut rec, chooser, leaves, &[], &wanted).expect("a recording");
        let compiled = Plan::compile(rec, chooser.pipelines(), &|_, _| {});
        assert!(usage(compiled.map(|_| ())).contains("one buffer"));
    }
}

/// Whole quads are written where they belong; others, and what lies elsewhere already, are copied.
fn concatenations_in_place_take_no_dispatch(forms: Forms) {
    let chooser = forms.first();
    let copies = |channels: [usize; 2], times: usize| {
        let mut tape = Tape::new();
        let [a, b] = channels.map(|c| image(&mut tape, c));
        let joined: Vec<_> = (0..times).map(|_| (tape.concatenate([a, b]).unwrap(), None)).collect();
        let mut rec = Recorder::new();
        let nothing = rec.constant("nothing", &[0f32]);
        let leaves = Leaves { parameters: nothing, state: nothing, step: nothing };
        let lowering = Lowering::new(&tape, &mut rec, chooser, leaves, &[], &joined).expect("a recording");
        let own = |v: Var| lowering.tensor(v).buf();
        let in_place = own(a) == own(joined[0].0) && own(b) == own(joined[0].0);
        (in_place, rec.dispatches().iter().filter(|d| d.spec().kernel().name() == "concatenate").count())
    };
    assert_eq!(copies([4, 3], 1), (true, 0));
    assert_eq!(copies([8, 4], 1), (true, 0));
    assert_eq!(copies([3, 4], 1), (false, 1));
    assert_eq!(copies([4, 3], 2), (true, 1));
}
