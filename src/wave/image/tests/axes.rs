//! What the axes of an array are.

use super::*;

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
