//! A whole training step against PyTorch's: forward, loss, every gradient, every parameter after Adam's steps; and the
//! bare network on weights that PyTorch wrote. The fixtures and how they were made: tests/fixtures.

use crate::common::compare::{assert_agrees, assert_within, largest};
use crate::harness::OwnGpu;
use crate::harness::SharedGpu;
use palpate::Size;
use palpate::lowlevel::device::{Buffer, Device};
use palpate::lowlevel::dime::MseTv;
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::form::{Form, Product};
use palpate::lowlevel::nn::{Forward, LayoutEntry, Network, Unet, Weights};
use palpate::lowlevel::plan::{Checks, Pipelines};
use palpate::lowlevel::train::{Learned, TrainStep};
use safetensors::{SafeTensors, tensor::Dtype};
use std::collections::HashMap;
use std::path::PathBuf;

tests![
    a_training_step_equals_pytorchs_in_every_form,
    and_with_run_time_checks,
    the_bare_network_equals_pytorchs,
    the_network_runs_inside_a_hosts_encoder,
];

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(name)
}

/// Every tensor of a fixture in f64, and its metadata.
struct Fixture {
    tensors: HashMap<String, Vec<f64>>,
    metadata: HashMap<String, String>,
    bytes: Vec<u8>,
}

impl Fixture {
    fn read(name: &str) -> Self {
        let bytes = std::fs::read(file(name)).expect("a fixture");
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("metadata");
        let parsed = SafeTensors::deserialize(&bytes).expect("tensors");
        let wide = |view: &safetensors::tensor::TensorView| match view.dtype() {
            Dtype::F64 => view.data().chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
            Dtype::F32 => {
                view.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect()
            }
            other => panic!("{other:?}"),
        };
        let tensors = parsed.tensors().iter().map(|(name, view)| (name.clone(), wide(view))).collect();
        Self {
            tensors,
            metadata: header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
            bytes: bytes.clone(),
        }
    }

    fn get(&self, name: &str) -> &[f64] {
        self.tensors.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    fn narrow(&self, name: &str) -> Vec<f32> {
        self.get(name).iter().map(|&v| v as f32).collect()
    }

    /// The `initial` state as a file of weights.
    fn weights(&self) -> Weights {
        let parsed = SafeTensors::deserialize(&self.bytes).expect("tensors");
        let own = parsed.tensors();
        let initial =
            own.iter().filter_map(|(name, view)| Some((name.strip_prefix("initial.")?, view.clone())));
        let keep = ["pool", "up"].map(|key| (key.to_string(), self.metadata[key].clone()));
        let bytes = safetensors::serialize(initial, Some(keep.into())).expect("weights");
        Weights::<Unet>::parse(&bytes).unwrap_or_else(|e| panic!("{e}"))
    }
}

/// The values of `entry` out of what lies on the device, in PyTorch's order, tensor by tensor.
fn at_rest(entry: &LayoutEntry, values: &[f32]) -> Vec<(String, Vec<f64>)> {
    let mut places = entry.places().into_iter();
    let tensors = entry.at_rest().into_iter();
    tensors
        .map(|(name, shape)| {
            let own = places.by_ref().take(shape.iter().product());
            (name, own.map(|p| f64::from(values[p])).collect())
        })
        .collect()
}

struct Run<'a> {
    fixture: &'a Fixture,
    what: String,
    worst: Worst,
}

/// The largest relative error of each kind.
type Worst = HashMap<&'static str, f64>;

impl Run<'_> {
    fn check(&mut self, kind: &'static str, name: &str, got: &[f64], expected: &[f64], tolerance: f64) {
        let error = assert_agrees(got, expected, tolerance, format!("{}: {kind} {name}", self.what));
        let worst = self.worst.entry(kind).or_default();
        *worst = largest([*worst, error]);
    }

    /// Parameters and running statistics, and how far they moved.
    fn check_state(&mut self, after: &'static str, learned: &Learned) {
        let weights = learned.weights().expect("weights");
        let layout = weights.network.layout().clone();
        let all = layout.parameters.iter().map(|e| (e, &weights.parameters));
        for (entry, values) in all.chain(layout.state.iter().map(|e| (e, &weights.state))) {
            for (name, got) in at_rest(entry, values) {
                let expected = self.fixture.get(&format!("{after}.{name}")).to_vec();
                let initial = self.fixture.get(&format!("initial.{name}"));
                let moved = |v: &[f64]| v.iter().zip(initial).map(|(a, b)| a - b).collect::<Vec<_>>();
                self.check(after, &name, &got, &expected, 1e-5);
                self.check("movement", &name, &moved(&got), &moved(&expected), 1e-3);
            }
        }
    }
}

/// Trains ten steps, and returns the largest relative error of each kind.
fn step_equals(chooser: &Chooser, how: &str, name: &str) -> Worst {
    let fixture = Fixture::read(name);
    let weights = fixture.weights();
    let learned = Learned::new(chooser.pipelines().device(), &weights).expect("upload");
    let number = |key: &str| fixture.metadata.get(key).map_or(0.0, |v| v.parse::<f32>().expect(key));
    let objective = MseTv { total_variation: number("tv") };
    let size = (3, Size::new(11, 14));
    let step = TrainStep::new(chooser, &learned, size, &objective, Default::default(), &|_, _| {})
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    step.poison().expect("poison");

    let given = |name: &&str| fixture.tensors.contains_key(*name);
    let arrays = ["input", "surroundings", "target", "weights"].into_iter().filter(given);
    let mut batch: Vec<_> = arrays.map(|name| fixture.narrow(name)).collect();
    if !given(&"weights") {
        batch.push(vec![1.0; fixture.get("target").len()]);
    }
    let batch: Vec<_> = batch.iter().map(Vec::as_slice).collect();
    let mut run = Run { fixture: &fixture, what: format!("{name}, {how}"), worst: HashMap::new() };
    for t in 1..=10 {
        let losses = step.run(&batch, 0, t, number("lr")).expect("step");
        if t == 1 {
            let output: Vec<f64> =
                step.output().expect("output").iter().step_by(4).map(|&v| v.into()).collect();
            run.check("output", "", &output[..3 * 14 * 11], fixture.get("output"), 1e-5);
            run.check("loss", "", &[losses.total.into()], fixture.get("loss"), 1e-5);
            let gradients = learned.gradients().expect("gradients");
            for entry in &weights.network.layout().parameters {
                for (tensor, got) in at_rest(entry, &gradients) {
                    let expected = fixture.get(&format!("gradient.{tensor}")).to_vec();
                    run.check("gradient", &tensor, &got, &expected, 1e-4);
                }
            }
            run.check_state("after1", &learned);
        }
    }
    run.check_state("after10", &learned);
    let mut worst: Vec<_> = run.worst.iter().map(|(kind, error)| format!("{kind} {error:.1e}")).collect();
    worst.sort();
    note!("{}: {}", run.what, worst.join(", "));
    run.worst
}

const STEPS: [&str; 7] = [
    "training_instance_max.safetensors",
    "training_instance_avg.safetensors",
    "training_batch_max.safetensors",
    "training_batch_avg.safetensors",
    "training_bilinear.safetensors",
    "training_weighted.safetensors",
    "training_surroundings.safetensors",
];

fn a_training_step_equals_pytorchs_in_every_form(SharedGpu(pipelines): SharedGpu) {
    let mut worst = Worst::new();
    for name in STEPS {
        for form in Form::candidates(pipelines.device().caps(), Product::LARGE) {
            for (kind, error) in step_equals(&Chooser::only(pipelines, form), &format!("{form:?}"), name) {
                let worst = worst.entry(kind).or_default();
                *worst = largest([*worst, error]);
            }
        }
    }
    // README.md: output, loss, gradients, and parameters after ten steps.
    for (kind, stated) in [("output", 1e-6), ("loss", 1e-7), ("gradient", 7e-6), ("after10", 9e-7)] {
        assert_within(worst[kind], 0.5 * stated..=1.3 * stated, format!("the largest error of {kind}"));
    }
}

fn and_with_run_time_checks(OwnGpu(gpu): OwnGpu) {
    let chooser = Chooser::new(&Pipelines::new(&gpu, Checks::On));
    for name in STEPS {
        step_equals(&chooser, "with checks", name);
    }
}

const CASES: [&str; 8] = [
    "instance_max",
    "batch_avg",
    "bilinear",
    "bilinear_1",
    "bilinear_3",
    "plain",
    "uncounted",
    "surroundings",
];

fn the_bare_network_equals_pytorchs(pipelines: &Pipelines) {
    let chooser = Chooser::new(pipelines);
    let images = Fixture::read("forward.safetensors");
    for case in CASES {
        let weights = Weights::<Unet>::load(&file(&format!("weights_{case}.safetensors")))
            .unwrap_or_else(|e| panic!("{e}"));
        for side in [30, 20, 41] {
            let mut input = images.narrow(&format!("input.{side}"));
            if case == "surroundings" {
                // The channels of each image and, as its view, those of the other.
                let (first, second) = input.split_at(input.len() / 2);
                input = [first, second, second, first].concat();
            }
            // One image at a time, and more room than there are images.
            for batch in [1, 5] {
                let forward =
                    Forward::new(&chooser, &weights, Size::square(side), batch, &|_, _| {}).expect("compile");
                let got = forward.run(&input, &|_| {}).expect("run");
                let got: Vec<f64> = got.into_iter().map(Into::into).collect();
                let what = format!("{case} at {side}², batch {batch}");
                let error = assert_agrees(&got, images.get(&format!("output.{case}.{side}")), 1e-5, &what);
                note!("{what}: {error:.1e}");
            }
        }
    }
}

fn the_network_runs_inside_a_hosts_encoder(OwnGpu(own): OwnGpu) {
    use palpate::wgpu::{self, util::DeviceExt};
    // A host's device at WebGPU's default limits and without features: the form for it is another.
    let found = palpate::lowlevel::device::adapters()
        .into_iter()
        .find(|f| f.info.name == own.caps().info.name)
        .expect("again");
    let (device, queue) =
        pollster::block_on(found.adapter.request_device(&wgpu::DeviceDescriptor::default())).expect("device");
    let gpu = Device::adopt(device.clone(), queue.clone());
    let images = Fixture::read("forward.safetensors");
    let weights = Weights::<Unet>::load(&file("weights_instance_max.safetensors")).expect("weights");
    let input = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("host input"),
        contents: bytemuck::cast_slice(&images.narrow("input.20")),
        usage: wgpu::BufferUsages::STORAGE,
    });
    let output = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("host output"),
        size: 4 * 2 * 400,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    let chooser = Chooser::new(&Pipelines::new(&gpu, Checks::Off));
    let embedded = |batch, inputs: &[Buffer]| {
        Forward::embedded(&chooser, &weights, Size::square(20), batch, inputs, output.clone().into())
    };
    let input = Buffer::from(input);
    let refused = |batch, inputs: &[Buffer], words| {
        assert!(embedded(batch, inputs).err().is_some_and(|e| e.to_string().contains(words)), "{words}");
    };
    refused(3, std::slice::from_ref(&input), "host's buffer for 'network input'");
    refused(
        2,
        &[input.clone(), input.clone()],
        "inputs of the network: 1; buffers that the host lends for them: 2",
    );
    let forward = embedded(2, &[input]).expect("compile");
    let mut encoder = device.create_command_encoder(&Default::default());
    forward.encode(&mut encoder).expect("encoded");
    queue.submit([encoder.finish()]);
    let got: Vec<f64> = gpu.read::<f32>(&output.into()).expect("read").into_iter().map(Into::into).collect();
    assert_agrees(&got, images.get("output.instance_max.20"), 1e-5, "in a host's encoder");
}
