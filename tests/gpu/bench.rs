//! `palpate bench`: what it prints, and what it says of two results.

use crate::files::Folder;
use palpate::lowlevel::bench::BenchReport;
use serde_json::Value;

tests![it_measures_and_compares, results_that_are_none_are_refused, committed_results_can_be_read,];

/// A result of one kernel, as the program prints it.
fn measured(folder: &Folder) -> Value {
    let ran = folder.good("bench --quick --only conv3x3_forward --json");
    serde_json::from_str(&ran.out).expect("one object and nothing else")
}

fn it_measures_and_compares() {
    let folder = Folder::new();
    let report = measured(&folder);
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let ceilings = &report["ceilings"];
    for key in ["fma_gflops", "copy_gbs", "dispatch_us"] {
        assert!(number(&ceilings[key]) > 0.0, "{key} of {ceilings}");
    }
    assert!(report["adapter"]["name"].as_str().is_some_and(|name| !name.is_empty()));
    let rows = report["kernels"].as_array().expect("rows");
    let shapes: Vec<_> = rows.iter().map(|row| row["shape"].as_str().expect("a shape")).collect();
    assert_eq!(shapes, ["64@30²", "128@15²", "256@7²", "512@3²"]);
    for (row, [c, side]) in rows.iter().zip([[64.0, 30.0], [128.0, 15.0], [256.0, 7.0], [512.0f64, 3.0]]) {
        assert_eq!(row["kernel"], "conv3x3_forward");
        assert!(row["spec"].as_str().is_some_and(|spec| spec.starts_with("convolve ")), "{row}");
        let gflop = 2.0 * 128.0 * side * side * c * c * 9.0 / 1e9;
        let rate = gflop / (number(&row["ms"]) / 1e3);
        assert!((number(&row["gflops"]) / rate - 1.0).abs() < 1e-9, "{row}");
        let share = number(&row["share_of_ceiling"]);
        assert!((share / (rate / number(&ceilings["fma_gflops"])) - 1.0).abs() < 1e-9, "{row}");
    }

    // The same beside itself; beside one that was faster; on another adapter, where nothing is a fall.
    let text = |report: &Value| serde_json::to_string(report).expect("text").into_bytes();
    folder.put("now.json", &text(&report));
    let mut faster = report.clone();
    faster["kernels"][1]["gflops"] = (2.0 * number(&report["kernels"][1]["gflops"])).into();
    folder.put("before.json", &text(&faster));
    faster["adapter"]["name"] = "another".into();
    folder.put("elsewhere.json", &text(&faster));
    let said = folder.good("bench --compare now.json now.json").err;
    assert!(said.contains("nothing fell by more than 15 %"), "{said}");
    let ran = folder.good("bench --compare before.json now.json");
    assert!(ran.err.contains("conv3x3_forward 128@15² fell by 50 %"), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.out.contains("| 0.50 ↓ |"), "{}", ran.out);
    let ran = folder.good("bench --compare elsewhere.json now.json --json");
    assert_eq!(ran.err, "");
    let beside: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(beside["sides"][0]["adapter"]["name"], "another");
    let fallen = beside["rows"].as_array().expect("rows").iter().filter(|row| number(&row["ratio"]) < 0.6);
    assert_eq!(fallen.count(), 1);
}

fn results_that_are_none_are_refused() {
    let folder = Folder::new();
    folder.put("torn.json", b"{\"palpate\": \"0.1");
    folder.put("other.json", b"{\"a\": 1}");
    for (line, code, words) in [
        ("bench --compare absent.json", 1, vec!["absent.json"]),
        ("bench --compare torn.json torn.json", 1, vec!["torn.json", "palpate bench --json", "measure anew"]),
        ("bench --compare other.json", 1, vec!["other.json", "missing field"]),
        ("bench --compare", 2, vec!["--compare"]),
        ("bench --adapter nosuch", 1, vec!["nosuch"]),
        ("bench --only nosuch", 2, vec!["nosuch", "conv3x3_forward"]),
    ] {
        let ran = folder.run(line);
        assert_eq!(ran.code, Some(code), "{line}: {}", ran.err);
        assert!(words.iter().all(|word| ran.err.contains(word)), "{line}: {}", ran.err);
        assert_eq!(ran.out, "", "{line}");
    }
}

fn committed_results_can_be_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
    for entry in std::fs::read_dir(folder).expect("benches/results/") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|e| e == "json") {
            let report = BenchReport::read(&path).unwrap_or_else(|e| panic!("{e}"));
            assert!(!report.kernels.is_empty() && report.step.is_some(), "{}", path.display());
        }
    }
}
