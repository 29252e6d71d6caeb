//! Gradient checks: every differentiable operation of the tape in the middle of a graph, on every form of the kernels,
//! against central differences of the f64 oracles; a whole U-Net too; and what the tape says when it cannot.

mod graph;
pub mod network;
mod reference;
pub mod tape;

use graph::{Forms, Graph, random};
use palpate::Activation;
use palpate::Size;
use palpate::lowlevel::kernel::nn::convolve::Geometry;
use palpate::lowlevel::kernel::nn::norm::Per;
use palpate::lowlevel::kernel::nn::pool::Pooling;
use palpate::lowlevel::kernel::nn::upsample::Upsampling;
use palpate::lowlevel::tape::Var;
use palpate::lowlevel::tensor::Shape;

tests![
    convolutions,
    norms,
    activations,
    pooling_and_upsampling,
    padding,
    concatenations,
    sums_and_dropout,
    losses,
];

const fn shape(n: usize, h: usize, w: usize, c: usize) -> Shape {
    Shape::new(n, h, w, c)
}

fn convolution(forms: Forms, geometry: Geometry, shape: Shape, co: usize, bias: bool) {
    forms.mid_graph(&format!("{geometry:?} to {co}, bias {bias}"), shape, |graph, x| {
        let weights = graph.weights("weights", geometry, [shape.c, co]);
        if geometry == Geometry::Down {
            // It is the gradient of another; its own has none in its weights.
            graph.learned.pop();
        }
        let bias = bias.then(|| graph.vector("bias", co));
        graph.tape.convolve(x, weights, bias, geometry).expect("a convolution")
    });
}

fn convolutions(forms: Forms) {
    let shapes = [
        (shape(1, 1, 1, 1), 3),
        (shape(5, 1, 7, 3), 2),
        (shape(1, 41, 47, 2), 1),
        (shape(2, 55, 3, 5), 4),
        (shape(128, 3, 2, 4), 5),
        (shape(3, 5, 7, 20), 36),
    ];
    for geometry in [Geometry::Three, Geometry::One, Geometry::Up, Geometry::Down] {
        for (i, (shape, co)) in shapes.into_iter().enumerate() {
            let even = |n: usize| if geometry == Geometry::Down { n.next_multiple_of(2) } else { n };
            let shape = Shape { h: even(shape.h), w: even(shape.w), ..shape };
            convolution(forms, geometry, shape, co, i % 2 == 0);
            if i < 2 {
                convolution(forms, geometry, shape, co, i % 2 == 1);
            }
        }
    }
}

fn norms(forms: Forms) {
    let shapes =
        [shape(5, 1, 7, 2), shape(1, 41, 47, 3), shape(128, 3, 2, 4), shape(2, 55, 1, 5), shape(3, 5, 7, 1)];
    for (per, affine, slope) in [
        (Per::Batch, true, 0.2),
        (Per::Batch, false, 0.2),
        (Per::Batch, true, 1.0),
        (Per::Batch, false, 1.0),
        (Per::Image, false, 0.2),
        (Per::Image, true, 0.2),
        (Per::Image, false, 1.0),
        (Per::Image, true, 1.0),
    ] {
        for shape in shapes {
            forms.mid_graph(
                &format!("norm per {per:?}, affine {affine}, slope {slope}"),
                shape,
                |graph, x| {
                    let affine = affine.then(|| ["scale", "shift"].map(|name| graph.vector(name, shape.c)));
                    let running = (per == Per::Batch).then(|| graph.running(shape.c));
                    let statistics = graph.tape.statistics(x, per, running).expect("statistics");
                    graph.tape.norm(x, statistics, affine, slope).expect("a norm")
                },
            );
        }
    }
}

fn activations(forms: Forms) {
    for shape in [shape(1, 1, 1, 1), shape(5, 1, 7, 3), shape(1, 41, 47, 2), shape(2, 55, 3, 5)] {
        for activation in [Activation::Relu, Activation::LeakyRelu(0.2), Activation::Sigmoid] {
            forms.mid_graph(&format!("{activation:?}"), shape, |graph, x| {
                graph.tape.activate(x, activation).expect("an activation")
            });
        }
    }
}

fn pooling_and_upsampling(forms: Forms) {
    for shape in
        [shape(1, 2, 3, 1), shape(5, 3, 2, 3), shape(1, 41, 47, 2), shape(128, 2, 3, 4), shape(2, 55, 7, 5)]
    {
        for pooling in Pooling::ALL {
            forms.mid_graph(&format!("{pooling:?}"), shape, |graph, x| {
                graph.tape.pool(x, pooling).expect("a pool")
            });
        }
    }
    for shape in
        [shape(1, 1, 1, 1), shape(5, 1, 7, 3), shape(1, 41, 47, 2), shape(128, 2, 1, 4), shape(2, 55, 3, 5)]
    {
        for upsampling in Upsampling::ALL {
            forms.mid_graph(&format!("{upsampling:?}"), shape, |graph, x| graph.tape.upsample(x, upsampling));
        }
    }
}

fn padding(forms: Forms) {
    for shape in [shape(1, 2, 2, 1), shape(5, 41, 2, 3), shape(128, 3, 2, 4), shape(1, 47, 55, 2)] {
        for [rows, columns] in [[1, 0], [0, 1], [1, 1]] {
            let to = Size::new(shape.w + columns, shape.h + rows);
            forms.mid_graph(&format!("pad to {to}"), shape, |graph, x| graph.tape.pad(x, to).expect("a pad"));
        }
    }
    // One row to itself, which a single one cannot be.
    for (shape, to) in [(shape(5, 1, 7, 5), Size::new(8, 1)), (shape(5, 7, 1, 2), Size::new(1, 8))] {
        forms.mid_graph(&format!("pad to {to}"), shape, |graph, x| graph.tape.pad(x, to).expect("a pad"));
    }
}

/// `x` through two 1 × 1 convolutions to so many channels.
fn fork(graph: &mut Graph, x: Var, [a, b]: [usize; 2]) -> [Var; 2] {
    [graph.pointwise(x, a, "left", None), graph.pointwise(x, b, "right", Some("right bias"))]
}

fn concatenations(forms: Forms) {
    let join = |graph: &mut Graph, parts: [Var; 2]| graph.tape.concatenate(parts).expect("a concatenation");
    for shape in [shape(1, 1, 1, 1), shape(5, 1, 7, 3), shape(128, 2, 3, 2), shape(1, 41, 47, 2)] {
        for channels in [[4, 3], [8, 4], [3, 2], [1, 5]] {
            forms.mid_graph(&format!("concatenation of {channels:?}"), shape, |graph, x| {
                let parts = fork(graph, x, channels);
                join(graph, parts)
            });
        }
        // A part that others read too, as a skip connection is.
        forms.mid_graph("concatenation of a skip", shape, |graph, x| {
            let [a, b] = fork(graph, x, [4, 8]);
            let c = graph.pointwise(b, 4, "third", None);
            let sum = graph.tape.add([a, c]).expect("a sum");
            let whole = join(graph, [sum, b]);
            join(graph, [whole, c])
        });
        for c in [4, 5] {
            forms.mid_graph(&format!("concatenation of {c} twice"), shape, |graph, x| {
                let a = graph.pointwise(x, c, "left", None);
                join(graph, [a, a])
            });
        }
        // In place once, then in the order in which it is not.
        forms.mid_graph("two concatenations", shape, |graph, x| {
            let [a, b] = fork(graph, x, [4, 4]);
            let [first, second] = [join(graph, [a, b]), join(graph, [b, a])];
            graph.tape.add([first, second]).expect("a sum")
        });
        // The second part is made from the first, which one buffer cannot hold both of.
        forms.mid_graph("concatenation with its own source", shape, |graph, x| {
            let a = graph.pointwise(x, 4, "left", None);
            let b = graph.pointwise(a, 5, "right", None);
            join(graph, [a, b])
        });
    }
}

fn sums_and_dropout(forms: Forms) {
    for shape in [shape(1, 1, 1, 1), shape(5, 1, 7, 3), shape(128, 2, 3, 4), shape(1, 41, 47, 5)] {
        forms.mid_graph("sum", shape, |graph, x| {
            let terms = fork(graph, x, [shape.c, shape.c]);
            graph.tape.add(terms).expect("a sum")
        });
        forms.mid_graph("sum with itself", shape, |graph, x| {
            let twice = graph.tape.add([x, x]).expect("a sum");
            graph.tape.add([twice, x]).expect("a sum")
        });
    }
    for shape in [shape(7, 1, 5, 3), shape(128, 2, 3, 4), shape(5, 41, 47, 5)] {
        forms.mid_graph("dropout", shape, |graph, x| {
            let once = graph.tape.dropout(x, 0.3, 0).expect("a dropout");
            graph.tape.dropout(once, 0.5, 7).expect("a dropout")
        });
    }
}

/// Weights of pixels, a third of them 0.
fn pixel_weights(graph: &mut Graph, shape: Shape) -> Var {
    let mut weights = random(&mut graph.rng, Shape { c: 1, ..shape }).mapv(|v| v.abs() + 0.25);
    weights.iter_mut().skip(2).step_by(3).for_each(|w| *w = 0.0);
    graph.given(weights)
}

fn losses(forms: Forms) {
    let shapes =
        [shape(1, 1, 3, 1), shape(5, 7, 1, 3), shape(128, 2, 3, 2), shape(1, 41, 47, 5), shape(2, 55, 3, 4)];
    for (shape, weighted) in shapes.into_iter().flat_map(|s| [(s, false), (s, true)]) {
        let made = |graph: &mut Graph| {
            let input = graph.input(Shape { c: 3, ..shape });
            let x = graph.pointwise(input, shape.c, "weights before", Some("bias before"));
            (x, weighted.then(|| pixel_weights(graph, shape)))
        };
        let mse = |graph: &mut Graph, x, weights| {
            let target = graph.noise(shape);
            graph.tape.mse(x, target, weights).expect("a mean square error")
        };
        forms.check(&format!("mean square error, weighted {weighted}, of {shape}"), |graph| {
            let (x, weights) = made(graph);
            let mse = mse(graph, x, weights);
            graph.tape.combine(&[(mse, -1.7)]).expect("a number")
        });
        forms.check(&format!("total variation, weighted {weighted}, of {shape}"), |graph| {
            let (x, weights) = made(graph);
            graph.learned.retain(|(name, _)| *name != "bias before"); // Its gradient is 0.
            let variation = graph.tape.total_variation(x, weights).expect("a total variation");
            graph.tape.combine(&[(variation, 0.3)]).expect("a number")
        });
        // All of them of one variable, and one of them twice.
        forms.check(&format!("losses, weighted {weighted}, of {shape}"), |graph| {
            let (x, weights) = made(graph);
            let mse = mse(graph, x, weights);
            let variation = graph.tape.total_variation(x, weights).expect("a total variation");
            let other = graph.loss(x);
            graph.seen.extend([mse, variation]);
            let terms = [(mse, 1.5), (variation, 0.3), (other, 0.9), (mse, -0.25)];
            graph.tape.combine(&terms).expect("a number")
        });
    }
}
