//! Files of weights, good and bad, and random weights.

use super::*;
use crate::kernel::nn::pool::Pooling;
use crate::nn::{EntryKind, NetworkMode, NormKind, UnetSettings, Up};
use crate::size::Size;
use crate::tape::Tape;
use crate::tensor::Shape;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;
type Metadata = HashMap<String, String>;

/// Channels that fill no quad.
fn settings(norm: NormKind, up: Up) -> UnetSettings {
    UnetSettings {
        chans: 3,
        pools: 2,
        norm,
        up,
        pooling: Pooling::Average,
        dropout: 0.25,
        ..Default::default()
    }
}

fn random(norm: NormKind, up: Up) -> Weights {
    let mut weights = Weights::random(Unet::new(settings(norm, up)).unwrap(), 7);
    // Statistics as after some training.
    for (i, place) in weights.network.layout().state.iter().flat_map(LayoutEntry::places).enumerate() {
        weights.state[place] += i as f32 / 16.0;
    }
    weights.metadata.insert("note".into(), "kept".into());
    weights
}

/// The file of `weights` after `change`.
fn changed(weights: &Weights, change: impl FnOnce(&mut Tensors, &mut Metadata)) -> Vec<u8> {
    let bytes = weights.serialise(Precision::Single).unwrap();
    let parsed = SafeTensors::deserialize(&bytes).unwrap();
    let own = parsed.tensors().into_iter();
    let mut tensors = own.map(|(n, v)| (n, (v.dtype(), v.shape().to_vec(), v.data().to_vec()))).collect();
    let mut metadata: Metadata =
        SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap().into_iter().collect();
    change(&mut tensors, &mut metadata);
    write(&tensors, metadata)
}

fn write(tensors: &Tensors, metadata: Metadata) -> Vec<u8> {
    let views = tensors.iter().map(|(n, (d, s, v))| (n, TensorView::new(*d, s.clone(), v).unwrap()));
    safetensors::serialize(views, Some(metadata.into_iter().collect())).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

const ALL: [(NormKind, Up); 6] = [
    (NormKind::Instance, Up::Transpose),
    (NormKind::Instance, Up::Bilinear),
    (NormKind::Batch, Up::Transpose),
    (NormKind::Batch, Up::Bilinear),
    (NormKind::Instance, Up::BilinearConvolution { side: 3, index: 0 }),
    (NormKind::Batch, Up::BilinearConvolution { side: 1, index: 1 }),
];

#[test]
fn what_is_saved_is_loaded_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    for (norm, up) in ALL {
        let weights = random(norm, up);
        weights.save(&path).unwrap();
        let again = Weights::<Unet>::load(&path).unwrap();
        assert_eq!(again.network.settings(), &settings(norm, up));
        assert_eq!(bits(&again.parameters), bits(&weights.parameters));
        assert_eq!(bits(&again.state), bits(&weights.state));
        assert_eq!(again.metadata, weights.metadata);
    }
}

#[test]
fn random_weights_are_as_pytorch_starts_them() {
    for (norm, up) in ALL {
        let unet = Unet::new(UnetSettings { chans: 18, ..settings(norm, up) }).unwrap();
        let Weights { parameters, state, .. } = Weights::random(unet.clone(), 1);
        assert_eq!(bits(&parameters), bits(&Weights::random(unet.clone(), 1).parameters));
        assert!(parameters != Weights::random(unet.clone(), 2).parameters);
        // 1/√(values summed), which PyTorch counts along a weight's second axis and its pixels.
        let mut bound = f32::NAN;
        let mut padding = vec![true; parameters.len()];
        for entry in &unet.layout().parameters {
            let (name, shape) = entry.at_rest().remove(0);
            let places = entry.places();
            places.iter().for_each(|&p| padding[p] = false);
            let values: Vec<f32> = places.into_iter().map(|p| parameters[p]).collect();
            // All vectors are a norm's but the last layer's bias.
            if shape.len() == 1 && name != "up_conv.1.1.bias" {
                let constant = f32::from(u8::from(name.ends_with(".weight")));
                assert!(values.iter().all(|v| *v == constant), "{name}");
                continue;
            }
            if shape.len() == 4 {
                bound = (shape[1..].iter().product::<usize>() as f32).sqrt().recip();
            }
            let largest = values.iter().fold(0f32, |most, v| most.max(v.abs()));
            assert!(largest <= bound && largest > 0.0, "{name}: {largest} of {bound}");
            if values.len() > 300 {
                let n = values.len() as f32;
                let mean = values.iter().sum::<f32>() / n;
                let variance = values.iter().map(|v| v * v).sum::<f32>() / n;
                assert!(mean.abs() < 0.2 * bound && largest > 0.97 * bound, "{name}: {mean}");
                assert!((3.0 * variance / (bound * bound) - 1.0).abs() < 0.2, "{name}: {variance}");
            }
        }
        assert!(padding.contains(&true));
        assert!(parameters.iter().zip(&padding).all(|(v, padding)| !padding || *v == 0.0));
        for entry in &unet.layout().state {
            let EntryKind::Running(c) = entry.kind else { panic!("{entry:?}") };
            let values: Vec<f32> = entry.places().into_iter().map(|p| state[p]).collect();
            assert_eq!(values, [vec![0.0; c], vec![1.0; c]].concat());
        }
        let ones: usize = unet.layout().state.iter().map(|e| e.shape().c).sum();
        assert_eq!(state.iter().sum::<f32>(), ones as f32);
    }
}

#[test]
fn padding_stays_zero_when_a_file_is_read() {
    for (norm, up) in ALL {
        let weights =
            Weights::<Unet>::parse(&random(norm, up).serialise(Precision::Single).unwrap()).unwrap();
        let layout = weights.network.layout();
        let (parameters, state) = (&layout.parameters, &layout.state);
        for (entries, values) in [(parameters, &weights.parameters), (state, &weights.state)] {
            let own: std::collections::HashSet<_> = entries.iter().flat_map(LayoutEntry::places).collect();
            assert!(own.len() < values.len() || values.is_empty());
            assert!(values.iter().enumerate().all(|(i, v)| own.contains(&i) || *v == 0.0));
        }
    }
}

#[test]
fn other_precisions_are_read() {
    let weights = random(NormKind::Batch, Up::Transpose);
    let as_type = |dtype, convert: &dyn Fn(f32) -> Vec<u8>| {
        let bytes = changed(&weights, |tensors, _| {
            for (d, _, data) in tensors.values_mut() {
                let values: Vec<_> = data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
                (*d, *data) = (dtype, values.into_iter().flat_map(convert).collect());
            }
        });
        Weights::<Unet>::parse(&bytes).unwrap()
    };
    let wide = as_type(Dtype::F64, &|v| f64::from(v).to_le_bytes().into());
    assert_eq!(bits(&wide.parameters), bits(&weights.parameters));
    assert_eq!(bits(&wide.state), bits(&weights.state));
    let half = as_type(Dtype::F16, &|v| half::f16::from_f32(v).to_le_bytes().into());
    let brain = as_type(Dtype::BF16, &|v| half::bf16::from_f32(v).to_le_bytes().into());
    for (i, v) in weights.parameters.iter().enumerate() {
        assert_eq!(half.parameters[i], half::f16::from_f32(*v).to_f32());
        assert_eq!(brain.parameters[i], half::bf16::from_f32(*v).to_f32());
    }
    let whole = changed(&weights, |t, _| t.get_mut("conv.layers.0.weight").unwrap().0 = Dtype::I32);
    assert!(Weights::<Unet>::parse(&whole).unwrap_err().contains("'conv.layers.0.weight' holds I32"));
    // A double that no float32 is as large as.
    let large = fault(NormKind::Batch, Up::Transpose, |tensors, _| {
        let wide = (Dtype::F64, vec![1], 1e300f64.to_le_bytes().into());
        tensors.insert("up_conv.1.1.bias".into(), wide);
    });
    assert!(large.contains("holds inf") && large.contains("finite float32"), "{large}");
}

/// The fault of a file of these settings after `change`.
fn fault(norm: NormKind, up: Up, change: impl FnOnce(&mut Tensors, &mut Metadata)) -> String {
    Weights::<Unet>::parse(&changed(&random(norm, up), change)).unwrap_err()
}

#[test]
fn tensors_that_do_not_make_a_network() {
    let name = "down_sample_layers.1.layers.4.weight";
    let plain = |change: &dyn Fn(&mut Tensors)| fault(NormKind::Batch, Up::Transpose, |t, _| change(t));
    let says = |what: String, words: &[&str]| {
        assert!(words.iter().all(|word| what.contains(word)), "{words:?} are not in: {what}");
    };
    says(plain(&|t| drop(t.remove(name))), &["has no tensor", name, "docs/training.md"]);
    says(plain(&|t| t.clear()), &["has no tensor 'down_sample_layers.0.layers.0.weight'"]);
    says(plain(&|t| drop(t.remove("up_conv.1.1.weight"))), &["has no tensor 'up_conv.1.1.weight'"]);
    let extra = |t: &mut Tensors| {
        t.insert("conv.layers.0.bias".into(), (Dtype::F32, vec![2], vec![0; 8]));
    };
    says(
        plain(&extra),
        &["holds a tensor", "3 channels, 2 avg pools", "'conv.layers.0.bias'", "docs/training.md"],
    );
    let shaped = |t: &mut Tensors| t.get_mut(name).unwrap().1 = vec![6, 6, 9, 1];
    says(plain(&shaped), &[name, "[6, 6, 9, 1]", "[6, 6, 3, 3]"]);
    let first = |t: &mut Tensors| {
        t.get_mut("down_sample_layers.0.layers.0.weight").unwrap().1 = vec![3, 18];
    };
    says(plain(&first), &["'down_sample_layers.0.layers.0.weight' has 2 axes"]);
    let put = |t: &mut Tensors, name: &str, value: f32| {
        t.get_mut(name).unwrap().2[..4].copy_from_slice(&value.to_le_bytes());
    };
    says(plain(&|t| put(t, name, f32::NAN)), &[name, "holds NaN", "finite"]);
    says(plain(&|t| put(t, "conv.layers.1.running_mean", f32::INFINITY)), &["running_mean' holds inf"]);
    let variance = "conv.layers.5.running_var";
    says(plain(&|t| put(t, variance, -0.5)), &[variance, "holds -0.5", "below 0"]);
    let prefixed = |t: &mut Tensors| {
        *t = std::mem::take(t).into_iter().map(|(n, v)| (format!("net.{n}"), v)).collect();
    };
    says(plain(&prefixed), &["'net.down_sample_layers.0.layers.0.weight'", "without the prefix 'net.'"]);
    // Counters of batches are nothing to inference.
    let counter = |t: &mut Tensors, _: &mut Metadata| {
        t.insert("conv.layers.1.num_batches_tracked".into(), (Dtype::I64, vec![], vec![9; 8]));
    };
    Weights::<Unet>::parse(&changed(&random(NormKind::Batch, Up::Transpose), counter)).unwrap();
}

#[test]
fn metadata_that_say_what_is_not_known() {
    let said = |key: &str, value: &str| {
        fault(NormKind::Instance, Up::Transpose, |_, metadata| {
            drop(metadata.insert(key.into(), value.into()))
        })
    };
    assert!(said("pool", "median").contains("pool = 'median'") && said("pool", "").contains("max and avg"));
    assert!(said("up", "nearest").contains("up = 'nearest'"));
    assert!(said("up", "nearest").contains("transpose and bilinear"));
    assert!(said("dropout", "much").contains("dropout = 'much'"));
    for rate in ["1", "-0.1", "NaN", "inf"] {
        assert!(said("dropout", rate).contains("from 0 to below 1"), "{rate}");
    }
    // Without any, they are what PyTorch's module is by default.
    let bytes = changed(&random(NormKind::Instance, Up::Transpose), |_, metadata| metadata.clear());
    let weights = Weights::<Unet>::parse(&bytes).unwrap();
    let UnetSettings { pooling, up, dropout, .. } = *weights.network.settings();
    assert_eq!((pooling, up, dropout), (Pooling::Max, Up::Transpose, 0.0));
}

#[test]
fn interpolation_is_known_by_metadata_or_shapes() {
    let weights = random(NormKind::Batch, Up::Bilinear);
    let unused = |t: &mut Tensors| {
        let weight = "up_transpose_conv.0.layers.0.weight".to_string();
        t.insert(weight, (Dtype::F32, vec![12, 6, 2, 2], vec![0; 4 * 12 * 6 * 4]));
        t.insert("up_transpose_conv.0.layers.1.running_var".into(), (Dtype::F32, vec![6], vec![0; 24]));
    };
    for kept in [false, true] {
        let keep = |t: &mut Tensors| {
            if kept {
                unused(t)
            }
        };
        let read = Weights::<Unet>::parse(&changed(&weights, |t, _| keep(t))).unwrap();
        assert_eq!(read.network.settings(), weights.network.settings());
        assert_eq!(bits(&read.parameters), bits(&weights.parameters));
        // Names and shapes tell as well, where nothing is said.
        let silent = changed(&weights, |t, metadata| {
            keep(t);
            metadata.remove("up");
        });
        assert_eq!(Weights::<Unet>::parse(&silent).unwrap().network.settings(), weights.network.settings());
    }
    // Said of a network that does not: its blocks take fewer channels.
    let wrong = fault(NormKind::Batch, Up::Transpose, |_, m| drop(m.insert("up".into(), "bilinear".into())));
    assert!(wrong.contains("'up_conv.0.layers.0.weight'") && wrong.contains("[6, 18, 3, 3]"), "{wrong}");
}

#[test]
fn views_of_the_surroundings_are_known_by_their_tensors() {
    let settings = UnetSettings { surroundings: 2, ..settings(NormKind::Batch, Up::Transpose) };
    let weights = Weights::random(Unet::new(settings.clone()).unwrap(), 7);
    let bytes = changed(&weights, |tensors, metadata| {
        let shape = |name: &str| tensors[name].1.clone();
        assert_eq!(shape("surroundings.0.layers.0.weight"), [3, 4, 3, 3]);
        assert_eq!(shape("surroundings.1.layers.5.running_var"), [6]);
        assert_eq!(shape("conv.layers.0.weight"), [12, 12, 3, 3]);
        assert!(metadata.keys().all(|key| ["pool", "up", "dropout"].contains(&&key[..])));
    });
    let read = Weights::<Unet>::parse(&bytes).unwrap();
    assert_eq!(read.network.settings(), &settings);
    assert_eq!(bits(&read.parameters), bits(&weights.parameters));
    assert_eq!(bits(&read.state), bits(&weights.state));
    assert_eq!(read.network.channels().to_string(), "2 and 4 channels in and 1 out");
    assert!(read.network.describe().ends_with("batch norm, 2 views of the surroundings"));

    let says = |change: &dyn Fn(&mut Tensors), words: &[&str]| {
        let what = Weights::<Unet>::parse(&changed(&weights, |t, _| change(t))).unwrap_err();
        assert!(words.iter().all(|word| what.contains(word)), "{words:?} are not in: {what}");
    };
    let first = "surroundings.0.layers.0.weight";
    for channels in [0, 1, 3] {
        let part = move |t: &mut Tensors| {
            t.insert(first.into(), (Dtype::F32, vec![3, channels, 3, 3], vec![0; 4 * 27 * channels]));
        };
        says(&part, &[first, &format!("takes {channels} channels"), "views of 2 channels"]);
    }
    let second = "surroundings.1.layers.0.weight";
    says(&|t| drop(t.remove(second)), &["has no tensor", second]);
    says(&|t| drop(t.remove(first)), &["'conv.layers.0.weight'", "[12, 12, 3, 3]", "[12, 6, 3, 3]"]);
    let many = Unet::new(UnetSettings { surroundings: 9, ..settings.clone() }).unwrap_err();
    assert!(matches!(many, Error::Setting { name: "surroundings", .. }), "{many}");
    // Checkpoints of networks of one view do not state the views.
    let mut json = serde_json::to_value(&settings).unwrap();
    json.as_object_mut().unwrap().remove("surroundings").unwrap();
    let old: UnetSettings = serde_json::from_value(json).unwrap();
    assert_eq!(old, UnetSettings { surroundings: 0, ..settings });
}

#[test]
fn inputs_of_a_network_are_counted() {
    let unet = |surroundings| Unet::new(UnetSettings { surroundings, ..UnetSettings::default() }).unwrap();
    let forward = |surroundings, inputs: &[usize]| {
        let (unet, mut tape) = (unet(surroundings), Tape::new());
        let registered = unet.layout().register(&mut tape);
        let inputs: Vec<_> =
            inputs.iter().map(|c| tape.input(Shape::images(1, Size::square(30), *c))).collect();
        unet.forward(&mut tape, &registered, &inputs, NetworkMode::Train).map(|var| tape.shape(var).c)
    };
    for (surroundings, inputs) in [(0, &[2][..]), (1, &[2, 2]), (2, &[2, 4])] {
        assert_eq!(forward(surroundings, inputs).unwrap(), 1);
    }
    for (surroundings, inputs) in [(0, &[][..]), (0, &[2, 2]), (1, &[2]), (2, &[2, 2]), (2, &[4, 2])] {
        let error = forward(surroundings, inputs).unwrap_err();
        assert!(matches!(&error, Error::Usage(what) if what.contains(&format!("{inputs:?}"))), "{error}");
    }
}

#[test]
fn a_header_that_promises_much_gets_no_memory_for_it() {
    // Tensors without values: any shape with a 0 is true of them.
    let claim = |chans: usize, ci: usize, pools: usize, out: usize| {
        let mut tensors = Tensors::new();
        let mut put =
            |name: String, shape: &[usize]| tensors.insert(name, (Dtype::F32, shape.into(), vec![]));
        for i in 0..pools {
            put(format!("down_sample_layers.{i}.layers.0.weight"), &[chans, ci, 0, 3]);
        }
        put(format!("up_conv.{}.1.weight", pools - 1), &[out, 0, 1, 1]);
        let up = [("up".to_string(), "transpose".to_string())];
        Weights::<Unet>::parse(&write(&tensors, up.into())).unwrap_err()
    };
    assert!(claim(512, 2, 3, 1).contains("too short for its network of"));
    let huge = 1 << 40;
    let most = "from 1 to 1024 channels";
    for what in [claim(huge, 2, 3, 1), claim(4, huge, 3, 1), claim(4, 2, 3, huge), claim(0, 2, 3, 1)] {
        assert!(what.contains(most), "{what}");
    }
    assert!(claim(4, 2, 200, 1).contains("pools is 200; it must be from 1 to 8"));
}

#[test]
fn files_that_are_no_safetensors() {
    let good = random(NormKind::Instance, Up::Transpose).serialise(Precision::Single).unwrap();
    let header = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    for cut in [1, 7, 8, 9, header, header + 8, good.len() / 2, good.len() - 1] {
        let what = Weights::<Unet>::parse(&good[..cut]).unwrap_err();
        assert!(what.contains("no safetensors file, or a damaged one"), "{cut}: {what}");
    }
    assert!(Weights::<Unet>::parse(&[good.clone(), vec![0]].concat()).is_err());
    assert!(Weights::<Unet>::parse(b"PK\x03\x04").unwrap_err().contains("torch.save"));
    let mut long = good;
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(Weights::<Unet>::parse(&long).unwrap_err().contains("damaged"));
}
