//! Exams of several files, directions and frequencies; folders of exams; DICOM series.

use crate::common::compare::{assert_below, assert_near, median};
use crate::dicom::dicom;
use crate::files::map::pixels;
use crate::files::{Folder, SIZE, array, inside, masked, phase, phases, plain};
use crate::told::{same_stiffness, sliced, warnings};
use nifti::NiftiHeader;
use num_complex::Complex64;

tests![
    several_files_make_one_exam,
    directions_and_frequencies_are_combined,
    regions_are_measured_into_a_table,
    a_folder_is_many_exams,
    a_dicom_series_gives_the_maps_of_the_same_nifti,
];

fn several_files_make_one_exam() {
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

fn directions_and_frequencies_are_combined() {
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
    // Real and imaginary parts of several directions: the mean of each is lost, and subtracted.
    let parts = |i: &[usize]| {
        let u = [0.02, 1.0][i[2]] * masked(i[0], i[1]);
        if inside(i[0], i[1]) { [u.re + 300.0, u.im - 200.0][i[3]] as f32 } else { 0.0 }
    };
    folder.npy("parts.npy", &array(&[nx, ny, 2, 2], parts));
    let alone = |i: &[usize]| if inside(i[0], i[1]) { parts(&[i[0], i[1], 1, i[2]]) } else { 0.0 };
    folder.npy("alone.npy", &array(&[nx, ny, 2], alone));
    folder.good("invert parts.npy -o done --spacing 1.5 --axes x,y,direction,re-im --each");
    folder.good("invert alone.npy -o done --spacing 1.5");
    same_stiffness(&folder, ["done/alone", "done/parts"], 5e-3);
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

fn regions_are_measured_into_a_table() {
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

fn a_folder_is_many_exams() {
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

fn a_dicom_series_gives_the_maps_of_the_same_nifti() {
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
