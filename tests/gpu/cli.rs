//! What good calls of the program give: which files, what is in them and where, and what is said.

use crate::common::compare::{assert_differ, median};
use crate::files;
use crate::files::map::{MAPS, is_a_picture, lies_as, pixels, statistics_are_those_of_the_maps};
use crate::files::{
    Folder, Map, SIZE, WAVELENGTHS, array, inside, masked, oblique, phase, phases, plain, wave,
};
use crate::harness::SharedGpu;
use num_complex::{Complex32, Complex64};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

tests![
    every_format_gives_every_map_where_the_input_lies,
    each_doubt_is_told_by_its_code,
    a_slice_of_a_stack_is_the_slice_alone,
    options_do_what_they_say,
    the_doctor_says_what_would_be_used,
    shaders_are_listed_and_written,
    every_command_explains_itself_with_an_example,
    a_reader_that_goes_away_is_no_error,
    a_reader_that_goes_away_loses_no_maps,
];

fn codes(report: &Value) -> Vec<&str> {
    let warnings = report["warnings"].as_array().expect("warnings");
    warnings.iter().map(|w| w["code"].as_str().expect("a code")).collect()
}

/// An input, the axes of its maps, and the warnings due.
struct Case {
    file: &'static str,
    dims: &'static [usize],
    warnings: &'static [&'static str],
}

/// The same wave in every format and layout.
fn inputs(folder: &Folder) -> Vec<Case> {
    let [nx, ny] = SIZE.axes();
    folder.nifti("plain.nii", &plain(), &phases(masked));
    // Twice the value, of which the header's slope takes half.
    let integers = array(&[nx, ny, 8], |i| (2.0 * phase(masked(i[0], i[1]), i[2], 8)).round() as i16);
    folder.nifti("scaled.nii", &oblique(), &integers);
    let mut scaled = folder.bytes("scaled.nii");
    scaled[112..116].copy_from_slice(&0.5f32.to_le_bytes());
    folder.put("scaled.nii", &scaled);
    folder.nifti("oblique.nii.gz", &oblique(), &phases(masked));
    let (re, im): (Vec<_>, Vec<_>) = pixels().map(|(x, y)| masked(x, y)).map(|u| (u.re, u.im)).unzip();
    folder.put("matlab.mat", &files::matlab(&[nx, ny], &re, Some(&im)));
    folder.put("pair.mat", &files::matlab(&[nx, ny, 2], &[re, im].concat(), None));
    let complex = |i: &[usize]| {
        let u = masked(i[0], i[1]);
        Complex32::new(u.re as f32, u.im as f32)
    };
    folder.npy("complex.npy", &array(&[nx, ny], complex));
    let channel = |i: &[usize]| [masked(i[0], i[1]).re, masked(i[0], i[1]).im][i[2]];
    folder.npy("channels.npy", &array(&[nx, ny, 2], channel));
    folder.npy("stack.npy", &array(&[nx, ny, 1, 8], |i| phase(masked(i[0], i[1]), i[3], 8) as f32));
    vec![
        Case { file: "plain.nii", dims: &[48, 40], warnings: &[] },
        Case { file: "scaled.nii", dims: &[48, 40], warnings: &[] },
        Case { file: "oblique.nii.gz", dims: &[48, 40], warnings: &[] },
        Case { file: "matlab.mat", dims: &[48, 40], warnings: &["assumed-spacing"] },
        Case { file: "pair.mat", dims: &[48, 40], warnings: &["assumed-spacing", "lost-zero"] },
        Case { file: "complex.npy", dims: &[48, 40], warnings: &["assumed-spacing"] },
        Case { file: "stack.npy", dims: &[48, 40, 1], warnings: &["assumed-spacing"] },
        Case { file: "channels.npy", dims: &[48, 40], warnings: &["assumed-spacing", "lost-zero"] },
    ]
}

fn every_format_gives_every_map_where_the_input_lies() {
    let folder = Folder::new();
    let cases = inputs(&folder);
    let list = cases.iter().map(|c| c.file).collect::<Vec<_>>().join(" ");
    let ran = folder.good(&format!("invert {list} -o new/out"));
    assert_eq!(ran.out.lines().count(), cases.len(), "{}", ran.out);

    let mut expected = Vec::new();
    for case in &cases {
        let stem = case.file.split('.').next().expect("a stem");
        let line = ran.out.lines().find(|line| line.starts_with(case.file)).expect("a line");
        assert!(line.contains("|µ*|") && line.contains("kPa") && line.contains("new/out"), "{line}");
        let report = folder.json(&format!("new/out/{stem}.json"));
        assert_eq!(codes(&report), case.warnings, "{}", case.file);
        // Each warning is told once, however many inputs it is about.
        for warning in report["warnings"].as_array().expect("warnings") {
            let text = warning["message"].as_str().expect("a message");
            assert_eq!(ran.err.matches(text).count(), 1, "{}", ran.err);
        }

        let maps = MAPS.map(|(name, bits)| {
            let name = format!("new/out/{stem}_{name}.nii.gz");
            let map = folder.map(&name);
            assert_eq!((&map.dims[..], map.header.bitpix), (case.dims, bits), "{name}");
            assert_eq!((map.header.scl_slope, map.header.scl_inter), (1.0, 0.0), "{name}");
            assert!(map.values.iter().all(|v| v.is_finite()), "{name}");
            let header = match case.file {
                "plain.nii" => Some(plain()),
                "scaled.nii" | "oblique.nii.gz" => Some(oblique()),
                _ => None,
            };
            match header {
                Some(header) => lies_as(&map, &header),
                None => assert_eq!(map.header.pixdim[1..3], [1.0, 1.0], "{name}"),
            }
            map
        });
        lies_where_the_input_lay(case, &maps);
        statistics_are_those_of_the_maps(&report, &maps);
        expected.extend(MAPS.map(|(name, _)| format!("{stem}_{name}.nii.gz")));
        expected.extend([format!("{stem}.json"), format!("{stem}.png")]);
        is_a_picture(&folder.bytes(&format!("new/out/{stem}.png")));
    }
    expected.sort();
    assert_eq!(folder.names("new/out"), expected);

    // The same again: every byte.
    folder.good(&format!("invert {list} -o again"));
    for name in expected {
        let [first, second] = ["new/out", "again"].map(|out| folder.bytes(&format!("{out}/{name}")));
        assert!(first == second, "{name} differs");
    }
}

/// Each pixel's value stands where the pixel stood. The wave itself tells: its amplitude differs from pixel to
/// pixel, and what was known of its zero came through.
fn lies_where_the_input_lay(case: &Case, maps: &[Map; 9]) {
    let [amplitude, mask, .., stiffness, _, _, found] = maps;
    let name = case.file;
    let lost = case.warnings.contains(&"lost-zero");
    let n = pixels().filter(|&(x, y)| inside(x, y)).count() as f64;
    let mean =
        if lost { pixels().map(|(x, y)| masked(x, y)).sum::<Complex64>() / n } else { Complex64::ZERO };
    for (x, y) in pixels() {
        assert_eq!(mask.at(x, y), f64::from(inside(x, y)), "{name}: mask at {x}, {y}");
        if !inside(x, y) {
            let all = maps.iter().filter(|map| map.header.bitpix == 32).all(|map| map.at(x, y) == 0.0);
            assert!(all && found.complex_at(x, y) == Complex64::ZERO, "{name}: not 0 outside, at {x}, {y}");
            continue;
        }
        let expected = wave(x, y) - mean;
        let off = (found.complex_at(x, y) - expected).norm();
        // Integers are exact to half a step of 0.5, in each of 8 phases.
        assert!(off < 0.6, "{name}: wave at {x}, {y} is {}, not {expected}", found.complex_at(x, y));
        assert!((amplitude.at(x, y) - expected.norm()).abs() < 0.6, "{name}: amplitude at {x}, {y}");
    }
    // A wave of λ px has a modulus of ρ (f λ h)², in kPa.
    let spacing = if case.warnings.contains(&"assumed-spacing") { 1e-3 } else { 1.5e-3 };
    let halves = [4..SIZE.nx / 2 - 4, SIZE.nx / 2 + 4..SIZE.nx - 4];
    for (half, wavelength) in halves.into_iter().zip(WAVELENGTHS) {
        let values = half.flat_map(|x| (14..SIZE.ny - 4).map(move |y| (x, y)));
        let got = median(values.map(|(x, y)| stiffness.at(x, y)));
        let truth = (60.0 * wavelength * spacing).powi(2);
        let tolerance = if lost { 0.3 } else { 0.15 };
        assert!((got / truth - 1.0).abs() < tolerance, "{name}: {got} kPa where it is {truth}");
    }
}

fn each_doubt_is_told_by_its_code() {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    let identity = nifti::NiftiHeader {
        srow_x: [1.0, 0.0, 0.0, 0.0],
        srow_y: [0.0, 1.0, 0.0, 0.0],
        srow_z: [0.0, 0.0, 1.0, 0.0],
        ..plain()
    };
    let identity = nifti::NiftiHeader { pixdim: [1.0; 8], ..identity };
    folder.nifti("identity.nii", &identity, &phases(masked));
    folder.nifti("clipped.nii", &plain(), &phases(masked).mapv(|v| v.clamp(-900.0, 900.0)));
    folder.nifti("border.nii", &plain(), &phases(wave));
    let long =
        |x: usize, y: usize| if inside(x, y) { Complex64::cis(-0.06 * x as f64) } else { Complex64::ZERO };
    folder.nifti("long.nii", &plain(), &phases(long));
    let damped = |x: usize, y: usize| masked(x, y) * (-0.03 * x as f64).exp();
    folder.nifti("damped.nii", &plain(), &phases(damped));
    folder.nifti("conjugated.nii", &plain(), &phases(|x, y| damped(x, y).conj()));
    let second = array(&[nx, ny, 8], |i| {
        phase(masked(i[0], i[1]), 2 * i[2], 8) + 0.3 * phase(masked(i[0], i[1]), i[2], 8)
    });
    // Phases that do not run over one period are refused, unless the axis is stated.
    folder.nifti("second.nii", &plain(), &second);
    folder.refused("invert second.nii -o refused", 1, &["second.nii", "one cycle", "--axes x,y,phase"]);
    let gap = array(&[nx, ny, 3, 4], |i| if i[2] == 1 { 0.0 } else { phase(masked(i[0], i[1]), i[3], 4) });
    folder.nifti("gap.nii", &plain(), &gap);
    let expected: [(&str, &[&str]); 7] = [
        ("identity.nii", &["identity-affine", "assumed-spacing"]),
        ("clipped.nii", &["clipped-phase"]),
        ("border.nii", &["mask-touches-border"]),
        ("long.nii", &["below-wavelength"]),
        ("damped.nii", &[]),
        ("conjugated.nii", &["conjugated"]),
        ("gap.nii", &["empty-slice"]),
    ];
    folder.good("invert second.nii -o stated --axes x,y,phase");
    assert_eq!(codes(&folder.json("stated/second.json")), ["no-period", "off-frequency"]);
    let list = expected.map(|(file, _)| file).join(" ");
    let ran = folder.good(&format!("invert {list} -o out --json"));
    // Nothing but JSON, and the same as in the files.
    let reports: Vec<Value> = serde_json::from_str(&ran.out).expect("JSON alone on standard output");
    assert_eq!(reports.len(), expected.len());
    for (report, (file, warnings)) in reports.iter().zip(expected) {
        assert_eq!(report["input"], file);
        assert_eq!(codes(report), warnings, "{file}");
        assert_eq!(*report, folder.json(&format!("out/{}", file.replace("nii", "json"))), "{file}");
        assert!(
            report["warnings"]
                .as_array()
                .expect("warnings")
                .iter()
                .all(|w| { w["message"].as_str().is_some_and(|text| text.len() > 30) })
        );
    }
    // A slice that holds nothing has no statistics, and zeros for a map.
    let gap = folder.map("out/gap_mmdi_stiffness.nii.gz");
    assert_eq!(gap.dims, [nx, ny, 3]);
    assert!(gap.values[nx * ny..2 * nx * ny].iter().all(|&v| v == 0.0));
    let slices = reports[6]["per_slice"].as_array().expect("slices");
    assert_eq!(slices.iter().map(|s| s["mask"].is_null()).collect::<Vec<_>>(), [false, true, false]);
}

fn a_slice_of_a_stack_is_the_slice_alone() {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    // Slices that differ, of which the second has pixels of its own outside.
    let u = |x: usize, y: usize, slice: usize| match slice {
        0 => masked(x, y),
        1 if x > 30 => Complex64::ZERO,
        _ => masked(x, y) * Complex64::cis(-0.2 * (slice * y) as f64),
    };
    folder.nifti(
        "all.nii",
        &oblique(),
        &array(&[nx, ny, 3, 8], |i| phase(u(i[0], i[1], i[2]), i[3], 8) as f32),
    );
    for slice in 0..3 {
        folder.nifti(&format!("only{slice}.nii"), &oblique(), &phases(|x, y| u(x, y, slice)));
    }
    folder.good("invert all.nii only0.nii only1.nii only2.nii -o out");
    for (name, bits) in MAPS {
        let all = folder.map(&format!("out/all_{name}.nii.gz"));
        assert_eq!(all.dims, [nx, ny, 3]);
        lies_as(&all, &oblique());
        for (slice, values) in all.values.chunks(nx * ny * bits as usize / 32).enumerate() {
            let alone = folder.map(&format!("out/only{slice}_{name}.nii.gz"));
            let same = values.iter().zip(&alone.values).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same && values.len() == alone.values.len(), "{name}, slice {slice}");
        }
    }
    let report = folder.json("out/all.json");
    assert_eq!((&report["slices"], report["per_slice"].as_array().map(Vec::len)), (&3.into(), Some(3)));
    for slice in 0..3 {
        let alone = folder.json(&format!("out/only{slice}.json"));
        let part = &report["per_slice"][slice];
        assert_eq!(part["slice"], slice);
        for region in ["mask", "confident"] {
            assert_eq!(part[region], alone["regions"][region], "slice {slice}");
        }
    }
}

fn options_do_what_they_say() {
    let folder = Folder::new();
    folder.nifti("a.nii", &plain(), &phases(masked));
    folder.nifti("whole.nii", &plain(), &phases(wave));
    folder.nifti("mask.nii", &plain(), &array(&SIZE.axes(), |i| u8::from(inside(i[0], i[1])) * 7));
    let report = |out: &str| folder.json(&format!("{out}/a.json"));
    let map = |out: &str| folder.map(&format!("{out}/a_mmdi_stiffness.nii.gz"));
    folder.good("invert a.nii -o plain");
    folder.good(
        "invert a.nii -o same --spacing 1.5 --frequency 60 --density 1000 --layout phases --zero known",
    );
    assert!(map("plain").values == map("same").values);
    // The reports differ in how each is known alone.
    let known = |out: &str| {
        let mut report = report(out);
        let keys = ["origins", "axes_known"].map(|key| report[key].take());
        (report, keys)
    };
    let [(plain, assumed), (same, given)] = ["plain", "same"].map(known);
    assert_eq!(plain, same);
    let origins = |spacing: &str, other: &str| serde_json::json!({ "frequency": other, "spacing": spacing, "density": other });
    assert_eq!(assumed, [origins("stated", "assumed"), "shown".into()]);
    assert_eq!(given, [origins("given", "given"), "stated".into()]);

    // Stiffness grows with the square of the frequency and with the density.
    folder.good("invert a.nii -o faster --frequency 120 --density 1100");
    let (first, faster) = (map("plain"), map("faster"));
    for (a, b) in first.values.iter().zip(&faster.values) {
        assert!((b - 4.4 * a).abs() <= 1e-5 * b, "{b} of {a} kPa");
    }
    assert_eq!(report("faster")["frequency_hz"], 120.0);
    let text = String::from_utf8_lossy(&faster.header.descrip);
    assert!(["|mu*|, kPa", "120 Hz", "1100 kg/m3"].iter().all(|what| text.contains(what)), "{text}");

    // And with the square of the spacing, but for the band pass, which knows of millimetres.
    folder.good("invert a.nii -o finer --spacing 0.75");
    let finer = map("finer");
    let ratios =
        || finer.values.iter().zip(&first.values).filter(|(_, a)| **a > 0.0).map(|(b, a)| f64::from(b / a));
    assert!((median(ratios()) / 0.25 - 1.0).abs() < 0.02, "{}", median(ratios()));
    assert!(ratios().all(|ratio: f64| (ratio / 0.25 - 1.0).abs() < 0.2));
    assert_eq!(finer.header.pixdim[1..4], [0.75, 0.75, 5.0]);
    assert_eq!((finer.header.srow_x[0], finer.header.srow_y[1], finer.header.srow_z[2]), (0.75, 0.75, 5.0));
    assert_eq!(report("finer")["spacing_mm"], serde_json::json!([0.75, 0.75]));

    // A mask in a file does what zeros in the image do.
    folder.good("invert whole.nii -o out --mask mask.nii");
    assert!(folder.map("out/whole_mmdi_stiffness.nii.gz").values == first.values);
    assert!(folder.map("out/whole_mask.nii.gz").values.iter().sum::<f32>() > 1000.0);

    folder.good("invert a.nii -o clinical --mmdi clinical");
    assert_eq!(report("clinical")["mode"], "clinical");
    assert_differ(&map("clinical").values, &first.values, "another mode");

    // Over what is there only with --force, and then wholly.
    folder.put("plain/a.png", b"old");
    folder.put("plain/other.txt", b"kept");
    folder.good("invert a.nii -o plain --force --mmdi clinical");
    assert!(map("plain").values == map("clinical").values);
    is_a_picture(&folder.bytes("plain/a.png"));
    assert_eq!(folder.names("plain").len(), 12, "{:?}", folder.names("plain"));
}

fn the_doctor_says_what_would_be_used(SharedGpu(pipelines): SharedGpu) {
    let name = &pipelines.device().caps().info.name;
    let folder = Folder::new();
    let ran = folder.good("doctor");
    assert!(ran.out.contains(name.as_str()) && ran.out.contains("Used: "), "{}", ran.out);
    let findings: Value = serde_json::from_str(&folder.good("doctor --json").out).expect("JSON alone");
    let adapters = findings["adapters"].as_array().expect("adapters");
    let used = findings["used"].as_u64().expect("one is used") as usize;
    assert!(adapters[used]["max_buffer_mib"].as_u64() > Some(0) && adapters[used]["problem"].is_null());
    assert!(adapters.iter().any(|adapter| adapter["name"] == name.as_str()));
    // The last that has a number. The processor stands behind it.
    let last = adapters.len() - 2;
    let chosen: Value =
        serde_json::from_str(&folder.run(&format!("doctor --json --adapter {last}")).out).expect("JSON");
    assert_eq!(chosen["used"], last);
    assert!(chosen["why"].as_str().is_some_and(|why| why.contains("--adapter")));
}

fn shaders_are_listed_and_written() {
    let folder = Folder::new();
    let list = folder.good("shaders list").out;
    let kernels = list.lines().count() - 1;
    assert!(kernels > 10 && list.lines().all(|line| line.split_whitespace().count() >= 4), "{list}");
    let other = |line: &&str| line.contains("int64") || line.contains("f16");
    let wide = list.lines().filter(other).count();
    let units = list.lines().filter(|line| line.contains("IMITATED=0")).count();
    let said = folder.good("shaders emit -o all").err;
    assert!(wide > 0 && said.starts_with(&format!("{} files are left out", wide + units)), "{said}");
    let names = folder.names("all");
    for extension in ["wgsl", "spv", "metal", "hlsl", "comp"] {
        let found = names.iter().filter(|name| name.ends_with(&format!(".{extension}")));
        let expected = match extension {
            "comp" => kernels - wide,
            "hlsl" => kernels - units,
            _ => kernels,
        };
        assert_eq!(found.count(), expected, "{extension}: {names:?}");
    }
    assert_eq!(names.len(), 5 * kernels - wide - units);
    for name in &names {
        let bytes = folder.bytes(&format!("all/{name}"));
        match name.ends_with(".spv") {
            true => assert!(
                bytes.starts_with(&[0x03, 0x02, 0x23, 0x07]) && bytes.len().is_multiple_of(4),
                "{name}"
            ),
            false => assert!(std::str::from_utf8(&bytes).is_ok_and(|text| text.len() > 100), "{name}"),
        }
    }
    folder.good("shaders emit --language msl,wgsl --language msl -o two");
    assert_eq!(folder.names("two").len(), 2 * kernels);

    let victim = format!("all/{}", names[0]);
    folder.put(&victim, b"mine");
    let ran = folder.run("shaders emit -o all");
    assert!(ran.code == Some(2) && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(folder.bytes(&victim), b"mine");
    folder.good("shaders emit -o all --force");
    assert_ne!(folder.bytes(&victim), b"mine");
    assert_eq!(folder.names("all"), names);
}

fn every_command_explains_itself_with_an_example() {
    let folder = Folder::new();
    let help = folder.good("--help").out;
    assert!(help.contains("not a medical device"), "{help}");
    let commands =
        help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("commands");
    let names =
        commands.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let names: Vec<_> = names.collect();
    assert!(["invert", "doctor", "shaders"].iter().all(|name| names.contains(name)), "{names:?}");
    for name in names {
        let help = folder.good(&format!("{name} --help")).out;
        assert!(help.contains(&format!("Example: palpate {name}")), "{help}");
        assert_eq!(folder.good(&format!("help {name}")).out, help);
    }
    let version = folder.good("--version").out;
    assert_eq!(version.trim(), format!("palpate {}", env!("CARGO_PKG_VERSION")));
}

fn start(folder: &Folder, line: &str) -> Child {
    folder.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs")
}

/// Exit code and standard error of a program that was started.
fn end(mut child: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut said).expect("UTF-8");
    (child.wait().expect("ends").code(), said)
}

/// `palpate … | head -1`.
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    for line in ["shaders list", "--help"] {
        let mut child = start(&folder, line);
        drop(child.stdout.take());
        assert_eq!(end(child), (Some(0), String::new()), "{line}");
    }
}

fn a_reader_that_goes_away_loses_no_maps() {
    let folder = Folder::new();
    let names: Vec<_> = (0..3).map(|i| format!("{i}.nii")).collect();
    names.iter().for_each(|name| folder.nifti(name, &plain(), &phases(masked)));
    let mut child = start(&folder, &format!("invert {} -o out", names.join(" ")));
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut first).expect("a line");
    assert!(first.starts_with("0.nii: |µ*|"), "{first}");
    assert_eq!(end(child), (Some(0), String::new()));
    assert_eq!(folder.names("out").len(), 3 * 11);

    // `palpate … 2>&1 | head -1`: warnings have nowhere to go, and the maps are written all the same.
    let clipped = phases(masked).mapv(|v| v.clamp(-900.0, 900.0));
    names.iter().for_each(|name| folder.nifti(name, &plain(), &clipped));
    let mut child = start(&folder, &format!("invert {} -o told", names.join(" ")));
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().expect("ends").code(), Some(0));
    assert_eq!(folder.names("told").len(), 3 * 11);
}
