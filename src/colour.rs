//! Colour maps of 256 colours, for pictures and for the GPU kernel that colours a map.
//!
//! A map is a smooth curve through a few anchor colours in the Oklab colour space (B. Ottosson, 2020), followed at
//! constant speed. Equal steps of the value therefore look equal, and no edge appears that is not in the data.

use std::sync::LazyLock;

/// The colours for the values 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColourMap {
    /// Dark purple, blue, cyan, green, yellow, red, dark red: the usual colours for stiffness.
    Stiffness,
    /// Blue, white, red, neutral at exactly 0.5: for signed values, for example a wave's real part.
    Diverging,
    /// Dark purple to yellow, with increasing lightness (viridis-like): for confidence and amplitude.
    Sequential,
}

type Table = [[u8; 4]; 256];
type Lab = [f64; 3];

const STIFFNESS: [u32; 9] =
    [0x2b1055, 0x3b3fc4, 0x2d86f0, 0x1fc8de, 0x3fd877, 0xb4e236, 0xfbc234, 0xec5a1c, 0x950d0f];
const SEQUENTIAL: [u32; 5] = [0x440154, 0x3b528b, 0x21918c, 0x5ec962, 0xfde725];
const BLUE_ARM: [u32; 4] = [0xf7f7f7, 0x9cc8e6, 0x3a7fc1, 0x0d2f6e];
const RED_ARM: [u32; 4] = [0xf7f7f7, 0xf2b49a, 0xcb4b41, 0x6a0620];

static TABLES: LazyLock<[Table; 3]> = LazyLock::new(|| {
    let mut diverging = [[0; 4]; 256];
    // Two arms of 128 colours start at the same white. Both middle entries are neutral, and the halves are equally
    // long.
    for (i, (blue, red)) in ramp::<128>(&BLUE_ARM).into_iter().zip(ramp::<128>(&RED_ARM)).enumerate() {
        diverging[127 - i] = blue;
        diverging[128 + i] = red;
    }
    [ramp(&STIFFNESS), diverging, ramp(&SEQUENTIAL)]
});

impl ColourMap {
    /// The map as 256 sRGB colours with alpha 255. Entry `i` is the colour of the value `i / 255`.
    pub fn table(self) -> [[u8; 4]; 256] {
        *self.colours()
    }

    /// The sRGB colour of `t`, interpolated linearly between the table's entries. Values outside 0..1 are clamped.
    /// NaN gets the colour of 0.
    ///
    /// ```
    /// # use palpate::lowlevel::colour::ColourMap;
    /// assert_eq!(ColourMap::Diverging.at(0.5), [247, 247, 247]);
    /// assert_eq!(ColourMap::Sequential.at(7.0), ColourMap::Sequential.at(1.0));
    /// ```
    pub fn at(self, t: f32) -> [u8; 3] {
        let position = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) * 255.0 };
        let low = (position as usize).min(254);
        let share = position - low as f32;
        let [a, b] = [self.colours()[low], self.colours()[low + 1]].map(|colour| colour.map(f32::from));
        [0, 1, 2].map(|c| (a[c] + share * (b[c] - a[c])).round() as u8)
    }

    fn colours(self) -> &'static Table {
        let [stiffness, diverging, sequential] = &*TABLES;
        match self {
            ColourMap::Stiffness => stiffness,
            ColourMap::Diverging => diverging,
            ColourMap::Sequential => sequential,
        }
    }
}

/// `N` colours at equal distances along the curve through the anchors (0xRRGGBB), including both ends.
fn ramp<const N: usize>(anchors: &[u32]) -> [[u8; 4]; N] {
    const FINE: usize = 64; // points per anchor; dense, so that chords have the length of arcs
    let lab: Vec<Lab> = anchors.iter().map(|&rgb| to_oklab(rgb)).collect();
    let last = lab.len() - 1;
    let curve: Vec<Lab> = (0..=last * FINE).map(|i| catmull_rom(&lab, i as f64 / FINE as f64)).collect();
    let mut reached = vec![0.0];
    for pair in curve.windows(2) {
        reached.push(reached[reached.len() - 1] + distance(pair[0], pair[1]));
    }
    let length = reached[reached.len() - 1];
    std::array::from_fn(|i| {
        let goal = length * i as f64 / (N - 1) as f64;
        let next = reached.partition_point(|&d| d < goal).clamp(1, curve.len() - 1);
        let share = (goal - reached[next - 1]) / (reached[next] - reached[next - 1]);
        let [r, g, b] = to_srgb([0, 1, 2].map(|c| lerp(curve[next - 1][c], curve[next][c], share)));
        [r, g, b, 255]
    })
}

fn lerp(a: f64, b: f64, share: f64) -> f64 {
    a + share * (b - a)
}

fn distance(a: Lab, b: Lab) -> f64 {
    a.iter().zip(b).map(|(p, q)| (p - q).powi(2)).sum::<f64>().sqrt()
}

/// The Catmull-Rom spline through `points` at `t` in 0..=points.len() - 1.
fn catmull_rom(points: &[Lab], t: f64) -> Lab {
    let last = points.len() - 1;
    let i = (t as usize).min(last - 1);
    let s = t - i as f64;
    let near = [i.saturating_sub(1), i, i + 1, (i + 2).min(last)].map(|j| points[j]);
    [0, 1, 2].map(|c| {
        let [p0, p1, p2, p3] = near.map(|p| p[c]);
        let slope = [(p2 - p0) / 2.0, (p3 - p1) / 2.0];
        p1 + s
            * (slope[0]
                + s * (3.0 * (p2 - p1) - 2.0 * slope[0] - slope[1]
                    + s * (2.0 * (p1 - p2) + slope[0] + slope[1])))
    })
}

fn to_oklab(rgb: u32) -> Lab {
    let [r, g, b] = [16, 8, 0].map(|shift| {
        let v = f64::from((rgb >> shift) & 0xff) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
    let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
    let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
    [
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    ]
}

/// The nearest 8-bit sRGB colour. Colours that a display cannot show are clipped.
fn to_srgb([lightness, a, b]: Lab) -> [u8; 3] {
    let l = (lightness + 0.3963377774 * a + 0.2158037573 * b).powi(3);
    let m = (lightness - 0.1055613458 * a - 0.0638541728 * b).powi(3);
    let s = (lightness - 0.0894841775 * a - 1.2914855480 * b).powi(3);
    [
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    ]
    .map(|v: f64| {
        let v = v.clamp(0.0, 1.0);
        let v = if v <= 0.0031308 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        (v * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ColourMap; 3] = [ColourMap::Stiffness, ColourMap::Diverging, ColourMap::Sequential];

    fn lab(colour: [u8; 4]) -> Lab {
        to_oklab(u32::from_be_bytes([0, colour[0], colour[1], colour[2]]))
    }

    #[test]
    fn oklab_is_the_published_one_and_comes_back() {
        for (rgb, expected) in [
            (0xffffff, [1.0, 0.0, 0.0]),
            (0xff0000, [0.6279554, 0.2248631, 0.1258463]),
            (0x0000ff, [0.4520137, -0.0324570, -0.3115281]),
        ] {
            assert!(distance(to_oklab(rgb), expected) < 1e-6, "{rgb:06x}: {:?}", to_oklab(rgb));
        }
        for rgb in (0..0x1000000).step_by(4099) {
            let [_, r, g, b] = u32::to_be_bytes(rgb);
            assert_eq!(to_srgb(to_oklab(rgb)), [r, g, b]);
        }
    }

    #[test]
    fn ends_are_the_anchors_and_steps_look_alike() {
        let ends = |map: ColourMap| [map.at(0.0), map.at(1.0)];
        assert_eq!(ends(ColourMap::Stiffness), [[0x2b, 0x10, 0x55], [0x95, 0x0d, 0x0f]]);
        assert_eq!(ends(ColourMap::Diverging), [[0x0d, 0x2f, 0x6e], [0x6a, 0x06, 0x20]]);
        assert_eq!(ends(ColourMap::Sequential), [[0x44, 0x01, 0x54], [0xfd, 0xe7, 0x25]]);
        for map in ALL {
            let table = map.table();
            // The steps span eight entries, so that 8-bit rounding is negligible.
            let steps: Vec<f64> =
                (0..240).step_by(8).map(|i| distance(lab(table[i]), lab(table[i + 8]))).collect();
            let mean = steps.iter().sum::<f64>() / steps.len() as f64;
            for (i, step) in steps.iter().enumerate() {
                assert!((0.75..1.25).contains(&(step / mean)), "{map:?} at {}: {}", i * 8, step / mean);
            }
            assert!(table.iter().all(|colour| colour[3] == 255));
        }
    }

    #[test]
    fn lightness_is_ordered() {
        let lightness = |map: ColourMap| map.table().map(|colour| lab(colour)[0]);
        assert!(lightness(ColourMap::Sequential).windows(2).all(|w| w[1] > w[0] - 2e-3));
        let diverging = lightness(ColourMap::Diverging);
        assert!(diverging[..128].windows(2).all(|w| w[1] > w[0] - 2e-3));
        assert!((0..128).all(|i| (diverging[i] - diverging[255 - i]).abs() < 0.04));
        // The lightness of Stiffness increases up to yellow, then decreases. On each side, two colours therefore
        // differ in a grey print.
        let stiffness = lightness(ColourMap::Stiffness);
        let top = (0..256).max_by(|&a, &b| stiffness[a].total_cmp(&stiffness[b])).unwrap();
        assert!((130..215).contains(&top), "lightest at {top}");
        assert!(stiffness[..top].windows(2).all(|w| w[1] > w[0] - 4e-3));
        assert!(stiffness[top..].windows(2).all(|w| w[1] < w[0] + 4e-3));
    }

    #[test]
    fn lookup_is_linear_clamped_and_total() {
        for map in ALL {
            let table = map.table();
            for (i, &[r, g, b, _]) in table.iter().enumerate() {
                assert_eq!(map.at(i as f32 / 255.0), [r, g, b]);
            }
            assert_eq!(map.at(-3.0), map.at(0.0));
            assert_eq!(map.at(f32::INFINITY), map.at(1.0));
            assert_eq!(map.at(f32::NAN), map.at(0.0));
        }
        assert_eq!(ColourMap::Diverging.at(0.5), [0xf7; 3]);
    }
}
