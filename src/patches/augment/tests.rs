use super::*;
use crate::patches::PatchArrays;

/// A test patch with random planes; three pixels at a corner are outside the object.
#[derive(Clone, PartialEq, Debug)]
struct Patch {
    size: Size,
    planes: [Vec<f32>; 3],
}

impl Patch {
    fn new(size: Size) -> Self {
        let mut random = Rng::with_seed(5);
        let pixels = size.pixels();
        let mut planes = [2, 1, 1].map(|c| (0..c * pixels).map(|_| 1.0 + random.f32()).collect::<Vec<_>>());
        for at in [0, 1, size.nx] {
            (planes[0][at], planes[0][at + pixels], planes[2][at]) = (0.0, 0.0, 0.0);
        }
        Self { size, planes }
    }

    fn view(&mut self) -> PatchMut<'_> {
        let [input, truth, mask] = &mut self.planes;
        PatchMut { size: self.size, scales: &[], input, surroundings: &mut [], truth, mask }
    }

    fn varied(&self, one: Augmentation, patch: u32) -> Self {
        let mut copy = self.clone();
        augment(&[one], Draw { seed: 3, epoch: 1, patch }, &mut copy.view());
        copy
    }

    fn turned(&self, quarters: u32) -> Self {
        let mut copy = self.clone();
        copy.view().turn(quarters);
        copy
    }

    fn wave(&self) -> Vec<[f32; 2]> {
        let (re, im) = self.planes[0].split_at(self.planes[1].len());
        re.iter().zip(im).map(|(&re, &im)| [re, im]).collect()
    }
}

const ALL: [Augmentation; 6] = [
    Augmentation::Flips,
    Augmentation::QuarterTurns,
    Augmentation::Phase,
    Augmentation::Noise { most: 0.2 },
    Augmentation::Gains { most: 1.5 },
    Augmentation::Offsets { most: 0.5 },
];

#[test]
fn turns_are_a_group_and_go_clockwise() {
    for [ny, nx] in [[2, 2], [4, 4], [5, 5], [3, 7], [6, 2]] {
        let patch = Patch::new(Size::new(nx, ny));
        let step = if nx == ny { 1 } else { 2 };
        let mut turned = patch.clone();
        for quarters in 0..4 {
            assert_eq!(turned, patch.turned(step * quarters % 4), "{nx} × {ny}, {quarters}");
            turned.view().turn(step);
        }
        assert_eq!(turned, patch);
        assert_ne!(turned, patch.turned(2));
    }
    let mut small = Patch {
        size: Size::square(2),
        planes: [vec![1., 2., 3., 4., 5., 6., 7., 8.], vec![1., 2., 3., 4.], vec![0., 1., 0., 0.]],
    };
    small.view().turn(1);
    assert_eq!(
        small.planes,
        [vec![3., 1., 4., 2., 7., 5., 8., 6.], vec![3., 1., 4., 2.], vec![0., 0., 0., 1.]]
    );
}

#[test]
fn flips_reverse_rows_or_columns() {
    let mut small = Patch::new(Size::new(2, 3));
    small.planes[1] = vec![1., 2., 3., 4., 5., 6.];
    small.view().flip_rows();
    assert_eq!(small.planes[1], [5., 6., 3., 4., 1., 2.]);
    small.view().flip_columns();
    assert_eq!(small.planes[1], [6., 5., 4., 3., 2., 1.]);
}

#[test]
fn every_flip_and_turn_is_drawn() {
    let patch = Patch::new(Size::new(5, 5));
    let mut rows = patch.clone();
    rows.view().flip_rows();
    let flips = [patch.clone(), rows.clone(), rows.turned(2), patch.turned(2)];
    let turns = [0, 1, 2, 3].map(|quarters| patch.turned(quarters));
    for (one, expected) in [(Augmentation::Flips, flips), (Augmentation::QuarterTurns, turns)] {
        let mut counts = [0; 4];
        for i in 0..400 {
            let found = patch.varied(one, i);
            counts[expected.iter().position(|e| *e == found).expect("one of four")] += 1;
        }
        assert!(counts.iter().all(|n| (60..140).contains(n)), "{one:?}: {counts:?}");
    }
}

#[test]
fn phases_keep_the_amplitude_and_go_round() {
    let patch = Patch::new(Size::new(6, 4));
    let mut octants = [0; 8];
    for i in 0..400 {
        let turned = patch.varied(Augmentation::Phase, i);
        assert_eq!(turned.planes[1..], patch.planes[1..]);
        let mut angles = Vec::new();
        for ([a, b], [c, d]) in patch.wave().into_iter().zip(turned.wave()) {
            assert!((a.hypot(b) - c.hypot(d)).abs() < 1e-6);
            if a != 0.0 {
                angles.push((a * d - b * c).atan2(a * c + b * d)); // the phase of u' conj(u)
            }
        }
        assert!(angles.iter().all(|x| (x - angles[0]).sin().abs() < 1e-5), "one phase for all");
        octants[(angles[0].rem_euclid(TAU) / TAU * 8.0) as usize % 8] += 1;
    }
    assert!(octants.iter().all(|n| (25..80).contains(n)), "{octants:?}");
}

#[test]
fn gains_and_offsets_are_one_a_channel() {
    let patch = Patch::new(Size::new(6, 6));
    let rms = patch.clone().view().rms();
    let mut largest = [0f32; 2];
    for i in 0..400 {
        let gained = patch.varied(Augmentation::Gains { most: 2.0 }, i);
        let moved = patch.varied(Augmentation::Offsets { most: 0.5 }, i);
        for channel in 0..2 {
            let inside = || patch.wave().into_iter().enumerate().filter(|(_, [re, _])| *re != 0.0);
            let gains: Vec<_> = inside().map(|(at, u)| gained.wave()[at][channel] / u[channel]).collect();
            let moves: Vec<_> = inside().map(|(at, u)| moved.wave()[at][channel] - u[channel]).collect();
            assert!(gains.iter().all(|g| (g / gains[0] - 1.0).abs() < 1e-6), "{gains:?}");
            assert!(moves.iter().all(|m| (m - moves[0]).abs() < 1e-6), "{moves:?}");
            largest[0] = largest[0].max(gains[0].log2().abs());
            largest[1] = largest[1].max(moves[0].abs() / rms);
        }
    }
    assert!((0.95..1.0001).contains(&largest[0]) && (0.47..0.5001).contains(&largest[1]), "{largest:?}");
}

#[test]
fn noise_is_as_loud_as_said() {
    let patch = Patch::new(Size::new(30, 30));
    let rms = patch.clone().view().rms();
    let ratios: Vec<f32> = (0..300)
        .map(|i| {
            let noisy = patch.varied(Augmentation::Noise { most: 0.3 }, i);
            let squares: f32 =
                noisy.planes[0].iter().zip(&patch.planes[0]).map(|(a, b)| (a - b).powi(2)).sum();
            (squares / (2.0 * 897.0)).sqrt() / rms
        })
        .collect();
    // The SD is log-uniform in 0.003..0.3; the SD of one patch has an error of 2 %.
    let mean = ratios.iter().map(|r| r.log10()).sum::<f32>() / 300.0;
    assert!((mean - 0.03f32.log10()).abs() < 0.1, "{mean}");
    assert!(ratios.iter().all(|&r| r < 0.33) && ratios.iter().any(|&r| r > 0.27));
    assert!(ratios.iter().all(|&r| r > 0.0025) && ratios.iter().any(|&r| r < 0.0035));
    let mut random = Rng::with_seed(1);
    let drawn: Vec<f32> = (0..20_000).flat_map(|_| normal(&mut random)).collect();
    let moment = |n| drawn.iter().map(|x| x.powi(n)).sum::<f32>() / drawn.len() as f32;
    assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.03 && (moment(4) - 3.0).abs() < 0.2);
}

#[test]
fn outside_stays_zero_and_truth_stays() {
    let patch = Patch::new(Size::new(5, 7));
    for one in &ALL[2..] {
        let varied = patch.varied(*one, 9);
        assert_ne!(varied, patch, "{one:?}");
        assert_eq!(varied.planes[1..], patch.planes[1..], "{one:?}");
        for (before, after) in patch.wave().into_iter().zip(varied.wave()) {
            assert_eq!(before == [0.0; 2], after == [0.0; 2], "{one:?}");
        }
    }
    let mut empty = Patch { size: Size::square(2), planes: [vec![0.0; 8], vec![0.0; 4], vec![0.0; 4]] };
    augment(&ALL, Draw { seed: 1, epoch: 1, patch: 1 }, &mut empty.view());
    assert_eq!(empty.planes[0], [0.0; 8]);
}

#[test]
fn the_place_alone_decides() {
    let patch = Patch::new(Size::new(6, 6));
    let n = 5;
    let batch = |draws: &[Draw]| {
        let mut planes = patch.planes.clone().map(|plane| plane.repeat(n));
        let [input, truth, mask] = &mut planes;
        let mut arrays = PatchArrays { input, surroundings: &mut [], truth, mask };
        let each = arrays.each(Size::square(6), &[]);
        each.zip(draws).for_each(|(mut patch, draw)| augment(&ALL, *draw, &mut patch));
        planes
    };
    let draws: Vec<Draw> = (0..n as u32).map(|patch| Draw { seed: 1, epoch: 2, patch }).collect();
    let backwards: Vec<Draw> = draws.iter().rev().copied().collect();
    let [input, again, reversed] = [&draws, &draws, &backwards].map(|d| batch(d)[0].clone());
    assert_eq!(input, again);
    let parts: Vec<_> = input.chunks(72).collect();
    assert!(parts.iter().eq(reversed.chunks(72).collect::<Vec<_>>().iter().rev()));
    assert!((1..n).all(|i| parts[i] != parts[0]));
    for other in [Draw { seed: 2, ..draws[0] }, Draw { epoch: 3, ..draws[0] }] {
        assert_ne!(batch(&[other])[0][..72], *parts[0]);
    }
    // An empty list changes nothing.
    let mut copy = patch.clone();
    augment(&[], draws[0], &mut copy.view());
    assert_eq!(copy, patch);
}

#[test]
fn settings_are_written_read_and_checked() {
    let text = serde_json::to_string(&ALL).unwrap();
    assert!(text.starts_with(r#"["flips","quarter_turns","phase",{"noise":{"most":0.2}}"#), "{text}");
    assert_eq!(serde_json::from_str::<Vec<Augmentation>>(&text).unwrap(), ALL);
    assert!(serde_json::from_str::<Augmentation>(r#"{"noise":{"most":1,"least":0}}"#).is_err());
    check(&ALL).unwrap();
    for bad in [
        Augmentation::Gains { most: 0.9 },
        Augmentation::Offsets { most: f32::INFINITY },
        Augmentation::Noise { most: -0.1 },
        Augmentation::Noise { most: f32::NAN },
    ] {
        assert!(matches!(check(&[bad]), Err(Error::Usage(e)) if e.contains("or more")));
    }
    for bad in [Augmentation::Alone { share: 1.1 }, Augmentation::Organs { share: f32::NAN }] {
        assert!(matches!(check(&[bad]), Err(Error::Usage(e)) if e.contains("from 0 to 1")));
    }
}

/// A square patch with two views of its surroundings, at 3 and 7 pixels; all planes are the same.
fn surrounded() -> (Patch, Vec<f32>) {
    let patch = Patch::new(Size::square(30));
    let views = patch.planes[0].repeat(2);
    (patch, views)
}

fn vary_all(list: &[Augmentation], patch: u32) -> (Patch, Vec<f32>) {
    let (mut all, mut views) = surrounded();
    let mut whole = PatchMut { scales: &[3, 7], surroundings: &mut views, ..all.view() };
    augment(list, Draw { seed: 3, epoch: 1, patch }, &mut whole);
    (all, views)
}

#[test]
fn surroundings_vary_with_their_patch() {
    let list = [ALL[0], ALL[1], ALL[2], ALL[4], ALL[5]];
    for patch in 0..20 {
        let (varied, views) = vary_all(&list, patch);
        assert_eq!(views, varied.planes[0].repeat(2), "patch {patch}");
        // A patch does not vary in another way because it has surroundings.
        let mut alone = surrounded().0;
        augment(&list, Draw { seed: 3, epoch: 1, patch }, &mut alone.view());
        assert_eq!(alone, varied);
    }
}

#[test]
fn means_have_less_noise() {
    let (before, views) = surrounded();
    let deviation = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    for patch in 0..20 {
        let (noisy, around) = vary_all(&[Augmentation::Noise { most: 0.3 }], patch);
        let own = deviation(&noisy.planes[0], &before.planes[0]);
        for (scale, (a, b)) in [3.0, 7.0].into_iter().zip(around.chunks(1800).zip(views.chunks(1800))) {
            let ratio = own / deviation(a, b);
            assert!((ratio / scale - 1.0).abs() < 0.1, "{ratio}, not {scale}");
        }
    }
}

#[test]
fn a_share_is_shown_alone() {
    let kept = (0..400).filter(|i| vary_all(&[Augmentation::Alone { share: 0.3 }], *i) == surrounded());
    let kept = kept.count();
    assert!((240..320).contains(&kept), "{kept} of 400 kept their surroundings");
    let (patch, views) = vary_all(&[Augmentation::Alone { share: 1.0 }], 1);
    assert!(patch == surrounded().0 && views.iter().all(|v| *v == 0.0));
}
