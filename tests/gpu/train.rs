//! Training through the program: it learns, repeats itself to the bit, survives being killed, and refuses what it
//! cannot do.

use crate::common::{
    self,
    compare::{assert_below, assert_near},
};
use crate::harness::SharedGpu;
use libtest_mimic::Completion;
use ndarray::Array4;
use palpate::Size;
use palpate::lowlevel::dime::{DimeCheckpoint, MseTv};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::nn::{Forward, Network, NormKind, Unet, UnetSettings, Weights};
use palpate::lowlevel::patches::{PatchWriter, Patches, Split};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::proof::oracle;
use palpate::lowlevel::train::{Epoch, Learned, TrainFolder, TrainStep};
use palpate::lowlevel::wave::analytic::{Medium, PlaneWave};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

tests![
    killed_and_resumed_is_bitwise_the_same_as_uninterrupted,
    training_stops_when_patience_ends,
    a_training_says_what_it_began_with,
    settings_reach_the_step,
    one_batch_is_learned_by_heart,
    what_cannot_be_trained_is_refused_in_words,
    a_network_larger_than_the_devices_buffers_is_refused,
    what_the_files_do_not_allow_is_refused_in_words,
];

/// `n` patches of two damped plane waves each, one medium a patch, with a mask that leaves a corner out.
fn write_patches(folder: &Path, split: Split, n: usize, size: Size) {
    let mut rng = fastrand::Rng::with_seed(split as u64 + 1);
    let mut writer = PatchWriter::create(split.path(folder), size, true, Default::default()).expect("create");
    for _ in 0..n {
        let storage_kpa = 1.0 + 7.0 * rng.f64();
        let medium = Medium { storage_kpa, damping: 0.1, density: 1000.0, frequency_hz: 60.0 };
        let mut wave = || PlaneWave {
            medium,
            direction: std::f64::consts::TAU * rng.f64(),
            amplitude: num_complex::Complex64::cis(std::f64::consts::TAU * rng.f64()),
        };
        let waves = [wave(), wave()];
        let inside = |i: usize| i % size.nx + i / size.nx > 4;
        let field = |i: usize| {
            palpate::lowlevel::wave::analytic::superposed(&waves, (i % size.nx) as f64, (i / size.nx) as f64)
        };
        let part = |of: fn(num_complex::Complex64) -> f64| {
            (0..size.pixels()).map(move |i| if inside(i) { of(field(i)) as f32 } else { 0.0 })
        };
        let input: Vec<f32> = part(|u| u.re).chain(part(|u| u.im)).collect();
        let truth = vec![storage_kpa as f32; size.pixels()];
        let mask: Vec<f32> = (0..size.pixels()).map(|i| f32::from(u8::from(inside(i)))).collect();
        writer.push(&input, &truth, Some(&mask)).expect("push");
    }
    writer.finish().expect("finish");
}

pub fn data(train: usize, validation: usize, size: Size) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    write_patches(folder.path(), Split::Train, train, size);
    write_patches(folder.path(), Split::Validation, validation, size);
    folder
}

fn palpate(data: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palpate"));
    command.args(["train", "--data"]).arg(data).arg("-o").arg(out).args(more);
    command.env("PALPATE_NO_TUNE", "1");
    if let Ok(adapter) = std::env::var("PALPATE_ADAPTER")
        && !more.contains(&"--adapter")
    {
        command.args(["--adapter", &adapter]);
    }
    command
}

fn run(data: &Path, out: &Path, more: &[&str]) -> Output {
    palpate(data, out, more).output().expect("run")
}

pub fn succeed(data: &Path, out: &Path, more: &[&str]) -> String {
    let output = run(data, out, more);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &said
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Weights, moments, best weights, step, and the history without its times.
pub fn state(out: &Path) -> (Vec<Vec<u32>>, u32, Vec<String>) {
    let checkpoint = DimeCheckpoint::load(&TrainFolder::new(out).checkpoint()).expect("checkpoint");
    let weights = Weights::<Unet>::load(&TrainFolder::new(out).weights()).expect("weights");
    let best = checkpoint.best.expect("a best epoch");
    assert_eq!(
        bits(&weights.parameters),
        bits(&best.parameters),
        "weights.safetensors is not of the best epoch"
    );
    let all = [&checkpoint.weights, &best, &weights];
    let all = all.into_iter().flat_map(|w| [bits(&w.parameters), bits(&w.state)]);
    let all = all.chain(checkpoint.moments.iter().map(|m| bits(m))).collect();
    let timeless = |e: &Epoch| {
        format!("{:?}", Epoch { seconds: 0.0, samples_per_second: 0.0, gflops: 0.0, ..e.clone() })
    };
    (all, checkpoint.progress.step, checkpoint.progress.history.iter().map(timeless).collect())
}

/// A small network with all that is random: shuffling, augmentation, dropout.
pub const SMALL: &[&str] = &[
    "--chans",
    "4",
    "--pools",
    "2",
    "--norm",
    "batch",
    "--dropout",
    "0.1",
    "--batch",
    "8",
    "--epochs",
    "3",
    "--learning-rate",
    "3e-3",
    "--decay-every",
    "1",
    "--seed",
    "7",
    "--augment",
    "flips,turns,phase,gains=2,offsets=0.5,noise=0.05",
];

/// Kills `child` without warning once `out` holds a checkpoint in the middle of epoch `epoch` (from 0).
fn kill_in(mut child: Child, out: &Path, epoch: u32) {
    let begun = Instant::now();
    loop {
        let found = DimeCheckpoint::load(&TrainFolder::new(out).checkpoint()).ok().map(|c| c.progress);
        if found.is_some_and(|p| p.epoch == epoch && p.batches > 0) {
            child.kill().expect("kill");
            let status = child.wait().expect("wait");
            assert!(!status.success(), "the training ended before it was killed");
            return;
        }
        assert!(child.try_wait().expect("child").is_none(), "the training ended before it was killed");
        assert!(begun.elapsed() < Duration::from_secs(120), "no checkpoint in epoch {epoch}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn killed_and_resumed_is_bitwise_the_same_as_uninterrupted(pipelines: &Pipelines) {
    let data = data(160, 11, Size::new(14, 13));
    let [whole, again, killed] = [(); 3].map(|()| tempfile::tempdir().expect("folder"));
    let said = succeed(data.path(), whole.path(), SMALL);
    assert!(said.contains("all epochs done") && said.contains("device memory"), "{said}");
    let expected = state(whole.path());
    assert_eq!(expected.1, 60, "three epochs of twenty steps");

    // The same seed, another process: the same bits after 60 steps.
    succeed(data.path(), again.path(), SMALL);
    assert!(state(again.path()) == expected, "the same seed gave other weights");

    // Killed twice, in the middle of the first and of the second epoch.
    let spawn = |more: &[&str]| {
        let mut command = palpate(data.path(), killed.path(), more);
        command.args(["--checkpoint-every", "0"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("spawn")
    };
    kill_in(spawn(SMALL), killed.path(), 0);
    kill_in(spawn(&["--resume"]), killed.path(), 1);
    let said = succeed(data.path(), killed.path(), &[SMALL, &["--resume"]].concat());
    assert!(said.contains("resumed after step"), "{said}");
    assert!(state(killed.path()) == expected, "a killed and resumed training gave other weights");

    // The best epoch is that of the lowest validation loss, and its loss that of all validation patches together.
    let checkpoint = DimeCheckpoint::load(&TrainFolder::new(whole.path()).checkpoint()).expect("checkpoint");
    let history = &checkpoint.progress.history;
    let totals: Vec<f64> = history.iter().map(|e| e.validation.total).collect();
    for (i, epoch) in history.iter().enumerate() {
        assert_eq!(epoch.best, totals[..i].iter().all(|t| *t > totals[i]), "epoch {i} of {totals:?}");
    }
    let best = history.iter().rev().find(|e| e.best).expect("a best epoch");
    assert!(best.epoch > 1, "nothing was learned after the first epoch: {totals:?}");
    let weights = Weights::<Unet>::load(&TrainFolder::new(whole.path()).weights()).expect("weights");
    assert_eq!(weights.metadata["epoch"], best.epoch.to_string());
    let [mse, variation] = validation_losses(pipelines, &weights, data.path());
    for (got, expected) in [(best.validation["mse"], mse), (best.validation["total_variation"], variation)] {
        assert_near(got, expected, 1e-5, "a loss by the training and by hand");
    }
    assert_near(best.validation.total, mse + 0.01 * variation, 1e-5, "the sum of losses");

    // The log: one line an epoch, none twice; and a picture.
    let log = std::fs::read_to_string(TrainFolder::new(killed.path()).losses()).expect("log");
    let epochs: Vec<Epoch> = log.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [1, 2, 3]);
    let rates: Vec<_> = epochs.iter().map(|e| e.learning_rate / 3e-3).collect();
    assert!(rates.iter().zip([1.0, 0.8, 0.64]).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-5), "{rates:?}");
    assert_below(epochs[2].train.total, epochs[0].train.total, "the loss of the last epoch");
    assert!(
        std::fs::read(TrainFolder::new(killed.path()).picture()).expect("picture").starts_with(b"\x89PNG")
    );
    // Nothing is left lying about.
    assert_eq!(std::fs::read_dir(killed.path()).expect("folder").count(), 4);

    // Another seed, other weights; more epochs, further.
    let other = SMALL.iter().map(|a| if *a == "7" { "8" } else { a }).collect::<Vec<_>>();
    succeed(data.path(), again.path(), &[&other[..], &["--force"]].concat());
    assert!(state(again.path()).0 != expected.0, "another seed gave the same weights");
    let said = succeed(data.path(), again.path(), &["--resume", "--epochs", "4"]);
    assert!(said.contains("epoch   4"), "{said}");
}

/// Mean square error and total variation of the bare network over all validation patches in `folder` at once.
fn validation_losses(pipelines: &Pipelines, weights: &Weights, folder: &Path) -> [f64; 2] {
    let patches = Patches::open(Split::Validation.path(folder)).expect("open");
    let (size, n) = (patches.size(), patches.len() as usize);
    let pixels = n * size.pixels();
    let (mut input, mut truth, mut mask) = (vec![0.0; 2 * pixels], vec![0.0; pixels], vec![0.0; pixels]);
    let all: Vec<u32> = (0..patches.len()).collect();
    patches.gather(&all, &mut input, &mut truth, &mut mask).expect("gather");
    let chooser = Chooser::new(pipelines);
    let forward = Forward::new(&chooser, weights, size, n, &|_, _| {}).expect("compile");
    let made = forward.run(&input, &|_| {}).expect("run");
    let image = |values: Vec<f32>| {
        Array4::from_shape_vec((n, size.ny, size.nx, 1), values).expect("one channel").mapv(f64::from)
    };
    let [made, truth, mask] = [made, truth, mask].map(image);
    let mse = oracle::mse(&made, &truth, Some(&mask)).0;
    [mse, oracle::total_variation(&made, Some(&mask), 1e-8).0]
}

fn training_stops_when_patience_ends() {
    let (data, out) = (data(8, 3, Size::square(8)), tempfile::tempdir().expect("folder"));
    // A learning rate that moves nothing: every epoch after the first is no better.
    let still =
        ["--chans", "2", "--pools", "1", "--batch", "4", "--learning-rate", "1e-30", "--patience", "2"];
    let folder = TrainFolder::new(out.path());
    let said = succeed(data.path(), out.path(), &still);
    assert!(said.contains("--patience") && said.contains("best in epoch 1:"), "{said}");
    let log = std::fs::read_to_string(folder.losses()).expect("log");
    let best: Vec<bool> = log.lines().map(|l| serde_json::from_str::<Epoch>(l).expect("JSON").best).collect();
    assert_eq!(best, [true, false, false]);
    assert_eq!(Weights::<Unet>::load(&folder.weights()).expect("weights").metadata["epoch"], "1");
    // And stays stopped.
    let said = succeed(data.path(), out.path(), &["--resume"]);
    assert!(said.contains("--patience"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.losses()).expect("log"), log);
}

fn a_training_says_what_it_began_with() {
    let data = data(8, 3, Size::square(8));
    let begun = |more: &[&str]| {
        let out = tempfile::tempdir().expect("folder");
        succeed(data.path(), out.path(), &[&["--epochs", "2", "--batch", "4"], more].concat());
        let weights = Weights::<Unet>::load(&TrainFolder::new(out.path()).weights()).expect("weights");
        (out, weights.metadata)
    };
    let (first, said) = begun(&["--chans", "2", "--pools", "1"]);
    assert!(!said.contains_key("began_with"));
    let path = TrainFolder::new(first.path()).weights();
    let from = ["--from", path.to_str().expect("a path")];
    let (second, said) = begun(&from);
    assert!(said["began_with"].starts_with("unknown, ") && said["began_with"].contains(" steps on unknown"));
    // It is not forgotten when the training goes on, nor by the next.
    succeed(data.path(), second.path(), &["--resume", "--epochs", "3"]);
    let path = TrainFolder::new(second.path()).weights();
    let (_third, again) = begun(&["--from", path.to_str().expect("a path")]);
    assert!(again["began_with"].ends_with(&format!(", begun with {}", said["began_with"])));
}

fn settings_reach_the_step() {
    let data = data(8, 3, Size::square(8));
    let losses = |more: &[&str]| {
        let out = tempfile::tempdir().expect("folder");
        let few = ["--chans", "2", "--pools", "1", "--epochs", "2", "--learning-rate", "1e-2"];
        succeed(data.path(), out.path(), &[&few, more].concat());
        state(out.path()).0
    };
    let plain = losses(&[]);
    for more in [["--weight-decay", "0.1"], ["--clip", "0.1"], ["--tv", "1"]] {
        assert!(losses(&more) != plain, "{more:?} changes nothing");
    }
    // Fewer patches than a batch are one small batch.
    let [all, more] = ["8", "128"].map(|n| losses(&["--norm", "batch", "--batch", n]));
    assert!(all == more, "room in a batch changes the weights");
}

fn one_batch_is_learned_by_heart(pipelines: &Pipelines) {
    let folder = tempfile::tempdir().expect("folder");
    write_patches(folder.path(), Split::Train, 8, Size::square(30));
    let patches = Patches::open(Split::Train.path(folder.path())).expect("open");
    let pixels = 8 * 900;
    let (mut input, mut truth, mut mask) = (vec![0.0; 2 * pixels], vec![0.0; pixels], vec![0.0; pixels]);
    let all: Vec<u32> = (0..8).collect();
    patches.gather(&all, &mut input, &mut truth, &mut mask).expect("gather");
    for norm in [NormKind::Instance, NormKind::Batch] {
        let unet = Unet::new(UnetSettings { chans: 8, pools: 2, norm, ..Default::default() }).expect("unet");
        let chooser = Chooser::new(pipelines);
        let learned = Learned::new(pipelines.device(), &Weights::random(unet, 1)).expect("upload");
        let objective = MseTv { total_variation: 0.0 };
        let size = (8, Size::square(30));
        let step = TrainStep::new(&chooser, &learned, size, &objective, Default::default(), &|_, _| {})
            .expect("step");
        let [needed, _] = TrainStep::memory_needed(&chooser, &learned, size, &objective).expect("memory");
        // All but the uniform parameters of its dispatches.
        assert!((needed..needed + (1 << 18)).contains(&step.memory()), "{needed}, held {}", step.memory());
        let run = |t| step.run(&[&input, &truth, &mask], 0, t, 5e-3).expect("run").total;
        let first = run(1);
        let reached = (2..=1000).find(|&t| run(t) < 0.01 * first);
        note!("{norm:?} norm: first loss {first:.2} kPa², below 1 % of it after {reached:?} steps");
        assert!(reached.is_some(), "{norm:?}: not below 1 % of {first} in 1000 steps");
    }
}

/// A training that must fail with `code` and say `part`.
fn refused(data: &Path, out: &Path, more: &[&str], code: i32, part: &str) {
    let output = run(data, out, more);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{more:?}: {said}");
    assert!(said.contains(part), "{more:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

fn what_cannot_be_trained_is_refused_in_words() {
    let good = data(16, 3, Size::square(14));
    let out = tempfile::tempdir().expect("folder");
    let new = out.path().join("new");
    for (more, part) in [
        (&["--batch", "0"][..], "--batch"),
        (&["--learning-rate", "-1"], "--learning-rate"),
        (&["--learning-rate", "nan"], "--learning-rate"),
        (&["--epochs", "0"], "--epochs"),
        (&["--chans", "0"], "channels"),
        (&["--pools", "40"], "pools"),
        (&["--chans", "1024", "--pools", "8"], "parameters"),
        (&["--dropout", "1"], "dropout"),
        (&["--tv", "-0.1"], "--tv"),
        (&["--augment", "wobble"], "flips"),
        (&["--augment", "noise"], "noise=0.3"),
        (&["--augment", "zoom=0.5"], "most"),
        (&["--augment", "texture=1.5"], "share"),
        (&["--augment", "zoom=1.2"], "whole images"),
        (&["--patches", "10"], "--patches"),
        (&["--from", "w.safetensors", "--chans", "4"], "--chans"),
        (&["--augment", "gains=0.5"], "most"),
        (&["--resume"], "no checkpoint"),
        (&["--resume", "--force"], "--force"),
    ] {
        refused(good.path(), &new, more, 2, part);
        assert!(!new.exists(), "{more:?} left a folder");
    }
}

fn a_network_larger_than_the_devices_buffers_is_refused(SharedGpu(pipelines): SharedGpu) -> Completion {
    let most = pipelines.device().caps().max_binding();
    if most >= 4 << 30 {
        return Completion::ignored_with(format!("buffers of {} MiB hold every network", most >> 20));
    }
    let (good, out) = (data(16, 3, Size::square(14)), tempfile::tempdir().expect("folder"));
    let adapter = common::adapter_of(pipelines.device());
    let large = ["--chans", "360", "--pools", "4", "--adapter", &adapter];
    refused(good.path(), &out.path().join("new"), &large, 1, "fewer --chans");
    Completion::Completed
}

fn what_the_files_do_not_allow_is_refused_in_words() {
    let good = data(16, 3, Size::square(14));
    let [out, empty] = [(); 2].map(|()| tempfile::tempdir().expect("folder"));
    let new = out.path().join("new");
    refused(empty.path(), &new, &[], 1, "train.safetensors");
    // Weights that stand there are no training's leftovers until somebody says so.
    let theirs = tempfile::tempdir().expect("folder");
    std::fs::write(TrainFolder::new(theirs.path()).weights(), "precious").expect("write");
    refused(good.path(), theirs.path(), &[], 2, "written over");
    assert_eq!(std::fs::read(TrainFolder::new(theirs.path()).weights()).expect("read"), b"precious");
    refused(&Split::Train.path(good.path()), &new, &[], 2, "--data names the folder");
    refused(good.path(), &Split::Train.path(good.path()), &[], 2, "-o names a folder");
    refused(good.path(), &new, &["--batch", "-1"], 2, "--batch");
    // Five pools leave nothing of 14 × 14.
    refused(good.path(), &new, &["--pools", "5", "--chans", "2"], 1, "pools");
    let small = &["--chans", "2", "--pools", "1", "--epochs", "1", "--batch", "4"][..];
    refused(good.path(), &new, &[small, &["--force", "--learning-rate", "1e30"]].concat(), 1, "--clip");
    succeed(good.path(), &new, &[small, &["--force"]].concat());
    refused(good.path(), &new, small, 2, "--resume");
    refused(good.path(), &new, &["--resume", "--chans", "4"], 2, "--chans");
    refused(data(17, 3, Size::square(14)).path(), &new, &["--resume"], 2, "begun with");
    // A checkpoint cut short, and one of something else.
    let checkpoint = TrainFolder::new(&new).checkpoint();
    let bytes = std::fs::read(&checkpoint).expect("checkpoint");
    std::fs::write(&checkpoint, &bytes[..bytes.len() / 2]).expect("write");
    refused(good.path(), &new, &["--resume"], 1, "damaged");
    std::fs::copy(TrainFolder::new(&new).weights(), &checkpoint).expect("copy");
    refused(good.path(), &new, &["--resume"], 1, "no training state");
    // Validation patches of another size.
    write_patches(good.path(), Split::Validation, 3, Size::new(15, 14));
    refused(good.path(), &out.path().join("other"), small, 1, "15 × 14");
    // A loss in validation that overflows ends the training, and what there is to go on from stays readable.
    let huge = data(16, 3, Size::square(14));
    let mut writer =
        PatchWriter::create(Split::Validation.path(huge.path()), Size::square(14), false, Default::default())
            .expect("create");
    writer.push(&[0.5; 2 * 196], &[3e25; 196], None).expect("push");
    writer.finish().expect("finish");
    let diverged = out.path().join("diverged");
    refused(huge.path(), &diverged, small, 1, "in validation");
    DimeCheckpoint::load(&TrainFolder::new(&diverged).checkpoint()).expect("a checkpoint that can be read");
    // Nothing counts.
    let masked = data(16, 3, Size::square(14));
    let path = Split::Train.path(masked.path());
    let patches = Patches::open(&path).expect("open");
    let mut writer = PatchWriter::create(&path, Size::square(14), true, Default::default()).expect("create");
    let (mut input, mut truth, mut mask) = (vec![0.0; 392], vec![0.0; 196], vec![0.0; 196]);
    for i in 0..16 {
        patches.gather(&[i], &mut input, &mut truth, &mut mask).expect("gather");
        writer.push(&input, &truth, Some(&[0.0; 196])).expect("push");
    }
    writer.finish().expect("finish");
    let nothing = out.path().join("nothing");
    refused(masked.path(), &nothing, small, 1, "nothing counts");
    assert!(
        std::fs::read_dir(&nothing).expect("folder").next().is_none(),
        "a refused training left something"
    );
    // Two at once in one folder.
    let both = out.path().join("both");
    std::fs::create_dir(&both).expect("folder");
    let lock = std::fs::File::create(both.join(".palpate-training.lock")).expect("lock");
    lock.lock().expect("lock");
    let fresh = data(16, 3, Size::square(14));
    refused(fresh.path(), &both, small, 2, "another palpate");
    drop(lock);
    succeed(fresh.path(), &both, small);
    // The same training, the same bytes.
    let twin = out.path().join("twin");
    succeed(fresh.path(), &twin, small);
    let bytes = |out: &Path| std::fs::read(TrainFolder::new(out).weights()).expect("weights");
    assert!(bytes(&both) == bytes(&twin), "equal trainings wrote unequal files");
    // Patches that are not finite are named when they are met.
    let bad = data(16, 3, Size::square(14));
    let path = Split::Train.path(bad.path());
    let mut bytes = std::fs::read(&path).expect("patches");
    let header = u64::from_le_bytes(bytes[..8].try_into().expect("8")) as usize;
    bytes[8 + header..12 + header].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).expect("write");
    refused(bad.path(), &out.path().join("bad"), small, 1, "patch 0");
}
