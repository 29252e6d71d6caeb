//! Files as people have them: each is inverted rightly, or refused with the way on.

use crate::common::compare::{assert_below, assert_near, median};
use crate::files::map::pixels;
use crate::files::{Folder, SIZE, array, inside, masked, oblique, phase, phases, plain, wave};
use crate::harness::Adapter;
use ndarray::ArrayD;
use nifti::NiftiHeader;
use num_complex::{Complex32, Complex64};
use std::f64::consts::{PI, TAU};

tests![
    axes_in_any_order_give_the_same_maps,
    axes_that_nobody_states_are_refused_with_the_readings,
    complex_signals_give_the_wave_of_their_phase,
    phases_modulo_any_turn_give_the_maps_of_the_straight_ones,
    a_mask_elsewhere_is_refused_and_a_flipped_one_is_turned,
    masks_that_are_not_binary_and_not_finite,
    quantities_say_where_they_come_from,
    several_files_make_one_exam,
    directions_and_frequencies_are_combined,
    regions_are_measured_into_a_table,
    a_folder_is_many_exams,
    a_dicom_series_gives_the_maps_of_the_same_nifti,
    what_a_file_is_read_as_is_printed,
];

/// The stiffness of two files is the same to `most`, in the median over the mask.
fn same_stiffness(folder: &Folder, names: [&str; 2], most: f64) {
    let [a, b] = names.map(|name| folder.map(&format!("{name}_mmdi_stiffness.nii.gz")));
    let off = pixels().filter(|&(x, y)| inside(x, y)).map(|(x, y)| (b.at(x, y) / a.at(x, y) - 1.0).abs());
    assert_below(median(off), most, names[1]);
}

fn notes(folder: &Folder, report: &str) -> Vec<String> {
    let report = folder.json(report);
    let notes = report["notes"].as_array().expect("notes").clone();
    notes.iter().map(|note| note["code"].as_str().expect("a code").to_string()).collect()
}

fn warnings(folder: &Folder, report: &str) -> Vec<String> {
    let report = folder.json(report);
    let warnings = report["warnings"].as_array().expect("warnings").clone();
    warnings.iter().map(|w| w["code"].as_str().expect("a code").to_string()).collect()
}

/// A wave that differs from slice to slice.
fn sliced(x: usize, y: usize, slice: usize) -> Complex64 {
    masked(x, y) * Complex64::cis(0.9 * slice as f64 + 0.02 * (slice * y) as f64)
}

fn axes_in_any_order_give_the_same_maps(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    let value = |x: usize, y: usize, s: usize, t: usize| phase(sliced(x, y, s), t, 8) as f32;
    folder.nifti("ok.nii", &plain(), &array(&[nx, ny, 4, 8], |i| value(i[0], i[1], i[2], i[3])));
    folder.nifti("before.nii", &plain(), &array(&[nx, ny, 8, 4], |i| value(i[0], i[1], i[3], i[2])));
    folder.nifti("folded.nii", &plain(), &array(&[nx, ny, 32], |i| value(i[0], i[1], i[2] / 8, i[2] % 8)));
    folder.npy("late.npy", &array(&[8, nx, 1, ny, 4], |i| value(i[1], i[3], i[4], i[0])));
    folder.good("invert ok.nii -o done");
    for (file, axes) in [
        ("before.nii", "x,y,phase,slice"),
        ("folded.nii", "x,y,phase:8*slice"),
        ("late.npy", "phase,x,1,y,slice --spacing 1.5"),
    ] {
        folder.good(&format!("invert {file} -o done --axes {axes}"));
        let stem = file.split('.').next().expect("a stem");
        let [a, b] = ["ok", stem].map(|name| folder.map(&format!("done/{name}_mmdi_stiffness.nii.gz")));
        assert_eq!((a.dims, a.values), (b.dims, b.values), "{file}");
    }
    // A sidecar states the same.
    folder.put("before.json", br#"{"axes": "x,y,phase,slice", "frequency_hz": 50}"#);
    folder.good("invert before.nii -o sidecar");
    let report = folder.json("sidecar/before.json");
    assert_eq!((&report["frequency_hz"], &report["origins"]["frequency"]), (&50.0.into(), &"stated".into()));
}

fn axes_that_nobody_states_are_refused_with_the_readings(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    let value = |x: usize, y: usize, s: usize, t: usize| phase(sliced(x, y, s), t, 8) as f32;
    let refused = |name: &str, array: &ArrayD<f32>, words: &[&str]| {
        if name.ends_with("nii") {
            folder.nifti(name, &plain(), array);
        } else {
            folder.npy(name, array);
        }
        folder.refused(&format!("invert {name} -o done"), 1, &[&["--axes "], words].concat());
    };
    refused(
        "before.nii",
        &array(&[nx, ny, 8, 4], |i| value(i[0], i[1], i[3], i[2])),
        &["--axes x,y,phase,slice"],
    );
    refused(
        "folded.nii",
        &array(&[nx, ny, 32], |i| value(i[0], i[1], i[2] / 8, i[2] % 8)),
        &["phase:8*slice"],
    );
    refused("fast.nii", &array(&[nx, ny, 32], |i| value(i[0], i[1], i[2] % 4, i[2] / 4)), &["slice:4*phase"]);
    refused(
        "five.npy",
        &array(&[nx, ny, 8, 3, 2], |i| value(i[0], i[1], i[3], i[2])),
        &["phase,direction,frequency"],
    );
    // Slices or directions: only a header could tell.
    refused(
        "three.npy",
        &array(&[nx, ny, 3, 8], |i| value(i[0], i[1], i[2], i[3])),
        &["x,y,direction,phase"],
    );
    // Slices of one phase, and two slices of one frame.
    let apart = |x: usize, y: usize, s: usize| (masked(x, y) * Complex64::cis(0.35 * s as f64)).re as f32;
    refused("slices.nii", &array(&[nx, ny, 5], |i| apart(i[0], i[1], i[2])), &["--join phase"]);
    refused("two.nii", &array(&[nx, ny, 2], |i| apart(i[0], i[1], i[2])), &["x,y,re-im"]);
    // Half a period, and two of them.
    let turns = |turns: f64| {
        array(&[nx, ny, 8], move |i| {
            (masked(i[0], i[1]) * Complex64::cis(TAU * turns * i[2] as f64 / 8.0)).re as f32
        })
    };
    refused("half.nii", &turns(0.5), &["times the others"]);
    refused("twice.nii", &turns(2.0), &["one cycle"]);
    // A vector of three components.
    let mut vector = plain();
    vector.intent_code = 1007;
    let parts =
        array(&[nx, ny, 1, 3], |i| (masked(i[0], i[1]) * Complex64::cis(1.3 * i[3] as f64)).re as f32);
    folder.nifti("vector.nii", &vector, &parts);
    folder.refused("invert vector.nii -o done", 1, &["components of a vector"]);
    // Both ends of the period are right without the last frame.
    let ends = array(&[nx, ny, 9], |i| phase(masked(i[0], i[1]), i[2], 8) as f32);
    folder.nifti("ends.nii", &plain(), &ends);
    folder.nifti("ok.nii", &plain(), &phases(masked));
    folder.good("invert ok.nii ends.nii -o right");
    same_stiffness(&folder, ["right/ok", "right/ends"], 1e-6);
    assert_eq!(notes(&folder, "right/ends.json"), ["repeated-frame"]);
}

/// 2.2 rad of motion about an offset that runs over several turns.
fn radians(x: usize, y: usize, t: usize) -> f64 {
    0.31 * x as f64 - 0.17 * y as f64 + 2.2e-3 * phase(masked(x, y), t, 8)
}

fn complex_signals_give_the_wave_of_their_phase(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    let signal = |x: usize, y: usize, t: usize| {
        let magnitude = if inside(x, y) { 300.0 + x as f64 } else { 0.0 };
        Complex64::from_polar(magnitude, radians(x, y, t))
    };
    let narrow = |u: Complex64| Complex32::new(u.re as f32, u.im as f32);
    folder.npy("signal.npy", &array(&[nx, ny, 8], |i| narrow(signal(i[0], i[1], i[2]))));
    folder.npy(
        "parts.npy",
        &array(&[nx, ny, 8, 2], |i| {
            let u = signal(i[0], i[1], i[2]);
            [u.re, u.im][i[3]] as f32
        }),
    );
    folder.npy(
        "polar.npy",
        &array(&[nx, ny, 2, 8], |i| {
            let u = signal(i[0], i[1], i[3]);
            [u.norm(), u.arg()][i[2]] as f32
        }),
    );
    folder.npy("straight.npy", &phases(masked));
    folder.good("invert straight.npy signal.npy -o done --spacing 1.5");
    folder.good("invert parts.npy -o done --spacing 1.5 --axes x,y,phase,re-im");
    folder.good("invert polar.npy -o done --spacing 1.5 --axes x,y,mag-phase,phase");
    for name in ["signal", "parts", "polar"] {
        same_stiffness(&folder, ["done/straight", &format!("done/{name}")], 1e-3);
    }
    assert!(notes(&folder, "done/signal.json").contains(&"signal-phase".into()));
}

fn phases_modulo_any_turn_give_the_maps_of_the_straight_ones(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    let wrap = |v: f64| v - TAU * ((v + PI) / TAU).floor();
    let value = |i: &[usize]| if inside(i[0], i[1]) { radians(i[0], i[1], i[2]) } else { 0.0 };
    let shape = [nx, ny, 8];
    folder.nifti("straight.nii", &plain(), &array(&shape, |i| value(i) as f32));
    folder.good("invert straight.nii -o done");
    let mut random = fastrand::Rng::with_seed(5);
    let noise: Vec<f64> = (0..nx * ny * 8).map(|_| TAU * (random.f64() - 0.5)).collect();
    for (name, turn, low) in [
        ("rad", TAU, -PI),
        ("milli", 1e3 * TAU, -1e3 * PI),
        ("degrees", 360.0, -180.0),
        ("twelve", 4096.0, 0.0),
        ("thirteen", 8192.0, -4096.0),
        ("philips", 1000.0, -500.0),
        ("one", 2.0, -1.0),
        ("slope", 713.0, -356.5),
    ] {
        let scale = |v: f64| ((wrap(v) + PI) / TAU * turn + low) as f32;
        let outside = |i: &[usize]| (noise[i[0] + nx * (i[1] + ny * i[2])] / TAU + 0.5) * turn + low;
        // Zero outside, and noise with a sample beyond the turn.
        let clean = array(&shape, |i| if inside(i[0], i[1]) { scale(value(i)) } else { 0.0 });
        let noisy = array(&shape, |i| match i {
            [24, 20, 3] => (1.1 * turn + low) as f32,
            _ if inside(i[0], i[1]) => scale(value(i)),
            _ => outside(i) as f32,
        });
        folder.nifti(&format!("{name}.nii"), &plain(), &clean);
        folder.nifti(&format!("{name}_noise.nii"), &plain(), &noisy);
        folder.good(&format!("invert {name}.nii {name}_noise.nii -o done"));
        same_stiffness(&folder, ["done/straight", &format!("done/{name}")], 5e-3);
        same_stiffness(&folder, ["done/straight", &format!("done/{name}_noise")], 2e-2);
        assert_eq!(notes(&folder, &format!("done/{name}.json")), ["unwrapped"], "{name}");
    }
    // A turn that is stated is used, and none is none.
    folder.good("invert rad.nii -o given --turn 6.283185");
    same_stiffness(&folder, ["done/rad", "given/rad"], 1e-6);
    folder.good("invert rad.nii -o none --turn none --axes x,y,phase");
    assert!(notes(&folder, "none/rad.json").is_empty());
}

fn a_mask_elsewhere_is_refused_and_a_flipped_one_is_turned(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    let half = |x: usize, y: usize| u8::from(inside(x, y) && x < 20);
    folder.nifti("w.nii", &oblique(), &phases(wave));
    folder.nifti("same.nii", &oblique(), &array(&[nx, ny], |i| half(i[0], i[1])));
    let moved = NiftiHeader { srow_x: [-1.2, 0.54, 2.4, 151.5], ..oblique() };
    folder.nifti("moved.nii", &moved, &array(&[nx, ny], |i| half(i[0], i[1])));
    // Stored with y first and x from its end: the affine says so.
    let o = oblique();
    let column = |k: usize| [o.srow_x[k], o.srow_y[k], o.srow_z[k]];
    let row = |k: usize| {
        let [x, y, z, origin] = [0, 1, 2, 3].map(|c| column(c)[k]);
        [y, -x, z, origin + (nx - 1) as f32 * x]
    };
    let turned = NiftiHeader { srow_x: row(0), srow_y: row(1), srow_z: row(2), qform_code: 0, ..oblique() };
    folder.nifti("turned.nii", &turned, &array(&[ny, nx], |i| half(nx - 1 - i[1], i[0])));
    folder.good("invert w.nii -o same --mask same.nii");
    folder.good("invert w.nii -o turned --mask turned.nii");
    let [a, b] = ["same", "turned"].map(|out| folder.map(&format!("{out}/w_mask.nii.gz")).values);
    assert!(a == b && a.iter().sum::<f32>() > 100.0);
    assert!(notes(&folder, "turned/w.json").contains(&"mask-reordered".into()));
    folder.refused(
        "invert w.nii -o done --mask moved.nii",
        1,
        &["does not lie on the image", "151.5", "91.5"],
    );
    // The same for estimates and truths.
    for name in ["truth", "flip", "moved"] {
        std::fs::create_dir(folder.path(name)).expect("a folder");
    }
    let truth = |x: usize, y: usize| if inside(x, y) { 2.0 + 0.05 * x as f32 + 0.02 * y as f32 } else { 0.0 };
    folder.nifti("truth/a.nii", &oblique(), &array(&[nx, ny], |i| truth(i[0], i[1])));
    folder.nifti("flip/a.nii", &turned, &array(&[ny, nx], |i| truth(nx - 1 - i[1], i[0])));
    folder.nifti("moved/a.nii", &moved, &array(&[nx, ny], |i| truth(i[0], i[1])));
    folder.good("evaluate --truth truth --estimate flip -o flipped");
    let report = folder.json("flipped/evaluation.json");
    assert!(report["evaluations"][0]["pixels"]["rmse"].as_f64().expect("an error") < 1e-6, "{report}");
    folder.refused("evaluate --truth truth --estimate moved -o done", 1, &["different places"]);
    std::fs::create_dir(folder.path("pa")).expect("a folder");
    folder.nifti("pa/a.nii", &oblique(), &array(&[nx, ny], |i| 1000.0 * truth(i[0], i[1])));
    let ran = folder.good("evaluate --truth truth --estimate pa -o pascal");
    assert!(ran.err.contains("Pa are for kPa"), "{}", ran.err);
}

fn masks_that_are_not_binary_and_not_finite(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    folder.npy("w.npy", &phases(wave));
    folder.npy("soft.npy", &array(&[nx, ny], |i| if inside(i[0], i[1]) { 0.9 } else { 0.2 }));
    folder.npy(
        "labels.npy",
        &array(&[nx, ny], |i| f32::from(u8::from(inside(i[0], i[1]))) * if i[0] < 24 { 1.0 } else { 2.0 }),
    );
    folder.npy("nan.npy", &array(&[nx, ny], |i| if inside(i[0], i[1]) { 1.0 } else { f32::NAN }));
    folder.npy(
        "outside.npy",
        &array(&[nx, ny, 8], |i| {
            if inside(i[0], i[1]) { phase(wave(i[0], i[1]), i[2], 8) as f32 } else { f32::NAN }
        }),
    );
    let mask = |line: &str, out: &str, name: &str| {
        folder.good(&format!("invert {line} -o {out} --spacing 1.5"));
        folder.map(&format!("{out}/{name}_mask.nii.gz")).values
    };
    folder.refused("invert w.npy -o none --mask nan.npy", 1, &["NaN", "0 or 1"]);
    let whole = mask("outside.npy", "outside", "outside");
    assert_eq!(mask("w.npy --mask soft.npy", "soft", "w"), whole);
    assert_eq!(warnings(&folder, "soft/w.json"), ["soft-mask"]);
    assert_eq!(notes(&folder, "outside/outside.json"), ["nan-outside"]);
    assert_eq!(mask("w.npy --mask labels.npy", "labels", "w"), whole);
    assert_eq!(warnings(&folder, "labels/w.json"), ["mask-labels"]);
    let soft = mask("w.npy --mask labels.npy --label 1", "one", "w");
    assert!(pixels().all(|(x, y)| (soft[x + nx * y] > 0.0) == (inside(x, y) && x < 24)));
    folder.refused("invert w.npy -o done --mask labels.npy --label 7", 2, &["--label is 7", "1, 2"]);
}

fn quantities_say_where_they_come_from(_: Adapter) {
    let folder = Folder::new();
    folder.npy("bare.npy", &phases(masked));
    folder.npy("wave_30Hz.npy", &phases(masked));
    let ran = folder.good("invert bare.npy -o done");
    assert!(ran.out.contains("60 Hz, 1 mm, 1000 kg/m³ assumed"), "{}", ran.out);
    let ran = folder.good("invert bare.npy -o given --frequency 60 --spacing 1,1 --density 1000");
    assert!(!ran.out.contains("assumed"), "{}", ran.out);
    let ran = folder.good("invert wave_30Hz.npy -o done --spacing 1");
    assert!(!ran.out.contains("Hz") || ran.out.contains("wave_30Hz"), "{}", ran.out);
    assert_eq!(folder.json("done/wave_30Hz.json")["frequency_hz"], 30.0);
    assert_eq!(notes(&folder, "done/wave_30Hz.json"), ["frequency-by-name"]);
    // Pixels that are not square.
    folder.good("invert bare.npy -o wide --spacing 2,1");
    assert_eq!(folder.json("wide/bare.json")["spacing_mm"], serde_json::json!([2.0, 1.0]));
    assert_eq!(folder.map("wide/bare_mask.nii.gz").header.pixdim[1..3], [2.0, 1.0]);
    // A header that contradicts itself says how to state the truth.
    let contradicts = NiftiHeader { pixdim: [1.0, 1.5, 1.75, 5.0, 1.0, 1.0, 1.0, 1.0], ..plain() };
    folder.nifti("both.nii", &contradicts, &phases(masked));
    folder.refused("invert both.nii -o none", 1, &["contradicts", "--spacing X,Y"]);
    folder.good("invert both.nii -o done --spacing 1.5,1.5");
}

fn several_files_make_one_exam(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    folder.nifti(
        "ok.nii",
        &plain(),
        &array(&[nx, ny, 4, 8], |i| phase(sliced(i[0], i[1], i[2]), i[3], 8) as f32),
    );
    folder.good("invert ok.nii -o done");
    for t in 0..8 {
        let one = array(&[nx, ny, 4], |i| phase(sliced(i[0], i[1], i[2]), t, 8) as f32);
        folder.nifti(&format!("t{t}.nii"), &plain(), &one);
    }
    let list = (0..8).map(|t| format!("t{t}.nii")).collect::<Vec<_>>().join(" ");
    folder.good(&format!("invert {list} -o done --join phase"));
    let [a, b] = ["ok", "t0"].map(|name| folder.map(&format!("done/{name}_mmdi_stiffness.nii.gz")));
    assert_eq!((a.dims, a.values), (b.dims, b.values));
    for (name, part) in [("re.nii", 0), ("im.nii", 1), ("mag.nii", 2), ("arg.nii", 3)] {
        folder.nifti(
            name,
            &plain(),
            &array(&[nx, ny], |i| {
                let u = masked(i[0], i[1]);
                [u.re, u.im, u.norm(), u.arg()][part] as f32
            }),
        );
    }
    folder.nifti("straight.nii", &plain(), &phases(masked));
    folder.good("invert straight.nii -o done");
    folder.refused("invert re.nii im.nii -o none", 1, &["one frame", "--join re-im"]);
    folder.good("invert re.nii im.nii -o done --join re-im");
    folder.good("invert mag.nii arg.nii -o done --join mag-phase");
    same_stiffness(&folder, ["done/straight", "done/re"], 1e-4);
    same_stiffness(&folder, ["done/straight", "done/mag"], 1e-4);
    folder.refused("invert re.nii im.nii mag.nii -o none --join re-im", 2, &["two files"]);
    folder.refused("invert re.nii t0.nii -o none --join re-im", 1, &["does not go with the first"]);
}

fn directions_and_frequencies_are_combined(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    // Direction 1 is the wave; the others are faint. The second frequency is the same wave.
    let value = |i: &[usize]| {
        let strength = [0.01, 1.0, 0.02][i[3]];
        (strength * phase(masked(i[0], i[1]), i[2], 8)) as f32
    };
    folder.npy("all.npy", &array(&[nx, ny, 8, 3, 2], value));
    folder.npy("one.npy", &phases(masked));
    let line = "invert all.npy -o done --axes x,y,phase,direction,frequency --directions x,y,z --spacing 1.5";
    folder.refused(
        &format!("{} --frequency 60", line.replace("-o done", "-o none")),
        2,
        &["--frequency is 60 Hz", "2 frequencies"],
    );
    folder.good(&format!("{line} --frequency 60,60.1 --each"));
    folder.good("invert one.npy -o done --spacing 1.5 --frequency 60");
    same_stiffness(&folder, ["done/one", "done/all"], 5e-3);
    let report = folder.json("done/all.json");
    assert_eq!(report["directions"], serde_json::json!(["x", "y", "z"]));
    assert_eq!(report["per_frequency"].as_array().map(Vec::len), Some(2));
    assert_eq!(folder.map("done/all_wave.nii.gz").dims, [nx, ny, 1, 3, 2]);
    let [y, sixty] =
        ["direction-y", "60Hz"].map(|part| folder.map(&format!("done/all_mmdi_stiffness_{part}.nii.gz")));
    let one = folder.map("done/one_mmdi_stiffness.nii.gz");
    for (part, what) in [(y, "direction y"), (sixty, "60 Hz")] {
        let off =
            pixels().filter(|&(x, y)| inside(x, y)).map(|(x, y)| (part.at(x, y) / one.at(x, y) - 1.0).abs());
        assert_below(median(off), 5e-3, what);
    }
    // At 20 Hz the same wavelength is that of a ninth of the modulus, which the network has not seen.
    folder.good("invert one.npy -o slow --spacing 1.5 --frequency 20 --method dime --stride 15");
    assert!(warnings(&folder, "slow/one.json").contains(&"outside-training".into()));
    // DIME takes the direction through the slice, and warns of another.
    let dime = format!("{line} --frequency 60,60.1 --method dime --stride 15 --force");
    folder.good(&dime);
    assert!(!warnings(&folder, "done/all.json").contains(&"other-direction".into()));
    folder.good(&format!("{dime} --direction y"));
    assert!(warnings(&folder, "done/all.json").contains(&"other-direction".into()));
    folder.refused(
        &format!("{} --direction q", dime.replace("-o done", "-o none")),
        2,
        &["no direction 'q'", "x, y, z"],
    );
}

fn regions_are_measured_into_a_table(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    folder.npy("w.npy", &phases(masked));
    folder.npy("parts.npy", &array(&[nx, ny], |i| if i[0] < 20 { 1u8 } else { 2 * u8::from(i[0] > 26) }));
    folder.good("invert w.npy -o done --spacing 1.5 --regions parts.npy --erode 2");
    let table = String::from_utf8(folder.bytes("done/w_regions.csv")).expect("text");
    let map = folder.map("done/w_mmdi_stiffness.nii.gz");
    let row = |label: &str| -> Vec<String> {
        let line =
            table.lines().find(|l| l.starts_with(&format!("{label},all,mmdi_stiffness,kPa"))).expect("a row");
        line.split(',').map(String::from).collect()
    };
    // The soft part is below x 20; its rim of two pixels is left out.
    let eroded = |x: usize, y: usize| inside(x, y) && (0..=2).all(|d| x + d < 20 && x >= d);
    let soft: Vec<f64> = pixels().filter(|&(x, y)| eroded(x, y)).map(|(x, y)| map.at(x, y)).collect();
    let told = row("1");
    let [n, mean]: [f64; 2] = [told[4].parse().expect("a number"), told[6].parse().expect("a number")];
    assert_eq!(n, soft.len() as f64);
    assert_near(mean, soft.iter().sum::<f64>() / n, 1e-5, "the mean of the soft part");
    assert!(row("2")[6].parse::<f64>().expect("a number") > 2.0 * mean);
    folder.refused("invert w.npy -o none --regions parts.npy --erode 40", 1, &["--erode"]);
}

fn a_folder_is_many_exams(_: Adapter) {
    let folder = Folder::new();
    for name in ["data", "data/sub-01", "data/sub-02", "data/sub-03"] {
        std::fs::create_dir(folder.path(name)).expect("a folder");
    }
    folder.nifti("data/sub-01/wave.nii", &plain(), &phases(masked));
    folder.nifti("data/sub-02/wave.nii", &plain(), &phases(|_, _| Complex64::ZERO));
    folder.nifti("data/sub-03/wave.nii", &plain(), &phases(masked));
    let failed = |line: &str| {
        let ran = folder.run(line);
        assert!(
            ran.code == Some(1) && ran.err.contains("sub-02") && ran.err.contains("nothing but zeros"),
            "{}",
            ran.err
        );
    };
    failed("invert data -o done");
    let table = |name: &str| String::from_utf8(folder.bytes(name)).expect("text");
    let rows = |text: &str| {
        text.lines().skip(1).map(|l| l.split(',').next().expect("a name").to_string()).collect::<Vec<_>>()
    };
    let all = table("done/exams.csv");
    assert_eq!(rows(&all), ["sub-01_wave", "sub-02_wave", "sub-03_wave"]);
    assert!(all.lines().nth(2).expect("a row").contains("nothing but zeros"), "{all}");
    // Resumed, what is done is not done again; a share of three is every third.
    let before =
        std::fs::metadata(folder.path("done/sub-01_wave.json")).and_then(|m| m.modified()).expect("a time");
    failed("invert data -o done --resume");
    let after =
        std::fs::metadata(folder.path("done/sub-01_wave.json")).and_then(|m| m.modified()).expect("a time");
    assert_eq!((before, table("done/exams.csv")), (after, all));
    folder.good("invert data -o shard --shard 3/3");
    assert!(folder.names("shard").iter().any(|name| name.starts_with("sub-03_wave")));
    assert!(!folder.names("shard").iter().any(|name| name.starts_with("sub-01")));
}

/// A single-frame MR image with explicit VR, as a scanner's research sequence writes it.
fn dicom(pixels: &[u16], slice: usize, number: usize, comment: &str) -> Vec<u8> {
    let mut set: Vec<(u16, u16, &[u8; 2], Vec<u8>)> = Vec::new();
    let mut add = |group: u16, element: u16, vr: &'static [u8; 2], mut value: Vec<u8>| {
        if !value.len().is_multiple_of(2) {
            value.push(if vr == b"UI" { 0 } else { b' ' });
        }
        set.push((group, element, vr, value));
    };
    let text = |value: &str| value.as_bytes().to_vec();
    let short = |value: u16| value.to_le_bytes().to_vec();
    let uid = format!("1.2.826.0.1.3680043.2.1125.1.{number}");
    let [nx, ny] = SIZE.axes().map(|n| n as u16);
    add(0x0008, 0x0008, b"CS", text("ORIGINAL\\PRIMARY\\P\\ND"));
    add(0x0008, 0x0016, b"UI", text("1.2.840.10008.5.1.4.1.1.4"));
    add(0x0008, 0x0018, b"UI", text(&uid));
    add(0x0008, 0x0060, b"CS", text("MR"));
    add(0x0008, 0x103e, b"LO", text("mre"));
    add(0x0010, 0x0010, b"PN", text("Somebody^Secret"));
    add(0x0010, 0x0020, b"LO", text("PATIENT77"));
    add(0x0020, 0x000d, b"UI", text("1.2.826.0.1.3680043.2.1125.2"));
    add(0x0020, 0x000e, b"UI", text("1.2.826.0.1.3680043.2.1125.3"));
    add(0x0020, 0x0011, b"IS", text("46"));
    add(0x0020, 0x0013, b"IS", text(&number.to_string()));
    add(0x0020, 0x0032, b"DS", text(&format!("-30\\-25\\{}", 10 + 5 * slice)));
    add(0x0020, 0x0037, b"DS", text("1\\0\\0\\0\\1\\0"));
    add(0x0020, 0x0052, b"UI", text("1.2.826.0.1.3680043.2.1125.4"));
    add(0x0020, 0x4000, b"LT", text(comment));
    add(0x0028, 0x0002, b"US", short(1));
    add(0x0028, 0x0004, b"CS", text("MONOCHROME2"));
    add(0x0028, 0x0010, b"US", short(ny));
    add(0x0028, 0x0011, b"US", short(nx));
    add(0x0028, 0x0030, b"DS", text("1.5\\1.5"));
    for (element, value) in [(0x0100, 16), (0x0101, 16), (0x0102, 15), (0x0103, 0)] {
        add(0x0028, element, b"US", short(value));
    }
    add(0x0028, 0x1052, b"DS", text("-4000"));
    add(0x0028, 0x1053, b"DS", text("0.5"));
    add(0x7fe0, 0x0010, b"OW", pixels.iter().flat_map(|v| v.to_le_bytes()).collect());
    let encode = |set: &[(u16, u16, &[u8; 2], Vec<u8>)]| {
        let mut out = Vec::new();
        for (group, element, vr, value) in set {
            out.extend([group.to_le_bytes(), element.to_le_bytes()].concat());
            out.extend(*vr);
            if *vr == b"OW" {
                out.extend([0; 2]);
                out.extend((value.len() as u32).to_le_bytes());
            } else {
                out.extend((value.len() as u16).to_le_bytes());
            }
            out.extend(value);
        }
        out
    };
    let padded = |value: &str| {
        let mut value = text(value);
        if !value.len().is_multiple_of(2) {
            value.push(0);
        }
        value
    };
    let meta = encode(&[
        (0x0002, 0x0002, b"UI", padded("1.2.840.10008.5.1.4.1.1.4")),
        (0x0002, 0x0003, b"UI", padded(&uid)),
        (0x0002, 0x0010, b"UI", padded("1.2.840.10008.1.2.1")),
    ]);
    let length = encode(&[(0x0002, 0x0000, b"UL", (meta.len() as u32).to_le_bytes().to_vec())]);
    [vec![0; 128], b"DICM".to_vec(), length, meta, encode(&set)].concat()
}

fn a_dicom_series_gives_the_maps_of_the_same_nifti(_: Adapter) {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    std::fs::create_dir(folder.path("exam")).expect("a folder");
    let stored = |x: usize, y: usize, s: usize, t: usize, d: usize| {
        let strength = [0.3, 0.5, 1.0][d];
        let value = strength * phase(sliced(x, y, s) * Complex64::cis(d as f64), t, 8);
        if inside(x, y) { (2.0 * (value + 4000.0)).round() as u16 } else { 8000 }
    };
    for number in 0..48 {
        let (s, d, t) = (number % 2, number / 2 % 3, number / 6);
        let image: Vec<u16> = (0..nx * ny).map(|i| stored(i % nx, i / nx, s, t, d)).collect();
        let comment = format!("f0 d{d} az90 po0 t{t} VP20000");
        folder.put(&format!("exam/{number:03}"), &dicom(&image, s, number + 1, &comment));
    }
    let value = |i: &[usize]| (0.5 * f64::from(stored(i[0], i[1], i[2], i[3], i[4])) - 4000.0) as f32;
    let header = NiftiHeader {
        pixdim: [1.0, 1.5, 1.5, 5.0, 1.0, 1.0, 1.0, 1.0],
        srow_x: [-1.5, 0.0, 0.0, 30.0],
        srow_y: [0.0, -1.5, 0.0, 25.0],
        srow_z: [0.0, 0.0, 5.0, 10.0],
        ..plain()
    };
    folder.nifti("same.nii", &header, &array(&[nx, ny, 2, 8, 3], value));
    let ran = folder.good("invert exam -o done --dicom");
    folder.good("invert same.nii -o done --axes x,y,slice,phase,direction --frequency 50");
    let report = folder.json("done/series_46.json");
    assert_eq!((&report["frequency_hz"], &report["origins"]["frequency"]), (&50.0.into(), &"stated".into()));
    for map in ["mmdi_stiffness", "mmdi_loss", "mask"] {
        let [a, b] = ["series_46", "same"].map(|name| folder.map(&format!("done/{name}_{map}.nii.gz")));
        assert_eq!(a.values, b.values, "{map}");
        assert_eq!(
            (a.header.srow_x, a.header.srow_y, a.header.srow_z),
            (header.srow_x, header.srow_y, header.srow_z)
        );
    }
    // What goes back to the scanner's archive is in its study; nothing else knows the patient.
    let names = folder.names("done");
    let derived: Vec<&String> = names.iter().filter(|name| name.ends_with(".dcm")).collect();
    assert_eq!(derived.len(), 6, "{names:?}");
    for name in &names {
        let bytes = folder.bytes(&format!("done/{name}"));
        let known = bytes.windows(9).any(|part| part == b"PATIENT77");
        assert_eq!(known, name.ends_with(".dcm"), "{name}");
    }
    assert!(!format!("{}{}", ran.out, ran.err).contains("Secret"));
    // Read back, the derived series has the map to half a step of 16 bits.
    let back = palpate::lowlevel::io::dicom::list(&folder.path("done")).expect("the derived series");
    assert!(back.iter().any(|series| series.number == 4601 && series.images == 2), "{back:?}");
}

fn what_a_file_is_read_as_is_printed(_: Adapter) {
    let folder = Folder::new();
    folder.nifti("liver.nii", &plain(), &phases(masked));
    let ran = folder.good("info liver.nii");
    for word in [
        "x,y,phase (shown by the data)",
        "8 phases",
        "48 × 40 px, 1 slice",
        "60 Hz (assumed)",
        "1.5 × 1.5 mm (stated",
        "x to R",
    ] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    folder.refused("info missing.nii", 1, &["no such file"]);
    folder.refused("invert liver.nii -o none --dicom", 2, &["no folder of DICOM", "leave out --dicom"]);
}
