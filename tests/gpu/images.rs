//! Patches cut from simulated sets: what they hold is what was simulated, no phantom is in two splits, and a broken set is
//! told from a whole one.

use crate::files::Folder;
use num_complex::Complex32;
use palpate::Size;
use palpate::lowlevel::dime::DimeCheckpoint;
use palpate::lowlevel::dime::Model;
use palpate::lowlevel::nn::{Network, Unet, Weights};
use palpate::lowlevel::patches::{
    Augmentation, Cuttings, Draw, INSIDE, Image, Normalisation, PatchArrays, PatchSource, SetImages, Split,
};
use std::collections::BTreeSet;

tests![
    no_phantom_is_in_two_splits,
    patches_are_parts_of_images,
    the_place_alone_decides_and_every_epoch_has_others,
    zoom_changes_the_modulus_as_the_square_of_lengths,
    a_set_becomes_a_network,
    a_set_becomes_a_network_that_sees_its_surroundings,
    resumed_is_the_same_as_uninterrupted,
    what_is_no_whole_set_is_refused,
];

const SIDE: usize = 30;

/// A set of twenty small phantoms, made once for every test here.
fn set() -> &'static Folder {
    static SET: std::sync::OnceLock<Folder> = std::sync::OnceLock::new();
    SET.get_or_init(|| {
        let folder = Folder::new();
        folder.good("simulate --set table1 --count 26 --seed 5 --nodes-per-wavelength 4 -o set");
        folder
    })
}

fn open(split: Split) -> SetImages {
    SetImages::open(&[set().path("set")], split).expect("a set")
}

fn gather(source: &Cuttings, draws: &[Draw]) -> [Vec<f32>; 3] {
    let pixels = draws.len() * SIDE * SIDE;
    let [mut input, mut truth, mut mask] = [2, 1, 1].map(|c| vec![f32::NAN; c * pixels]);
    let (input_, truth_, mask_) = (&mut input, &mut truth, &mut mask);
    let mut to = PatchArrays { input: input_, surroundings: &mut [], truth: truth_, mask: mask_ };
    source.gather(draws, &mut to).expect("patches");
    [input, truth, mask]
}

fn draws(epoch: u32, n: u32) -> Vec<Draw> {
    (0..n).map(|patch| Draw { seed: 1, epoch, patch }).collect()
}

fn no_phantom_is_in_two_splits() {
    let names = |split| {
        let images = open(split);
        (0..images.len()).map(|i| images.name(i).0.to_string()).collect::<BTreeSet<_>>()
    };
    // Of 26 there are eleven or twelve homogeneous ones: one of the others may have no ninth.
    let [train, validation, test] = [Split::Train, Split::Validation, Split::Test].map(names);
    assert_eq!(train.len() + validation.len() + test.len(), 26);
    assert!(train.is_disjoint(&validation) && train.is_disjoint(&test) && validation.is_disjoint(&test));
    assert!(!validation.is_empty() && !test.is_empty());
    let images = open(Split::Train);
    assert_eq!(images.forward_model(), "bulk");
    assert_eq!(images.describe(), "table1 26 (seed 5, 4 nodes a wavelength)");
    assert_eq!(images.physics(), [1.0, 60.0, 1000.0]);
}

/// Whether a patch is what `image` holds from column `x` and row `y` on, up to one real factor of the wave.
fn fits(image: Image, [x, y]: [i64; 2], [re, im, truth, mask]: [&[f32]; 4]) -> bool {
    let pixel = |k: usize| {
        let at = [x + (k % SIDE) as i64, y + (k / SIDE) as i64];
        let inside = at.iter().all(|v| (0..image.size as i64).contains(v));
        inside.then(|| at[1] as usize * image.size + at[0] as usize).filter(|p| image.mask[*p] > 0)
    };
    let alike = |k: usize| match pixel(k) {
        Some(p) => mask[k] == 1.0 && truth[k] == image.modulus[p],
        None => [re[k], im[k], truth[k], mask[k]] == [0.0; 4],
    };
    // A few pixels tell most wrong places.
    if ![0, SIDE - 1, SIDE * SIDE / 2, SIDE * (SIDE - 1), SIDE * SIDE - 1].into_iter().all(alike) {
        return false;
    }
    let size = |a: f32, b: f32| a.hypot(b);
    let pairs: Vec<_> =
        (0..SIDE * SIDE).filter_map(|k| Some((image.wave[pixel(k)?], re[k], im[k]))).collect();
    let peak = |of: &dyn Fn(&(Complex32, f32, f32)) -> f32| pairs.iter().map(of).fold(0f32, f32::max);
    let factor = peak(&|(_, a, b)| size(*a, *b)) / peak(&|(u, ..)| u.norm());
    (0..SIDE * SIDE).all(alike)
        && pairs.iter().all(|(u, a, b)| size(u.re * factor - a, u.im * factor - b) < 1e-5)
}

/// Without zoom or texture every patch is a part of one of the images.
fn patches_are_parts_of_images() {
    let images = open(Split::Validation);
    let source = Cuttings::new(open(Split::Validation), SIDE, 100, &[], &[]);
    let draws = draws(3, 12);
    let [input, truth, mask] = gather(&source, &draws);
    let n = SIDE * SIDE;
    for patch in 0..draws.len() {
        let [truth, mask] = [&truth[patch * n..][..n], &mask[patch * n..][..n]];
        let (re, im) = input[2 * patch * n..][..2 * n].split_at(n);
        assert!(f64::from(mask.iter().sum::<f32>()) >= INSIDE * n as f64);
        let all = (0..images.len()).flat_map(|i| (0..images.planes(i)).map(move |plane| (i, plane)));
        let found = all.map(|(i, plane)| images.image(i, plane)).any(|image| {
            let range = -(SIDE as i64)..image.size as i64;
            let places = range.clone().flat_map(|y| range.clone().map(move |x| [x, y]));
            places.into_iter().any(|place| fits(image, place, [re, im, truth, mask]))
        });
        assert!(found, "patch {patch} is in no image");
    }
}

fn the_place_alone_decides_and_every_epoch_has_others() {
    let list = [Augmentation::Zoom { most: 1.2 }, Augmentation::Texture { share: 0.5 }];
    let source = Cuttings::new(open(Split::Train), SIDE, 64, &[], &list);
    assert_eq!((source.len(), source.size()), (64, Size::square(SIDE)));
    let once = gather(&source, &draws(0, 20));
    assert_eq!(once, gather(&source, &draws(0, 20)));
    assert_ne!(once[0], gather(&source, &draws(1, 20))[0]);
    let last = gather(&source, &draws(0, 20)[19..]);
    assert_eq!(last[0], once[0][19 * 2 * SIDE * SIDE..]);
}

/// A zoomed patch's waves are longer by the zoom, and its modulus is higher by its square.
fn zoom_changes_the_modulus_as_the_square_of_lengths() {
    let list = [Augmentation::Zoom { most: 1.5 }];
    let source = Cuttings::new(open(Split::Train), SIDE, 1000, &[], &list);
    let images = open(Split::Train);
    let mut moduli = BTreeSet::new();
    for i in 0..images.len() {
        let image = images.image(i, 0);
        moduli
            .extend(image.modulus.iter().zip(image.mask).filter(|(_, m)| **m > 0).map(|(v, _)| v.to_bits()));
    }
    let [_, truth, mask] = gather(&source, &draws(0, 400));
    let (mut plain, mut zoomed) = (0, 0);
    for (truth, mask) in truth.chunks(SIDE * SIDE).zip(mask.chunks(SIDE * SIDE)) {
        let value = truth.iter().zip(mask).find(|(_, m)| **m > 0.0).map(|(v, _)| *v).expect("inside");
        *(if moduli.contains(&value.to_bits()) { &mut plain } else { &mut zoomed }) += 1;
        assert!((0.9 / 2.25..8.1 * 2.25).contains(&value));
    }
    assert!((150..250).contains(&plain) && zoomed > 150, "{plain} as they were, {zoomed} zoomed");
}

/// From phantoms to a network that says what it is, goes on where it stopped, and inverts.
fn a_set_becomes_a_network() {
    let folder = set();
    let adapter = std::env::var("PALPATE_ADAPTER").map_or(String::new(), |name| format!("--adapter {name}"));
    let small =
        "--chans 2 --pools 1 --norm batch --batch 16 --patches 64 --validation-patches 20 --schedule cosine";
    let ran = folder.good(&format!(
        "train --data set {small} --epochs 1 --augment phase,noise=0.3,zoom=1.1,texture=0.5 --half {adapter} -o run"
    ));
    assert!(ran.out.contains("uncertainty"), "{}", ran.out);
    let weights = Weights::<Unet>::load(&folder.path("run/weights.safetensors")).expect("weights");
    let model = Model::from_metadata(&weights.metadata).expect("metadata");
    assert_eq!((model.forward_model.as_str(), model.patch), ("bulk", SIDE));
    assert_eq!(model.normalisation, Normalisation::Patch);
    assert_eq!(model.trained_on, "table1 26 (seed 5, 4 nodes a wavelength)");
    assert!(model.calibration.is_some_and(|c| c.floor > 0.0 && c.slope > 0.0));
    // Half precision at rest.
    assert!(folder.bytes("run/weights.safetensors").len() < 3 * weights.network.layout().learned() + 12_000);
    folder.good(&format!("train --data set --resume --epochs 2 {adapter} -o run"));
    let other = folder.run(&format!("train --data set --resume --patches 65 {adapter} -o run"));
    assert!(other.code == Some(2) && other.err.contains("begun with"), "{}", other.err);
    let first = "--from run/weights.safetensors --epochs 1 --batch 16 --patches 32 --validation-patches 20";
    folder.good(&format!("train --data set {first} {adapter} -o more"));
    let plain = folder.run("train --data set --normalise none -o other");
    assert!(plain.code == Some(2) && plain.err.contains("--normalise"), "{}", plain.err);
    let twice = folder.run("train --data set --data set -o other");
    assert!(twice.code == Some(2) && twice.err.contains("seed"), "{}", twice.err);
    let mixed = folder.run("train --data set --data run -o other");
    assert!(mixed.code == Some(2) && mixed.err.contains("not both"), "{}", mixed.err);

    let name = folder.names("set").into_iter().find(|n| n.ends_with("homogeneous")).expect("a phantom");
    let bytes = folder.bytes(&format!("set/{name}/displacement.npy"));
    let field: ndarray::Array4<Complex32> = ndarray_npy::ReadNpyExt::read_npy(&bytes[..]).expect("a field");
    folder.npy("wave.npy", &field.slice(ndarray::s![0, 2, .., ..]).t().to_owned().into_dyn());
    folder.good(
        "invert wave.npy --spacing 1 --method dime --weights more/weights.safetensors --stride 9 -o maps",
    );
    let report = folder.json("maps/wave.json");
    assert_eq!(report["dime"]["trained_on"], "table1 26 (seed 5, 4 nodes a wavelength)");
    assert!(report["dime"]["mask"]["stiffness_kpa"]["mean"].as_f64().is_some_and(f64::is_finite));
}

/// The same with surroundings: they are in the metadata, training goes on with them, and an inversion uses them.
fn a_set_becomes_a_network_that_sees_its_surroundings() {
    let folder = set();
    let adapter = std::env::var("PALPATE_ADAPTER").map_or(String::new(), |name| format!("--adapter {name}"));
    let small = "--chans 2 --pools 1 --norm batch --batch 16 --patches 48 --validation-patches 20";
    let list = "--augment flips,turns,phase,noise=0.3,zoom=1.1,organs=0.5,alone=0.3";
    let ran = folder
        .good(&format!("train --data set {small} --surroundings 3,7 {list} --epochs 1 {adapter} -o wide"));
    assert!(ran.out.contains("uncertainty"), "{}", ran.out);
    let load = |name: &str| Weights::<Unet>::load(&folder.path(name)).expect("weights");
    let weights = load("wide/weights.safetensors");
    assert_eq!(weights.network.settings().surroundings, 2);
    let model = Model::from_metadata(&weights.metadata).expect("metadata");
    assert_eq!(model.surroundings.scales(), [3, 7]);
    folder.good(&format!("train --data set --resume --epochs 2 {adapter} -o wide"));
    let other =
        folder.run(&format!("train --data set --resume --epochs 3 --surroundings 3 {adapter} -o wide"));
    assert!(other.code == Some(2) && other.err.contains("--surroundings is [3,7]"), "{}", other.err);
    // A training that goes on from these weights sees the same.
    let more = "--from wide/weights.safetensors --epochs 1 --batch 16 --patches 32 --validation-patches 20";
    folder.good(&format!("train --data set {more} {adapter} -o wider"));
    let model = Model::from_metadata(&load("wider/weights.safetensors").metadata).expect("metadata");
    assert_eq!(model.surroundings.scales(), [3, 7]);
    let even = folder.run("train --data set --surroundings 4 -o even");
    assert!(even.code == Some(2) && even.err.contains("odd numbers"), "{}", even.err);

    let name = folder.names("set").into_iter().find(|n| n.ends_with("homogeneous")).expect("a phantom");
    let bytes = folder.bytes(&format!("set/{name}/displacement.npy"));
    let field: ndarray::Array4<Complex32> = ndarray_npy::ReadNpyExt::read_npy(&bytes[..]).expect("a field");
    folder.npy("wide.npy", &field.slice(ndarray::s![0, 2, .., ..]).t().to_owned().into_dyn());
    // Any disagreement is unusual to these weights.
    let mut doubting = weights;
    doubting.metadata.insert("usual_disagreement".into(), "1e-9".into());
    doubting.save(&folder.path("wide/doubting.safetensors")).expect("saved");
    folder.good(
        "invert wide.npy --spacing 1 --method dime --weights wide/doubting.safetensors --stride 9 -o wide",
    );
    let report = folder.json("wide/wide.json");
    assert!(report["warnings"].to_string().contains("unlike-training"), "{}", report["warnings"]);
    assert!(report["dime"]["disagreement"].as_f64().is_some_and(|share| share > 1e-9));
    assert!(report["dime"]["mask"]["stiffness_kpa"]["mean"].as_f64().is_some_and(f64::is_finite));
}

/// Stopped after an epoch and resumed, a training on a set goes on to the bit.
fn resumed_is_the_same_as_uninterrupted() {
    let folder = set();
    let adapter = std::env::var("PALPATE_ADAPTER").map_or(String::new(), |name| format!("--adapter {name}"));
    let small = "--chans 2 --pools 1 --norm batch --batch 16 --patches 48 --validation-patches 20";
    let list = "--augment flips,turns,phase,noise=0.3,zoom=1.1,texture=0.5";
    folder.good(&format!("train --data set {small} {list} --epochs 2 {adapter} -o whole"));
    folder.good(&format!("train --data set {small} {list} --epochs 1 {adapter} -o parts"));
    folder.good(&format!("train --data set --resume --epochs 2 {adapter} -o parts"));
    let weights = |name: &str| {
        let found =
            DimeCheckpoint::load(&folder.path(name).join("checkpoint.safetensors")).expect("a checkpoint");
        (found.weights.parameters, found.weights.state, found.moments, found.progress.step)
    };
    assert_eq!(weights("whole"), weights("parts"));
}

fn what_is_no_whole_set_is_refused() {
    let folder = Folder::new();
    folder.good("simulate --set table1 --count 3 --seed 5 --nodes-per-wavelength 4 -o set");
    let said = |split| match SetImages::open(&[folder.path("set")], split) {
        Ok(_) => panic!("opened"),
        Err(e) => e.to_string(),
    };
    assert!(said(Split::Test).contains("larger set"), "{}", said(Split::Test));
    let manifest = folder.bytes("set/manifest.json");
    let text =
        String::from_utf8(manifest.clone()).expect("UTF-8").replacen("\"finished\": 3", "\"finished\": 2", 1);
    folder.put("set/manifest.json", text.as_bytes());
    assert!(said(Split::Train).contains("missing"), "{}", said(Split::Train));
    folder.put("set/manifest.json", b"{");
    assert!(said(Split::Train).contains("no manifest"), "{}", said(Split::Train));
    folder.put("set/manifest.json", &manifest);
    let first = folder.names("set").into_iter().find(|n| n.starts_with("0001")).expect("a phantom");
    let modulus = folder.bytes(&format!("set/{first}/modulus.npy"));
    folder.put(&format!("set/{first}/modulus.npy"), &modulus[..modulus.len() - 4]);
    assert!(said(Split::Train).contains("modulus.npy"), "{}", said(Split::Train));
    folder.put(&format!("set/{first}/modulus.npy"), b"");
    assert!(said(Split::Train).contains("empty"), "{}", said(Split::Train));
}
