//! `palpate simulate` and `palpate invert`, one after the other.

use crate::common::compare::{assert_within, median};
use crate::files::Folder;

tests![waves_it_writes_can_be_inverted,];

/// A cylinder that takes no time.
const SMALL: &str = r#"
kind = "cylinder"
radius_mm = 34
height_mm = 60
slices_mm = [15]
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

fn waves_it_writes_can_be_inverted() {
    let folder = Folder::new();
    folder.put("small.toml", SMALL.as_bytes());
    folder.good("simulate small.toml -o out --nifti");
    folder.good("invert out/wave.nii.gz -o maps");
    let report = folder.json("maps/wave.json");
    let codes = report["warnings"].to_string();
    assert!(
        !codes.contains("identity") && !codes.contains("spacing") && !codes.contains("conjugated"),
        "{codes}"
    );
    let stiffness = folder.map("maps/wave_mmdi_stiffness.nii.gz");
    let inside = stiffness.values.iter().copied().filter(|v| *v != 0.0);
    // In the plane, waves of three dimensions read too stiff.
    assert_within(median(inside), 3.5..=8.0, "median, kPa");
}
