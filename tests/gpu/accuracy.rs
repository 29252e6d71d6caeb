//! What MMDI shows on waves of known modulus. `cargo test --test accuracy -- --nocapture` prints the tables.

use crate::common::compare::{assert_above, assert_at_most, assert_close, largest, least, quantile};
use ndarray::{Array2, Zip};
use num_complex::Complex64;
use palpate::Size;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::stats::erode::erode;
use palpate::lowlevel::wave::analytic::{Medium, PlaneWave, Scatterer, add_noise, sample, superposed};
use std::cell::RefCell;
use std::fmt::{self, Write};

tests![
    plane_waves_of_known_modulus,
    storage_loss_and_speed_of_clean_waves,
    pixels_of_half_one_and_two_millimetres_agree,
    a_lost_zero_level_costs_little,
    waves_turned_by_45_degrees_give_the_same,
    confidence_falls_as_error_grows,
];

const DAMPING: f64 = 0.1;
const MODULI: [f64; 3] = [2.0, 3.5, 6.0];
const DEGREES: [f64; 3] = [0.0, 20.0, 45.0];
/// Pixels that the interior keeps away from the mask's rim.
const RIM: usize = 12;

fn medium(storage_kpa: f64) -> Medium {
    Medium { storage_kpa, damping: DAMPING, density: 1000.0, frequency_hz: 60.0 }
}

/// |μ*| of [`medium`], kPa.
fn stiffness(storage_kpa: f64) -> f64 {
    medium(storage_kpa).modulus_kpa().norm()
}

fn wave(storage_kpa: f64, degrees: f64) -> PlaneWave {
    PlaneWave { medium: medium(storage_kpa), direction: degrees.to_radians(), amplitude: Complex64::ONE }
}

/// Three waves of different strength that cross, turned by so many degrees.
fn crossing(storage_kpa: f64, degrees: f64) -> Vec<PlaneWave> {
    let parts = [(5.0, 1.0, 0.0), (130.0, 0.7, 1.1), (-75.0, 0.5, 2.5)];
    let turned = |(direction, size, phase)| PlaneWave {
        amplitude: Complex64::from_polar(size, phase),
        ..wave(storage_kpa, direction + degrees)
    };
    parts.map(turned).to_vec()
}

/// 256 mm in pixels of one size, with a disc of radius 100 mm as the mask.
struct Grid {
    size: Size,
    spacing_mm: [f64; 2],
    mask: Array2<bool>,
}

impl Grid {
    fn new(pixel_mm: f64) -> Self {
        let (size, spacing_mm) = (Size::square((256.0 / pixel_mm) as usize), [pixel_mm; 2]);
        Self { size, spacing_mm, mask: sample(size, spacing_mm, |x, y| x.hypot(y) <= 100.0) }
    }

    fn interior(&self) -> Array2<bool> {
        erode(self.mask.view(), RIM)
    }

    fn sample<T: Default>(&self, field: impl Fn(f64, f64) -> T) -> Array2<T> {
        sample(
            self.size,
            self.spacing_mm,
            |x, y| if x.hypot(y) <= 100.0 { field(x, y) } else { T::default() },
        )
    }

    fn waves(&self, waves: &[PlaneWave]) -> Array2<Complex64> {
        self.sample(|x, y| superposed(waves, x, y))
    }

    /// `field` with noise of this many dB, from a seed.
    fn noisy(&self, field: &Array2<Complex64>, decibel: Option<f64>, seed: u64) -> Array2<Complex64> {
        let mut field = field.clone();
        if let Some(decibel) = decibel {
            add_noise(&mut field, self.mask.view(), decibel, &mut fastrand::Rng::with_seed(seed));
        }
        field
    }
}

/// Maps on a grid.
struct Maps<'a> {
    grid: &'a Grid,
    planes: Vec<f32>,
}

impl Maps<'_> {
    fn plane(&self, plane: MmdiMap) -> Array2<f64> {
        let Size { nx, ny } = self.grid.size;
        let values = plane.of(&self.planes).iter().map(|&v| f64::from(v)).collect();
        Array2::from_shape_vec((ny, nx), values).expect("a plane")
    }

    /// value / truth − 1 over the interior.
    fn off(&self, plane: MmdiMap, truth: f64) -> Off {
        let (values, interior) = (self.plane(plane), self.grid.interior());
        Off(values.iter().zip(&interior).filter(|(_, i)| **i).map(|(v, _)| v / truth - 1.0).collect())
    }
}

/// Inversions on one device, made once for each kind of image.
struct Lab {
    pipelines: Pipelines,
    made: RefCell<Vec<(MmdiSettings, Mmdi)>>,
}

impl Lab {
    fn new(pipelines: &Pipelines) -> Self {
        Self { pipelines: pipelines.clone(), made: RefCell::default() }
    }

    fn invert<'a>(
        &self,
        grid: &'a Grid,
        mode: MmdiMode,
        zero_lost: bool,
        field: &Array2<Complex64>,
    ) -> Maps<'a> {
        let settings = MmdiSettings {
            mode,
            size: grid.size,
            spacing_mm: grid.spacing_mm,
            frames: Frames::Channels,
            directions: 1,
            zero_lost,
            frequency_hz: 60.0,
            density: 1000.0,
        };
        let mut made = self.made.borrow_mut();
        let at = made.iter().position(|(s, _)| *s == settings).unwrap_or_else(|| {
            made.push((
                settings.clone(),
                Mmdi::new(&self.pipelines, &settings, &|_, _| {}).expect("compile"),
            ));
            made.len() - 1
        });
        let parts = field.iter().map(|u| u.re as f32).chain(field.iter().map(|u| u.im as f32));
        let frames: Vec<f32> = parts.collect();
        let mask: Vec<bool> = grid.mask.iter().copied().collect();
        Maps { grid, planes: made[at].1.invert(&frames, &mask).expect("invert") }
    }
}

/// Relative errors of many pixels. Displayed as the median of their magnitude and, in brackets, their
/// median, in per cent.
#[derive(Default)]
struct Off(Vec<f64>);

impl Off {
    /// The median magnitude, per cent.
    fn error(&self) -> f64 {
        100.0 * quantile(self.0.iter().map(|v| v.abs()), 0.5)
    }

    /// The median, per cent.
    fn bias(&self) -> f64 {
        100.0 * quantile(self.0.iter().copied(), 0.5)
    }
}

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:.2} ({:+.2})", self.error(), self.bias())
    }
}

fn snr(decibel: Option<f64>) -> String {
    decibel.map_or("clean".into(), |decibel| format!("{decibel} dB"))
}

/// Fails unless `value` is what README.md states with one decimal, a twentieth of it apart.
#[track_caller]
fn assert_as_stated(value: f64, stated: f64, what: impl fmt::Display) {
    assert_close(value, stated, 0.05 * (1.0 + stated), what);
}

/// A table in Markdown.
struct Table(String);

impl Table {
    fn new(title: &str, columns: &[&str]) -> Self {
        let rule = "---|".repeat(columns.len());
        Self(format!("\n{title}\n\n| {} |\n|{rule}\n", columns.join(" | ")))
    }

    fn row(&mut self, cells: &[&dyn fmt::Display]) {
        for cell in cells {
            write!(self.0, "| {cell} ").expect("a string takes it");
        }
        self.0.push_str("|\n");
    }
}

fn plane_waves_of_known_modulus(pipelines: &Pipelines) {
    let lab = Lab::new(pipelines);
    let (one, two) = (Grid::new(1.0), Grid::new(2.0));
    let columns = ["mode", "pixel, mm", "SNR", "kPa", "0°", "20°", "45°", "pooled"];
    let mut table = Table::new("median |error| (bias) of |mu*|, %", &columns);
    let mut figures = Vec::new();
    for mode in [MmdiMode::Corrected, MmdiMode::Clinical] {
        for (grid, decibel) in [(&one, None), (&one, Some(10.0)), (&two, None)] {
            let mut errors = Vec::new();
            for kpa in MODULI {
                let offs = DEGREES.map(|degrees| {
                    let field = grid.noisy(&grid.waves(&[wave(kpa, degrees)]), decibel, degrees as u64);
                    lab.invert(grid, mode, false, &field).off(MmdiMap::Stiffness, stiffness(kpa))
                });
                let all = Off(offs.iter().flat_map(|off| off.0.iter().copied()).collect());
                let [a, b, c] = &offs;
                table.row(&[&format!("{mode:?}"), &grid.spacing_mm[0], &snr(decibel), &kpa, a, b, c, &all]);
                errors.extend(offs.iter().map(Off::error));
                if mode == MmdiMode::Clinical && decibel.is_some() {
                    assert_above(
                        all.bias(),
                        1.0,
                        format!("{kpa} kPa: the clinical mode reads high in noise, %"),
                    );
                }
            }
            let what = format!("{mode:?}, {} mm, {}", grid.spacing_mm[0], snr(decibel));
            figures.push((what, least(errors.clone()), largest(errors)));
        }
    }
    note!("{}", table.0);
    // README.md: the least and the largest median error of three moduli and three directions, per cent.
    let stated = [[0.1, 0.3], [2.6, 6.5], [0.1, 1.4], [0.1, 5.1], [4.5, 13.6], [0.2, 3.3]];
    for ((what, least, largest), [low, high]) in figures.into_iter().zip(stated) {
        assert_as_stated(least, low, format!("{what}: the least error, %"));
        assert_as_stated(largest, high, format!("{what}: the largest error, %"));
    }
}

fn storage_loss_and_speed_of_clean_waves(pipelines: &Pipelines) {
    let lab = Lab::new(pipelines);
    let grid = Grid::new(1.0);
    let columns = ["kPa", "storage", "loss", "wave speed", "px with loss below 0"];
    let title = "median |error| (bias), clean, corrected, three directions pooled, %";
    let mut table = Table::new(title, &columns);
    for kpa in MODULI {
        let planes = [MmdiMap::Storage, MmdiMap::Loss, MmdiMap::Wavespeed];
        let truths = [kpa, kpa * DAMPING, medium(kpa).speed()];
        let mut offs: [Off; 3] = Default::default();
        for degrees in DEGREES {
            let maps = lab.invert(&grid, MmdiMode::Corrected, false, &grid.waves(&[wave(kpa, degrees)]));
            for i in 0..3 {
                offs[i].0.extend(maps.off(planes[i], truths[i]).0);
            }
        }
        let [storage, loss, speed] = &offs;
        let gains = loss.0.iter().filter(|v| **v <= -1.0).count();
        table.row(&[&kpa, storage, loss, speed, &format!("{gains} of {}", loss.0.len())]);
        assert!(storage.error() < 1.0, "{kpa} kPa: storage modulus off by {storage} %");
        assert!(loss.error() < 4.0, "{kpa} kPa: loss modulus off by {loss} %");
        assert!(speed.error() < 0.5, "{kpa} kPa: wave speed off by {speed} %");
        assert_eq!(gains, 0, "{kpa} kPa: energy out of nothing");
    }
    note!("{}", table.0);
}

fn pixels_of_half_one_and_two_millimetres_agree(pipelines: &Pipelines) {
    let lab = Lab::new(pipelines);
    let grids = [0.5, 1.0, 2.0].map(Grid::new);
    let interior = grids[2].interior();
    let columns = ["mode", "kPa", "direction", "0.5 against 1", "1 against 2", "0.5 against 2"];
    let mut table =
        Table::new("median |difference| (bias) of |mu*| between pixels of, mm, clean, %", &columns);
    let (corrected, clinical) = (MmdiMode::Corrected, MmdiMode::Clinical);
    for (mode, kpa, degrees) in
        [(corrected, 2.0, 0.0), (corrected, 2.0, 45.0), (corrected, 6.0, 20.0), (clinical, 6.0, 45.0)]
    {
        // Small pixels are averaged over each large one.
        let maps = grids.each_ref().map(|grid| {
            let maps = lab.invert(grid, mode, false, &grid.waves(&[wave(kpa, degrees)]));
            let fold = grid.size.nx / grids[2].size.nx;
            let plane = maps.plane(MmdiMap::Stiffness);
            let means = plane.exact_chunks((fold, fold)).into_iter().map(|b| b.mean().expect("pixels"));
            Array2::from_shape_vec(interior.dim(), means.collect()).expect("a pixel for each block")
        });
        let [first, second, third] = [(0, 1), (1, 2), (0, 2)].map(|(a, b)| {
            let pairs = maps[a].iter().zip(&maps[b]).zip(&interior).filter(|(_, i)| **i);
            Off(pairs.map(|((a, b), _)| a / b - 1.0).collect())
        });
        table.row(&[&format!("{mode:?}"), &kpa, &format!("{degrees}°"), &first, &second, &third]);
        for off in [&first, &second, &third] {
            assert!(mode == clinical || off.error() <= 2.0, "{kpa} kPa, {degrees}°: {off} %");
        }
    }
    note!("{}", table.0);
}

/// Each channel stretched to 0..4095 over the mask: the zero level and the ratio of the channels are lost.
fn rescaled(grid: &Grid, field: &Array2<Complex64>) -> Array2<Complex64> {
    let stretched = |part: fn(&Complex64) -> f64| {
        let inside = || field.iter().zip(&grid.mask).filter(|(_, i)| **i).map(|(u, _)| part(u));
        let (low, high) = (inside().fold(f64::MAX, f64::min), inside().fold(f64::MIN, f64::max));
        field.map(|u| (part(u) - low) / (high - low) * 4095.0)
    };
    let [re, im] = [stretched(|u| u.re), stretched(|u| u.im)];
    Zip::from(&re)
        .and(&im)
        .and(&grid.mask)
        .map_collect(|&re, &im, &inside| if inside { Complex64::new(re, im) } else { Complex64::ZERO })
}

fn a_lost_zero_level_costs_little(pipelines: &Pipelines) {
    let lab = Lab::new(pipelines);
    let grid = Grid::new(1.0);
    let columns = ["mode", "SNR", "kPa", "waves", "zero known", "zero lost", "loss modulus, zero lost"];
    let mut table = Table::new("median |error| (bias), two channels rescaled to 0..4095, %", &columns);
    let (corrected, clinical) = (MmdiMode::Corrected, MmdiMode::Clinical);
    for (mode, decibel, several) in [
        (corrected, None, false),
        (corrected, None, true),
        (corrected, Some(20.0), true),
        (clinical, None, true),
    ] {
        for kpa in MODULI {
            let waves = if several { crossing(kpa, 0.0) } else { vec![wave(kpa, 20.0)] };
            let field = grid.noisy(&grid.waves(&waves), decibel, 3);
            let known = lab.invert(&grid, mode, false, &field).off(MmdiMap::Stiffness, stiffness(kpa));
            let maps = lab.invert(&grid, mode, true, &rescaled(&grid, &field));
            let lost = maps.off(MmdiMap::Stiffness, stiffness(kpa));
            let loss = maps.off(MmdiMap::Loss, kpa * DAMPING);
            table.row(&[&format!("{mode:?}"), &snr(decibel), &kpa, &waves.len(), &known, &lost, &loss]);
            let limit = if decibel.is_none() { 1.5 } else { 3.0 };
            assert!(mode == clinical || lost.error() <= limit, "{kpa} kPa, {}: {lost} %", snr(decibel));
        }
    }
    note!("{}", table.0);
}

fn waves_turned_by_45_degrees_give_the_same(pipelines: &Pipelines) {
    let lab = Lab::new(pipelines);
    let grid = Grid::new(1.0);
    let columns = ["SNR", "kPa", "as they are", "turned"];
    let mut table =
        Table::new("median |error| (bias) of |mu*|, three crossing waves, corrected, %", &columns);
    for decibel in [None, Some(10.0)] {
        for kpa in MODULI {
            let [straight, turned] = [0.0, 45.0].map(|degrees| {
                let field = grid.noisy(&grid.waves(&crossing(kpa, degrees)), decibel, 4);
                lab.invert(&grid, MmdiMode::Corrected, false, &field).off(MmdiMap::Stiffness, stiffness(kpa))
            });
            table.row(&[&snr(decibel), &kpa, &straight, &turned]);
            let apart = (straight.error() - turned.error()).abs();
            let most = if decibel.is_none() { 0.2 } else { 1.0 };
            assert!(apart <= most, "{kpa} kPa, {}: {straight} %, turned {turned} %", snr(decibel));
        }
    }
    note!("{}", table.0);
}

/// Crossing waves without and with an inclusion, and |μ*| of each.
fn varied(grid: &Grid) -> Vec<(Array2<Complex64>, Array2<f64>)> {
    let plain = |kpa| (grid.waves(&crossing(kpa, 30.0)), grid.sample(|_, _| stiffness(kpa)));
    let inclusion = |(around, within, centre_mm, radius_mm)| {
        let part = |wave| Scatterer::new(wave, medium(within), centre_mm, radius_mm).expect("a field");
        let parts: Vec<_> = crossing(around, 15.0).into_iter().map(part).collect();
        let field = grid.sample(|x, y| parts.iter().map(|part| part.at(x, y)).sum());
        (field, grid.sample(|x, y| parts[0].medium(x, y).modulus_kpa().norm()))
    };
    let inclusions = [
        (3.0, 6.0, [10.0, -20.0], 20.0),
        (3.0, 1.5, [-25.0, 5.0], 20.0),
        (2.0, 4.0, [30.0, 30.0], 15.0),
        (5.0, 2.5, [0.0, 0.0], 25.0),
    ];
    MODULI.into_iter().map(plain).chain(inclusions.into_iter().map(inclusion)).collect()
}

fn confidence_falls_as_error_grows(pipelines: &Pipelines) {
    let lab = Lab::new(pipelines);
    let grid = Grid::new(1.0);
    const FLOORS: [f64; 7] = [0.97, 0.95, 0.925, 0.90, 0.85, 0.80, 0.0];
    let mut bins: [Vec<f64>; FLOORS.len()] = Default::default();
    let mut predicted = [0.0; FLOORS.len()];
    for (seed, (field, truth)) in varied(&grid).iter().enumerate() {
        for decibel in [None, Some(20.0), Some(15.0), Some(10.0)] {
            let field = grid.noisy(field, decibel, seed as u64);
            let maps = lab.invert(&grid, MmdiMode::Corrected, false, &field);
            let (found, sure) = (maps.plane(MmdiMap::Stiffness), maps.plane(MmdiMap::Confidence));
            Zip::from(&found).and(&sure).and(truth).and(&grid.mask).for_each(
                |found, &sure, truth, &inside| {
                    if inside {
                        assert!(found.is_finite(), "a stiffness of {found}");
                        let bin =
                            FLOORS.iter().position(|floor| sure >= *floor).expect("the last floor is 0");
                        bins[bin].push((found / truth - 1.0).abs());
                        predicted[bin] += 1.0 - sure;
                    }
                },
            );
        }
    }
    let columns = ["confidence from", "px", "error it predicts", "mean error", "90th percentile"];
    let mut table = Table::new("whole mask, waves and inclusions, clean to 10 dB, errors in %", &columns);
    // README.md: mean error and 90th percentile, per cent.
    let stated = [[0.7, 1.8], [2.1, 4.1], [4.2, 8.1], [7.2, 14.6], [9.6, 19.3], [12.6, 25.2]];
    let mut means = Vec::new();
    for ((bin, floor), predicted) in bins.iter().zip(FLOORS).zip(predicted) {
        assert!(bin.len() >= 500, "from {floor}: {} px", bin.len());
        let share = 100.0 / bin.len() as f64;
        let (mean, predicted) = (share * bin.iter().sum::<f64>(), share * predicted);
        let wide = 100.0 * quantile(bin.iter().copied(), 0.9);
        let figures = [predicted, mean, wide].map(|v| format!("{v:.1}"));
        table.row(&[&floor, &bin.len(), &figures[0], &figures[1], &figures[2]]);
        assert_at_most(mean, predicted, format!("from {floor}: the mean error beside what was predicted, %"));
        if let Some([mean_stated, wide_stated]) = stated.get(means.len()) {
            assert_as_stated(mean, *mean_stated, format!("from {floor}: the mean error, %"));
            assert_as_stated(wide, *wide_stated, format!("from {floor}: the 90th percentile, %"));
        }
        means.push(mean);
    }
    note!("{}", table.0);
    assert!(
        means.len() == FLOORS.len() && means.is_sorted(),
        "less confidence must mean more error: {means:?}"
    );
}
