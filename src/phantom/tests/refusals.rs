//! Refusals: the message and its position.

use super::*;

/// The message that refuses a text.
fn refusal(text: &str) -> String {
    match parse(text) {
        Err(Error::Usage(message)) => message,
        other => panic!("{other:?}\n{text}"),
    }
}

pub(super) const HEAD: &str = "kind = 'cylinder'\nradius_mm = 80\nheight_mm = 100\n";
pub(super) const SQUARE_HEAD: &str = "kind = 'square'\nside_mm = 100\n";
pub(super) const SLAB_HEAD: &str = "kind = 'slab'\nthickness_mm = 12\noutline = 'liver'\n";
pub(super) const MADE: &str = "modulus_kpa = 6\ndamping = 0.1\n";

/// Checks the refusals of `head` followed by each text, which starts in line `first`. Each case has the line from
/// there, the column, and a part of the message.
pub(super) fn all(head: &str, first: usize, tail: &str, cases: &[(&str, [usize; 2], &str)]) {
    for (text, [line, column], what) in cases {
        let message = refusal(&format!("{head}{text}{tail}"));
        let start = format!("phantom.toml:{}:{column}: ", first + line - 1);
        assert!(message.starts_with(&start) && message.contains(what), "{text}\n{message}\n{start}{what}");
    }
}

#[test]
fn what_is_missing() {
    for (text, what) in [
        ("", "1:1: kind = \"cylinder\", \"prism\", \"square\" or \"slab\" is missing; add it"),
        (TISSUE, "1:1: kind = "),
        ("kind = 'cylinder'\n", "1:1: radius_mm, which a cylinder needs, is missing"),
        ("kind = 'cylinder'\nradius_mm = 3\n", "1:1: height_mm, which a cylinder needs, is missing"),
        ("kind = 'square'\n", "1:1: side_mm, which a square needs, is missing"),
        (
            "kind = 'slab'\n",
            "1:1: outline = \"liver\", \"kidney\", \"torso\", \"blob\", \"circle\" or [[x, y], ...], which a slab needs, is missing",
        ),
        ("kind = 'slab'\noutline = 'liver'", "1:1: thickness_mm, which a slab needs, is missing"),
        (
            "kind = 'slab'\noutline = [[0, 0], [9, 0], [9, 9]]\nthickness_mm = 9\n  [drive]\namplitude_mm = 1\n",
            "4:3: drive: arc, which a circle or an outline of points needs, is missing",
        ),
        (HEAD, "1:1: [background] with modulus_kpa and damping is missing"),
        (&format!("{HEAD}[background]\ndamping = 1\n"), "4:1: background: modulus_kpa is missing"),
        (&format!("{HEAD}[background]\nmodulus_kpa = 1\n"), "4:1: background: damping is missing"),
        (&format!("{HEAD}{TISSUE}[[inclusion]]\n"), "7:1: inclusion 1: shape = \"circle\", "),
        (
            &format!("{HEAD}{TISSUE}[[inclusion]]\nshape = 'circle'\n"),
            "7:1: inclusion 1: center_mm is missing; add it",
        ),
    ] {
        let message = refusal(text);
        assert!(message.starts_with(&format!("phantom.toml:{what}")), "{text}\n{message}");
    }
}

#[test]
fn what_is_unknown_or_of_the_wrong_type() {
    all(
        HEAD,
        4,
        TISSUE,
        &[
            ("radus_mm = 3\n", [1, 1], "unknown key `radus_mm`, expected one of `kind`, `radius_mm`,"),
            ("drive.amplitude = 3\n", [1, 7], "unknown key `amplitude`, expected one of `amplitude_mm`,"),
            ("[tissue]\n", [1, 2], "unknown key `tissue`"),
            ("frequency_hz = '60'\n", [1, 16], "frequency_hz: found string \"60\", expected a number"),
            ("frequency_hz = [60]\n", [1, 16], "frequency_hz: found a list, expected a number"),
            ("pixel_mm = true\n", [1, 12], "pixel_mm: found boolean `true`, expected a number"),
            ("size_px = 1.5\n", [1, 11], "size_px: found floating point `1.5`, expected a whole number"),
            ("size_px = -8\n", [1, 11], "size_px: found integer `-8`, expected a whole number"),
            ("size_px = 5000000000\n", [1, 11], "expected a whole number from 0 to 4294967295"),
            ("slices_mm = 3\n", [1, 13], "slices_mm: found integer `3`, expected a list"),
            ("slices_mm = [3, [4]]\n", [1, 17], "slices_mm: found a list, expected a number"),
            ("far_face = 'fixed'\n", [1, 12], "unknown value `fixed`, expected `roller` or `free`"),
            ("[inclusion]\n", [1, 1], "inclusion: found a table, expected a list; write [[inclusion]]"),
            ("drive = 3\n", [1, 9], "drive: found integer `3`, expected a table"),
            ("drive.offset_mm = [1]\n", [1, 19], "offset_mm: give two numbers, [a, b]"),
            ("drive.offset_mm = [1, 2, 3]\n", [1, 19], "offset_mm: give two numbers, [a, b]"),
            ("inclusion = 3\n", [1, 13], "inclusion: found integer `3`, expected a list"),
            ("radius_mm = 3\n", [1, 1], "duplicate key"),
            ("density = \n", [1, 11], ""),
            ("density = 1000 2\n", [1, 11], ""),
        ],
    );
    all(
        HEAD,
        4,
        "",
        &[
            ("kind = 3\n", [1, 1], "duplicate key"),
            ("[background]\nmodulus_kpa = 'soft'\n", [2, 15], "modulus_kpa: give a number, { polynomial = "),
            (
                "[background]\nmodulus_kpa = { polynomial = [[0, -1, 2]] }\n",
                [2, 15],
                "modulus_kpa: give a number",
            ),
            (
                "[background]\nmodulus_kpa = { polynomial = [[0, 1, 2, 3]] }\n",
                [2, 15],
                "modulus_kpa: give a number",
            ),
            ("[background]\nmodulus_kpa = { mean_kpa = 3 }\n", [2, 15], "modulus_kpa: give a number"),
            (
                "[background]\nmodulus_kpa = { mean_kpa = 3, spread = 1, length_mm = 3, seed = 1, sed = 2 }\n",
                [2, 15],
                "modulus_kpa: give a number",
            ),
        ],
    );
    all(
        "",
        1,
        "",
        &[
            (
                "kind = 'cyl'\n",
                [1, 8],
                "kind: unknown value `cyl`, expected one of `cylinder`, `prism`, `square`, `slab`",
            ),
            ("kind = 'slab'\noutline = 'lung'\n", [2, 11], "outline: give \"liver\", \"kidney\", "),
            ("kind = 'slab'\noutline = [[1, 2, 3]]\n", [2, 11], "outline: give \"liver\", \"kidney\", "),
            ("kind = 'slab'\noutline_seed = -1\n", [2, 16], "outline_seed: found integer `-1`"),
        ],
    );
}

#[test]
fn what_belongs_to_another_kind() {
    all(
        HEAD,
        4,
        TISSUE,
        &[
            (
                "side_mm = 3\n",
                [1, 1],
                "side_mm is for a square, and this phantom is a cylinder; leave it out",
            ),
            ("outline = 'liver'\n", [1, 1], "outline is for a prism or a slab"),
            ("drive.edge = 'left'\n", [1, 7], "drive: edge is for a square"),
            ("[drive]\narc = [0, 0.2]\n", [2, 1], "drive: arc is for a slab"),
        ],
    );
    all(
        SQUARE_HEAD,
        3,
        TISSUE,
        &[
            ("height_mm = 3\n", [1, 1], "height_mm is for a cylinder"),
            ("radius_mm = 3\n", [1, 1], "radius_mm is for a cylinder"),
            (
                "slices_mm = [3]\n",
                [1, 1],
                "slices_mm is not for a square: in plane strain every plane is the same",
            ),
            ("drive.offset_mm = [0, 0]\n", [1, 7], "drive: offset_mm is for a cylinder"),
            ("drive.radius_mm = 20\n", [1, 7], "drive: radius_mm is for a cylinder"),
        ],
    );
    all(
        SLAB_HEAD,
        4,
        TISSUE,
        &[
            (
                "far_face = 'free'\n",
                [1, 1],
                "far_face is for a cylinder or a square, and this phantom is a slab",
            ),
            ("smooth = true\n", [1, 1], "smooth is for an outline of points"),
        ],
    );
    all(
        "kind = 'slab'\noutline = [[0, 0], [90, 0], [9, 90]]\n",
        3,
        "",
        &[
            ("width_mm = 90\n", [1, 1], "width_mm is not for an outline of points"),
            ("outline_seed = 9\n", [1, 1], "outline_seed is for a drawn outline"),
        ],
    );
    let circle = format!("shape = 'circle'\ncenter_mm = [0, 0]\nsize_mm = 20\n{MADE}");
    let polygon = format!("shape = 'polygon'\npoints_mm = [[0, 0], [9, 0], [9, 9]]\n{MADE}");
    all(
        &format!("{HEAD}{TISSUE}[[inclusion]]\n{circle}"),
        13,
        "",
        &[
            ("angle_deg = 0\n", [1, 1], "inclusion 1: angle_deg is not for a circle"),
            ("points_mm = [[0, 0]]\n", [1, 1], "inclusion 1: points_mm is for a polygon"),
        ],
    );
    all(
        &format!("{HEAD}{TISSUE}[[inclusion]]\n{polygon}"),
        12,
        "",
        &[
            ("angle_deg = 0\n", [1, 1], "inclusion 1: angle_deg is not for a polygon"),
            ("center_mm = [0, 0]\n", [1, 1], "inclusion 1: center_mm is not for a polygon"),
            ("size_mm = 3\n", [1, 1], "inclusion 1: size_mm is not for a polygon"),
        ],
    );
    all(
        &format!("{HEAD}{TISSUE}[[inclusion]]\n{MADE}center_mm = [0, 0]\n"),
        11,
        "",
        &[
            ("shape = 'circle'\nsize_mm = [3, 4]\n", [2, 1], "size_mm takes one number for this shape"),
            ("shape = 'rectangle'\nsize_mm = 3\n", [2, 1], "size_mm takes [width, height] for a rectangle"),
            (
                "shape = 'square'\nsize_mm = [3, 4, 5]\n",
                [2, 11],
                "size_mm: give a number, or [width, height]",
            ),
        ],
    );
}

#[test]
fn lines_and_columns_are_a_person_s() {
    let text = format!("{HEAD}{TISSUE}");
    let wrong = format!("# Größe: µ\r\n{}", text.replace('\n', "\r\n").replace("80", "-8"));
    for text in [wrong.clone(), format!("\u{feff}{wrong}")] {
        assert_eq!(refusal(&text), "phantom.toml:3:1: radius_mm is -8; give a number from 1 to 2000 mm");
    }
    assert_eq!(parse(&format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap(), parse(&text).unwrap());
    let inline = "kind = 'cylinder'\nradius_mm = 80\nheight_mm = 100\nbackground = { 'damping' = 1, \"modulus_kpa\" = 0 }";
    assert!(
        refusal(inline).starts_with("phantom.toml:4:31: background: modulus_kpa is 0;"),
        "{}",
        refusal(inline)
    );
    let listed = format!(
        "{HEAD}inclusion = [\n  {{ shape = 'circle', center_mm = [0, 0], size_mm = 9, modulus_kpa = 1, damping = 1 }},\n  \
         {{ shape = 'circle', center_mm = [1, 0], size_mm = 9, modulus_kpa = 1, damping = 1 }},\n]\n{TISSUE}"
    );
    let message = refusal(&listed);
    assert!(message.starts_with("phantom.toml:6:3: inclusion 2 overlaps inclusion 1 (line 5);"), "{message}");
    assert!(
        refusal("kind = \"Größe\" x").starts_with("phantom.toml:1:16: "),
        "{}",
        refusal("kind = \"Größe\" x")
    );
}

#[test]
fn phantoms_made_in_code_are_judged_without_lines() {
    let check = |change: &dyn Fn(&mut Phantom)| {
        let mut phantom = parse(CYLINDER).unwrap();
        change(&mut phantom);
        phantom.check().unwrap_err().to_string()
    };
    assert_eq!(check(&|p| p.density = 3.0), "density is 3; give a number from 100 to 20000 kg/m³");
    let twice = |p: &mut Phantom| p.inclusions.push(p.inclusions[0].clone());
    assert_eq!(check(&twice), "inclusion 5 overlaps inclusion 1; move one or make it smaller");
    assert!(check(&|p| p.size_px = usize::MAX).starts_with("size_px is "));
    let square = |p: &mut Phantom| {
        p.body = Body::Square { side_mm: 200.0, far_face: FarFace::Free, edge: Side::Top };
        p.slices_mm.clear();
        p.drive.radius_mm = Some(3.0);
    };
    assert_eq!(
        check(&square),
        "drive: radius_mm is for a cylinder, and this phantom is not one; leave it out"
    );
    // An invalid phantom can still be written.
    let mut phantom = cylinder();
    (phantom.size_px, phantom.density) = (usize::MAX, f64::NAN);
    assert!(refusal(&phantom.to_toml()).contains("density is NaN"));
}

#[test]
fn what_is_no_file_of_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match Phantom::read(&path) {
            Err(Error::File { path: named, what }) if named == path => what,
            other => panic!("{other:?}"),
        }
    };
    assert!(read(b"").contains("is empty"));
    assert_eq!(read(b"kind = 3\nx = \xff"), "is not UTF-8 text at line 2, column 5; save it as UTF-8");
    assert!(read(&[b'#'; (1 << 20) + 1]).contains("is larger than 1 MiB"));
    let what = |path: &Path| Phantom::read(path).unwrap_err().to_string();
    assert!(what(folder.path()).contains("is a folder"));
    assert!(what(&folder.path().join("none.toml")).contains("no such file"));
    std::fs::write(&path, CYLINDER).unwrap();
    assert_eq!(Phantom::read(&path).unwrap(), parse(CYLINDER).unwrap());
    std::fs::write(&path, "kind = 3").unwrap();
    let error = Phantom::read(&path).unwrap_err();
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
    assert!(error.to_string().starts_with(&format!("{}:1:8: ", path.display())), "{error}");
}
