//! `palpate simulate`: what its files hold, what it refuses, and that a set is the same however it is computed.

use crate::common::compare::{
    assert_above, assert_at_most, assert_below, assert_close, assert_within, largest, least, median, quantile,
};
use crate::files::Folder;
use ndarray::{Array3, Array4};
use num_complex::Complex32;
use palpate::lowlevel::patches::{SetImages, Split};
use palpate::lowlevel::phantom::set::{Family, Set, SetKind};
use palpate::lowlevel::phantom::{FILES, Phantom, Quality};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

tests![
    files_hold_what_they_say,
    every_kind_of_phantom_is_computed,
    what_cannot_be_simulated_is_refused,
    a_set_is_the_same_however_it_is_shared,
    an_interrupted_set_goes_on,
    families_have_the_papers_proportions,
    drawings_are_allowed_and_vary,
    livers_vary_as_widely_as_they_are_drawn,
    any_region_is_resolved_and_any_poissons_ratio_solved,
    fields_are_as_near_those_of_a_refined_mesh_as_stated,
    a_driven_part_may_go_around_past_the_start,
    a_prism_with_a_round_outline_is_a_cylinder,
    sources_add_up_and_patches_are_resolved,
    a_set_of_bodies_is_small_and_read_as_it_was_computed,
];

/// A cylinder that takes no time, in an image that shows where things are.
const SMALL: &str = r#"
kind = "cylinder"
radius_mm = 30
height_mm = 60
slices_mm = [10, 20.5]
pixel_mm = 1.5
size_px = 48
[background]
modulus_kpa = 4
damping = 0.1
[[inclusion]]
shape = "rectangle"
center_mm = [12, -6]
size_mm = [12, 6]
modulus_kpa = 8
damping = 0.2
"#;

fn read<A: ndarray_npy::ReadableElement, D: ndarray::Dimension>(
    path: impl AsRef<Path>,
) -> ndarray::Array<A, D> {
    ndarray_npy::read_npy(path).expect("an array")
}

fn files_hold_what_they_say() {
    let folder = Folder::new();
    folder.put("small.toml", SMALL.as_bytes());
    let ran = folder.good("simulate small.toml -o out --nodes-per-wavelength 8 --nifti");
    assert!(ran.out.contains("2.5-D Fourier") && ran.out.contains("preview.png") && ran.err.is_empty());
    let mut expected: Vec<&str> = FILES.iter().copied().chain(["wave.nii.gz"]).collect();
    expected.sort_unstable();
    assert_eq!(folder.names("out"), expected);

    let displacement: Array4<Complex32> = read(folder.path("out/displacement.npy"));
    let modulus: Array3<f32> = read(folder.path("out/modulus.npy"));
    let damping: Array3<f32> = read(folder.path("out/damping.npy"));
    let mask: Array3<u8> = read(folder.path("out/mask.npy"));
    assert_eq!(displacement.dim(), (2, 3, 48, 48));
    for dim in [modulus.dim(), damping.dim(), mask.dim()] {
        assert_eq!(dim, (2, 48, 48));
    }
    for ((plane, i, j), inside) in mask.indexed_iter() {
        let [x, y] = [j, i].map(|k| (k as f32 - 23.5) * 1.5);
        assert_eq!(*inside, u8::from(x.hypot(y) < 30.0), "({x}, {y})");
        // To the right of the middle and above it: y runs down.
        let stiff = (x - 12.0).abs() < 6.0 && (y + 6.0).abs() < 3.0;
        let tissue = if *inside == 0 {
            [0.0, 0.0]
        } else if stiff {
            [8.0, 0.2]
        } else {
            [4.0, 0.1]
        };
        assert_eq!([modulus[[plane, i, j]], damping[[plane, i, j]]], tissue, "({x}, {y})");
        let moves = (0..3).any(|c| displacement[[plane, c, i, j]] != Complex32::default());
        assert_eq!(moves, *inside == 1, "({x}, {y})");
    }
    // Half a millimetre of amplitude, in metres.
    assert_within(largest(displacement.iter().map(|u| u.norm())), 1e-4..=1e-2, "the largest displacement, m");

    let said = folder.json("out/phantom.json");
    assert_eq!(said["phantom"]["slices_mm"], serde_json::json!([10.0, 20.5]));
    assert_eq!(said["phantom"]["frequency_hz"], 60.0);
    assert_eq!(said["driven_component"], "z");
    assert!(
        said["largest_residual"].as_f64().unwrap() <= 1e-10 && said["mesh"]["systems"].as_u64().unwrap() > 4
    );
    assert!(said["seconds"].as_f64().unwrap() > 0.0 && said["memory_bytes"].as_u64().unwrap() > 100_000);

    let wave = folder.map("out/wave.nii.gz");
    assert_eq!(wave.dims, [48, 48, 2]);
    assert_eq!(wave.header.srow_z, [0.0, 0.0, 10.5, 10.0]);
    // x fastest, then y, then the plane; real and imaginary parts in turn.
    for (k, value) in wave.values.chunks(2).enumerate() {
        let u = displacement[[k / (48 * 48), 2, k / 48 % 48, k % 48]];
        assert_eq!(value, [u.re, u.im]);
    }

    let again = folder.run("simulate small.toml -o out");
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("exists already") && again.err.contains("--force"), "{}", again.err);
    folder.good("simulate small.toml -o again --nodes-per-wavelength 8");
    for name in ["displacement.npy", "preview.png"] {
        assert!(folder.bytes(&format!("out/{name}")) == folder.bytes(&format!("again/{name}")), "{name}");
    }
}

fn every_kind_of_phantom_is_computed() {
    let folder = Folder::new();
    for name in ["cylinder", "square", "liver", "prism"] {
        let text =
            std::fs::read_to_string(format!("{}/examples/phantoms/{name}.toml", env!("CARGO_MANIFEST_DIR")));
        folder.put(&format!("{name}.toml"), text.unwrap().as_bytes());
        folder.good(&format!("simulate {name}.toml -o {name} --nodes-per-wavelength 6"));
        let displacement: Array4<Complex32> = read(folder.path(&format!("{name}/displacement.npy")));
        assert!(displacement.iter().all(|u| u.is_finite()), "{name}");
        let said = folder.json(&format!("{name}/phantom.json"));
        let driven = ["x", "y", "z"].iter().position(|c| said["driven_component"] == *c).unwrap();
        let size =
            |c: usize| displacement.index_axis(ndarray::Axis(1), c).iter().map(|u| u.norm_sqr()).sum::<f32>();
        assert!((0..3).all(|c| size(c) <= size(driven)), "{name}: {:?}", [size(0), size(1), size(2)]);
    }
}

fn what_cannot_be_simulated_is_refused() {
    let folder = Folder::new();
    folder.put("good.toml", SMALL.as_bytes());
    folder.put("typing.toml", SMALL.replace("damping = 0.1", "damping = 0.1\ncolour = 3").as_bytes());
    folder.put("outside.toml", SMALL.replace("[12, -6]", "[27, -6]").as_bytes());
    folder.put("slices.toml", SMALL.replace("20.5]", "70]").as_bytes());
    folder.put("negative.toml", SMALL.replace("modulus_kpa = 8", "modulus_kpa = -8").as_bytes());
    folder.put("without.toml", SMALL.replace("height_mm = 60\n", "").as_bytes());
    let slab = "kind = \"slab\"\noutline = \"liver\"\n# thick\nthickness_mm = 60\n[background]\nmodulus_kpa = 3\ndamping = 0.1\n";
    folder.put("thick.toml", slab.as_bytes());
    let slices: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    let many = SMALL
        .replace("pixel_mm = 1.5\nsize_px = 48", "size_px = 4096")
        .replace("10, 20.5", &slices.join(", "));
    folder.put("many.toml", many.as_bytes());
    let large = SMALL.replace("pixel_mm", "frequency_hz = 2000\npixel_mm").replace("_mm = 30", "_mm = 300");
    folder.put("large.toml", large.replace("modulus_kpa = 4", "modulus_kpa = 0.1").as_bytes());
    folder.put("file", b"x");
    for (line, code, words) in [
        ("simulate typing.toml -o out", 2, &["typing.toml:11:", "colour"][..]),
        ("simulate outside.toml -o out", 2, &["outside.toml:1", "inclusion 1", "outside"]),
        ("simulate thick.toml -o out", 2, &["thick.toml:4:", "60 mm", "shear wavelengths"]),
        ("simulate many.toml -o out", 2, &["many.toml:6:", "pixels"]),
        ("simulate large.toml -o out", 2, &["triangles"]),
        ("simulate slices.toml -o out", 2, &["slices.toml:5:", "70", "60"]),
        ("simulate negative.toml -o out", 2, &["negative.toml:15:", "-8"]),
        ("simulate without.toml -o out", 2, &["without.toml:", "height_mm"]),
        ("simulate none.toml -o out", 1, &["none.toml", "no such file"]),
        ("simulate good.toml -o file", 1, &["is a file"]),
        ("simulate good.toml -o out --nodes-per-wavelength 2", 2, &["from 4 to 60"]),
        ("simulate good.toml -o out --nodes-per-wavelength nan", 2, &["from 4 to 60"]),
        ("simulate good.toml -o out --count 3", 2, &["--set"]),
        ("simulate -o out", 2, &["PHANTOM"]),
        ("simulate good.toml", 2, &["--output"]),
        ("simulate --set table1 -o out", 2, &["--count"]),
        ("simulate --set table2 --count 3 -o out", 2, &["table2"]),
        ("simulate --set table1 --count 0 -o out", 2, &["--count from 1"]),
        ("simulate --set table1 --count -1 -o out", 2, &["-1"]),
        ("simulate --set table1 --count 99999999999 -o out", 2, &["--count from 1"]),
        ("simulate --set table1 --count 3 --shard 0/4 -o out", 2, &["0/4", "1/8"]),
        ("simulate --set table1 --count 3 --shard 5/4 -o out", 2, &["5/4"]),
        ("simulate --set table1 --count 3 --jobs 0 -o out", 2, &["--jobs"]),
        ("simulate --set table1 --count 3 -o file", 1, &["is a file"]),
        ("simulate good.toml --set table1 --count 3 -o out", 2, &["--set"]),
    ] {
        let ran = folder.run(line);
        assert_eq!(ran.code, Some(code), "{line}\n{}", ran.err);
        for word in words {
            assert!(ran.err.contains(word), "{line}: no '{word}' in\n{}", ran.err);
        }
        assert!(!ran.err.contains("panicked"), "{line}\n{}", ran.err);
        assert_eq!(folder.names("out"), [""; 0], "{line} left something");
    }
}

/// Every file below a folder with its bytes, but for those that tell of time.
fn tree(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(path).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(
                tree(&entry.path()).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)),
            );
        } else if !name.ends_with(".json") {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

const QUICK: &str = "--nodes-per-wavelength 4";

fn a_set_is_the_same_however_it_is_shared() {
    let folder = Folder::new();
    let set = format!("simulate --set table1 --count 9 --seed 5 {QUICK}");
    let ran = folder.good(&format!("{set} -o whole --jobs 1"));
    assert!(ran.out.contains("9 phantoms computed, 0 kept, 0 failed; 9 of the set's 9"), "{}", ran.out);
    let ran = folder.good(&format!("{set} -o parts --shard 2/3 --jobs 2"));
    assert!(ran.out.contains("3 phantoms computed, 0 kept, 0 failed; 3 of the set's 9"), "{}", ran.out);
    let manifest = folder.json("parts/manifest.json");
    assert_eq!(
        (manifest["finished"].as_u64(), manifest["phantoms"].as_array().map(Vec::len)),
        (Some(3), Some(9))
    );
    folder.good(&format!("{set} -o parts --shard 1/3 --jobs 2"));
    folder.good(&format!("{set} -o parts --shard 3/3 --jobs 2"));
    let (whole, parts) = (tree(&folder.path("whole")), tree(&folder.path("parts")));
    assert_eq!(whole.keys().collect::<Vec<_>>(), parts.keys().collect::<Vec<_>>());
    assert!(whole.contains_key("contact-sheet.png") && whole.len() == 1 + 9 * 5);
    for (name, bytes) in &whole {
        assert!(parts[name] == *bytes, "{name} differs");
    }
    // Another seed gives others.
    folder.good(&format!("simulate --set table1 --count 9 --seed 6 {QUICK} -o other --shard 1/9"));
    let other = tree(&folder.path("other"));
    assert!(other.iter().any(|(name, bytes)| whole.get(name) != Some(bytes)));

    // What was made otherwise is not taken for finished, whatever became of the note of it.
    std::fs::remove_file(folder.path("other/set.json")).unwrap();
    let line = "simulate --set table1 --count 9 --seed 6 --nodes-per-wavelength 5 -o other --shard 1/9";
    assert!(folder.good(line).out.contains("1 phantoms computed, 0 kept"));

    // A folder belongs to one set.
    for line in ["--count 9 --seed 6", "--count 10 --seed 5", "--count 9 --seed 5 --nifti"] {
        let ran = folder.run(&format!("simulate --set table1 {line} {QUICK} -o whole"));
        assert_eq!(ran.code, Some(2), "{line}");
        assert!(ran.err.contains("another set") && ran.err.contains("--seed 5"), "{line}: {}", ran.err);
    }
}

fn an_interrupted_set_goes_on() {
    let folder = Folder::new();
    let line = format!("simulate --set table1 --count 9 --seed 5 {QUICK} -o set --jobs 1");
    let mut child = folder.command(&line).stdout(std::process::Stdio::null()).spawn().unwrap();
    // Killed once the third phantom has begun to appear.
    let start = Instant::now();
    while folder.names("set").iter().filter(|name| name.starts_with("0")).count() < 3 {
        assert!(start.elapsed() < Duration::from_secs(100), "too slow");
        assert!(child.try_wait().unwrap().is_none(), "over already");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = folder.good(&line);
    assert!(ran.out.contains("0 failed; 9 of the set's 9") && !ran.out.contains(" 0 kept"), "{}", ran.out);
    let names: Vec<String> = folder.names("set").into_iter().filter(|name| name.starts_with("0")).collect();
    for name in &names {
        let mut expected = FILES.to_vec();
        expected.sort_unstable();
        assert_eq!(folder.names(&format!("set/{name}")), expected, "{name}");
    }
    let before = tree(&folder.path("set"));

    // Torn in every way: cut short, missing, empty, of another phantom.
    let file = |k: usize, name: &str| format!("set/{}/{name}", names[k]);
    let cut = folder.bytes(&file(0, "displacement.npy"));
    folder.put(&file(0, "displacement.npy"), &cut[..cut.len() / 2]);
    std::fs::remove_file(folder.path(&file(2, "mask.npy"))).unwrap();
    folder.put(&file(4, "phantom.json"), b"");
    folder.put(&file(6, "phantom.json"), &folder.bytes(&file(7, "phantom.json")));
    let ran = folder.good(&line);
    assert!(ran.out.contains("4 phantoms computed, 5 kept, 0 failed; 9 of"), "{}", ran.out);
    assert!(tree(&folder.path("set")) == before);
    let ran = folder.good(&line);
    assert!(ran.out.contains("0 phantoms computed, 9 kept"), "{}", ran.out);
}

fn families_have_the_papers_proportions() {
    let shares = |count| SetKind::Table1.shares(count).into_iter().map(|(_, n)| n).collect::<Vec<_>>();
    assert_eq!(shares(900), [400, 100, 100, 50, 50, 100, 100]);
    assert_eq!(shares(45), [20, 5, 5, 3, 2, 5, 5]);
    assert_eq!(shares(1), [1, 0, 0, 0, 0, 0, 0]);
    for count in 1..200 {
        assert_eq!(shares(count).iter().sum::<usize>(), count);
        let set = Set::new(SetKind::Table1, count, 1).unwrap();
        let families = set.families();
        for (family, n) in SetKind::Table1.shares(count) {
            assert_eq!(families.iter().filter(|f| **f == family).count(), n);
        }
    }
    // Any half of a set has half of each family, or nearly.
    let families = Set::new(SetKind::Table1, 90, 1).unwrap().families();
    for (family, n) in SetKind::Table1.shares(90) {
        let first = families[..45].iter().filter(|f| **f == family).count();
        assert!(first.abs_diff(n - first) <= 1, "{family:?}: {first} of {n}");
    }
}

fn drawings_are_allowed_and_vary() {
    for kind in [SetKind::Table1, SetKind::Livers] {
        for (family, _) in kind.families() {
            let mut seen: Vec<Phantom> = vec![];
            for seed in 0..60 {
                let phantom = family.draw(&mut fastrand::Rng::with_seed(seed)).unwrap();
                phantom.check().unwrap();
                assert!(!seen.contains(&phantom));
                assert_eq!(Phantom::parse(&phantom.to_toml(), "drawn".as_ref()).unwrap(), phantom);
                let tissues =
                    std::iter::once(&phantom.background).chain(phantom.inclusions.iter().map(|i| &i.tissue));
                for tissue in tissues {
                    assert!((0.05..=0.3).contains(&tissue.damping));
                }
                assert!((0.3..=0.9).contains(&phantom.drive.amplitude_mm));
                let expected = match family {
                    Family::FourInclusions | Family::SquareInclusions => 4,
                    Family::TwoInclusions => 2,
                    _ => 0,
                };
                assert_eq!(phantom.inclusions.len(), expected);
                assert_eq!(phantom.is_axisymmetric(), *family == Family::Homogeneous);
                seen.push(phantom);
            }
        }
    }
}

/// What a liver's modulus is said to be, it is within the outline: neither more nor much less.
fn livers_vary_as_widely_as_they_are_drawn() {
    let mut ratios: Vec<f64> = vec![];
    for seed in 0..60 {
        let phantom = Family::Liver.draw(&mut fastrand::Rng::with_seed(seed)).unwrap();
        let (field, outline) = (phantom.background.modulus_kpa.field(), phantom.outline().unwrap());
        let places = (-110..110).flat_map(|y| (-110..110).map(move |x| [f64::from(x), f64::from(y)]));
        let all: Vec<f64> = places.filter(|p| outline.contains(*p)).map(|p| field.at(p)).collect();
        let (least, most) = (least(all.iter().copied()), largest(all));
        // It was drawn at points some millimetres apart.
        assert!(least > 0.9 && most < 8.3 && most - least > 0.5, "{least} to {most}");
        ratios.push(most / least);
    }
    assert_above(median(ratios.iter().copied()), 1.7, "the median of most / least");
    assert_above(quantile(ratios, 57.0 / 59.0), 3.5, "a large ratio of most / least");
}

fn any_region_is_resolved_and_any_poissons_ratio_solved() {
    // The background's modulus says nothing of what is in an inclusion: it is not even above 0 there.
    let slab = r#"
        kind = "slab"
        outline = [[-60, -50], [60, -50], [60, 50], [-60, 50]]
        thickness_mm = 8
        size_px = 128
        [drive]
        arc = [0.1, 0.2]
        [background]
        modulus_kpa = { polynomial = [[0, 0, -1.0], [2, 0, 0.01], [0, 2, 0.01]] }
        damping = 0.1
        [[inclusion]]
        shape = "circle"
        center_mm = [0, 0]
        size_mm = 50
        modulus_kpa = 1.2
        damping = 0.1
    "#;
    let error = |text: &str, nodes: [f64; 2]| {
        let phantom = Phantom::parse(text, "phantom".as_ref()).unwrap();
        let [coarse, fine] = nodes.map(|nodes| {
            let quality = Quality { nodes_per_wavelength: nodes, ..Quality::default() };
            phantom.simulate(&quality).unwrap().displacement
        });
        let miss: f32 = coarse.iter().zip(&fine).map(|(a, b)| (a - b).norm_sqr()).sum();
        (miss / fine.iter().map(|b| b.norm_sqr()).sum::<f32>()).sqrt()
    };
    let slab_error = error(slab, [14.0, 20.0]);
    assert_below(slab_error, 0.03, "the slab");
    for text in [SMALL, slab] {
        let text = text.replacen("kind", "poisson = 0\nkind", 1);
        let off = error(&text, [14.0, 20.0]);
        assert_below(off, 0.03, "without Poisson's ratio");
    }
    // However long the waves, a body has some elements.
    let slow = error(&SMALL.replacen("kind", "frequency_hz = 1\nkind", 1), [16.0, 32.0]);
    assert_below(slow, 0.01, "long waves");
}

/// README.md: within 0.6 % of a refined mesh. docs/phantoms.md has the figures of each family; those of one system of
/// equations take little time.
fn fields_are_as_near_those_of_a_refined_mesh_as_stated() {
    let families = [(Family::Homogeneous, 0.12), (Family::Square, 0.27), (Family::SquareInclusions, 0.17)];
    for (family, stated) in families {
        let phantom = family.draw(&mut fastrand::Rng::with_seed(100)).expect("a phantom");
        let [images, refined] = [Quality::default(), Quality::default().refined()]
            .map(|quality| phantom.simulate(&quality).expect("a field"));
        let (mut miss, mut size) = (0.0, 0.0);
        for (plane, component) in (0..images.planes()).flat_map(|plane| (0..3).map(move |c| (plane, c))) {
            let [a, b] = [&images, &refined].map(|images| images.component(plane, component));
            for i in (0..a.len()).filter(|i| images.mask[*i] && refined.mask[*i]) {
                miss += f64::from((a[i] - b[i]).norm_sqr());
                size += f64::from(b[i].norm_sqr());
            }
        }
        let off = 100.0 * f64::sqrt(miss / size);
        note!("{}: {off:.3} % from the refined mesh's", family.name());
        assert_close(off, stated, 0.3 * stated, format!("{}: from the refined mesh's, %", family.name()));
        assert_at_most(off, 0.6, family.name());
    }
}

fn a_driven_part_may_go_around_past_the_start() {
    let slab = |outline: &str, arc: &str| {
        let text = format!(
            "kind = 'slab'\noutline = {outline}\nthickness_mm = 10\nsize_px = 96\n[drive]\narc = {arc}\n[background]\nmodulus_kpa = 4\ndamping = 0.2\n"
        );
        let quality = Quality { nodes_per_wavelength: 12.0, ..Quality::default() };
        Phantom::parse(&text, "slab".as_ref()).unwrap().simulate(&quality).unwrap().displacement
    };
    let wrapped = slab("[[-40, -30], [40, -30], [40, 30], [-40, 30]]", "[0.9, 1.05]");
    let plain = slab("[[40, 30], [-40, 30], [-40, -30], [40, -30]]", "[0.4, 0.55]");
    let miss: f32 = wrapped.iter().zip(&plain).map(|(a, b)| (a - b).norm_sqr()).sum();
    let off = (miss / plain.iter().map(|b| b.norm_sqr()).sum::<f32>()).sqrt();
    assert_below(off, 0.02, "the same part driven");
}

/// The relative difference of two fields, all components.
fn off(a: &[Complex32], b: &[Complex32]) -> f64 {
    let miss: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - b).norm_sqr())).sum();
    (miss / b.iter().map(|b| f64::from(b.norm_sqr())).sum::<f64>()).sqrt()
}

fn a_prism_with_a_round_outline_is_a_cylinder() {
    let tail = "slices_mm = [10, 20.5]\npixel_mm = 1.5\nsize_px = 48\n";
    let tissue = "[background]\nmodulus_kpa = 4\ndamping = 0.1\n";
    let inclusion = &SMALL[SMALL.find("[[inclusion]]").unwrap()..];
    let field = |head: &str, drive: &str, rest: &str| {
        let text = format!("{head}height_mm = 60\n{tail}{drive}{tissue}{rest}");
        let phantom = Phantom::parse(&text, "prism".as_ref()).unwrap();
        let quality = Quality { harmonics_tolerance: 5e-4, ..Quality::default() };
        phantom.simulate(&quality).unwrap().displacement
    };
    let round = |drive: &str, rest: &str| field("kind = 'cylinder'\nradius_mm = 30\n", drive, rest);
    let prism =
        |drive: &str, rest: &str| field("kind = 'prism'\noutline = 'circle'\nwidth_mm = 60\n", drive, rest);
    let plate = "[[source]]\nkind = 'plate'\n";
    for (name, theirs, ours, rest, most) in [
        // The same cross section, and the same equations: only a plate's moments differ, by their integration.
        ("inclusion", "", plate, inclusion, 1e-6),
        (
            "tilted plate",
            "[drive]\noffset_mm = [4, -3]\n",
            "[[source]]\nkind = 'plate'\ncenter_mm = [4, -3]\n",
            "",
            1e-5,
        ),
        (
            "pad",
            "[drive]\noffset_mm = [4, -3]\nradius_mm = 15\n",
            "[[source]]\nkind = 'pad'\ncenter_mm = [4, -3]\nradius_mm = 15\n",
            "",
            1e-6,
        ),
        // Another method: the half section.
        ("homogeneous, against the half section", "", plate, "", 3e-3),
    ] {
        let miss = off(&prism(ours, rest), &round(theirs, rest));
        note!("a round prism against a cylinder, {name}: {miss:.1e}");
        assert!(miss < most, "{name}: {miss}");
    }
}

const PRISM: &str = r#"
kind = "prism"
outline = "torso"
outline_seed = 2
width_mm = 110
height_mm = 70
slices_mm = [15, 40]
size_px = 112
SOURCES
[background]
modulus_kpa = { layers_kpa = [3, 5], edges_mm = [10], angle_deg = 30, blend_mm = 5 }
damping = 0.15
"#;

/// Waves of several sources are the sum of the waves of each, with their phases. Those of a patch of the wall are within
/// 1 % of a refined mesh's.
fn sources_add_up_and_patches_are_resolved() {
    let pad = "[[source]]\nkind = 'pad'\ncenter_mm = [10, 5]\nradius_mm = 20\n";
    let along = "[[source]]\nkind = 'wall'\narc = [0.9, 1.1]\nspan_mm = [10, 50]\ntraction_kpa = 0.6\n";
    let normal = "[[source]]\nkind = 'wall'\narc = [0.5, 0.65]\nspan_mm = [0, 30]\ndirection = 'normal'\n";
    let field = |sources: &str, quality: &Quality| {
        let text = PRISM.replace("SOURCES", sources);
        Phantom::parse(&text, "prism".as_ref()).unwrap().simulate(quality).unwrap().displacement
    };
    let coarse = Quality { nodes_per_wavelength: 10.0, harmonics_tolerance: 1e-3, ..Quality::default() };
    // Meshes differ by the sources that they resolve, so the parts add up to the mesh's error only.
    let turned = format!("{along}phase_deg = 90\n");
    let whole = field(&format!("{pad}{turned}{normal}"), &coarse);
    let parts = [field(pad, &coarse), field(along, &coarse), field(normal, &coarse)];
    let sum: Vec<Complex32> =
        (0..whole.len()).map(|i| parts[0][i] + Complex32::I * parts[1][i] + parts[2][i]).collect();
    let miss = off(&sum, &whole);
    note!("three sources against their sum: {miss:.1e}");
    assert_below(miss, 0.02, "three sources");
    for (name, source) in [("along", along), ("normal", normal)] {
        let [usual, refined] = [Quality::default(), Quality::default().refined()].map(|q| field(source, &q));
        let miss = 100.0 * off(&usual, &refined);
        note!("a patch of the wall, {name}: {miss:.2} % from the refined mesh's");
        assert_below(miss, 1.0, "a patch of the wall, %");
    }
}

fn a_set_of_bodies_is_small_and_read_as_it_was_computed() {
    let folder = Folder::new();
    let line = format!("simulate --set bodies --count 10 --seed 3 {QUICK} -o set");
    let ran = folder.good(&format!("{line} --shard 1/2"));
    assert!(ran.out.contains("5 phantoms computed, 0 kept, 0 failed; 5 of the set's 10"), "{}", ran.out);
    let ran = folder.good(&line);
    assert!(ran.out.contains("5 phantoms computed, 5 kept, 0 failed; 10 of the set's 10"), "{}", ran.out);
    let set = Set::new(SetKind::Bodies, 10, 3).unwrap();
    let quality = Quality { nodes_per_wavelength: 4.0, ..Quality::default() };
    let images = SetImages::open(&[folder.path("set")], Split::Train).unwrap();
    assert_eq!(images.forward_model(), "bulk");
    assert_eq!((images.len(), images.images()), (10, 80));
    for i in [0, 7] {
        let family = set.families()[i];
        let phantom = set.phantom(i, family).unwrap();
        let computed = phantom.simulate(&quality).unwrap();
        let n = phantom.size_px;
        let name = set.folder(i, family);
        let displacement: Array4<Complex32> = read(folder.path(&format!("set/{name}/displacement.npy")));
        assert_eq!(displacement.dim(), (8, 1, n, n));
        let mask: Array3<u8> = read(folder.path(&format!("set/{name}/mask.npy")));
        assert_eq!(mask.dim(), (1, n, n));
        let at = (0..images.len()).find(|k| images.name(*k).0 == name).unwrap();
        for plane in 0..8 {
            let image = images.image(at, plane);
            assert_eq!(image.wave, computed.component(plane, 2));
            assert_eq!(image.modulus, computed.modulus);
            assert!(image.mask.iter().zip(&computed.mask).all(|(a, b)| (*a == 1) == *b));
        }
        // Driven: the waves are neither nothing nor more than the amplitudes allow.
        let largest = largest(displacement.iter().map(|u| u.norm()));
        assert_within(largest, 2e-5..=1e-2, "the largest displacement, m");
    }
}
