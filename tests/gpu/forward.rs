//! `palpate forward`: what PyTorch computes, from the files that PyTorch wrote; and what is wrong with a call or a file
//! ends in a message and the right exit code, and in no result.

use crate::common::{self, compare::assert_agrees};
use crate::files::{Folder, array};
use ndarray::{ArrayD, Axis, IxDyn, ShapeBuilder, concatenate};
use palpate::lowlevel::plan::Pipelines;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;

tests![
    results_are_pytorchs,
    any_order_and_precision_and_batch_give_the_same,
    more_pixels_than_workgroups_along_one_axis,
    what_is_there_stays_without_force,
    calls_that_are_wrong,
    images_that_are_not,
    results_that_overflow_are_told,
    with_batch_norm_images_may_be_smaller,
    the_least_images_of_a_batch_norm_are_computed,
    weights_that_are_not,
];

const CASES: [&str; 6] = ["instance_max", "batch_avg", "bilinear", "plain", "uncounted", "surroundings"];

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a fixture")
}

/// A tensor of `forward.safetensors`.
fn tensor(name: &str) -> ArrayD<f32> {
    let bytes = fixture("forward");
    let parsed = SafeTensors::deserialize(&bytes).expect("tensors");
    let view = parsed.tensor(name).expect("a tensor");
    assert_eq!(view.dtype(), Dtype::F32);
    let values = view.data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    ArrayD::from_shape_vec(IxDyn(view.shape()), values).expect("as many values")
}

/// A folder with `w.safetensors` (instance norm, 3 pools) and good images `x.npy`.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.put("w.safetensors", &fixture("weights_instance_max"));
    folder.npy("x.npy", &tensor("input.20"));
    folder
}

/// Whether `got` is PyTorch's result, 1e-5 of its norm apart.
fn agrees(got: &ArrayD<f32>, expected: &ArrayD<f32>, what: &str) {
    assert_eq!(got.shape(), expected.shape(), "{what}");
    let [got, expected] = [got, expected].map(|a| a.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
    assert_agrees(&got, &expected, 1e-5, what);
}

fn result(folder: &Folder, name: &str) -> ArrayD<f32> {
    ndarray_npy::read_npy(folder.path(name)).expect("an array of f32")
}

fn results_are_pytorchs(pipelines: &Pipelines) {
    let folder = Folder::new();
    for case in CASES {
        folder.put(&format!("{case}.safetensors"), &fixture(&format!("weights_{case}")));
        for side in [30, 20, 41] {
            let mut images = tensor(&format!("input.{side}"));
            if case == "surroundings" {
                // The other image is the view of each.
                let mut views = images.clone();
                views.invert_axis(Axis(0));
                images = concatenate(Axis(1), &[images.view(), views.view()]).expect("images of one size");
            }
            folder.npy(&format!("x{side}.npy"), &images);
            let ran = folder.good(&format!(
                "forward --weights {case}.safetensors --input x{side}.npy --output {case}{side}.npy --adapter {}",
                common::adapter_of(pipelines.device())
            ));
            agrees(
                &result(&folder, &format!("{case}{side}.npy")),
                &tensor(&format!("output.{case}.{side}")),
                case,
            );
            let says = [
                format!("x{side}.npy: 2 images of {side} × {side} through a U-Net of 4 channels, "),
                format!(" MiB on {} -> {case}{side}.npy\n", pipelines.device().caps().info.name),
            ];
            assert!(says.iter().all(|s| ran.out.contains(s)), "{}", ran.out);
            assert_eq!((ran.out.lines().count(), &ran.err[..]), (1, ""), "{}", ran.out);
        }
    }
    // C order, float32, and nothing but the array.
    let bytes = folder.bytes("plain20.npy");
    let header = String::from_utf8_lossy(&bytes[..100]).into_owned();
    assert!(
        header.contains("'<f4'") && header.contains("False") && header.contains("(2, 1, 20, 20)"),
        "{header}"
    );
    assert_eq!(bytes.len() % 64, 4 * 2 * 20 * 20 % 64);
}

fn any_order_and_precision_and_batch_give_the_same() {
    let folder = folder();
    let [x, expected] = ["input.20", "output.instance_max.20"].map(tensor);
    folder.npy("f64.npy", &x.mapv(f64::from));
    let mut fortran = ArrayD::<f32>::zeros(x.raw_dim().f());
    fortran.assign(&x);
    folder.npy("fortran.npy", &fortran);
    assert!(String::from_utf8_lossy(&folder.bytes("fortran.npy")[..100]).contains("True"));
    // Any name will do: what it holds says what it is.
    folder.npy("images", &x);
    folder.good("forward --weights w.safetensors --input x.npy --output y.npy");
    agrees(&result(&folder, "y.npy"), &expected, "plain");
    for input in ["f64.npy", "fortran.npy", "images"] {
        folder.good(&format!("forward -w w.safetensors -i {input} -o y_{input}"));
        assert!(folder.bytes(&format!("y_{input}")) == folder.bytes("y.npy"), "{input}");
    }
    // 7 images in batches that do not divide them, into another folder; each image's result is its own.
    let repeated = array(&[7, 2, 20, 20], |i| x[[i[0] % 2, i[1], i[2], i[3]]]);
    folder.npy("seven.npy", &repeated);
    std::fs::create_dir(folder.path("out")).expect("a folder");
    let want = array(&[7, 1, 20, 20], |i| expected[[i[0] % 2, 0, i[2], i[3]]]);
    for batch in [1, 3, 7, 4_000_000_000_u32] {
        folder.good(&format!(
            "forward --weights w.safetensors --input seven.npy --output out/{batch}.npy --batch {batch}"
        ));
        agrees(&result(&folder, &format!("out/{batch}.npy")), &want, "seven");
    }
    assert_eq!(folder.names("out").len(), 4);
}

fn more_pixels_than_workgroups_along_one_axis() {
    let folder = folder();
    // 2.4 million pixels, which are 73 000 workgroups of the smallest form, and go on along another axis.
    let image = tensor("input.30");
    folder.npy("many.npy", &array(&[150, 2, 125, 125], |i| image[[i[0] % 2, i[1], i[2] % 30, i[3] % 30]]));
    let ran = folder.good("forward --weights w.safetensors --input many.npy --output y.npy --batch 150");
    assert!(ran.out.contains("150 images of 125 × 125"), "{}", ran.out);
    let y = result(&folder, "y.npy");
    for i in [2, 75, 148] {
        assert_eq!(y.index_axis(ndarray::Axis(0), i), y.index_axis(ndarray::Axis(0), i % 2), "image {i}");
    }
}

fn what_is_there_stays_without_force() {
    let folder = folder();
    folder.put("y.npy", b"precious");
    let line = "forward --weights w.safetensors --input x.npy --output y.npy";
    refused(&folder, line, 2, &["y.npy exists already", "--force"]);
    assert_eq!(folder.bytes("y.npy"), b"precious");
    // A run that fails does not cost the old result either.
    refused(&folder, &format!("{line} --force --adapter Voodoo"), 1, &["no adapter", "Voodoo"]);
    assert_eq!(folder.bytes("y.npy"), b"precious");
    folder.good(&format!("{line} --force"));
    agrees(&result(&folder, "y.npy"), &tensor("output.instance_max.20"), "forced");
    assert_eq!(folder.names("."), ["w.safetensors", "x.npy", "y.npy"]);
}

/// A run that must fail with `code`, say all of `words` on standard error, and leave the folder as it was.
fn refused(folder: &Folder, line: &str, code: i32, words: &[&str]) {
    let before = folder.names(".");
    let ran = folder.run(line);
    assert_eq!(ran.code, Some(code), "{line}\n{}{}", ran.out, ran.err);
    assert!(ran.err.lines().any(|line| line.starts_with("error: ")), "{line}\n{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "{line}: no '{word}' in\n{}", ran.err);
    }
    assert!(!ran.err.contains("panicked") && !ran.err.contains("Error {"), "{line}\n{}", ran.err);
    assert_eq!((ran.out, folder.names(".")), (String::new(), before), "{line}");
}

fn calls_that_are_wrong() {
    let folder = folder();
    let line = |rest: &str| format!("forward --weights w.safetensors --input x.npy {rest}");
    refused(&folder, &line(""), 2, &["--output <FILE>", "required"]);
    refused(&folder, "forward --input x.npy --output y.npy", 2, &["--weights <FILE>", "required"]);
    refused(&folder, "forward --weights w.safetensors --output y.npy", 2, &["--input <FILE>", "required"]);
    for bad in ["0", "-1", "many", "1.5", "99999999999"] {
        refused(&folder, &line(&format!("--output y.npy --batch {bad}")), 2, &[bad, "--batch"]);
    }
    for same in ["x.npy", "./x.npy", "w.safetensors"] {
        let words = [same, "is an input and would be overwritten", "-o"];
        refused(&folder, &line(&format!("--output {same} --force")), 2, &words);
    }
    assert!(folder.bytes("w.safetensors") == fixture("weights_instance_max"));
    refused(&folder, &line("--output absent/y.npy"), 1, &["absent: no such folder", "make it first"]);
    refused(&folder, &line("--output x.npy/y.npy"), 1, &["x.npy: is a file", "needs a folder"]);
    refused(&folder, &line("--output .."), 2, &["'..' cannot be the name of a file"]);
    std::fs::create_dir(folder.path("taken")).expect("a folder");
    refused(&folder, &line("--output taken --force"), 2, &["taken is a folder"]);
}

fn images_that_are_not() {
    let folder = folder();
    let file = |name: &str, words: &[&str]| {
        let line = format!("forward --weights w.safetensors --input {name} --output y.npy");
        refused(&folder, &line, 1, &[&[&*format!("error: {name}: ")], words].concat());
    };
    let good = folder.bytes("x.npy");
    let put = |name: &str, bytes: &[u8], words: &[&str]| {
        folder.put(name, bytes);
        file(name, words);
    };
    file("missing.npy", &["no such file"]);
    put("empty.npy", &[], &["is empty"]);
    put("half.npy", &good[..good.len() / 2], &["is truncated", "2 × 2 × 20 × 20 samples need 6400"]);
    put("header.npy", &good[..40], &["is truncated"]);
    put("long.npy", &[&good[..], &[0]].concat(), &["is longer than its header says"]);
    put("noise.npy", &[7; 3000], &["is not a NumPy .npy file"]);
    put("zip.npy", b"PK\x03\x04 and so on", &["is not a NumPy .npy file", "zip"]);
    file("w.safetensors", &["is not a NumPy .npy file"]);
    std::fs::create_dir(folder.path("folder.npy")).expect("a folder");
    file("folder.npy", &["is a folder"]);

    let shape = |name: &str, shape: &[usize], words: &[&str]| {
        folder.npy(name, &array(shape, |i| i.iter().sum::<usize>() as f32));
        file(name, words);
    };
    let wanted = "[N, 2, H, W] is wanted";
    shape("one.npy", &[2, 20, 20], &["one image [2, 20, 20]", wanted, "save x[None]"]);
    shape("flat.npy", &[400], &["[400], 1 axes", wanted]);
    shape("rows.npy", &[3, 20, 20], &["[3, 20, 20], 3 axes", wanted]);
    shape("five.npy", &[1, 1, 2, 20, 20], &["5 axes", wanted]);
    shape("three.npy", &[4, 3, 20, 20], &["[4, 3, 20, 20]", "images of 3 channels", "weights want 2"]);
    shape("last.npy", &[4, 20, 20, 2], &["[4, 20, 20, 2]", wanted, "x.transpose(0, 3, 1, 2)"]);
    shape("none.npy", &[0, 2, 20, 20], &["0 × 2 × 20 × 20", "empty"]);
    shape("thin.npy", &[4, 2, 20, 0], &["4 × 2 × 20 × 0", "empty"]);
    let small = "too small for a U-Net of 3 pools: 8 × 16 is the minimum";
    shape("small.npy", &[4, 2, 7, 30], &["images of 30 × 7 pixels", small]);
    shape("pixel.npy", &[4, 2, 8, 8], &["images of 8 × 8 pixels", small, "instance norm"]);

    folder.npy("int.npy", &array(&[1, 2, 20, 20], |_| 1i32));
    file("int.npy", &["'<i4'", "float32 is wanted", ".astype('float32')"]);
    folder.npy("bool.npy", &array(&[1, 2, 20, 20], |_| true));
    file("bool.npy", &["'|b1'", "float32 is wanted"]);
    folder.npy("complex.npy", &array(&[1, 2, 20, 20], |_| num_complex::Complex32::ONE));
    file("complex.npy", &["'<c8'", "float32 is wanted", "real and its imaginary part as channels"]);

    let with = |bad: f64| {
        array(&[3, 2, 20, 21], move |i| if i == [2, 1, 3, 4] || i == [2, 1, 9, 0] { bad } else { 0.5 })
    };
    for (name, bad, value) in
        [("nan.npy", f64::NAN, "NaN"), ("inf.npy", f64::NEG_INFINITY, "-inf"), ("wide.npy", 1e300, "inf")]
    {
        folder.npy(name, &with(bad));
        file(name, &[value, "image 2, channel 1, row 3, column 4", ", and so 1 more;"]);
    }
}

fn results_that_overflow_are_told() {
    let folder = folder();
    folder.npy("x.npy", &array(&[1, 2, 20, 20], |i| if i[3] % 2 == 0 { 3e38f32 } else { -3e38 }));
    let ran = folder.good("forward --weights w.safetensors --input x.npy --output y.npy");
    let bad = result(&folder, "y.npy").iter().filter(|v| !v.is_finite()).count();
    assert!(bad > 0);
    let warning = format!("warning: {bad} of 400 values of the result are not finite\n");
    assert!(ran.err.starts_with(&warning), "{}", ran.err);
}

fn with_batch_norm_images_may_be_smaller() {
    let folder = Folder::new();
    folder.put("w.safetensors", &fixture("weights_batch_avg"));
    folder.npy("x.npy", &array(&[2, 2, 8, 7], |_| 0f32));
    let line = "forward --weights w.safetensors --output y.npy --input";
    refused(&folder, &format!("{line} x.npy"), 1, &["x.npy: images of 7 × 8", "8 × 8 is the minimum\n"]);
}

fn the_least_images_of_a_batch_norm_are_computed() {
    let folder = Folder::new();
    folder.put("w.safetensors", &fixture("weights_batch_avg"));
    folder.npy("least.npy", &array(&[2, 2, 8, 8], |i| i[3] as f32));
    folder.good("forward --weights w.safetensors --output y.npy --input least.npy");
    assert!(result(&folder, "y.npy").iter().all(|v| v.is_finite()));
}

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn weights_that_are_not() {
    let folder = folder();
    let good = fixture("weights_instance_max");
    let put = |name: &str, bytes: &[u8], words: &[&str]| {
        folder.put(name, bytes);
        let line = format!("forward --weights {name} --input x.npy --output y.npy");
        refused(&folder, &line, 1, &[&[&*format!("error: {name}: ")], words].concat());
    };
    refused(
        &folder,
        "forward --weights missing --input x.npy --output y.npy",
        1,
        &["missing: no such file; check the path"],
    );
    let written = "write it with safetensors' save_file";
    put("empty", &[], &["is empty"]);
    put("half", &good[..good.len() / 2], &["no safetensors file, or a damaged one", written]);
    put("noise", &[200; 3000], &["no safetensors file", written]);
    put("text", b"these are no weights", &["no safetensors file"]);
    put("torch.pt", b"PK\x03\x04 and so on", &["torch.save", "state_dict", "save_file"]);
    put("x", &folder.bytes("x.npy"), &["no safetensors file"]);

    let changed = |change: &dyn Fn(&mut Tensors)| {
        let parsed = SafeTensors::deserialize(&good).expect("tensors");
        let own = parsed.tensors().into_iter();
        let mut tensors: Tensors =
            own.map(|(name, v)| (name, (v.dtype(), v.shape().to_vec(), v.data().to_vec()))).collect();
        change(&mut tensors);
        let views = tensors.iter().map(|(name, (dtype, shape, data))| {
            (name, TensorView::new(*dtype, shape.clone(), data).expect("a view"))
        });
        safetensors::serialize(views, None).expect("weights")
    };
    let name = "conv.layers.4.weight";
    put(
        "less",
        &changed(&|t| drop(t.remove(name))),
        &["has no tensor 'conv.layers.4.weight'", "docs/training.md"],
    );
    let nan =
        |t: &mut Tensors| t.get_mut(name).expect("it").2[8..12].copy_from_slice(&f32::NAN.to_le_bytes());
    put("nan", &changed(&nan), &["'conv.layers.4.weight' holds NaN", "finite"]);
    let whole = |t: &mut Tensors| t.get_mut(name).expect("it").0 = Dtype::I32;
    put("int", &changed(&whole), &["'conv.layers.4.weight' holds I32"]);
    let more =
        |t: &mut Tensors| drop(t.insert("conv.layers.0.bias".into(), (Dtype::F32, vec![1], vec![0; 4])));
    put("more", &changed(&more), &["a tensor", "no place for: 'conv.layers.0.bias'", "docs/training.md"]);
    let prefix = |t: &mut Tensors| {
        *t = std::mem::take(t).into_iter().map(|(name, value)| (format!("module.{name}"), value)).collect();
    };
    put("prefix", &changed(&prefix), &["without the prefix 'module.'"]);
    let other = |t: &mut Tensors| t.retain(|name, _| !name.starts_with("up_transpose_conv."));
    put("bilinear", &changed(&other), &["'up_conv.0.layers.0.weight' has shape", "needs"]);
}
