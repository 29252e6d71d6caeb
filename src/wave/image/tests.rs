use super::*;
use crate::io::volume::Samples;
use crate::io::volume::Stated;
use crate::io::{Affine, AxisName};
use crate::wave::warning::Code;
use num_complex::Complex64;
use std::f64::consts::TAU;

const N: usize = 20;

/// An array of the given shape with sample (x, y, …) from `value`; zero at the border. Its header states axes as NIfTI's
/// does.
fn volume(shape: &[usize], value: impl Fn(&[usize]) -> f64) -> Volume {
    let mut index = vec![0; shape.len()];
    let data = (0..shape.iter().product())
        .map(|flat: usize| {
            shape.iter().zip(&mut index).fold(flat, |rest, (n, i)| {
                *i = rest % n;
                rest / n
            });
            let inside = index.iter().zip(shape).take(2).all(|(&i, &n)| i > 0 && i + 1 < n);
            if inside { value(&index) } else { 0.0 }
        })
        .collect();
    let geometry = VolumeGeometry { spacing_mm: Some([1.5, 1.5]), ..VolumeGeometry::default() };
    let (format, stated) = (Format::Nifti, Stated::default());
    Volume { shape: shape.to_vec(), data: Samples::Real(data), geometry, format, stated }
}

fn wave(i: &[usize], t: f64) -> f64 {
    (0.3 * i[0] as f64 + 0.1 * i[1] as f64 + TAU * t).sin()
}

/// Phases of one wave along the last axis.
fn phases(shape: &[usize]) -> Volume {
    let frames = shape[shape.len() - 1];
    volume(shape, |i| 2000.0 + 900.0 * wave(i, i[i.len() - 1] as f64 / frames as f64))
}

/// Without a header, as an NPY file.
fn bare(mut volume: Volume) -> Volume {
    volume.format = Format::Npy;
    volume
}

fn samples(volume: &mut Volume) -> &mut Vec<f64> {
    match &mut volume.data {
        Samples::Real(values) => values,
        Samples::Complex(_) => panic!("complex"),
    }
}

fn read(volume: &Volume) -> Result<WaveImage> {
    WaveImage::read(volume, None, &ReadOptions::default())
}

fn read_by(volume: &Volume, axes: &str) -> Result<WaveImage> {
    let axes = Some(axes.parse().unwrap());
    WaveImage::read(volume, None, &ReadOptions { axes, ..ReadOptions::default() })
}

fn masked(volume: &Volume, mask: &Volume) -> Result<WaveImage> {
    WaveImage::read(volume, Some(mask), &ReadOptions::default())
}

fn codes(image: &WaveImage) -> Vec<Code> {
    image.warnings.iter().map(Warning::code).collect()
}

fn notes(image: &WaveImage) -> Vec<&'static str> {
    image.notes.iter().map(Note::code).collect()
}

fn refused(result: Result<WaveImage>) -> String {
    result.map(|image| (image.axes, image.notes)).unwrap_err().to_string()
}

#[test]
fn layouts_follow_from_shape_and_data() {
    let by = |volume: &Volume, layout| {
        WaveImage::read(volume, None, &ReadOptions { layout, ..ReadOptions::default() })
            .map(|w| (w.layout, w.zero, w.slices, w.frames))
    };
    let ramp = |shape: &[usize]| bare(volume(shape, |i| 1.0 + i[0] as f64));
    use FrameLayoutChoice as C;
    let two = |layout, zero| Some((layout, zero, 1, 2));
    assert_eq!(by(&ramp(&[N, N, 2]), C::Auto).ok(), two(FrameLayout::ReIm, ZeroLevel::Lost));
    assert_eq!(by(&ramp(&[N, N, 2]), C::ReIm).ok(), two(FrameLayout::ReIm, ZeroLevel::Lost));
    assert_eq!(by(&ramp(&[N, N, 2]), C::Complex).ok(), two(FrameLayout::Complex, ZeroLevel::Known));
    let phased = |slices, frames| Some((FrameLayout::Phases, ZeroLevel::Known, slices, frames));
    assert_eq!(by(&phases(&[N, N, 3]), C::Auto).ok(), phased(1, 3));
    assert_eq!(by(&phases(&[N, N, 5, 8]), C::Auto).ok(), phased(5, 8));
    assert_eq!(by(&phases(&[N, N, 1, 1, 8]), C::Phases).ok(), phased(1, 8));
    assert_eq!(by(&ramp(&[N, N, 5, 2]), C::Auto).ok(), Some((FrameLayout::ReIm, ZeroLevel::Lost, 5, 2)));
    for (shape, layout, says) in [
        (&[N, N][..], C::Auto, "one frame"),
        (&[N, N, 1], C::Auto, "one frame"),
        (&[N, N, 7, 1], C::Auto, "one frame"),
        (&[N * N], C::Auto, "one frame"),
        (&[N, N, 2], C::Phases, "three or more"),
        (&[N, N, 1], C::Phases, "one frame"),
        (&[N, N, 3], C::ReIm, "re-im needs two"),
        (&[N, N, 3], C::Complex, "complex needs two"),
        (&[1, 1, 8], C::Auto, "too small"),
        (&[N, 15, 8], C::Auto, "20 × 15"),
    ] {
        let e = by(&ramp(shape), layout).unwrap_err().to_string();
        assert!(e.contains(says), "{shape:?}: {e}");
    }
}

#[test]
fn samples_are_ordered_by_slice_and_frame() {
    let shape = [N, N + 1, 3, 4];
    let value = |i: &[usize]| (i[0] + 100 * i[1] + 10_000 * i[2] + 100_000 * i[3]) as f64;
    let options = ReadOptions { layout: FrameLayoutChoice::Phases, ..ReadOptions::default() };
    let options = ReadOptions { turn: TurnChoice::Straight, ..options };
    let image = WaveImage::read(&volume(&shape, value), None, &options).unwrap();
    assert_eq!((image.size, &image.map_dims[..]), (Size::new(N, N + 1), &shape[..3]));
    assert_eq!(image.frame([0, 2, 3, 0])[5 * N + 7], value(&[7, 5, 2, 3]) as f32);
    assert_eq!(image.data[((2 * 4 + 3) * (N + 1) + 5) * N + 7], value(&[7, 5, 2, 3]) as f32);
}

#[test]
fn stated_axes_win_in_any_order() {
    // Every axis has its own length and its own share of the value.
    let value = |x: usize, y: usize, s: usize, t: usize, d: usize, f: usize| {
        wave(&[x, y], t as f64 / 4.0) + (10 * s + 100 * d + 1000 * f) as f64
    };
    let options = |axes: &str| ReadOptions {
        axes: Some(axes.parse().unwrap()),
        frequencies_hz: vec![30.0, 40.0],
        turn: TurnChoice::Straight,
        ..ReadOptions::default()
    };
    let straight = volume(&[N, N + 1, 5, 4, 3, 2], |i| value(i[0], i[1], i[2], i[3], i[4], i[5]));
    let turned = volume(&[N + 1, N, 2, 3, 20], |i| value(i[1], i[0], i[4] / 4, i[4] % 4, i[3], i[2]));
    let images = [
        (straight, "x,y,slice,phase,direction,frequency"),
        (turned, "y,x,frequency,direction,phase:4*slice"),
    ]
    .map(|(volume, axes)| WaveImage::read(&volume, None, &options(axes)).unwrap());
    for image in &images {
        assert_eq!((image.slices, image.frames, image.directions), (5, 4, 3));
        assert_eq!((&image.frequencies_hz[..], image.frequency_origin), (&[30.0, 40.0][..], Origin::Given));
        let found = image.frame([1, 4, 3, 2])[7 * N + 6];
        assert_eq!(found, value(6, 7, 4, 3, 2, 1) as f32);
        assert_eq!(image.direction(1, 4, 2)[3 * N * (N + 1) + 7 * N + 6], found);
    }
    assert_eq!(images[0].data, images[1].data);
    let mut one = options("x,y,slice,phase,direction,frequency");
    one.frequencies_hz.pop();
    let straight = volume(&[N, N + 1, 5, 4, 3, 2], |i| value(i[0], i[1], i[2], i[3], i[4], i[5]));
    assert!(refused(WaveImage::read(&straight, None, &one)).contains("2 frequencies"));
    one.frequencies_hz.clear();
    assert!(refused(WaveImage::read(&straight, None, &one)).contains("nothing states"));
    assert!(refused(read_by(&straight, "x,y,slice,phase")).contains("other axes"));
}

#[test]
fn an_axis_that_is_no_period_is_refused_with_the_readings() {
    let turns =
        |turns: f64, n: usize| volume(&[N, N, n], |i| 100.0 * wave(i, turns * i[2] as f64 / n as f64));
    for (wrong, says) in [
        (turns(0.5, 8), "times the others"),
        (turns(2.0, 8), "one cycle"),
        (volume(&[N, N, 8], |i| 100.0 * wave(i, [0, 5, 2, 7, 4, 1, 6, 3][i[2]] as f64 / 8.0)), "one cycle"),
        (volume(&[N, N, 5, 8], |i| wave(i, 0.07 * (i[2] + i[3]) as f64)), "was taken for phases"),
        // Three images that have nothing in common.
        (volume(&[N, N, 3], |i| ((7 * i[0] + 3 * i[1] * i[1] + 5 * i[2] * i[0]) as f64).sin()), "three"),
    ] {
        let e = read(&wrong).map(|image| image.axes).unwrap_err();
        assert!(matches!(&e, Error::Axes { readings, .. } if !readings.is_empty()), "{e:?}");
        assert!(e.to_string().contains(says), "{e}");
    }
    // Stated, the same is read, with a warning.
    let image = read_by(&turns(2.0, 8), "x,y,phase").unwrap();
    assert_eq!(codes(&image), [Code::NoPeriod, Code::OffFrequency]);
}

#[test]
fn phases_along_another_axis_are_found() {
    let before =
        volume(&[N, N, 8, 4], |i| wave(&[i[0] + i[3], i[1]], i[2] as f64 / 8.0 + 0.06 * i[3] as f64));
    match read(&before).unwrap_err() {
        Error::Axes { readings, .. } => assert_eq!(readings[0], "x,y,phase,slice"),
        other => panic!("{other}"),
    }
    let image = read_by(&before, "x,y,phase,slice").unwrap();
    assert_eq!((image.slices, image.frames, image.certainty), (4, 8, Certainty::Stated));
    // Slices and directions cannot be told apart without a header.
    assert!(read(&bare(phases(&[N, N, 3, 8]))).is_err());
    assert!(read(&bare(phases(&[N, N, 5, 8]))).is_ok());
}

#[test]
fn three_phases_are_known_in_noise_and_on_a_background() {
    let mut random = fastrand::Rng::with_seed(2);
    let mut three = volume(&[N, N, 3], |i| wave(i, i[2] as f64 / 3.0) + 0.2 * i[0] as f64);
    samples(&mut three).iter_mut().filter(|v| **v != 0.0).for_each(|v| *v += 0.8 * (random.f64() - 0.5));
    let image = read(&three).unwrap();
    assert_eq!((image.frames, image.certainty), (3, Certainty::Assumed));
    // Three directions of one phase, of nearly the same wave.
    let directions = volume(&[N, N, 3], |i| {
        let (strength, t) = [(1.0, 0.0), (0.8, 0.08), (0.6, -0.1)][i[2]];
        strength * wave(&[3 * i[0], i[1]], t)
    });
    assert!(refused(read(&directions)).contains("three images"));
}

#[test]
fn a_last_frame_that_repeats_the_first_is_left_out() {
    let ends = volume(&[N, N, 9], |i| wave(i, i[2] as f64 / 8.0));
    let image = read(&ends).unwrap();
    assert_eq!((image.frames, notes(&image)), (8, vec!["repeated-frame"]));
}

#[test]
fn two_frames_are_parts_unless_the_header_says_space() {
    let parts = |i: &[usize]| wave(i, 0.25 * i[2] as f64);
    let mut two = volume(&[N, N, 2], parts);
    assert!(matches!(read(&two), Err(Error::Axes { .. })), "slices 1.5 mm apart");
    two.geometry.identity = true;
    assert_eq!(notes(&read(&two).unwrap()), ["axes-assumed"]);
    let polar = volume(&[N, N, 1, 2], |i| if i[3] == 0 { 900.0 } else { 3.1 * wave(i, 0.0) });
    assert!(refused(read(&polar)).contains("differ in kind"));
    let image = WaveImage::read(
        &polar,
        None,
        &ReadOptions {
            axes: Some("x,y,mag-phase".parse().unwrap()),
            turn: TurnChoice::Of(TAU),
            ..ReadOptions::default()
        },
    );
    let image = image.unwrap();
    let u = Complex64::from_polar(900.0, 3.1 * wave(&[5, 6], 0.0));
    assert_eq!(image.frame([0, 0, 0, 0])[6 * N + 5], u.re as f32);
    assert_eq!((image.layout, image.zero), (FrameLayout::Complex, ZeroLevel::Known));
    // The components of a vector are no phases.
    let mut vector = phases(&[N, N, 1, 3]);
    vector.geometry.vector = true;
    assert!(refused(read(&vector)).contains("vector"));
}

#[test]
fn complex_arrays_are_slices_or_a_signal() {
    let complex = |shape: &[usize], value: &dyn Fn(&[usize]) -> Complex64| {
        let [re, im] = [0, 1].map(|part| {
            let mut volume = volume(shape, |i| [value(i).re, value(i).im][part]);
            std::mem::take(samples(&mut volume))
        });
        let mut volume = volume(shape, |_| 0.0);
        let pairs = re.into_iter().zip(im).map(|(re, im)| Complex64::new(re, im));
        volume.data = Samples::Complex(pairs.collect());
        volume
    };
    let slices = complex(&[N, N, 3], &|i| Complex64::new(1.0, -2.0) * (i[0] + 50 * i[2]) as f64);
    let image = read(&slices).unwrap();
    assert_eq!((image.slices, image.frames, image.zero), (3, 2, ZeroLevel::Known));
    assert_eq!((image.frame([0, 1, 0, 0])[N + 4], image.frame([0, 1, 1, 0])[N + 4]), (54.0, -108.0));
    let lost = ReadOptions { zero: ZeroChoice::Lost, ..ReadOptions::default() };
    let image = WaveImage::read(&slices, None, &lost).unwrap();
    assert_eq!((image.zero, codes(&image)), (ZeroLevel::Lost, vec![Code::LostZero]));

    // The phase of an MR signal, 2.5 rad about an offset that grows over several turns.
    let phase = |i: &[usize], t: usize| 2.5 * wave(i, t as f64 / 8.0) + 0.4 * i[0] as f64;
    let signal = complex(&[N, N, 8], &|i| Complex64::from_polar(300.0 + i[1] as f64, phase(i, i[2])));
    let image = read(&signal).unwrap();
    assert_eq!((image.layout, image.slices, image.frames), (FrameLayout::Phases, 1, 8));
    assert!(notes(&image).contains(&"signal-phase") && notes(&image).contains(&"unwrapped"));
    let at = |t: usize| f64::from(image.frame([0, 0, t, 0])[6 * N + 5]);
    for t in 0..8 {
        assert!((at(t) - at(0) - (phase(&[5, 6], t) - phase(&[5, 6], 0))).abs() < 1e-5);
    }
    assert!((image.magnitude.as_ref().unwrap()[6 * N + 5] - 306.0).abs() < 1e-3);
}

#[test]
fn spacing_is_the_given_the_headers_or_assumed() {
    let mut volume = phases(&[N, N, 4]);
    let with = |volume: &Volume, spacing_mm| {
        let options = ReadOptions { spacing_mm, ..ReadOptions::default() };
        WaveImage::read(volume, None, &options).map(|w| (w.spacing_mm, w.spacing_origin, codes(&w)))
    };
    assert_eq!(with(&volume, None).unwrap(), ([1.5, 1.5], Origin::Stated, vec![]));
    assert_eq!(with(&volume, Some([2.0, 1.0])).unwrap(), ([2.0, 1.0], Origin::Given, vec![]));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = with(&volume, Some([1.0, bad])).unwrap_err();
        assert!(matches!(refused, Error::Setting { name: "spacing_mm", .. }), "{refused:?}");
        volume.geometry.spacing_mm = Some([1.5, bad]);
        let refused = with(&volume, None).unwrap_err();
        assert!(matches!(refused, Error::HeaderSpacing { affine: None, .. }), "{refused:?}");
        assert!(with(&volume, Some([1.0, 1.0])).is_ok());
    }
    volume.geometry.spacing_mm = None;
    assert_eq!(with(&volume, None).unwrap(), ([1.0, 1.0], Origin::Assumed, vec![Code::AssumedSpacing]));
    volume.geometry.spacing_mm = Some([1.0, 1.0]);
    volume.geometry.affine_spacing_mm = Some([1.4, 1.4]);
    assert!(with(&volume, None).unwrap_err().to_string().contains("contradicts"));
    volume.geometry.affine_spacing_mm = Some([1.0, 1.0]);
    volume.geometry.identity = true;
    let both = vec![Code::IdentityAffine, Code::AssumedSpacing];
    assert_eq!(with(&volume, None).unwrap(), ([1.0, 1.0], Origin::Assumed, both));
    assert_eq!(with(&volume, Some([1.4, 1.4])).unwrap().2, [Code::IdentityAffine]);
}

#[test]
fn data_that_hold_no_wave_are_refused() {
    let shape = [N, N, 4];
    assert!(refused(read(&volume(&shape, |_| 0.0))).contains("nothing but zeros"));
    assert!(refused(read(&volume(&shape, |_| 7.0))).contains("all frames are the same"));
    assert!(refused(read(&bare(volume(&[N, N, 2], |i| 3.0 + i[2] as f64)))).contains("constant"));
    for (scale, exponent) in [(1e20, "e2"), (1e-30, "e-")] {
        let what = refused(read(&volume(&shape, |i| scale * i[2] as f64)));
        assert!(what.contains("rescale") && what.contains(exponent), "{what}");
    }
    let mut nan = volume(&shape, |_| 0.0);
    samples(&mut nan).fill(f64::NAN);
    assert!(refused(read(&nan)).contains("every sample is NaN"));
}

#[test]
fn what_is_not_finite_is_refused_inside_the_mask_and_cleared_outside() {
    let mask = volume(&[N, N], |_| 1.0);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut wave = phases(&[N, N, 2, 4]);
        let at = |x: usize, y: usize, slice: usize, frame: usize| x + N * (y + N * (slice + 2 * frame));
        samples(&mut wave)[at(0, 5, 1, 2)] = bad;
        let image = masked(&wave, &mask).unwrap();
        assert!(image.data.iter().all(|v| v.is_finite()));
        // Without a mask, the value counts as not zero and is therefore inside.
        assert!(refused(read(&wave)).contains("x 0, y 5, slice 1, frame 2"));
        samples(&mut wave)[at(3, 4, 0, 3)] = bad;
        samples(&mut wave)[at(3, 4, 1, 0)] = bad;
        let what = refused(masked(&wave, &mask));
        assert!(what.contains("2 samples") && what.contains("x 3, y 4, slice 0, frame 3"), "{what}");
    }
    // A pixel that is NaN in every frame lies outside, unless a mask says otherwise.
    let mut outside = phases(&[N, N, 4]);
    (0..4).for_each(|t| samples(&mut outside)[5 + N * (6 + N * t)] = f64::NAN);
    let image = read(&outside).unwrap();
    assert!(!image.masks[0][6 * N + 5] && notes(&image).contains(&"nan-outside"));
    assert!(masked(&outside, &mask).is_err());
}

#[test]
fn masks_are_checked() {
    let wave = phases(&[N, N, 3, 4]);
    let inside = |m: &[bool]| m.iter().filter(|&&m| m).count();
    assert!(read(&wave).unwrap().masks.iter().all(|m| inside(m) == (N - 2) * (N - 2)));
    let half = |i: &[usize]| f64::from(i[0] < N / 2);
    let halved = masked(&wave, &volume(&[N, N], half)).unwrap();
    assert!(halved.masks.iter().all(|m| inside(m) == (N / 2 - 1) * (N - 2)));
    let stack = volume(&[N, N, 3, 1], |i| if i[2] == 1 { 0.0 } else { 255.0 });
    let counts: Vec<_> = masked(&wave, &stack).unwrap().masks.iter().map(|m| inside(m)).collect();
    assert_eq!(counts, [324, 0, 324]);

    let other = refused(masked(&wave, &volume(&[N, N + 1], |_| 1.0)));
    assert!(other.contains("20 × 21") && other.contains("20 × 20 × 3"), "{other}");
    assert!(refused(masked(&wave, &volume(&[N, N, 2], |_| 1.0))).contains("20 × 20 × 2"));
    assert!(refused(masked(&wave, &volume(&[N, N], |_| 0.0))).contains("zero everywhere"));
    assert!(refused(masked(&wave, &volume(&[N, N], |_| -1.0))).contains("nowhere above 0.5"));
    assert!(refused(masked(&wave, &volume(&[N, N], |_| f64::NAN))).contains("324 values"));
    let mut border = volume(&[N, N], |_| 0.0);
    samples(&mut border)[0] = 1.0;
    assert!(refused(masked(&wave, &border)).contains("zeros inside the mask"));
}

#[test]
fn masks_of_probabilities_and_labels_are_told() {
    let wave = phases(&[N, N, 4]);
    let soft = volume(&[N, N], |i| i[0] as f64 / 19.0);
    let image = masked(&wave, &soft).unwrap();
    assert_eq!(codes(&image), [Code::SoftMask]);
    assert!(image.masks[0][5 * N + 10] && !image.masks[0][5 * N + 9]);
    let labels = volume(&[N, N], |i| 1.0 + (i[0] / 10) as f64);
    assert_eq!(codes(&masked(&wave, &labels).unwrap()), [Code::MaskLabels]);
    let options = |label| ReadOptions { label: Some(label), ..ReadOptions::default() };
    let second = WaveImage::read(&wave, Some(&labels), &options(2.0)).unwrap();
    assert!(codes(&second).is_empty() && !second.masks[0][5 * N + 9] && second.masks[0][5 * N + 10]);
    let what = refused(WaveImage::read(&wave, Some(&labels), &options(3.0)));
    assert!(what.contains("1, 2"), "{what}");
    let percent = volume(&[N, N], |i| 100.0 * i[0] as f64 / 19.0);
    assert!(refused(masked(&wave, &percent)).contains("percent"));
    let regions = second.labels(&labels).unwrap();
    assert_eq!(regions.iter().map(|(label, _)| *label).collect::<Vec<_>>(), [1.0, 2.0]);
    assert!(second.labels(&soft).unwrap().len() == 1 && second.labels(&volume(&[N, N], |_| 1.5)).is_err());
}

#[test]
fn a_mask_is_laid_on_the_image_by_its_affine() {
    let mut wave = phases(&[N, N, 4]);
    let affine = |sign: f64, x: f64| {
        Some(Affine([[sign * 1.5, 0.0, 0.0, x], [0.0, 1.5, 0.0, 0.0], [0.0, 0.0, 4.0, 0.0]]))
    };
    wave.geometry.affine = affine(1.0, 0.0);
    let mut mask = volume(&[N, N], |i| f64::from(i[0] < 6));
    mask.geometry.affine = affine(-1.0, 28.5);
    let image = masked(&wave, &mask).unwrap();
    assert!(image.masks[0][5 * N + 15] && !image.masks[0][5 * N + 3]);
    assert_eq!(notes(&image), ["mask-reordered"]);
    mask.geometry.affine = affine(1.0, 60.0);
    let what = refused(masked(&wave, &mask));
    assert!(what.contains("[1.5 0 0 60;") && what.contains("[1.5 0 0 0;"), "{what}");
    mask.geometry.affine = None;
    assert_eq!(notes(&masked(&wave, &mask).unwrap()), ["mask-unplaced"]);
}

#[test]
fn doubts_are_told() {
    let told = |volume: &Volume| codes(&read(volume).unwrap());
    let mut wave = phases(&[N, N, 3, 8]);
    assert_eq!(told(&wave), []);
    let mut whole = volume(&[N, N], |_| 1.0);
    samples(&mut whole).fill(1.0);
    let mut filled = wave.clone();
    samples(&mut filled).iter_mut().enumerate().for_each(|(i, v)| *v += (i / (3 * N * N)) as f64);
    assert!(codes(&masked(&filled, &whole).unwrap()).contains(&Code::MaskTouchesBorder));
    samples(&mut wave).iter_mut().for_each(|v| *v = v.min(2700.0));
    assert_eq!(told(&wave), [Code::ClippedPhase]);
    // The second of three slices is zero, or constant.
    for still in [0.0, 100.0] {
        let gap =
            volume(
                &[N, N, 3, 4],
                |i| if i[2] == 1 { still } else { super::tests::wave(i, i[3] as f64 / 4.0) },
            );
        assert!(told(&gap).contains(&Code::EmptySlice));
        let masks = read(&gap).unwrap().masks;
        assert_eq!([0, 1, 2].map(|slice| masks[slice].contains(&true)), [true, false, true]);
    }
    let constant = volume(&[N, N, 3, 2], |i| if i[2] == 1 { 7.0 } else { i[0] as f64 });
    assert!(told(&constant).contains(&Code::EmptySlice));
    assert_eq!(told(&bare(volume(&[N, N, 2], |i| i[0] as f64))), [Code::LostZero]);
}

#[test]
fn noise_outside_and_a_spike_do_not_hide_the_turn() {
    const M: usize = 64;
    let mut random = fastrand::Rng::with_seed(7);
    let body = |i: &[usize]| (i[0] as f64 - 31.5).hypot(i[1] as f64 - 31.5) < 22.0;
    let phase = |i: &[usize]| 2.8 * wave(i, i[2] as f64 / 8.0) + 0.1 * i[0] as f64;
    let wrap = |v: f64| v - TAU * (v / TAU).round();
    let mut noisy = volume(&[M, M, 8], |_| 1.0);
    for (flat, v) in samples(&mut noisy).iter_mut().enumerate() {
        let i = [flat % M, flat / M % M, flat / (M * M)];
        *v = if body(&i) { wrap(phase(&i)) } else { TAU * (random.f64() - 0.5) };
    }
    let mut spiked = noisy.clone();
    samples(&mut spiked)[32 + M * 32] = 9.0;
    for volume in [&noisy, &spiked] {
        let image = read(volume).unwrap();
        assert_eq!(notes(&image), ["noise-outside", "unwrapped"]);
        let inside = |x: usize, y: usize| image.masks[0][y * M + x];
        assert!(inside(32, 33) && inside(16, 32) && !inside(2, 2) && !inside(5, 60));
        let at = |t: usize| f64::from(image.frame([0, 0, t, 0])[33 * M + 30]);
        assert!((0..8).all(|t| (at(t) - at(0) - (phase(&[30, 33, t]) - phase(&[30, 33, 0]))).abs() < 1e-5));
    }
}

#[test]
fn the_spatial_axes_keep_their_place() {
    let mut turned = volume(&[N + 1, N, 4], |i| wave(&[i[1], i[0]], i[2] as f64 / 4.0));
    turned.geometry.affine = Some(Affine([[0.0, 2.0, 0.0, 5.0], [1.0, 0.0, 0.0, 6.0], [0.0, 0.0, 3.0, 7.0]]));
    let image = read_by(&turned, "y,x,phase").unwrap();
    let affine = image.geometry.affine.unwrap();
    assert_eq!(
        (affine.step(0), affine.step(1), image.spacing_mm),
        ([2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [2.0, 1.0])
    );
    assert_eq!((image.size, AxisName::X.name()), (Size::new(N, N + 1), "x"));
}

#[test]
fn no_array_and_no_statement_panics() {
    let mut random = fastrand::Rng::with_seed(3);
    let names =
        ["x", "y", "slice", "phase", "direction", "frequency", "re-im", "mag-phase", "1", "phase:2*slice"];
    for case in 0..3000 {
        let axes = random.usize(1..6);
        let mut shape: Vec<usize> = (0..axes).map(|_| random.usize(1..5)).collect();
        shape.iter_mut().take(2).for_each(|n| *n = random.usize(16..19));
        if random.bool() {
            random.shuffle(&mut shape);
        }
        let value = |random: &mut fastrand::Rng| match random.u32(0..40) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2..10 => 0.0,
            _ => 1e4 * (random.f64() - 0.5),
        };
        let count = shape.iter().product();
        let finite = random.bool();
        let mut values: Vec<f64> = (0..count).map(|_| value(&mut random)).collect();
        values.iter_mut().filter(|v| finite && !v.is_finite()).for_each(|v| *v = 1.0);
        let mut volume = volume(&shape, |_| 0.0);
        volume.data = match case % 3 {
            0 => Samples::Complex(values.iter().map(|v| Complex64::new(*v, 2.0 - v)).collect()),
            _ => Samples::Real(values),
        };
        volume.format = [Format::Nifti, Format::Npy, Format::Matlab][random.usize(0..3)];
        volume.geometry.vector = random.u32(0..5) == 0;
        volume.geometry.identity = random.bool();
        let mask =
            random.bool().then(|| bare(self::volume(&shape[..2.min(shape.len())], |i| i[0] as f64 - 3.0)));
        let list: Vec<&str> = (0..shape.len()).map(|_| names[random.usize(0..names.len())]).collect();
        let options = ReadOptions {
            axes: random.bool().then(|| list.join(",").parse().unwrap()),
            layout: [FrameLayoutChoice::Auto, FrameLayoutChoice::Phases, FrameLayoutChoice::Complex]
                [random.usize(0..3)],
            frequencies_hz: vec![50.0; random.usize(0..4)],
            turn: [TurnChoice::Auto, TurnChoice::Straight, TurnChoice::Of(3.0)][random.usize(0..3)],
            ..ReadOptions::default()
        };
        if let Ok(image) = WaveImage::read(&volume, mask.as_ref(), &options) {
            assert!(image.data.iter().all(|v| v.is_finite()), "{shape:?} {options:?}");
            assert_eq!(image.data.len(), {
                let frames = image.frequencies_hz.len() * image.slices * image.frames * image.directions;
                frames * image.size.pixels()
            });
        }
    }
}
