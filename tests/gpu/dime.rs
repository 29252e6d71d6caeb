//! DIME's plan: it is what its parts are, in any batches, on any grid, and what carries no information about stiffness
//! does not matter to it.

use crate::common::OnGpu;
use crate::common::{
    self,
    compare::{assert_covers, assert_near, relative_error},
};
use crate::files::Folder;
use crate::harness::SharedGpu;
use ndarray::{Array2, Array4};
use num_complex::Complex64;
use palpate::lowlevel::dime::{Calibration, Dime, DimeMap, DimeSettings, Model, Surroundings, Views};
use palpate::lowlevel::embed::Host;
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::mre::colour::Colouring;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::kernel::tiles::overlap::OverlapSettings;
use palpate::lowlevel::nn::{Forward, Network, NormKind, Unet, UnetSettings, Weights};
use palpate::lowlevel::patches::{FAINTEST, LEAST_COVER, Normalisation};
use palpate::lowlevel::plan::Pipelines;
use palpate::lowlevel::proof::oracle;
use palpate::lowlevel::wave::analytic::{Medium, PlaneWave, superposed};
use palpate::{Error, Size};

tests![
    the_plan_is_the_sum_of_its_parts,
    batches_do_not_matter_nor_does_what_ran_before,
    a_host_encodes_it_with_its_mask_on_the_device,
    zero_level_gain_and_what_lies_outside_do_not_matter,
    other_grids_frequencies_and_densities_tell_the_same_speeds,
    what_cannot_be_is_refused,
    metadata_come_back,
    a_conjugated_wave_is_recognised,
];

const SIDE: usize = 14;

fn model() -> Model {
    Model {
        forward_model: "bulk".into(),
        normalisation: Normalisation::Patch,
        views: Views::All,
        surroundings: Surroundings::default(),
        mixing: 0.3,
        patch: SIDE,
        pixel_mm: 1.0,
        frequency_hz: 60.0,
        density: 1000.0,
        trained_on: "nothing".into(),
        calibration: Some(Calibration { floor: 0.25, slope: 1.5, doubt: 0.5, stride: 3 }),
        usual: Some(0.08),
    }
}

pub fn weights() -> Weights {
    weights_with(&[])
}

/// A network that sees surroundings of these scales.
fn weights_with(scales: &[usize]) -> Weights {
    let surroundings = scales.len();
    let settings =
        UnetSettings { chans: 4, pools: 2, norm: NormKind::Batch, surroundings, ..Default::default() };
    let mut weights = Weights::random(Unet::new(settings).expect("a network"), 5);
    // Random weights of their usual size let a wave fade out on its way, and then only the last bias would be compared.
    weights.parameters.iter_mut().for_each(|weight| *weight *= 1.7);
    // Moduli are above 0.
    let bias = weights.network.layout().parameters.last().expect("a bias").first;
    weights.parameters[bias] = 12.0;
    let surroundings = Surroundings::new(scales.to_vec()).expect("scales");
    weights.metadata = Model { surroundings, ..model() }.to_metadata();
    weights
}

fn settings(size: Size) -> DimeSettings {
    DimeSettings::new(size, [1.0; 2], Frames::Channels)
}

/// Two waves that cross, as frames [2][ny][nx], and a ragged mask; NaN-free outside it too.
pub fn scene(Size { nx, ny }: Size, step: [f64; 2]) -> (Vec<f32>, Vec<bool>) {
    let medium = Medium { storage_kpa: 3.0, damping: 0.1, density: 1000.0, frequency_hz: 60.0 };
    let wave = |direction: f64| PlaneWave { medium, direction, amplitude: Complex64::cis(direction) };
    let waves = [wave(0.3), wave(2.0)];
    let at = |i: usize| {
        let x = ((i % nx) as f64 - (nx as f64 - 1.0) / 2.0) * step[0];
        let y = ((i / nx) as f64 - (ny as f64 - 1.0) / 2.0) * step[1];
        [x, y]
    };
    let field: Vec<Complex64> = (0..nx * ny).map(|i| superposed(&waves, at(i)[0], at(i)[1])).collect();
    let frames = field.iter().map(|u| u.re as f32).chain(field.iter().map(|u| u.im as f32)).collect();
    let reach = [nx as f64 * step[0], ny as f64 * step[1]].map(|r| 0.46 * r);
    let mask = (0..nx * ny).map(|i| (at(i)[0] / reach[0]).hypot(at(i)[1] / reach[1]) < 1.0).collect();
    (frames, mask)
}

struct Bench {
    chooser: Chooser,
}

impl Bench {
    fn new(pipelines: &Pipelines) -> Self {
        Self { chooser: Chooser::new(pipelines) }
    }

    fn invert(&self, settings: &DimeSettings, frames: &[f32], mask: &[bool]) -> Vec<f32> {
        self.invert_by(&weights(), settings, frames, mask)
    }

    fn invert_by(
        &self,
        weights: &Weights,
        settings: &DimeSettings,
        frames: &[f32],
        mask: &[bool],
    ) -> Vec<f32> {
        let mut dime = Dime::new(&self.chooser, weights, settings, &|_, _| {}).expect("compile");
        dime.plan().poison().expect("poison");
        dime.invert(frames, mask).expect("invert")
    }
}

/// Fails unless modulus and uncertainty have values in the mask alone.
#[track_caller]
fn covers(maps: &[f32], mask: &[bool]) {
    for plane in [DimeMap::Modulus, DimeMap::Uncertainty] {
        assert_covers(plane.of(maps), mask);
    }
}

fn error(a: &[f32], b: &[f32]) -> f64 {
    let wide = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
    relative_error(&wide(a), &wide(b)).expect("alike")
}

/// The network on patches the oracle cut, brought together by the oracle: of the patch alone, and of its surroundings.
fn the_plan_is_the_sum_of_its_parts(pipelines: &Pipelines) {
    let bench = Bench::new(pipelines);
    for scales in [&[][..], &[3], &[3, 7], &[3, 5, 9]] {
        is_the_sum_of_its_parts(&bench, scales);
    }
}

fn is_the_sum_of_its_parts(bench: &Bench, scales: &[usize]) {
    let weights = weights_with(scales);
    let size @ Size { nx, ny } = Size::new(41, 37);
    let (frames, mask) = scene(size, [1.0; 2]);
    let found = bench.invert_by(&weights, &DimeSettings { batch: 7, ..settings(size) }, &frames, &mask);

    let inside: Vec<f32> = mask.iter().map(|m| f32::from(u8::from(*m))).collect();
    let image = Array2::from_shape_fn((nx * ny, 4), |(i, k)| {
        if mask[i] { [frames[i], frames[nx * ny + i], 1.0, 0.0][k].into() } else { 0.0 }
    });
    // Every patch that is half inside, as the plan lays them; the window and the weights are the plan's own to choose,
    // so they are found from a network that is linear in nothing: by comparing predictions alone.
    let mut places = vec![];
    let first = mask.iter().position(|m| *m).expect("a mask") / nx;
    let left = (0..nx).find(|x| (0..ny).any(|y| mask[y * nx + x])).expect("a mask");
    let begin = [left as i32 - SIDE as i32 + 1, first as i32 - SIDE as i32 + 1];
    for (row, column) in (0..40).flat_map(|r| (0..40).map(move |c| (r, c))) {
        let view = (5 * column + 13 * row) % 32;
        let [x, y] = [begin[0] + 3 * column, begin[1] + 3 * row];
        let within = |i: i32, n: usize| (0..n as i32).contains(&i);
        let count = (0..(SIDE * SIDE) as i32)
            .filter(|i| {
                let [px, py] = [x + i % SIDE as i32, y + i / SIDE as i32];
                within(px, nx) && within(py, ny) && mask[py as usize * nx + px as usize]
            })
            .count();
        if 2 * count >= SIDE * SIDE {
            places.push([x as f32, y as f32, (count as f32 / (SIDE * SIDE) as f32).powi(2), view as f32]);
        }
    }
    let views = [1].iter().chain(scales).map(|&scale| {
        let coarse = oracle::coarsen(&image, size, scale, LEAST_COVER);
        let size = Size::new(nx + scale - 1, ny + scale - 1);
        oracle::cut(&coarse, size, &places, [places.len(), SIDE], Some(FAINTEST), scale)
    });
    let views: Vec<_> = views.collect();
    let forward =
        Forward::new(&bench.chooser, &weights, Size::square(SIDE), 16, &|_, _| {}).expect("the bare network");
    let predict = |views: &[Array4<f64>]| {
        let cut = ndarray::concatenate(ndarray::Axis(3), &views.iter().map(|v| v.view()).collect::<Vec<_>>());
        let cut = cut.expect("alike").permuted_axes([0, 3, 1, 2]);
        let plain: Vec<f32> = cut.iter().map(|v| *v as f32).collect();
        let predicted = forward.run(&plain, &|_| {}).expect("run").into_iter().map(f64::from).collect();
        Array4::from_shape_vec((places.len(), SIDE, SIDE, 1), predicted).expect("a shape")
    };
    let predicted = predict(&views);
    let half = SIDE as f32 / 2.0;
    let window: Vec<f32> =
        (0..SIDE).map(|i| 1.0 - ((i as f32 + 0.5 - half).abs() / half).powi(2) * 0.9).collect();
    let state = oracle::overlap(&oracle::wide(&inside), size, &places, &window, &predicted);
    let alone = (!scales.is_empty()).then(|| {
        let mut views = views;
        views[1..].iter_mut().for_each(|view| view.fill(0.0));
        oracle::overlap(&oracle::wide(&inside), size, &places, &window, &predict(&views))
    });
    let how = OverlapSettings { scale: 1.0, floor: 0.25, slope: 1.5, doubt: 0.5, mixing: 0.3 };
    let settled = oracle::overlap_statistics(&state, alone.as_ref(), how);
    let covered: Vec<usize> = (0..nx * ny).filter(|i| state[[*i, 3]] > 0.0).collect();
    assert!(covered.len() * 100 > 95 * mask.iter().filter(|m| **m).count());
    let pick = |values: &[f32]| covered.iter().map(|i| values[*i]).collect::<Vec<_>>();
    let of = |k: usize| covered.iter().map(|i| settled[[*i, k]] as f32).collect::<Vec<_>>();
    let off = [DimeMap::Modulus, DimeMap::Uncertainty]
        .map(|plane| error(&pick(plane.of(&found)), &of(plane as usize)));
    assert!(off[0] < 2e-5 && off[1] < 1e-4, "{scales:?}: {off:?}");
    let apart = pick(DimeMap::Disagreement.of(&found));
    if scales.is_empty() {
        assert!(apart.iter().all(|v| *v == 0.0));
    } else {
        assert!(error(&apart, &of(3)) < 2e-4, "{scales:?}");
        assert!(apart.iter().any(|v| *v > 0.0) && apart.iter().any(|v| *v < 0.0));
    }
    assert_covers(DimeMap::Uncertainty.of(&found), &mask);
}

fn batches_do_not_matter_nor_does_what_ran_before(pipelines: &Pipelines) {
    let bench = Bench::new(pipelines);
    let size = Size::new(51, 33); // planes that do not fill their quads

    let (frames, mask) = scene(size, [1.0; 2]);
    let weights = weights_with(&[3]);
    let whole = bench.invert_by(&weights, &settings(size), &frames, &mask);
    for batch in [1, 5, 64] {
        let found = bench.invert_by(&weights, &DimeSettings { batch, ..settings(size) }, &frames, &mask);
        assert!(error(&found, &whole) <= 1e-6, "batches of {batch}");
    }
    // Another mask in between, and none at all.
    let mut dime = Dime::new(&bench.chooser, &weights, &settings(size), &|_, _| {}).expect("compile");
    let once = dime.invert(&frames, &mask).expect("invert");
    let small: Vec<bool> = (0..mask.len()).map(|i| mask[i] && i % 51 < 20).collect();
    let other = dime.invert(&frames, &small).expect("invert");
    covers(&other, &small);
    let none = dime.invert(&frames, &vec![false; mask.len()]).expect("invert");
    assert!(none.iter().all(|v| *v == 0.0));
    let again = dime.invert(&frames, &mask).expect("invert");
    assert_eq!(once, again);
    assert!(error(&once, &whole) <= 1e-6);
}

/// Over a host's buffers, in its encoder, to the same bits.
/// The maps are those of the command line, to the bit, for every mask that the host's buffer holds.
fn a_host_encodes_it_with_its_mask_on_the_device(SharedGpu(pipelines): SharedGpu) {
    let bench = Bench::new(pipelines);
    let size @ Size { nx, ny } = Size::new(44, 39);
    let n = size.pixels();
    let (frames, disc) = scene(size, [1.0; 2]);
    // Small batches, so that most repetitions are closed.
    let settings = DimeSettings { batch: 5, ..settings(size) };
    let mut own = Dime::new(&bench.chooser, &weights_with(&[3, 7]), &settings, &|_, _| {}).expect("compile");
    let gpu = bench.chooser.pipelines().device();
    let buffer = |floats: usize| {
        gpu.wgpu_device().create_buffer(&palpate::wgpu::BufferDescriptor {
            label: Some("the host's"),
            size: 4 * floats as u64,
            usage: palpate::wgpu::BufferUsages::STORAGE
                | palpate::wgpu::BufferUsages::COPY_DST
                | palpate::wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        })
    };
    let (input, inside, maps) = (buffer(frames.len()), buffer(n), buffer(3 * n));
    let texture = gpu.wgpu_device().create_texture(&palpate::wgpu::TextureDescriptor {
        label: Some("the host's"),
        size: palpate::wgpu::Extent3d { width: nx as u32, height: ny as u32, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: palpate::wgpu::TextureDimension::D2,
        format: palpate::wgpu::TextureFormat::Rgba8Unorm,
        usage: palpate::wgpu::TextureUsages::STORAGE_BINDING | palpate::wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let host = || Host {
        frames: input.clone().into(),
        mask: inside.clone().into(),
        maps: maps.clone().into(),
        picture: Some((
            texture.create_view(&Default::default()).into(),
            Colouring::stiffness(DimeMap::Modulus),
        )),
    };
    let mut dime =
        Dime::embedded(&bench.chooser, &weights_with(&[3, 7]), &settings, host()).expect("embedded");
    gpu.queue().write_buffer(&input, 0, bytemuck::cast_slice(&frames));
    let within = |keep: &dyn Fn(usize, usize) -> bool| -> Vec<bool> {
        (0..n).map(|i| disc[i] && keep(i % nx, i / nx)).collect()
    };
    let masks = [
        ("the disc", disc.clone()),
        ("its left half", within(&|x, _| x < nx / 2)),
        ("a stripe", within(&|x, _| x == nx / 2 + 1)),
        ("islands", within(&|x, y| (x / 6 + y / 5) % 3 == 0)),
        ("a pixel", within(&|x, y| [x, y] == [nx / 2, ny / 2])),
        ("nothing", vec![false; n]),
    ];
    for (what, mask) in masks {
        let expected = own.invert(&frames, &mask).expect("invert");
        // A host's mask may hold any numbers.
        let values: Vec<f32> = mask.iter().map(|inside| if *inside { 0.25 } else { -1.0 }).collect();
        gpu.queue().write_buffer(&inside, 0, bytemuck::cast_slice(&values));
        gpu.queue().write_buffer(&maps, 0, bytemuck::cast_slice(&vec![f32::NAN; 3 * n]));
        let mut encoder = gpu.wgpu_device().create_command_encoder(&Default::default());
        dime.plan().encode(&mut encoder).expect("encoded");
        gpu.queue().submit([encoder.finish()]);
        let got: Vec<f32> = gpu.read(&maps.clone().into()).expect("read");
        let other = got.iter().zip(&expected).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        assert_eq!(other, 0, "{what}: of {} values", got.len());
        let coloured = common::read_texture(gpu, &texture);
        let opaque = coloured.chunks(4).map(|texel| texel[3] > 0);
        assert!(opaque.eq(mask.iter().copied()), "{what}: the picture");
    }

    assert!(matches!(dime.prepare(&disc), Err(Error::Usage(_))), "the mask is the host's");
    let small = Host { maps: buffer(3 * n - 1).into(), ..host() };
    let refused =
        Dime::embedded(&bench.chooser, &weights_with(&[3, 7]), &settings, small).err().expect("refused");
    assert!(refused.to_string().contains("maps"), "{refused}");
    for same in [Host { frames: maps.clone().into(), ..host() }, Host { mask: maps.clone().into(), ..host() }]
    {
        assert!(Dime::embedded(&bench.chooser, &weights_with(&[3, 7]), &settings, same).is_err());
    }
}

fn zero_level_gain_and_what_lies_outside_do_not_matter(pipelines: &Pipelines) {
    let bench = Bench::new(pipelines);
    let size = Size::square(40);
    let (frames, mask) = scene(size, [1.0; 2]);
    let plain = bench.invert(&settings(size), &frames, &mask);
    let n = mask.len();
    let changed: Vec<f32> = (0..2 * n)
        .map(|i| match (mask[i % n], i < n) {
            (false, _) => 1e6,
            (true, true) => 40.0 * frames[i] + 3.0,
            (true, false) => 0.02 * frames[i] - 0.1,
        })
        .collect();
    assert!(error(&bench.invert(&settings(size), &changed, &mask), &plain) < 1e-4);
    // A conjugated wave, told so.
    let conjugate: Vec<f32> = (0..2 * n).map(|i| if i < n { frames[i] } else { -frames[i] }).collect();
    let told = DimeSettings { conjugated: true, ..settings(size) };
    assert_eq!(bench.invert(&told, &conjugate, &mask), plain);
    assert!(error(&bench.invert(&settings(size), &conjugate, &mask), &plain) > 1e-3);
}

fn other_grids_frequencies_and_densities_tell_the_same_speeds(pipelines: &Pipelines) {
    let bench = Bench::new(pipelines);
    let size @ Size { nx, ny } = Size::new(60, 48);
    let (frames, mask) = scene(size, [1.0; 2]);
    let plain = bench.invert(&settings(size), &frames, &mask);
    // The same picture with pixels of half the size, at twice the frequency.
    let faster = DimeSettings { spacing_mm: [0.5; 2], frequency_hz: 120.0, ..settings(size) };
    assert!(error(&bench.invert(&faster, &frames, &mask), &plain) < 1e-6);
    let denser = bench.invert(&DimeSettings { density: 1100.0, ..settings(size) }, &frames, &mask);
    let scaled: Vec<f32> = plain.iter().map(|v| 1.1 * v).collect();
    assert!(error(&denser, &scaled) < 1e-6);
    // Pixels of twice the size of an image that is twice as coarse: the same patches, in a body of twice the size.
    let larger = DimeSettings { spacing_mm: [2.0; 2], pixel_mm: Some(2.0), ..settings(size) };
    let scaled: Vec<f32> = plain.iter().map(|v| 4.0 * v).collect();
    assert!(error(&bench.invert(&larger, &frames, &mask), &scaled) < 1e-6);
    // What rounding in a header adds to a spacing adds no column.
    let rounded = DimeSettings { spacing_mm: [1.000_000_1; 2], ..settings(size) };
    assert!(error(&bench.invert(&rounded, &frames, &mask), &plain) < 1e-4);
    // Larger patches are another matter, but a map all the same.
    let wide = bench.invert(&DimeSettings { patch: Some(20), ..settings(size) }, &frames, &mask);
    covers(&wide, &mask);
    // The same wave, sampled more coarsely along y and more finely along x.
    let (other, step) = (Size::new(80, 30), [0.75, 1.6]);
    let (frames, mask) = scene(other, step);
    let found = bench.invert(&DimeSettings { spacing_mm: step, ..settings(other) }, &frames, &mask);
    covers(&found, &mask);
    let mean = |maps: &[f32], Size { nx, ny }: Size| {
        let map = DimeMap::Modulus.of(maps);
        let inner: Vec<f32> = (0..nx * ny)
            .filter(|i| (nx / 4..3 * nx / 4).contains(&(i % nx)) && (ny / 4..3 * ny / 4).contains(&(i / nx)))
            .map(|i| map[i])
            .collect();
        inner.iter().sum::<f32>() / inner.len() as f32
    };
    let [a, b] = [mean(&plain, size), mean(&found, other)];
    assert_near(a, b, 0.03, "the mean of another grid");
    // Pixel by pixel, in the middle: every pixel of the coarser image beside the nearest of the finer.
    let off = |found: &[f32], step: [f64; 2]| {
        let (fine, coarse) = (DimeMap::Modulus.of(&plain), DimeMap::Modulus.of(found));
        let place = |i: usize, n: usize, step: f64, m: usize| {
            ((i as f64 - (n as f64 - 1.0) / 2.0) * step + (m as f64 - 1.0) / 2.0).round()
        };
        let inner = (0..other.pixels()).filter_map(|i| {
            let x = place(i % other.nx, other.nx, step[0], nx);
            let y = place(i / other.nx, other.ny, step[1], ny);
            let inside = (15.0..45.0).contains(&x) && (12.0..36.0).contains(&y);
            inside.then(|| [coarse[i], fine[y as usize * nx + x as usize]])
        });
        let pairs: Vec<[f32; 2]> = inner.collect();
        let level = pairs.iter().map(|p| p[1]).sum::<f32>() / pairs.len() as f32;
        let [off, all] =
            pairs.iter().fold([0.0; 2], |[o, a], [c, f]| [o + (c - f).powi(2), a + (f - level).powi(2)]);
        (off / all).sqrt()
    };
    let right = off(&found, step);
    let exchanged =
        bench.invert(&DimeSettings { spacing_mm: [step[1], step[0]], ..settings(other) }, &frames, &mask);
    let wrong = off(&exchanged, step);
    assert!(right < 0.5 * wrong, "off by {right}, and by {wrong} with x and y exchanged");
}

fn what_cannot_be_is_refused(pipelines: &Pipelines) {
    let bench = Bench::new(pipelines);
    let refused = |weights: &Weights, settings: DimeSettings, says: &str| {
        let said =
            Dime::new(&bench.chooser, weights, &settings, &|_, _| {}).err().expect("refused").to_string();
        assert!(said.contains(says), "{said}\nshould say {says}");
    };
    let good = weights();
    refused(&good, DimeSettings { stride: 0, ..settings(Size::square(40)) }, "stride");
    refused(&good, DimeSettings { stride: 15, ..settings(Size::square(40)) }, "stride");
    refused(&good, DimeSettings { frequency_hz: f64::NAN, ..settings(Size::square(40)) }, "frequency_hz");
    refused(&good, DimeSettings { spacing_mm: [1.0, -1.0], ..settings(Size::square(40)) }, "spacing_mm");
    refused(&good, DimeSettings { batch: 0, ..settings(Size::square(40)) }, "batch");
    refused(&good, DimeSettings { patch: Some(0), ..settings(Size::square(40)) }, "patch");
    refused(&good, DimeSettings { pixel_mm: Some(0.0), ..settings(Size::square(40)) }, "pixel_mm");
    refused(&good, DimeSettings { spacing_mm: [1e6, 1.0], ..settings(Size::square(40)) }, "8192");
    for (key, value, says) in [
        ("time_convention", Some("exp(-iwt)"), "time_convention"),
        ("normalisation", Some("min-max"), "normalisation"),
        ("patch", Some("0"), "patch"),
        ("pixel_mm", Some("inf"), "pixel_mm"),
        ("forward_model", None, "forward_model"),
        ("uncertainty_slope", Some("-1"), "uncertainty_slope"),
    ] {
        let mut bad = weights();
        bad.metadata.remove(key);
        bad.metadata.extend(value.map(|v| (key.to_string(), v.to_string())));
        refused(&bad, settings(Size::square(40)), says);
    }
    let wide = UnetSettings { surroundings: 2, ..good.network.settings().clone() };
    let wide = Weights {
        metadata: good.metadata.clone(),
        ..Weights::random(Unet::new(wide).expect("a network"), 5)
    };
    refused(
        &wide,
        settings(Size::square(40)),
        "2 and 4 channels in and 1 out, but an inversion needs 2 channels in",
    );
    let mut dime =
        Dime::new(&bench.chooser, &good, &settings(Size::square(40)), &|_, _| {}).expect("compile");
    assert!(dime.invert(&[0.0; 3], &[true; 1600]).is_err());
    assert!(dime.invert(&[0.0; 3200], &[true; 16]).is_err());
}

fn metadata_come_back() {
    let surroundings = Surroundings::new(vec![3, 7]).expect("scales");
    let surrounded = Model { surroundings, ..model() };
    assert_eq!(Model::from_metadata(&surrounded.to_metadata()), Ok(surrounded));
    // A mixing is written only where there is something to mix.
    let plain = Model { calibration: None, mixing: Model::MIXING, usual: None, ..model() };
    assert_eq!(Model::from_metadata(&plain.to_metadata()), Ok(plain));
}

/// A wave that runs backwards in time is recognised by its loss modulus, told of, and inverted as if it did not.
fn a_conjugated_wave_is_recognised() {
    let folder = Folder::new();
    let cylinder = "kind = \"cylinder\"\nradius_mm = 40\nheight_mm = 90\nfar_face = \"free\"\nfrequency_hz = 60\n\
        slices_mm = [25]\npixel_mm = 1.0\nsize_px = 90\n[drive]\namplitude_mm = 0.5\noffset_mm = [0, 0]\n\
        [background]\nmodulus_kpa = 2.5\ndamping = 0.45\n";
    folder.put("cylinder.toml", cylinder.as_bytes());
    folder.good("simulate cylinder.toml -o cylinder");
    let bytes = folder.bytes("cylinder/displacement.npy");
    let field: Array4<num_complex::Complex32> =
        ndarray_npy::ReadNpyExt::read_npy(&bytes[..]).expect("a field");
    let plane = field.slice(ndarray::s![0, 2, .., ..]).t().to_owned();
    folder.npy("forwards.npy", &plane.clone().into_dyn());
    folder.npy("backwards.npy", &plane.mapv(|u| u.conj()).into_dyn());
    let ran = folder.good("invert forwards.npy backwards.npy --spacing 1 --method dime --stride 10 -o maps");
    assert!(ran.err.contains("backwards.npy") && ran.err.contains("given its conjugate"), "{}", ran.err);
    let [a, b] = ["forwards", "backwards"].map(|stem| {
        let report = folder.json(&format!("maps/{stem}.json"));
        assert_eq!(report["method"], "dime");
        assert_eq!(report["dime"]["conjugated"], stem == "backwards");
        assert!(report["regions"]["mask"].is_null(), "MMDI's figures, which nobody asked for");
        assert!(!folder.path(&format!("maps/{stem}_mmdi_stiffness.nii.gz")).exists());
        let sure = folder.map(&format!("maps/{stem}_dime_confidence.nii.gz"));
        assert!(sure.values.iter().all(|c| (0.0..=1.0).contains(c)));
        folder.map(&format!("maps/{stem}_dime_stiffness.nii.gz")).values
    });
    assert_eq!(a, b);
    assert!(a.iter().any(|v| *v > 0.0));
    let refused = folder.run("invert forwards.npy --method dime --weights cylinder.toml -o other");
    assert!(refused.code == Some(1) && refused.err.contains("cylinder.toml"), "{}", refused.err);
    let refused = folder.run("invert forwards.npy --weights cylinder.toml -o other");
    assert!(refused.code == Some(2) && refused.err.contains("--method dime"), "{}", refused.err);
    // A stack, of which one slice is empty.
    let stack = ndarray::stack![ndarray::Axis(2), plane, plane.mapv(|_| num_complex::Complex32::ZERO)];
    folder.npy("stack.npy", &stack.into_dyn());
    folder.good("invert stack.npy --spacing 1 --method both --stride 10 -o stack");
    let values = folder.map("stack/stack_dime_stiffness.nii.gz").values;
    assert_eq!(values[..a.len()], a);
    assert!(values[a.len()..].iter().all(|v| *v == 0.0));
    let refused = folder.run("invert forwards.npy --method dime --stride 31 -o other");
    assert!(refused.code == Some(2) && refused.err.contains("--stride"), "{}", refused.err);
}
