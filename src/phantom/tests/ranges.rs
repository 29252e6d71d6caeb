//! Numbers out of range, and shapes in forbidden positions.

use super::refusals::{HEAD, MADE, SLAB_HEAD, SQUARE_HEAD, all};
use super::*;

#[test]
fn numbers_out_of_range() {
    for (key, values, what) in [
        ("frequency_hz", &["0", "0.99", "2000.1", "nan", "inf", "-inf"][..], "from 1 to 2000 Hz"),
        ("density", &["0", "99", "20001", "nan", "-1000"], "from 100 to 20000 kg/m³"),
        ("poisson", &["-0.1", "0.4999001", "0.5", "nan"], "from 0 to 0.4999"),
        ("pixel_mm", &["0", "0.049", "20.1", "-1", "nan"], "from 0.05 to 20 mm"),
        ("size_px", &["0", "7", "4097"], "from 8 to 4096"),
        ("slices_mm", &["[]", "[20, 100.1]", "[-0.1]", "[nan]", "[inf]"], "slices_mm has"),
        ("drive.amplitude_mm", &["0", "-1", "nan", "inf", "101"], "above 0, up to 100 mm"),
        ("drive.offset_mm", &["[80, 0]", "[60, 60]"], "keep it within the face's radius of 80 mm"),
        ("drive.offset_mm", &["[nan, 0]", "[0, -1e300]"], "give numbers within 10000 mm"),
        ("drive.radius_mm", &["0", "0.5", "2001", "nan"], "from 1 to 2000 mm"),
    ] {
        for value in values {
            let column = if key.contains('.') { 7 } else { 1 };
            all(HEAD, 4, TISSUE, &[(&format!("{key} = {value}\n"), [1, column], what)]);
        }
    }
    for value in ["0", "0.9", "2001", "-5", "nan", "inf"] {
        let what = "give a number from 1 to 2000 mm";
        for (text, line) in [
            (HEAD.replace("80", value), 2),
            (HEAD.replace("100", value), 3),
            (SQUARE_HEAD.replace("100", value), 2),
            (SLAB_HEAD.replace("12", value), 2),
            (format!("{SLAB_HEAD}width_mm = {value}\n"), 4),
        ] {
            all("", 1, TISSUE, &[(&text, [line, 1], what)]);
        }
    }
    all(
        SLAB_HEAD,
        4,
        TISSUE,
        &[
            (
                "slices_mm = [12.5]\n",
                [1, 1],
                "slices_mm has plane 1 at 12.5 mm; keep it from 0 to thickness_mm, 12 mm",
            ),
            ("drive.arc = [-0.1, 0.2]\n", [1, 7], "arc starts at -0.1"),
            ("drive.arc = [1, 1.2]\n", [1, 7], "arc starts at 1;"),
            ("drive.arc = [nan, 1.2]\n", [1, 7], "arc starts at NaN"),
            ("drive.arc = [0.5, 0.2]\n", [1, 7], "arc runs from 0.5 to 0.2; give an end above the start"),
            ("drive.arc = [0.2, 0.71]\n", [1, 7], "arc runs from 0.2 to 0.71"),
            ("drive.arc = [0.2, 0.205]\n", [1, 7], "arc runs from 0.2 to 0.205"),
            ("drive.arc = [0.2, inf]\n", [1, 7], "arc runs from 0.2 to inf"),
        ],
    );
    assert!(parse(&format!("{SLAB_HEAD}drive.arc = [0.7, 1.2]\n{TISSUE}")).is_ok());
}

#[test]
fn tissue_out_of_range() {
    let everywhere = "give a modulus above 0.01 kPa and up to 1000 kPa, everywhere in its region";
    for (modulus, what) in [
        ("0.01", format!("modulus_kpa is 0.01; {everywhere}")),
        ("1001", format!("modulus_kpa is 1001; {everywhere}")),
        ("-3", "modulus_kpa is -3;".into()),
        ("nan", "modulus_kpa is NaN;".into()),
        ("{ polynomial = [] }", "has a polynomial without terms".into()),
        ("{ polynomial = [[5, 4, 1]] }", "has a term x^5 y^4; give terms with i + j up to 8".into()),
        ("{ polynomial = [[4294967295, 4294967295, 1]] }", "give terms with i + j up to 8".into()),
        ("{ polynomial = [[0, 0, nan]] }", "a term x^0 y^0 times NaN".into()),
        ("{ polynomial = [[0, 0, 1], [1, 0, 1e-3], [0, 0, 1]] }", "has the term x^0 y^0 twice".into()),
        // 4 + x / 20 is 0 at the cylinder's left end.
        ("{ polynomial = [[0, 0, 4], [1, 0, 0.05]] }", "modulus_kpa is 0 at (-80, ".into()),
        ("{ polynomial = [[0, 0, 4], [0, 2, 1]] }", "modulus_kpa is 6404 at (0, ".into()),
        ("{ mean_kpa = 0, spread = 0.3, length_mm = 40, seed = 1 }", "has mean_kpa = 0; ".into()),
        ("{ mean_kpa = 3, spread = 0, length_mm = 40, seed = 1 }", "has spread = 0; ".into()),
        ("{ mean_kpa = 3, spread = 2.1, length_mm = 40, seed = 1 }", "has spread = 2.1; ".into()),
        ("{ mean_kpa = 3, spread = nan, length_mm = 40, seed = 1 }", "has spread = NaN; ".into()),
        ("{ mean_kpa = 3, spread = 0.3, length_mm = 0.5, seed = 1 }", "has length_mm = 0.5; ".into()),
        ("{ mean_kpa = 900, spread = 1, length_mm = 10, seed = 1 }", everywhere.into()),
    ] {
        let text = format!("[background]\nmodulus_kpa = {modulus}\ndamping = 0.1\n");
        all(HEAD, 4, "", &[(&text, [2, 1], &what), (&text, [2, 1], "background: modulus_kpa ")]);
        let shape = "[[inclusion]]\nshape = 'circle'\ncenter_mm = [0, 0]\nsize_mm = 159\n";
        let text = format!("{shape}modulus_kpa = {modulus}\ndamping = 0.1\n");
        // The inclusion does not reach the body's edge.
        if !modulus.contains("0.05") {
            all(&format!("{HEAD}{TISSUE}"), 7, "", &[(&text, [5, 1], "inclusion 1: modulus_kpa ")]);
        }
    }
    for damping in ["0", "-0.1", "2.1", "nan"] {
        let text = format!("[background]\nmodulus_kpa = 3\ndamping = {damping}\n");
        all(HEAD, 4, "", &[(&text, [3, 1], "background: damping is ")]);
        all(HEAD, 4, "", &[(&text, [3, 1], "above 0, up to 2: the solver needs loss")]);
    }
    // Outside its region a modulus may have any value: 4 + x / 10 is -4 at the cylinder's left end.
    let text = format!(
        "{HEAD}{TISSUE}[[inclusion]]\nshape = 'circle'\ncenter_mm = [20, 0]\nsize_mm = 50\n\
                        modulus_kpa = {{ polynomial = [[0, 0, 4], [1, 0, 0.1]] }}\ndamping = 0.1\n"
    );
    parse(&text).unwrap();
}

#[test]
fn inclusions_that_clash() {
    let circle = |x: f64, d: f64| {
        format!("[[inclusion]]\nshape = 'circle'\ncenter_mm = [{x}, 0]\nsize_mm = {d}\n{MADE}")
    };
    let first = format!("{HEAD}{TISSUE}{}", circle(-20.0, 30.0));
    // The first inclusion is in line 7, and the next in line 13.
    all(
        &first,
        13,
        "",
        &[
            (
                &circle(0.0, 20.0),
                [1, 1],
                "inclusion 2 overlaps inclusion 1 (line 7); move one or make it smaller",
            ),
            (&circle(-20.0, 10.0), [1, 1], "inclusion 2 overlaps inclusion 1 (line 7)"),
            (&circle(-20.0, 60.0), [1, 1], "inclusion 2 overlaps inclusion 1 (line 7)"),
            (
                &circle(5.05, 20.0),
                [1, 1],
                "inclusion 2 comes within 0.050 mm of inclusion 1 (line 7) near (-4.95, 0); leave",
            ),
            (&circle(75.0, 20.0), [1, 1], "inclusion 2 reaches outside the body; move it or make it smaller"),
            (&circle(95.0, 20.0), [1, 1], "inclusion 2 lies outside the body; move it"),
            (&circle(69.95, 20.0), [1, 1], "inclusion 2 comes within 0.050 mm of the body's edge near"),
            (
                &format!("{}   {}", circle(20.0, 10.0), circle(26.0, 10.0)),
                [7, 4],
                "inclusion 3 overlaps inclusion 2 (line 13)",
            ),
        ],
    );
    let many: String = (0..101).map(|i| circle(f64::from(i), 2.0)).collect();
    all(
        &format!("{HEAD}{TISSUE}"),
        7,
        "",
        &[(&many, [601, 1], "101 inclusions are too many; give at most 100")],
    );
    let inclusion = |shape: &str| format!("[[inclusion]]\n{MADE}shape = {shape}\n");
    all(
        &format!("{HEAD}{TISSUE}"),
        7,
        "",
        &[
            (
                &inclusion("'circle'\ncenter_mm = [0, 0]\nsize_mm = 0"),
                [6, 1],
                "inclusion 1: size_mm is 0; give a number from 1",
            ),
            (&inclusion("'square'\ncenter_mm = [0, inf]\nsize_mm = 9"), [5, 1], "center_mm holds inf"),
            (&inclusion("'rectangle'\ncenter_mm = [0, 0]\nsize_mm = [9, nan]"), [6, 1], "size_mm is NaN"),
            (
                &inclusion("'square'\ncenter_mm = [0, 0]\nsize_mm = 9\nangle_deg = nan"),
                [7, 1],
                "angle_deg is NaN",
            ),
            (
                &inclusion("'square'\ncenter_mm = [0, 0]\nsize_mm = 9\nangle_deg = 361"),
                [7, 1],
                "from -360 to 360 degrees",
            ),
            (
                &inclusion("'polygon'\npoints_mm = [[0, 0], [9, 9]]"),
                [5, 1],
                "points_mm makes no outline: the polygon has 2 points",
            ),
            (
                &inclusion("'polygon'\npoints_mm = [[0, 0], [9, 9], [9, 0], [0, 9]]"),
                [5, 1],
                "the polygon crosses itself",
            ),
            (&inclusion("'polygon'\npoints_mm = [[0, 0], [9, nan], [9, 0]]"), [5, 1], "points_mm holds NaN"),
            (
                &inclusion(&format!("'polygon'\npoints_mm = [{}]", "[0, 0],".repeat(501))),
                [5, 1],
                "has 501 points; give at most 500",
            ),
        ],
    );
}

#[test]
fn bodies_that_no_image_shows() {
    let slab =
        |points: &str| format!("kind = 'slab'\nthickness_mm = 9\ndrive.arc = [0, 0.2]\noutline = {points}\n");
    all(
        "",
        1,
        TISSUE,
        &[
            (
                &slab("[[130, 0], [190, 0], [160, 40]]"),
                [1, 1],
                "no pixel of the image is in the body: the image reaches from -128 to 128 mm",
            ),
            (&slab("[[0, 0], [3000, 0], [0, 400]]"), [4, 1], "outline reaches over (3000, 400) mm"),
            (&slab("[[0, 0], [0.5, 0], [0, 0.5]]"), [4, 1], "outline reaches over"),
            (&slab("[[0, 0], [50, 0]]"), [4, 1], "outline makes no outline: the polygon has 2 points"),
            (
                &slab("[[0, 0], [50, 0], [0, 1e6]]"),
                [4, 1],
                "outline holds 1000000; give numbers within 10000 mm",
            ),
        ],
    );
    // The image's border may cut the body or be inside it.
    parse(&format!("{}{TISSUE}", slab("[[100, 0], [190, 0], [160, 40]]"))).unwrap();
    parse(&format!("{HEAD}size_px = 20\n{TISSUE}")).unwrap();
}

#[test]
fn free_far_faces_that_cannot_be_solved() {
    let head = HEAD.replace("100\n", "100\nfar_face = 'free'\n");
    parse(&format!("{head}{TISSUE}")).unwrap();
    let inclusion =
        format!("{TISSUE}[[inclusion]]\nshape = 'circle'\ncenter_mm = [0, 0]\nsize_mm = 9\n{MADE}");
    let polynomial = TISSUE.replace("= 3", "= { polynomial = [[0, 0, 3]] }");
    for (text, what) in [
        (inclusion, "it has inclusions; give \"roller\""),
        (polynomial, "its modulus varies; give \"roller\""),
        (format!("drive.offset_mm = [1, 0]\n{TISSUE}"), "it is driven off its centre; give"),
        (format!("drive.radius_mm = 20\n{TISSUE}"), "it is driven by a pad; give"),
    ] {
        all(&head, 5, "", &[(&text, [0, 1], what)]);
    }
}

const PRISM_HEAD: &str = "kind = 'prism'\noutline = 'circle'\nwidth_mm = 160\nheight_mm = 100\n";

#[test]
fn sources_off_the_body_or_out_of_range() {
    let case = |lines: &str, line: usize, what: &str| {
        let text = format!("[[source]]\n{lines}");
        all(PRISM_HEAD, 5, TISSUE, &[(&text, [line + 1, 1], what)]);
    };
    let pad = "kind = 'pad'\ncenter_mm = [10, 20]\n";
    let wall = "kind = 'wall'\narc = [0.9, 1.1]\n";
    case(
        "kind = 'plate'\namplitude_mm = 0\n",
        2,
        "source 1: amplitude_mm is 0; give a number above 0, up to 100",
    );
    case(
        "kind = 'plate'\nphase_deg = 361\n",
        2,
        "source 1: phase_deg is 361; give a number from -360 to 360",
    );
    case("kind = 'plate'\ncenter_mm = [80, 1]\n", 2, "center_mm is (80, 1), outside the face; move it");
    case("kind = 'plate'\nradius_mm = 9\n", 2, "radius_mm is for a pad; leave it out");
    case("kind = 'plate'\narc = [0, 0.1]\n", 2, "arc is for a wall; leave it out");
    case("kind = 'pad'\nradius_mm = 9\n", 0, "source 1: center_mm is missing; add it");
    case(pad, 0, "source 1: radius_mm is missing; add it");
    case(&format!("{pad}radius_mm = 0.5\n"), 3, "radius_mm is 0.5; give a number from 1 to 2000");
    case("kind = 'pad'\ncenter_mm = [nan, 0]\nradius_mm = 9\n", 2, "center_mm holds NaN");
    case("kind = 'wall'\n", 0, "source 1: arc = [start, end] is missing; add it");
    case(wall, 0, "source 1: span_mm = [start, end] is missing; add it");
    case(&format!("{wall}span_mm = [10, 40]\namplitude_mm = 1\n"), 4, "amplitude_mm is for a plate or a pad");
    case(&format!("{wall}span_mm = [10, 40]\ntraction_kpa = nan\n"), 4, "traction_kpa is NaN; give a number");
    let off = "keep it on the wall, from 0 to height_mm, 100 mm, with an end at least 10 mm above the start";
    for span in ["[-1, 40]", "[60, 101]", "[30, 30]", "[30, 39]", "[40, 10]", "[nan, 40]"] {
        case(&format!("{wall}span_mm = {span}\n"), 3, off);
    }
    case("kind = 'wall'\nspan_mm = [10, 40]\narc = [0.1, 0.1]\n", 3, "source 1: arc runs from 0.1 to 0.1");
    case("kind = 'wall'\nspan_mm = [10, 40]\narc = [0.1, 0.7]\n", 3, "arc runs from 0.1 to 0.7");
    case("kind = 'wall'\nspan_mm = [10, 40]\narc = [1.1, 1.2]\n", 3, "arc starts at 1.1");

    let plate = "[[source]]\nkind = 'plate'\n";
    all("", 1, TISSUE, &[(PRISM_HEAD, [1, 1], "[[source]], which a prism needs, is missing; add it")]);
    all(PRISM_HEAD, 5, TISSUE, &[("source = []\n", [1, 1], "source has 0 entries; give 1 to 32")]);
    let tail = format!("{plate}{TISSUE}");
    all(
        &PRISM_HEAD.replace("100", "0"),
        4,
        &tail,
        &[("", [1, 1], "height_mm is 0; give a number from 1 to")],
    );
    all(&PRISM_HEAD.replace("160", "0"), 3, &tail, &[("", [1, 1], "width_mm is 0; give a number from 1 to")]);
    all(
        PRISM_HEAD,
        5,
        &tail,
        &[
            ("drive.amplitude_mm = 1\n", [1, 1], "drive is for a cylinder or a square or a slab"),
            ("far_face = 'free'\n", [1, 1], "far_face is for a cylinder or a square"),
            ("outline_seed = 3\n", [1, 1], "outline_seed is for a drawn outline"),
            ("slices_mm = [101]\n", [1, 1], "keep it from 0 to height_mm, 100 mm"),
        ],
    );
    all(HEAD, 4, TISSUE, &[(plate, [1, 3], "source is for a prism")]);
}

#[test]
fn layers_out_of_range() {
    for (layers, what) in [
        ("layers_kpa = [2], edges_mm = []", "has 1 layers_kpa and 0 edges_mm; give 2 to 20 layers"),
        ("layers_kpa = [2, 3], edges_mm = [1, 2]", "has 2 layers_kpa and 2 edges_mm"),
        ("layers_kpa = [2, 0], edges_mm = [1]", "has a layer of 0; give a modulus above 0.01 kPa"),
        ("layers_kpa = [2, 3, 4], edges_mm = [5, 5]", "has edges_mm 5 and 5; give them in ascending order"),
        ("layers_kpa = [2, 3], edges_mm = [nan]", "holds NaN"),
    ] {
        let text = format!(
            "[background]\ndamping = 0.1\nmodulus_kpa = {{ {layers}, angle_deg = 0, blend_mm = 4 }}\n"
        );
        all(HEAD, 4, "", &[(&text, [3, 1], what)]);
    }
    for (rest, what) in [
        ("angle_deg = 400, blend_mm = 4", "has angle_deg = 400"),
        ("angle_deg = 0, blend_mm = 0", "has blend_mm = 0; give a number from 1 to 2000"),
    ] {
        let text = format!(
            "[background]\ndamping = 0.1\nmodulus_kpa = {{ layers_kpa = [2, 3], edges_mm = [0], {rest} }}\n"
        );
        all(HEAD, 4, "", &[(&text, [3, 1], what)]);
    }
}
