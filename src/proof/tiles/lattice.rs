//! Oracles and trials of `lattice_bounds`, `lattice_open`, `lattice_take`, `lattice_number`.

use ndarray::{Array1, Array2};

/// Returns rows, columns, first row and first column of the lattice whose patches of `side` pixels can contain a pixel
/// inside; zeros if no pixel is inside.
pub fn lattice_bounds(inside: &Array2<bool>, side: usize, stride: usize) -> [i32; 4] {
    let places =
        || inside.indexed_iter().filter(|(_, inside)| **inside).map(|((y, x), _)| [y as i32, x as i32]);
    let axis = |k: usize| {
        let (low, high) = (places().map(|p| p[k]).min()?, places().map(|p| p[k]).max()?);
        let first = low - (side as i32 - 1);
        Some([(first..=high).step_by(stride).count() as i32, first])
    };
    let [[rows, y], [columns, x]] = [0, 1].map(|k| axis(k).unwrap_or_default());
    [rows, columns, y, x]
}

/// Returns the pixels of a square at `corner` (y, x) that are within the image.
fn square(inside: &Array2<bool>, corner: [i32; 2], side: usize) -> impl Iterator<Item = (usize, usize)> {
    let [ny, nx] = [inside.nrows() as i32, inside.ncols() as i32];
    let range = move |first: i32, n: i32| first.max(0)..(first + side as i32).min(n);
    range(corner[0], ny).flat_map(move |y| range(corner[1], nx).map(move |x| (y as usize, x as usize)))
}

/// Returns the pixels inside that are in no taken patch; `corners` are the (y, x) of the taken patches.
pub fn lattice_open(inside: &Array2<bool>, corners: &[[i32; 2]], side: usize) -> Array2<bool> {
    let mut open = inside.clone();
    for corner in corners {
        square(inside, *corner, side).for_each(|at| open[at] = false);
    }
    open
}

/// Returns the number of pixels inside the patch at `corner` (y, x), if the patch is to be taken: if there are at least
/// `least`, and one of them is open.
pub fn lattice_take(
    inside: &Array2<bool>,
    open: &Array2<bool>,
    corner: [i32; 2],
    side: usize,
    least: usize,
) -> Option<usize> {
    let within = square(inside, corner, side).filter(|at| inside[*at]).count();
    let still = square(inside, corner, side).any(|at| open[at]);
    (within >= least && still).then_some(within)
}

/// Returns the table of a lattice with these numbers of pixels inside its patches (0: not taken), and the patches
/// (x, y, weight, view). `origin` is the lattice's first (y, x).
pub fn lattice_number(
    points: &Array2<usize>,
    origin: [i32; 2],
    [side, stride]: [usize; 2],
    views: usize,
) -> (Vec<i32>, Vec<[f64; 4]>) {
    let taken: Vec<(usize, usize)> =
        points.indexed_iter().filter(|(_, n)| **n > 0).map(|(at, _)| at).collect();
    let before = |row: usize| taken.iter().filter(|(r, _)| *r < row).count() as i32;
    let mut table =
        vec![taken.len() as i32, points.nrows() as i32, points.ncols() as i32, origin[0], origin[1]];
    table.extend((0..=points.nrows()).map(before));
    let number = |at| taken.iter().position(|t| *t == at).map_or(-1, |n| n as i32);
    table.extend(points.indexed_iter().map(|(at, _)| number(at)));
    let place = |(row, column): &(usize, usize)| {
        let [y, x] =
            [(row, origin[0]), (column, origin[1])].map(|(i, first)| f64::from(first) + (i * stride) as f64);
        let share = points[[*row, *column]] as f64 / (side * side) as f64;
        [x, y, share.powi(2), ((5 * column + 13 * row) % views) as f64]
    };
    let patches = taken.iter().map(place).collect();
    (table, patches)
}

/// The bits of whole numbers as f32, because tests read f32. The bits of -1 are a NaN, which comparisons skip.
fn bits(values: impl IntoIterator<Item = i32>) -> Array1<f64> {
    values.into_iter().map(|v| f64::from(f32::from_bits(v as u32))).collect()
}

pub(super) mod trial {
    use super::bits;
    use crate::kernel::tiles::cut::LatticeBuffers;
    use crate::kernel::tiles::lattice::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &lattice::LATTICE_BOUNDS, sizes: SIZES, record: bounds },
        Trial { kernel: &lattice::LATTICE_OPEN, sizes: SIZES, record: open },
        Trial { kernel: &lattice::LATTICE_TAKE, sizes: SIZES, record: take },
        Trial { kernel: &lattice::LATTICE_NUMBER, sizes: SIZES, record: number },
    ];

    /// The planes are the stride.
    const SIZES: &[TrialSize] = &[
        TrialSize::new(1, Size::new(5, 3)),
        TrialSize::new(4, Size::new(47, 41)),
        TrialSize::new(3, Size::square(256)),
    ];

    struct Scene {
        how: Placing,
        inside: Array2<bool>,
        image: Buf,
        /// Rows, columns, first row, first column.
        bounds: [i32; 4],
    }

    impl Scene {
        fn new(rec: &mut Recorder, size: TrialSize, rng: &mut fastrand::Rng) -> Self {
            let side = size.image.ny.min(30) - 1;
            let stride = size.planes.min(side);
            let mask = oracle::blot(rng, size.image);
            let image: Vec<[f32; 4]> = mask.iter().map(|m| [f32::NAN, f32::NAN, *m, 0.0]).collect();
            let inside = Array2::from_shape_fn((size.image.ny, size.image.nx), |(y, x)| {
                mask[y * size.image.nx + x] > 0.0
            });
            let least = vec![side * side / 2, 0];
            let how = Placing { size: size.image, side, stride, views: 32, least };
            let bounds = oracle::lattice_bounds(&inside, side, stride);
            Self { how, inside, image: rec.constant("image", &image), bounds }
        }

        /// The head of a lattice that has no numbers yet.
        fn head(&self, rec: &mut Recorder) -> Buf {
            let [rows, columns, y, x] = self.bounds;
            rec.constant("lattice", &[-7, rows, columns, y, x])
        }

        fn corner(&self, point: usize) -> [i32; 2] {
            let [_, columns, y, x] = self.bounds;
            let step = |i: usize| (i * self.how.stride) as i32;
            [y + step(point / columns as usize), x + step(point % columns as usize)]
        }

        /// Made-up patches: for each point its number of pixels, 0 if it is not taken.
        fn points(&self, rng: &mut fastrand::Rng, share: f64) -> Vec<u32> {
            let most = (self.how.side * self.how.side) as u32;
            let count = self.bounds[0] * self.bounds[1];
            (0..count).map(|_| if rng.f64() < share { rng.u32(1..=most) } else { 0 }).collect()
        }

        /// Padded to the largest lattice.
        fn upload(&self, rec: &mut Recorder, points: &[u32]) -> Buf {
            let [columns, rows] = self.how.points();
            let mut all = points.to_vec();
            all.resize(columns * rows, 0);
            rec.constant("points", &all)
        }
    }

    fn bounds(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let scene = Scene::new(rec, size, rng);
        let lattice = rec.output::<i32>("lattice", 8);
        lattice::record_bounds(rec, scene.image, &scene.how, lattice);
        let mut expected = vec![f64::NAN; 8];
        expected[1..5].copy_from_slice(&bits(scene.bounds).to_vec());
        vec![Expect::in_buffer(lattice, expected, 0.0)]
    }

    fn open(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let scene = Scene::new(rec, size, rng);
        let points = scene.points(rng, 0.02);
        let corners: Vec<_> = (0..points.len()).filter(|i| points[*i] > 0).map(|i| scene.corner(i)).collect();
        let (lattice, points) = (scene.head(rec), scene.upload(rec, &points));
        let open = rec.output::<u32>("open", size.pixels());
        lattice::record_open(rec, [scene.image, lattice, points, open], &scene.how);
        let expected = oracle::lattice_open(&scene.inside, &corners, scene.how.side);
        vec![Expect::in_buffer(open, bits(expected.iter().map(|v| i32::from(*v))).to_vec(), 0.0)]
    }

    fn take(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let scene = Scene::new(rec, size, rng);
        let Placing { side, stride, .. } = scene.how;
        let open = scene.inside.mapv(|inside| inside && rng.usize(..side * side) == 0);
        let values: Vec<u32> = open.iter().map(|open| u32::from(*open)).collect();
        let (lattice, open_buf) = (scene.head(rec), rec.constant("open", &values));
        let [columns, rows] = scene.how.points();
        let points = rec.output::<u32>("points", columns * rows);
        crate::kernel::core::clear::record(rec, points, columns * rows);
        let least = side * side / 3 + stride;
        lattice::record_take(rec, [scene.image, lattice, open_buf, points], &scene.how, least);
        let taken = |i: usize| oracle::lattice_take(&scene.inside, &open, scene.corner(i), side, least);
        let count = (scene.bounds[0] * scene.bounds[1]) as usize;
        let mut expected: Vec<i32> = (0..count).map(|i| taken(i).map_or(0, |n| n as i32)).collect();
        expected.resize(columns * rows, 0);
        let mut padded = bits(expected).to_vec();
        padded.resize((columns * rows).next_multiple_of(4), f64::NAN);
        padded.truncate(columns * rows);
        vec![Expect::in_buffer(points, padded, 0.0)]
    }

    fn number(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let scene = Scene::new(rec, size, rng);
        let Placing { side, stride, views, .. } = scene.how;
        let points = scene.points(rng, 0.6);
        let [rows, columns, y, x] = scene.bounds;
        let table = Array2::from_shape_fn((rows as usize, columns as usize), |(row, column)| {
            points[row * columns as usize + column] as usize
        });
        let (expected, places) = oracle::lattice_number(&table, [y, x], [side, stride], views as usize);
        let uploaded = scene.upload(rec, &points);
        let [columns, rows] = scene.how.points();
        let most = [columns * rows, 5 + rows + 1 + columns * rows];
        let to = LatticeBuffers {
            patches: rec.output::<[f32; 4]>("patches", most[0]),
            lattice: rec.output::<i32>("lattice", most[1]),
            counter: rec.constant("counter", &[0u32]),
            most,
        };
        lattice::record_bounds(rec, scene.image, &scene.how, to.lattice);
        lattice::record_number(rec, uploaded, &scene.how, to);
        let pad = |mut values: Vec<f64>, n: usize| {
            values.resize(n, f64::NAN);
            values
        };
        let places: Vec<f64> = places.into_iter().flatten().collect();
        vec![
            Expect::in_buffer(to.lattice, pad(bits(expected).to_vec(), most[1]), 0.0),
            Expect::in_buffer(to.patches, pad(places, 4 * most[0]), 1e-6),
        ]
    }
}
