//! The processor as an adapter: the same bits for any number of threads, the options that choose it, and the same maps as
//! shaders give.

use crate::common::{adapter_of, compare::assert_agrees};
use crate::files::{Folder, masked, phases, plain};
use crate::harness::SharedGpu;
use crate::train::{SMALL, data, state, succeed};
use ndarray::Array4;
use palpate::{Instructions, Size};

tests![
    threads_do_not_matter_to_the_bits_of_a_map,
    threads_do_not_matter_to_the_bits_of_a_training,
    instructions_that_are_not_there_are_refused,
    the_doctor_says_how_the_processor_would_compute,
    shaders_and_native_forms_make_the_same_maps,
];

/// As `--adapter` takes it, and what the doctor calls it.
fn sets() -> impl Iterator<Item = (String, Instructions)> {
    let name = |set: Instructions| set.to_string().to_lowercase().replace('-', "");
    Instructions::ALL.into_iter().map(move |set| (format!("cpu:{}", name(set)), set))
}

fn threads_do_not_matter_to_the_bits_of_a_map() {
    let folder = Folder::new();
    folder.nifti("a.nii", &plain(), &phases(masked));
    let invert = |adapter: &str, threads: &str, out: &str| {
        folder
            .good(&format!("invert a.nii --method both --stride 12 -o {out} --adapter {adapter} {threads}"));
    };
    invert("cpu", "", "best");
    let names = folder.names("best");
    assert!(names.iter().any(|name| name.contains("dime")) && names.iter().any(|name| name.contains("mmdi")));
    let same = |out: &str| {
        assert_eq!(folder.names(out), names);
        names
            .iter()
            .all(|name| folder.bytes(&format!("{out}/{name}")) == folder.bytes(&format!("best/{name}")))
    };
    for threads in [1, 2, 3] {
        let out = format!("best{threads}");
        invert("CPU", &format!("--threads {threads}"), &out);
        assert!(same(&out), "{threads} threads give other bits");
    }
    for (adapter, set) in sets().filter(|(_, set)| set.exist()) {
        let [one, three] = [1, 3].map(|threads| {
            let out = format!("{set}{threads}");
            invert(&adapter, &format!("--threads {threads}"), &out);
            out
        });
        assert_eq!(folder.names(&one), names);
        for name in &names {
            assert!(
                folder.bytes(&format!("{one}/{name}")) == folder.bytes(&format!("{three}/{name}")),
                "{name}"
            );
        }
        assert!(set != Instructions::best() || same(&one), "{set} is the best, and gives other bits");
        for (map, tolerance) in [("mmdi_stiffness", 1e-5), ("dime_stiffness", 2e-5)] {
            let values = |out: &str| -> Vec<f64> {
                let map = folder.map(&format!("{out}/a_{map}.nii.gz"));
                map.values.into_iter().map(f64::from).collect()
            };
            let error = assert_agrees(&values(&one), &values("best"), tolerance, format!("{map} by {set}"));
            note!("{map} by {set}: {error:.1e}");
        }
    }
}

fn threads_do_not_matter_to_the_bits_of_a_training() {
    let data = data(40, 7, Size::new(14, 13));
    // A second epoch after a resume, on another number of threads.
    let states = [[1, 1], [2, 2], [3, 3], [3, 1]].map(|threads| {
        let out = tempfile::tempdir().expect("folder");
        threads
            .into_iter()
            .zip(["1", "2"])
            .map(|(threads, epochs)| {
                let threads = threads.to_string();
                let own = ["--adapter", "cpu", "--threads", &threads, "--epochs", epochs];
                let settings: &[&str] = if epochs == "1" { SMALL } else { &["--resume"] };
                let settings: Vec<&str> =
                    settings.iter().filter(|a| !["--epochs", "3"].contains(a)).copied().collect();
                succeed(data.path(), out.path(), &[&settings[..], &own].concat());
                state(out.path())
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(states[0].iter().map(|state| state.1).collect::<Vec<_>>(), [5, 10], "steps");
    assert!(states[0][0].0 != states[0][1].0, "nothing was learned after the resume");
    for (i, other) in states.iter().enumerate() {
        assert!(*other == states[0], "run {i} gave other bits");
    }
}

fn instructions_that_are_not_there_are_refused() {
    let folder = Folder::new();
    folder.nifti("a.nii", &plain(), &phases(masked));
    let own: Vec<String> = sets().filter(|(_, set)| set.exist()).map(|(_, set)| set.to_string()).collect();
    // No machine has all.
    let (adapter, set) = sets().find(|(_, set)| !set.exist()).expect("one that is not there");
    let words = [&format!("it has no {set}, only {}", own.join(", ")), "try another with --adapter"];
    folder.refused(&format!("invert a.nii -o out --adapter {adapter}"), 1, &words);
    let ran = folder.run(&format!("doctor --adapter {adapter}"));
    assert!(ran.code == Some(1) && words.iter().all(|word| ran.err.contains(word)), "{}", ran.err);
    assert!(ran.out.contains("cannot be used: ") && ran.out.contains(words[0]), "{}", ran.out);
    // Instructions that nobody has are part of a name.
    folder.refused("invert a.nii -o out --adapter cpu:sse9", 1, &["adapter", "--adapter", "cpu"]);
    for bad in ["0", "-1", "many", "1.5", "99999"] {
        let words = [bad, "--threads"];
        folder.refused(&format!("invert a.nii -o out --adapter cpu --threads {bad}"), 2, &words);
    }
}

fn the_doctor_says_how_the_processor_would_compute() {
    let folder = Folder::new();
    for (adapter, set) in sets().filter(|(_, set)| set.exist()) {
        for (threads, how) in
            [("--threads 1", ", 1 thread\n"), ("--threads 3", ", 3 threads\n"), ("", " thread")]
        {
            let ran = folder.good(&format!("doctor --adapter {adapter} {threads}"));
            let own = ran.out.split("\n\n").find(|part| part.starts_with("cpu: ")).expect("the processor");
            assert!(own.contains("<- used") && own.contains(&format!("processor, {set}, ")), "{own}");
            assert!(format!("{own}\n").contains(how), "{own}");
            assert!(
                ran.out.contains("\nUsed: ") && ran.out.contains("asked for with --adapter"),
                "{}",
                ran.out
            );
        }
    }
    let ran = folder.good("doctor --adapter cpu");
    assert!(ran.out.contains(&format!("processor, {}, ", Instructions::best())), "{}", ran.out);
}

/// A slice of a simulated cylinder.
fn simulated(folder: &Folder) {
    let cylinder = "kind = \"cylinder\"\nradius_mm = 40\nheight_mm = 90\nfar_face = \"free\"\nfrequency_hz = 60\n\
        slices_mm = [25]\npixel_mm = 1.0\nsize_px = 90\n[drive]\namplitude_mm = 0.5\noffset_mm = [0, 0]\n\
        [background]\nmodulus_kpa = 2.5\ndamping = 0.2\n";
    folder.put("cylinder.toml", cylinder.as_bytes());
    folder.good("simulate cylinder.toml -o cylinder");
    let bytes = folder.bytes("cylinder/displacement.npy");
    let field: Array4<num_complex::Complex32> =
        ndarray_npy::ReadNpyExt::read_npy(&bytes[..]).expect("a field");
    folder.npy("wave.npy", &field.slice(ndarray::s![0, 2, .., ..]).t().to_owned().into_dyn());
}

fn shaders_and_native_forms_make_the_same_maps(SharedGpu(pipelines): SharedGpu) {
    let folder = Folder::new();
    simulated(&folder);
    let gpu = adapter_of(pipelines.device());
    for (adapter, out) in [(gpu.as_str(), "gpu"), ("cpu", "cpu")] {
        folder.good(&format!(
            "invert wave.npy --spacing 1 --method both --stride 10 -o {out} --adapter {adapter}"
        ));
    }
    // As near as plans are to their oracles (mmdi.rs, dime.rs).
    let names = folder.names("gpu");
    assert_eq!(folder.names("cpu"), names);
    for (map, tolerance) in [
        ("mmdi_stiffness", 1e-5),
        ("mmdi_storage", 1e-5),
        ("mmdi_loss", 1e-5),
        ("mmdi_confidence", 1e-5),
        ("dime_stiffness", 2e-5),
        ("dime_uncertainty", 1e-4),
    ] {
        let [shaders, native] = ["gpu", "cpu"].map(|out| -> Vec<f64> {
            let map = folder.map(&format!("{out}/wave_{map}.nii.gz"));
            map.values.into_iter().map(f64::from).collect()
        });
        assert!(native.iter().any(|v| *v > 0.0), "{map} of nothing");
        let error = assert_agrees(&native, &shaders, tolerance, map);
        note!("{map}: {error:.1e}");
    }
}
