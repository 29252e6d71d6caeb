//! What is wrong with a call or a file ends in a message that says what, where and what to do, in exit code 1
//! (the work failed) or 2 (the call was wrong), and in no file that could be taken for a result.

use crate::files::{Folder, Ran, SIZE, array, inside, masked, matlab, noise, oblique, phases, plain, wave};
use libtest_mimic::Completion;
use ndarray::ArrayD;
use num_complex::{Complex32, Complex64};
use std::path::Path;

tests![
    files_that_are_not_what_they_should_be,
    arrays_that_hold_no_wave_image,
    masks_that_do_not_fit,
    calls_that_are_wrong,
    outputs_that_cannot_be,
    #[cfg(target_os = "linux")]
    no_adapter,
    #[cfg(unix)]
    a_folder_that_cannot_be_written,
    shaders_that_cannot_be_written,
];

/// A file that `invert` must refuse with exit code 1, naming it.
fn refused_file(folder: &Folder, name: &str, words: &[&str]) {
    folder.refused(
        &format!("invert {name} -o out"),
        1,
        &[&[&format!("{name}: "), "error: "], words].concat(),
    );
}

/// One good file in every format: `good.nii`, `good.nii.gz`, `good.mat`, `good.npy`.
fn good(folder: &Folder) -> [&'static str; 4] {
    folder.nifti("good.nii", &plain(), &phases(masked));
    folder.nifti("good.nii.gz", &oblique(), &phases(masked));
    let pixels = (0..SIZE.pixels()).map(|i| masked(i % SIZE.nx, i / SIZE.nx));
    let (re, im): (Vec<_>, Vec<_>) = pixels.map(|u| (u.re, u.im)).unzip();
    folder.put("good.mat", &matlab(&SIZE.axes(), &re, Some(&im)));
    folder.npy("good.npy", &phases(masked));
    ["nii", "nii.gz", "mat", "npy"]
}

fn files_that_are_not_what_they_should_be() {
    let folder = Folder::new();
    refused_file(&folder, "missing.nii", &["no such file"]);
    std::fs::create_dir(folder.path("folder.nii")).expect("a folder");
    refused_file(&folder, "folder.nii", &["is a folder", "name the files in it"]);
    for ending in good(&folder) {
        let bytes = folder.bytes(&format!("good.{ending}"));
        let file = |kind: &str, bytes: &[u8], words: &[&str]| {
            let name = format!("{kind}.{ending}");
            folder.put(&name, bytes);
            refused_file(&folder, &name, words);
        };
        file("empty", &[], &["is empty"]);
        file("half", &bytes[..bytes.len() / 2], &["truncated"]);
        file("header", &bytes[..100], &["truncated"]);
        file("noise", &noise(4000, 1), &["is not"]);
        let mut magic = bytes.clone();
        let at = if ending == "nii" { 344 } else { 0 };
        magic[at..at + 4].copy_from_slice(b"XXXX");
        // Of a MATLAB file the text in front is free, and the mark stands at its end.
        if ending == "mat" {
            magic[124..128].copy_from_slice(b"XXXX");
        }
        file("magic", &magic, &["is not"]);
        file("picture", b"\x89PNG\r\n\x1a\nand so on", &["is not", "looks like a PNG"]);
    }
    let gz = folder.bytes("good.nii.gz");
    let mut corrupt = gz.clone();
    let middle = gz.len() / 2;
    corrupt[middle..middle + 200].copy_from_slice(&noise(200, 2));
    folder.put("corrupt.nii.gz", &corrupt);
    refused_file(&folder, "corrupt.nii.gz", &["is corrupt", "gzip"]);
    let checksum = gz.len() - 8;
    corrupt = gz;
    corrupt[checksum] ^= 1;
    folder.put("checksum.nii.gz", &corrupt);
    refused_file(&folder, "checksum.nii.gz", &["is corrupt", "gzip"]);
    folder.put("plain.nii.gz", &folder.bytes("good.nii"));
    refused_file(&folder, "plain.nii.gz", &["not gzip-compressed", "looks like a NIfTI file"]);
    folder.put("v73.mat", &[b"MATLAB 7.3 MAT-file".to_vec(), vec![b' '; 600]].concat());
    refused_file(&folder, "v73.mat", &["7.3", "-v7"]);
    folder.put("notes.txt", b"not an image");
    refused_file(&folder, "notes.txt", &["no ending that palpate reads", ".nii.gz", ".mat", ".npy"]);
    folder.put("array.npz", b"PK\x03\x04 and so on");
    refused_file(&folder, "array.npz", &["no ending that palpate reads", "save the array alone"]);
}

fn arrays_that_hold_no_wave_image() {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    let npy = |name: &str, array: &ArrayD<f32>, words: &[&str]| {
        folder.npy(name, array);
        refused_file(&folder, name, words);
    };
    let with = |bad: f32, x: usize, y: usize| {
        let mut array = phases(masked);
        array[[x, y, 3]] = bad;
        array
    };
    for (name, bad) in [("nan.npy", f32::NAN), ("inf.npy", f32::INFINITY), ("neg.npy", f32::NEG_INFINITY)] {
        npy(
            name,
            &with(bad, 20, 30),
            &["1 sample ", "x 20, y 30, slice 0, frame 3", "NaN or infinite", "--mask"],
        );
    }
    npy("all_nan.npy", &array(&[nx, ny, 8], |_| f32::NAN), &["every sample is NaN"]);
    npy("zero.npy", &array(&[nx, ny, 8], |_| 0.0), &["nothing but zeros"]);
    npy("constant.npy", &array(&[nx, ny, 8], |_| 3.0), &["all frames are the same", "no wave"]);
    npy("frame.npy", &array(&[nx, ny], |_| 1.0), &["one frame (48 × 40)", "three or more phases"]);
    npy("frame1.npy", &array(&[nx, ny, 1], |_| 1.0), &["one frame (48 × 40 × 1)"]);
    npy("pixel.npy", &array(&[1, 1, 8], |i| i[2] as f32), &["too small", "at least 16"]);
    npy("line.npy", &array(&[400, 1, 8], |i| i[2] as f32), &["too small", "400 × 1"]);
    npy("vector.npy", &array(&[400], |i| i[0] as f32), &["one frame (400)"]);
    npy(
        "five.npy",
        &array(&[nx, ny, 2, 3, 8], |i| i[4] as f32),
        &["5 dimensions", "48 × 40 × 2 × 3 × 8", "one series at a time"],
    );
    npy("none.npy", &array(&[nx, 0, 8], |_| 0.0), &["empty"]);
    npy("huge.npy", &phases(|x, y| 1e30 * masked(x, y)), &["rescale"]);
    folder.nifti("five.nii", &plain(), &array(&[20, 20, 2, 3, 8], |i| i[4] as f32));
    refused_file(&folder, "five.nii", &["5 dimensions"]);
    folder.npy("half.npy", &array(&[nx, ny, 2], |_| true));
    refused_file(&folder, "half.npy", &["constant", "no wave"]);
    folder.npy("complex.npy", &array(&[nx, ny], |_| Complex32::ZERO));
    refused_file(&folder, "complex.npy", &["nothing but zeros"]);
    // The spacing in a header is checked as the option is.
    for (name, mm) in
        [("zero.nii", 0.0), ("minus.nii", -1.5), ("nan.nii", f32::NAN), ("inf.nii", f32::INFINITY)]
    {
        let mut header = plain();
        header.pixdim[1] = mm;
        folder.nifti(name, &header, &phases(masked));
        refused_file(&folder, name, &["header", "--spacing"]);
    }
    let mut header = plain();
    header.srow_x[0] = 3.0;
    folder.nifti("two.nii", &header, &phases(masked));
    refused_file(&folder, "two.nii", &["contradicts itself", "1.5 × 1.5 mm", "--spacing"]);
    folder.npy("good.npy", &phases(masked));
    folder.refused("invert good.npy -o out --layout re-im", 1, &["good.npy: ", "8 frames", "48 × 40 × 8"]);

    // Outside the mask what is not finite does no harm; inside it does.
    folder.npy("edge.npy", &with(f32::NAN, 0, 0));
    folder.npy("mask.npy", &array(&SIZE.axes(), |i| f32::from(u8::from(inside(i[0], i[1])))));
    folder.refused("invert edge.npy -o out", 1, &["x 0, y 0"]);
    folder.refused("invert nan.npy -o out --mask mask.npy", 1, &["x 20, y 30"]);
}

fn masks_that_do_not_fit() {
    let folder = Folder::new();
    folder.npy("good.npy", &phases(wave));
    let mask =
        |name: &str, shape: &[usize], value: fn(&[usize]) -> f32| folder.npy(name, &array(shape, value));
    mask("other.npy", &[40, 48], |_| 1.0);
    mask("slices.npy", &[48, 40, 2], |_| 1.0);
    mask("zero.npy", &SIZE.axes(), |_| 0.0);
    mask("nan.npy", &SIZE.axes(), |i| if i[0] == 9 { f32::NAN } else { 1.0 });
    folder.npy("complex.npy", &array(&SIZE.axes(), |_| Complex64::ONE));
    let line = |mask: &str| format!("invert good.npy -o out --mask {mask}");
    // The mask is read before anything is computed.
    folder.refused(&line("missing.npy"), 1, &["missing.npy: no such file"]);
    folder.put("mask.txt", b"1 1 1");
    folder.refused(&line("mask.txt"), 1, &["mask.txt: ", "no ending that palpate reads"]);
    folder.refused(&line("other.npy"), 1, &["mask is 40 × 48", "image 48 × 40", "image's size"]);
    folder.refused(&line("slices.npy"), 1, &["mask is 48 × 40 × 2", "image 48 × 40"]);
    folder.refused(&line("zero.npy"), 1, &["mask is zero everywhere", "non-zero where the tissue is"]);
    folder.refused(&line("nan.npy"), 1, &["40 values of the mask are NaN", "0 or 1"]);
    folder.refused(&line("complex.npy"), 1, &["mask is complex"]);
}

fn calls_that_are_wrong() {
    let folder = Folder::new();
    good(&folder);
    let line = |rest: &str| format!("invert good.nii {rest}");
    folder.refused(&line(""), 2, &["--output <DIR>", "required"]);
    folder.refused("invert -o out", 2, &["<INPUT>", "required"]);
    folder.refused("inverse good.nii -o out", 2, &["inverse", "--help"]);
    folder.refused(&line("-o out --method magic"), 2, &["magic", "--method", "mmdi"]);
    folder.refused(&line("-o out --mmdi exact"), 2, &["exact", "corrected, clinical"]);
    folder.refused(&line("-o out --frequency sixty"), 2, &["sixty", "--frequency"]);
    for (option, unit) in [("frequency", "Hz"), ("density", "kg/m³"), ("spacing", "mm")] {
        for bad in ["0", "-1", "-0.0", "nan", "inf", "-inf", "1e300"] {
            folder.refused(&line(&format!("-o out --{option}={bad}")), 2, &[option, unit, "above 0"]);
        }
    }
    folder.refused(&line("-o out --frequency -60"), 2, &["frequency is -60 Hz"]);
    std::fs::create_dir(folder.path("sub")).expect("a folder");
    folder.put("sub/good.npy", &folder.bytes("good.npy"));
    folder.refused("invert good.npy good.npy -o out", 2, &["good.npy is given twice"]);
    folder.refused(&line("-o out --frequency -inf"), 2, &["frequency is -inf Hz"]);
    folder.refused(&line("good.npy -o out"), 2, &["good.nii and good.npy", "one at a time"]);
    folder.refused(
        "invert good.npy sub/good.npy -o out",
        2,
        &["good.npy and sub/good.npy", "different folders"],
    );
}

fn outputs_that_cannot_be() {
    let folder = Folder::new();
    let inputs = |folder: &Folder| folder.nifti("good.nii", &plain(), &phases(masked));
    inputs(&folder);
    folder.put("file", b"kept");
    folder.refused("invert good.nii -o file", 1, &["file: is a file", "needs a folder"]);
    folder.refused("invert good.nii -o file/below", 1, &["file/below: cannot make this folder"]);
    assert_eq!(folder.bytes("file"), b"kept");
    if Path::new("/proc/self").exists() {
        folder.refused("invert good.nii -o /proc/palpate", 1, &["/proc/palpate: cannot make this folder"]);
    }

    // One that exists stays as it is, and the others are not written.
    std::fs::create_dir(folder.path("old")).expect("a folder");
    for name in ["good_mmdi_stiffness.nii.gz", "good_mask.nii.gz", "good.png", "good.json"] {
        folder.put(&format!("old/{name}"), b"precious");
        let path = Path::new("old").join(name);
        folder.refused(
            "invert good.nii -o old",
            2,
            &[&format!("{} exists already", path.display()), "--force"],
        );
        assert_eq!(
            (folder.names("old"), &folder.bytes(&format!("old/{name}"))[..]),
            (vec![name.into()], &b"precious"[..])
        );
        std::fs::remove_file(folder.path(&format!("old/{name}"))).expect("remove");
    }
    std::fs::create_dir(folder.path("old/good.json")).expect("a folder");
    folder.refused("invert good.nii -o old --force", 2, &["good.json is a folder"]);

    // An input is never overwritten: here the stem of one is the name of the other's map.
    folder.nifti("good_wave.nii.gz", &plain(), &phases(masked));
    let before = folder.bytes("good_wave.nii.gz");
    for line in [
        "invert good.nii good_wave.nii.gz -o . --force",
        "invert good.nii -o . --force --mask good_wave.nii.gz",
    ] {
        folder.refused(line, 2, &["good_wave.nii.gz is an input", "would be overwritten", "-o"]);
        assert!(folder.bytes("good_wave.nii.gz") == before);
    }
}

/// The driver's loader is told of a driver that is not there: the processor computes.
#[cfg(target_os = "linux")]
fn no_adapter() {
    let folder = Folder::new();
    folder.npy("good.npy", &phases(masked));
    folder.put("empty.json", b"");
    folder.good("invert good.npy -o cpu --adapter cpu");
    let remedy = ["no GPU adapter was found", "driver", "--adapter cpu"];
    for (i, manifest) in [folder.path("none.json"), folder.path("empty.json")].into_iter().enumerate() {
        let blind = |line: &str| {
            let mut command = folder.plain(line);
            command.env("VK_DRIVER_FILES", &manifest).env("VK_ICD_FILENAMES", &manifest);
            Ran::from(command.env_remove("VK_ADD_DRIVER_FILES").output().expect("runs"))
        };
        let ran = blind(&format!("invert good.npy -o blind{i}"));
        assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 1), "{}{}", ran.out, ran.err);
        let names = folder.names("cpu");
        assert!(!names.is_empty() && folder.names(&format!("blind{i}")) == names);
        for name in names {
            assert!(
                folder.bytes(&format!("blind{i}/{name}")) == folder.bytes(&format!("cpu/{name}")),
                "{name}"
            );
        }
        for line in ["invert good.npy -o out --adapter 0", "invert good.npy -o out --json --adapter llvmpipe"]
        {
            // An empty list is JSON as well.
            let ran = blind(line);
            folder.judge(line, Ran { out: ran.out.replace("[]\n", ""), ..ran }, 1, &remedy);
            assert!(!folder.path("out").exists());
        }
        let ran = blind("doctor");
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        for says in ["\ncpu: ", "  <- used\n", "\nUsed: ", "(there is no GPU"] {
            assert!(ran.out.contains(says), "{}", ran.out);
        }
        let ran = blind("doctor --json");
        let findings: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON alone");
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!((&findings["used"], &findings["adapters"][0]["kind"]), (&0.into(), &"processor".into()));
        assert_eq!(findings["adapters"].as_array().map(Vec::len), Some(1));
        // A GPU that is asked for is missed.
        let ran = blind("doctor --adapter 0 --json");
        let findings: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON alone");
        assert!(findings["used"].is_null());
        assert!(findings["why"].as_str().is_some_and(|why| why.contains(remedy[2])), "{}", ran.out);
        folder.judge("doctor --adapter 0", Ran { out: String::new(), ..ran }, 1, &remedy);
        // What needs no adapter works.
        assert_eq!(blind("shaders list").code, Some(0));
    }
}

/// Root may write everywhere.
#[cfg(unix)]
fn a_folder_that_cannot_be_written() -> Completion {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.nifti("good.nii", &plain(), &phases(masked));
    let closed = folder.path("closed");
    std::fs::create_dir(&closed).expect("a folder");
    let allow =
        |mode| std::fs::set_permissions(&closed, PermissionsExt::from_mode(mode)).expect("permissions");
    allow(0o555);
    if std::fs::write(closed.join("probe"), b"").is_ok() {
        return Completion::ignored_with("root may write into a read-only folder");
    }
    folder.refused("invert good.nii -o closed", 1, &["closed: ", "cannot be written", "permission"]);
    allow(0o755);
    Completion::Completed
}

fn shaders_that_cannot_be_written() {
    let folder = Folder::new();
    folder.put("file", b"kept");
    folder.refused("shaders emit", 2, &["--output <DIR>"]);
    folder.refused("shaders emit -o file", 1, &["file: is a file"]);
    folder.refused("shaders emit -o out --language cobol", 2, &["cobol", "wgsl"]);
    assert_eq!(folder.bytes("file"), b"kept");
}
