//! The mask of an image.

use super::*;

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
