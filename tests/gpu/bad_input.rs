//! What is wrong with a call or a file, and is found out only where there is a device.

use crate::files::{Folder, SIZE, array, inside, masked, noise, phases, plain};
use crate::harness::SharedGpu;

tests![
    an_adapter_that_does_not_exist,
    one_bad_file_among_good_ones,
    what_is_not_finite_outside_the_mask_is_no_matter,
];

fn an_adapter_that_does_not_exist(SharedGpu(pipelines): SharedGpu) {
    let name = &pipelines.device().caps().info.name;
    let folder = Folder::new();
    folder.npy("good.npy", &phases(masked));
    for wanted in ["Voodoo", "99", "99999999999999999999999"] {
        let words = ["no adapter", wanted, "choose one of these", name.as_str()];
        folder.refused(&format!("invert good.npy -o out --adapter {wanted}"), 1, &words);
        let ran = folder.run(&format!("doctor --adapter {wanted}"));
        assert!(
            ran.code == Some(1) && ran.out.contains(name.as_str()) && !ran.out.contains("Used"),
            "{}",
            ran.out
        );
        assert!(words.iter().all(|word| ran.err.contains(word)), "{}", ran.err);
    }
}

fn one_bad_file_among_good_ones() {
    let folder = Folder::new();
    for name in ["first.nii", "last.nii"] {
        folder.nifti(name, &plain(), &phases(masked));
    }
    folder.put("bad.nii", &noise(3000, 3));
    folder.nifti("zero.nii", &plain(), &array(&[48, 40, 8], |_| 0f32));
    let line = "invert first.nii bad.nii zero.nii last.nii missing.nii -o out";
    for json in [false, true] {
        let ran = folder.run(&format!("{line} {}", if json { "--json --force" } else { "" }));
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        for said in [
            "bad.nii: is not a NIfTI-1",
            "zero.nii: the image holds nothing but zeros",
            "missing.nii: no such file",
        ] {
            assert!(ran.err.lines().any(|l| l.starts_with(&format!("error: {said}"))), "{}", ran.err);
        }
        assert_eq!(ran.err.lines().filter(|line| line.starts_with("error: ")).count(), 3, "{}", ran.err);
        if json {
            let reports: Vec<serde_json::Value> = serde_json::from_str(&ran.out).expect("JSON alone");
            let inputs: Vec<_> = reports.iter().map(|report| report["input"].as_str()).collect();
            assert_eq!(inputs, [Some("first.nii"), Some("last.nii")]);
        } else {
            let named = ["first.nii: ", "last.nii: "];
            assert!(ran.out.lines().zip(named).all(|(line, name)| line.starts_with(name)), "{}", ran.out);
        }
        let names = folder.names("out");
        assert_eq!(names.len(), 2 * 11, "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("first") || name.starts_with("last")), "{names:?}");
    }
}

/// Outside the mask what is not finite does no harm.
fn what_is_not_finite_outside_the_mask_is_no_matter() {
    let folder = Folder::new();
    let mut edge = phases(masked);
    edge[[0, 0, 3]] = f32::NAN;
    folder.npy("edge.npy", &edge);
    folder.npy("mask.npy", &array(&SIZE.axes(), |i| f32::from(u8::from(inside(i[0], i[1])))));
    folder.refused("invert edge.npy -o out", 1, &["x 0, y 0"]);
    folder.good("invert edge.npy -o with --mask mask.npy");
}
