//! `palpate demo`: what it writes is what it says, and its wave is one that `palpate invert` reads.

use crate::common::compare::{assert_close, assert_covers, assert_near, largest};
use crate::files::map::is_a_picture;
use crate::files::{Folder, Ran};

tests![the_demo_shows_the_truth_and_its_wave_inverts_to_the_same, the_demo_needs_a_folder,];

fn demo(folder: &Folder, line: &str) -> Ran {
    let mut command = folder.command(&format!("demo {line}"));
    if let Ok(adapter) = std::env::var("PALPATE_ADAPTER") {
        command.arg("--adapter").arg(adapter);
    }
    command.output().expect("the program runs").into()
}

/// The numbers of the row of the table that `name` begins: truth, mean and SD of MMDI and of DIME, uncertainty.
fn row(table: &str, name: &str) -> [f64; 6] {
    let row = table.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect("a row");
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    assert_eq!(cells.len(), 7, "{row}");
    let [mmdi, dime] = [3, 4].map(|k| cells[k].split_whitespace().collect::<Vec<_>>());
    [cells[2], mmdi[0], mmdi[2], dime[0], dime[2], cells[5]]
        .map(|word| word.parse().unwrap_or_else(|_| panic!("{row}")))
}

fn the_demo_shows_the_truth_and_its_wave_inverts_to_the_same() {
    let folder = Folder::new();
    let names = ["demo.md", "demo.png", "demo_truth.npy", "demo_wave.npy"];
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

    folder.good("invert demo/demo_wave.npy --spacing 1 --method both -o maps");
    let [mmdi, dime, mask] = ["mmdi_stiffness", "dime_stiffness", "mask"]
        .map(|name| folder.map(&format!("maps/demo_wave_{name}.nii.gz")));
    let truth =
        palpate::lowlevel::io::npy::read_floats(folder.path("demo/demo_truth.npy")).expect("the truth");
    assert_eq!(mmdi.dims, truth.shape());
    let truth: Vec<f32> = truth.t().iter().copied().collect(); // rows of x
    assert_covers(&truth, &mask.values.iter().map(|m| *m > 0.0).collect::<Vec<_>>());
    // The phantom's file: a disc of 6 kPa whose centre is 30 mm to the right of the middle and above it.
    let disc = |i: usize| {
        let [x, y] = [i % 256, i / 256].map(|k| k as f64 - 127.5);
        (x - 30.0).abs() + (y + 30.0).abs() < 5.0
    };
    let mean = |map: &[f32]| {
        let values: Vec<f64> = (0..map.len()).filter(|i| disc(*i)).map(|i| f64::from(map[i])).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let found = row(&table, "disc");
    assert_eq!((found[0], mean(&truth)), (6.0, 6.0));
    // The middle of the disc is not its mean, but not far from it.
    for (map, [its_mean, its_sd]) in [(&mmdi, [found[1], found[2]]), (&dime, [found[3], found[4]])] {
        assert_close(mean(&map.values), its_mean, 3.0 * largest([its_sd, 0.3]), "the middle of the disc");
    }
    assert!(found[5] > 0.0);
    // What the network says is not far off, or it is no network for such waves.
    for name in ["background", "disc", "rectangle", "triangle"] {
        let [truth, _, _, dime, ..] = row(&table, name);
        assert_near(dime, truth, 0.3, name);
    }
    let background = row(&table, "background");
    assert_eq!(background[0], 3.5);
    // Waves in three dimensions look stiffer than they are to who takes them for flat.
    assert!(background[1] > 1.15 * 3.5, "{background:?}");

    // Positive, as the phases run forwards.
    let report = folder.json("maps/demo_wave.json");
    let median = |map: &str| report["regions"]["mask"][map]["median"].as_f64().expect("a number");
    assert!(median("loss_kpa") > 0.0);
    assert_eq!(report["dime"]["conjugated"], false);
    assert_eq!(report["dime"]["forward_model"], "mixed");
}

fn the_demo_needs_a_folder() {
    let folder = Folder::new();
    folder.put("taken", b"mine");
    let ran = demo(&folder, "-o taken");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("taken") && ran.err.contains("-o") && ran.out.is_empty(), "{}", ran.err);
    assert_eq!(folder.bytes("taken"), b"mine");
    assert_eq!(folder.names(""), ["taken"]);
}
