//! `palpate evaluate`: pairs are found by their names, figures are those of the maps, and what is missing is named.

use crate::files::Folder;
use crate::files::map::is_a_picture;
use ndarray::Array2;
use ndarray_npy::WriteNpyExt;

tests![
    figures_are_those_of_the_maps,
    names_make_methods_and_what_is_missing_is_named,
    a_set_is_a_truth_by_families,
    what_cannot_be_compared_is_refused,
];

const SIDE: usize = 24;

/// A map of X, Y: 0 outside a disc.
fn write(folder: &Folder, name: &str, value: impl Fn(usize, usize) -> f32) {
    let inside = |x: usize, y: usize| (x as f64 - 11.5).hypot(y as f64 - 11.5) < 10.0;
    let map = Array2::from_shape_fn((SIDE, SIDE), |(x, y)| if inside(x, y) { value(x, y) } else { 0.0 });
    let mut bytes = vec![];
    map.write_npy(&mut bytes).expect("an array");
    let path = folder.path(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    folder.put(name, &bytes);
}

fn samples(folder: &Folder) {
    for (i, kpa) in [2.0f32, 3.0, 4.5, 7.0].into_iter().enumerate() {
        write(folder, &format!("truth/{i}.npy"), |x, _| if x < 12 { kpa } else { kpa + 0.5 });
        write(
            folder,
            &format!("maps/{i}_dime_stiffness.npy"),
            |x, _| if x < 12 { kpa } else { kpa + 0.5 } + 0.25,
        );
        write(folder, &format!("maps/{i}_mmdi_stiffness.npy"), |x, y| 1.5 * kpa + 0.1 * ((x + y) % 2) as f32);
        write(folder, &format!("maps/{i}_dime_uncertainty.npy"), |_, _| 0.1);
    }
}

fn figures_are_those_of_the_maps() {
    let folder = Folder::new();
    samples(&folder);
    write(&folder, "regions/left.npy", |x, _| f32::from(u8::from(x < 12)));
    write(&folder, "regions/right.npy", |x, _| f32::from(u8::from(x >= 12)));
    let ran = folder.good("evaluate --truth truth --estimate maps --regions regions -o out");
    assert_eq!(folder.names("out"), ["agreement.png", "evaluation.json", "evaluation.md", "maps.png"]);
    is_a_picture(&folder.bytes("out/agreement.png"));
    is_a_picture(&folder.bytes("out/maps.png"));
    let table = String::from_utf8(folder.bytes("out/evaluation.md")).expect("UTF-8");
    assert!(ran.out.starts_with(&table), "{}", ran.out);
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    let report = folder.json("out/evaluation.json");
    let rows = report["evaluations"].as_array().expect("rows");
    let methods: Vec<_> = rows.iter().map(|r| r["method"].as_str().expect("a name")).collect();
    assert_eq!(methods, ["dime", "mmdi"]);
    let dime = &rows[0];
    let close = |value: &serde_json::Value, expected: f64| {
        let value = value.as_f64().expect("a number");
        assert!((value - expected).abs() < 1e-5, "{value}, not {expected}");
    };
    for level in ["pixels", "samples_means", "regions"] {
        for (key, expected) in
            [("bias", 0.25), ("rmse", 0.25), ("slope", 1.0), ("intercept", 0.25), ("pearson_r", 1.0)]
        {
            close(&dime[level][key], expected);
        }
    }
    close(&dime["inter_pixel_sd"], 0.0);
    assert_eq!(dime["regions"]["n"], 8);
    close(&dime["each_region"]["left"]["bias"], 0.25);
    assert!(rows[1]["pixels"]["rmse"].as_f64().expect("a number") > 1.0);
    // Another time it is refused, and by force it is not.
    let again = folder.run("evaluate --truth truth --estimate maps -o out");
    assert!(again.code != Some(0) && again.err.contains("--force"), "{}", again.err);
    folder.good("evaluate --truth truth --estimate maps --erode 3 -o out --force");
    let eroded = folder.json("out/evaluation.json");
    assert!(eroded["evaluations"][0]["pixels"]["n"].as_u64() < dime["pixels"]["n"].as_u64());
    assert_eq!(eroded["eroded_px"], 3);
}

fn names_make_methods_and_what_is_missing_is_named() {
    let folder = Folder::new();
    samples(&folder);
    for i in [0, 1, 3, 9] {
        write(&folder, &format!("theirs/{i}.npy"), |_, _| 3.0);
    }
    let ran = folder.good("evaluate --truth truth --estimate maps --estimate authors=theirs -o out");
    assert!(ran.err.contains("no estimate by authors of 2"), "{}", ran.err);
    assert!(ran.err.contains("no true map for 9"), "{}", ran.err);
    write(&folder, "maps/8_dime_stiffness.npy", |_, _| f32::NAN);
    write(&folder, "maps/3_dime_stiffness.npy", |x, _| if x < 5 { f32::NAN } else { 7.0 });
    let named = folder.good("evaluate --truth truth --estimate maps -o again").err;
    assert!(named.contains("no true map for 8_dime_stiffness"), "{named}");
    assert!(named.contains("pixels by dime are not finite"), "{named}");
    let report = folder.json("out/evaluation.json");
    let rows = report["evaluations"].as_array().expect("rows");
    assert_eq!(rows[0]["method"], "authors");
    assert_eq!(rows[0]["samples"], 3);
    assert_eq!(report["missing"].as_array().map(Vec::len), Some(2));
}

fn a_set_is_a_truth_by_families() {
    let folder = Folder::new();
    folder.good("simulate --set table1 --count 10 --seed 5 --nodes-per-wavelength 4 -o set");
    for name in folder.names("set").into_iter().filter(|n| n.starts_with('0')) {
        let bytes = folder.bytes(&format!("set/{name}/modulus.npy"));
        let modulus = ndarray::Array3::<f32>::read_npy_from(&bytes);
        let shape = modulus.dim();
        // Axes X, Y, slice, as `palpate invert` writes its maps; one slice has two axes.
        let map = modulus.permuted_axes([2, 1, 0]).mapv(|v| 1.1 * v);
        let mut file = vec![];
        if shape.0 == 1 {
            map.index_axis(ndarray::Axis(2), 0).write_npy(&mut file).expect("an array");
        } else {
            map.write_npy(&mut file).expect("an array");
        }
        std::fs::create_dir_all(folder.path("maps")).expect("a folder");
        folder.put(&format!("maps/{name}_dime_stiffness.npy"), &file);
    }
    folder.good("evaluate --truth set --estimate maps -o out");
    let report = folder.json("out/evaluation.json");
    let rows = report["evaluations"].as_array().expect("rows");
    let groups: Vec<_> = rows.iter().map(|r| r["group"].as_str().expect("a name")).collect();
    assert!(
        groups[0] == "all" && groups.contains(&"homogeneous") && groups.contains(&"square"),
        "{groups:?}"
    );
    let slope = rows[0]["pixels"]["slope"].as_f64().expect("a number");
    assert!((slope - 1.1).abs() < 1e-4, "{slope}");
    let none = folder.run("evaluate --truth set --split test --estimate maps -o other");
    assert!(none.code != Some(0) && none.err.contains("larger set"), "{}", none.err);
}

trait ReadNpy: Sized {
    fn read_npy_from(bytes: &[u8]) -> Self;
}

impl ReadNpy for ndarray::Array3<f32> {
    fn read_npy_from(bytes: &[u8]) -> Self {
        ndarray_npy::ReadNpyExt::read_npy(bytes).expect("an array")
    }
}

fn what_cannot_be_compared_is_refused() {
    let folder = Folder::new();
    samples(&folder);
    let refused = |line: &str, says: &str| {
        let ran = folder.run(line);
        assert!(ran.code != Some(0) && ran.err.contains(says), "{line}: {}", ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        assert!(!folder.path("out").exists(), "{line} left a folder");
    };
    refused("evaluate --truth nowhere --estimate maps -o out", "nowhere");
    refused("evaluate --truth truth --estimate nowhere -o out", "nowhere");
    refused("evaluate --truth truth --estimate maps --split test -o out", "--split");
    refused("evaluate --truth truth --estimate maps --erode 30 -o out", "--erode");
    refused("evaluate --truth truth --estimate maps --estimate maps -o out", "two estimates");
    let mut bytes = vec![];
    Array2::<f32>::ones((SIDE, SIDE + 1)).write_npy(&mut bytes).expect("an array");
    std::fs::create_dir_all(folder.path("other")).expect("a folder");
    folder.put("other/0.npy", &bytes);
    refused("evaluate --truth truth --estimate other -o out", "24 × 25");
    folder.put("other/0.npy", b"no array");
    refused("evaluate --truth truth --estimate other -o out", "0.npy");
    std::fs::remove_file(folder.path("other/0.npy")).expect("removed");
    folder.put("other/notes.txt", b"");
    refused("evaluate --truth truth --estimate other -o out", "no maps");
    write(&folder, "other/stranger.npy", |_, _| 1.0);
    refused("evaluate --truth truth --estimate other -o out", "no estimate belongs");
}
