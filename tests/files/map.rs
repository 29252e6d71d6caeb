//! Maps read back, and what must hold of them.

use super::SIZE;
use nifti::NiftiHeader;
use num_complex::{Complex32, Complex64};
use serde_json::Value;

/// The maps of an input, and the bits of a sample.
pub const MAPS: [(&str, i16); 9] = [
    ("amplitude", 32),
    ("mask", 32),
    ("mmdi_coherence", 32),
    ("mmdi_confidence", 32),
    ("mmdi_loss", 32),
    ("mmdi_stiffness", 32),
    ("mmdi_storage", 32),
    ("mmdi_wavespeed", 32),
    ("wave", 64),
];

/// A map read back.
pub struct Map {
    pub header: NiftiHeader,
    pub dims: Vec<usize>,
    /// Axis 0 fastest; of a complex map the parts in turn.
    pub values: Vec<f32>,
}

impl Map {
    /// The value at (x, y) of the first slice.
    pub fn at(&self, x: usize, y: usize) -> f64 {
        self.values[x + SIZE.nx * y].into()
    }

    /// The complex value at (x, y) of the first slice.
    pub fn complex_at(&self, x: usize, y: usize) -> Complex64 {
        let at = 2 * (x + SIZE.nx * y);
        let value = Complex32::new(self.values[at], self.values[at + 1]);
        Complex64::new(value.re.into(), value.im.into())
    }
}

/// Every pixel, x fastest.
pub fn pixels() -> impl Iterator<Item = (usize, usize)> {
    (0..SIZE.pixels()).map(|i| (i % SIZE.nx, i / SIZE.nx))
}

/// The affine is the header's, bit by bit.
pub fn lies_as(map: &Map, header: &NiftiHeader) {
    let place = |h: &NiftiHeader| {
        let quaternion = [h.quatern_b, h.quatern_c, h.quatern_d, h.quatern_x, h.quatern_y, h.quatern_z];
        let rows = (h.srow_x, h.srow_y, h.srow_z);
        (rows, quaternion, h.qform_code, h.sform_code, h.xyzt_units & 7, h.pixdim[..4].to_vec())
    };
    assert_eq!(place(&map.header), place(header));
}

/// The statistics of one slice, computed anew.
pub fn statistics_are_those_of_the_maps(report: &Value, maps: &[Map; 9]) {
    assert_eq!((&report["method"], &report["mode"]), (&"mmdi".into(), &"corrected".into()));
    assert_eq!(
        (report["frequency_hz"].as_f64(), report["density_kg_m3"].as_f64()),
        (Some(60.0), Some(1000.0))
    );
    assert!(report["definitions"]["stiffness"].as_str().is_some_and(|text| text.contains("|mu*|, kPa")));
    assert!(report["notice"].as_str().is_some_and(|text| text.contains("not a medical device")));
    let [_, mask, coherence, confidence, loss, stiffness, storage, speed, _] = maps;
    let sure = report["confidence_threshold"].as_f64().expect("a threshold");
    // As f32, the way the maps are stored.
    let confident: Vec<bool> = confidence.values.iter().map(|&c| c >= sure as f32).collect();
    let named = [
        ("stiffness_kpa", stiffness),
        ("storage_kpa", storage),
        ("loss_kpa", loss),
        ("wavespeed_m_s", speed),
        ("confidence", confidence),
        ("coherence", coherence),
    ];
    for (region, (name, map)) in ["mask", "confident"].iter().flat_map(|r| named.iter().map(move |n| (r, n)))
    {
        let taken = (0..mask.values.len()).filter(|&i| mask.values[i] > 0.0);
        let taken: Vec<usize> = taken.filter(|&i| *region == "mask" || confident[i]).collect();
        let mut values: Vec<f64> = taken.iter().map(|&i| map.values[i].into()).collect();
        values.sort_by(f64::total_cmp);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        // Between its neighbours in rank, but for rounding.
        let is_quantile = |p: f64, got: f64| {
            let at = (n - 1.0) * p;
            let tiny = 1e-12 * got.abs();
            values[at.floor() as usize] - tiny <= got && got <= values[at.ceil() as usize] + tiny
        };
        let share = taken.iter().filter(|&&i| confident[i]).count() as f64 / n;
        let pixel = report["spacing_mm"].as_array().expect("spacing").iter().map(|h| h.as_f64().expect("mm"));
        let stats = &report["regions"][region][name];
        let number =
            |key: &str| stats[key].as_f64().unwrap_or_else(|| panic!("{region} {name} {key}: {stats}"));
        assert_eq!(stats["n"].as_u64(), Some(taken.len() as u64), "{region} {name}");
        for (key, expected) in [
            ("mean", mean),
            ("sd", sd),
            ("min", values[0]),
            ("max", values[values.len() - 1]),
            ("area_mm2", n * pixel.product::<f64>()),
            ("share_confident", share),
        ] {
            let got = number(key);
            assert!(
                (got - expected).abs() <= 1e-9 * expected.abs(),
                "{region} {name} {key}: {got}, not {expected}"
            );
        }
        assert!(is_quantile(0.5, number("median")), "{region} {name}: median");
        for (p, quartile) in [(0.25, &stats["iqr"][0]), (0.75, &stats["iqr"][1])] {
            assert!(is_quantile(p, quartile.as_f64().expect("quartile")), "{region} {name}: iqr");
        }
    }
    assert_eq!(report["regions"]["mask"], report["per_slice"][0]["mask"]);
}

/// A PNG of a sane size that is not blank.
pub fn is_a_picture(bytes: &[u8]) {
    let picture =
        image::load_from_memory_with_format(bytes, image::ImageFormat::Png).expect("PNG").into_rgb8();
    let (width, height) = picture.dimensions();
    assert!((800..4000).contains(&width) && (200..3000).contains(&height), "{width} × {height}");
    let colours: std::collections::HashSet<_> = picture.pixels().collect();
    assert!(colours.len() > 100, "{} colours", colours.len());
}
