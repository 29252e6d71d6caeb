//! `palpate demo`: what it writes is what it says, and its wave is one that `palpate invert` reads.

mod common;
mod files;

use files::map::is_a_picture;
use files::{Folder, Ran};

/// The demo's grid: pixels of 1 mm about the centre, a disc in a disc.
const SIDE: usize = 256;
const OBJECT: ([f64; 2], f64) = ([0.0, 0.0], 90.0);
const INCLUSION: ([f64; 2], f64) = ([-8.0, 12.0], 24.0);
/// Storage moduli, kPa, and the damping of both.
const STORAGE: [f64; 2] = [2.5, 6.0];
const DAMPING: f64 = 0.1;
/// City blocks between the table's pixels and any edge.
const MARGIN: i32 = 6;

fn demo(folder: &Folder, line: &str) -> Ran {
    let mut command = folder.command(&format!("demo {line}"));
    if let Ok(adapter) = std::env::var("PALPATE_ADAPTER") {
        command.arg("--adapter").arg(adapter);
    }
    command.output().expect("the program runs").into()
}

/// In the background, in the inclusion, or neither as outside the object.
fn region(x: i32, y: i32) -> Option<usize> {
    let middle = (SIDE as f64 - 1.0) / 2.0;
    let [x, y] = [x, y].map(|at| f64::from(at) - middle);
    let within = |(centre, radius): ([f64; 2], f64)| (x - centre[0]).hypot(y - centre[1]) < radius;
    within(OBJECT).then(|| usize::from(within(INCLUSION)))
}

/// The pixels of each region that lie off every edge.
fn regions() -> [Vec<usize>; 2] {
    let side = SIDE as i32;
    let mut found = [Vec::new(), Vec::new()];
    for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
        let near = |(dx, dy): &(i32, i32)| dx.abs() + dy.abs() <= MARGIN;
        let mut about =
            (-MARGIN..=MARGIN).flat_map(|dx| (-MARGIN..=MARGIN).map(move |dy| (dx, dy))).filter(near);
        if let Some(i) = region(x, y)
            && about.all(|(dx, dy)| region(x + dx, y + dy) == Some(i))
        {
            found[i].push((y * side + x) as usize);
        }
    }
    found
}

/// The truth, and mean and SD of the corrected map, of the row of the table that `name` begins.
fn row(table: &str, name: &str) -> [f64; 3] {
    let row = table.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect("a row");
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    assert_eq!(cells.len(), 6, "{row}");
    let mut words = cells[3].split_whitespace();
    [Some(cells[2]), words.next(), words.nth(1)]
        .map(|word| word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{row}")))
}

#[test]
fn the_demo_shows_the_truth_and_its_wave_inverts_to_the_same() {
    let Some(_gpu) = common::gpu() else { return };
    let folder = Folder::new();
    let names = ["demo.md", "demo.png", "demo_wave.npy"];
    // An earlier demo's: written over, what is not the demo's stays.
    std::fs::create_dir(folder.path("demo")).expect("a folder");
    names.iter().for_each(|name| folder.put(&format!("demo/{name}"), b"old"));
    folder.put("demo/mine.txt", b"mine");
    let ran = demo(&folder, "-o demo");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(folder.names("demo"), [&names[..], &["mine.txt"]].concat());
    is_a_picture(&folder.bytes("demo/demo.png"));
    let table = String::from_utf8(folder.bytes("demo/demo.md")).expect("UTF-8");
    assert!(ran.out.starts_with(&table), "{}", ran.out);

    folder.good("invert demo/demo_wave.npy --spacing 1 -o maps");
    let stiffness = folder.map("maps/demo_wave_mmdi_stiffness.nii.gz");
    assert_eq!(stiffness.dims, [SIDE, SIDE]);
    for ((name, pixels), storage) in ["background", "inclusion"].iter().zip(regions()).zip(STORAGE) {
        let [truth, mean, sd] = row(&table, name);
        assert!((truth - storage * 1f64.hypot(DAMPING)).abs() <= 0.005001, "{name}: {truth} for the truth");
        assert!((mean / truth - 1.0).abs() < 0.06, "{name}: {mean} kPa where it is {truth}");
        let values = || pixels.iter().map(|&i| f64::from(stiffness.values[i]));
        let n = pixels.len() as f64;
        let expected = values().sum::<f64>() / n;
        let spread = (values().map(|v| (v - expected).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        assert!((mean - expected).abs() < 0.006, "{name}: {mean} in the table, {expected} of the wave");
        assert!((sd - spread).abs() < 0.006, "{name}: ± {sd} in the table, {spread} of the wave");
    }
    let mask = folder.map("maps/demo_wave_mask.nii.gz");
    let side = SIDE as i32;
    for (i, &value) in (0..).zip(&mask.values) {
        assert_eq!(value != 0.0, region(i % side, i / side).is_some(), "mask at {i}");
    }
    // Positive, as the phases run forwards; damped as the medium is.
    let report = folder.json("maps/demo_wave.json");
    let median = |map: &str| report["regions"]["mask"][map]["median"].as_f64().expect("a number");
    let damping = median("loss_kpa") / median("storage_kpa");
    assert!((0.5 * DAMPING..2.0 * DAMPING).contains(&damping), "a damping of {damping}");
}

#[test]
fn the_demo_needs_a_folder() {
    let folder = Folder::new();
    folder.put("taken", b"mine");
    let ran = demo(&folder, "-o taken");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("taken") && ran.err.contains("-o") && ran.out.is_empty(), "{}", ran.err);
    assert_eq!(folder.bytes("taken"), b"mine");
    assert_eq!(folder.names(""), ["taken"]);
}
