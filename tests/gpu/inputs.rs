//! Files as people have them: each is inverted rightly, or refused with the way on.

use crate::files::map::pixels;
use crate::files::{Folder, SIZE, array, inside, masked, oblique, phase, phases, plain, wave};
use crate::told::{notes, same_stiffness, sliced, warnings};
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
    what_a_file_is_read_as_is_printed,
];

fn axes_in_any_order_give_the_same_maps() {
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

fn axes_that_nobody_states_are_refused_with_the_readings() {
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

fn complex_signals_give_the_wave_of_their_phase() {
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

fn phases_modulo_any_turn_give_the_maps_of_the_straight_ones() {
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

fn a_mask_elsewhere_is_refused_and_a_flipped_one_is_turned() {
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

fn masks_that_are_not_binary_and_not_finite() {
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

fn quantities_say_where_they_come_from() {
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

fn what_a_file_is_read_as_is_printed() {
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
