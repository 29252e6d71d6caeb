//! Memory-mapped images of simulated sets; new patches are cut from them in each epoch.

use super::cut::{Cut, Cutter};
use super::map::Map;
use super::{Augmentation, Draw, PatchArrays, PatchMut, PatchSource, Split};
use crate::error::{Error, Result};
use crate::phantom::set::{self, Family, Manifest, SetKind};
use crate::size::Size;
use ndarray::{Array2, ArrayView3, ArrayView4};
use ndarray_npy::{ViewNpyError, ViewNpyExt};
use num_complex::{Complex32, Complex64};
use std::path::Path;

/// The images of one split of sets made by `palpate simulate --set`.
///
/// In each family, the ninth of every ten phantoms is for validation and the tenth for testing. A phantom is
/// therefore never in two splits, whatever the length of the set.
#[derive(Debug)]
pub struct SetImages {
    phantoms: Vec<Phantom>,
    /// The sets, with the nodes per wavelength of each simulation.
    sets: Vec<(set::Set, f64)>,
    pixel_mm: f64,
    frequency_hz: f64,
    density: f64,
}

/// The images of a phantom.
#[derive(Debug)]
struct Phantom {
    name: String,
    family: Family,
    planes: usize,
    size: usize,
    component: usize,
    /// First and last row, first and last column with a pixel inside the mask.
    bounds: [[usize; 2]; 2],
    /// The number of components in the file: all three, or the driven one.
    components: usize,
    wave: Array,
    /// The number of planes of modulus and mask: all, or one that stands for all.
    alike: usize,
    modulus: Array,
    mask: Array,
}

/// An array in a mapped file, with the byte offset of its samples.
#[derive(Debug)]
struct Array {
    map: Map,
    first: usize,
}

/// One plane of a phantom; all arrays are `[size][size]`.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    /// Number of rows, equal to the number of columns.
    pub size: usize,
    /// The driven component of the displacement, metres; 0 outside the mask.
    pub wave: &'a [Complex32],
    /// Storage modulus, kPa.
    pub modulus: &'a [f32],
    /// 1 inside the object, else 0.
    pub mask: &'a [u8],
    /// First and last row, first and last column with a pixel inside the mask.
    pub bounds: [[usize; 2]; 2],
}

impl Image<'_> {
    /// The displacement as f64 `[ny, nx]`, metres.
    pub fn field(&self) -> Array2<Complex64> {
        Array2::from_shape_fn([self.size; 2], |(y, x)| {
            let u = self.wave[y * self.size + x];
            Complex64::new(u.re.into(), u.im.into())
        })
    }
}

/// Reports whether a folder contains a simulated set.
pub fn is_set(folder: impl AsRef<Path>) -> bool {
    folder.as_ref().join(set::MANIFEST).is_file()
}

impl SetImages {
    /// Opens one split of the sets in `folders`.
    ///
    /// # Errors
    /// - [`Error::File`] if a folder has no set or an unfinished one, or if a file is damaged.
    /// - [`Error::File`] if images differ in pixel size, frequency or density from those before.
    /// - [`Error::Usage`] if two sets have the same seed.
    /// - [`Error::Data`] if the split has no phantoms.
    pub fn open<P: AsRef<Path>>(folders: &[P], split: Split) -> Result<Self> {
        let mut all = Self { phantoms: vec![], sets: vec![], pixel_mm: 0.0, frequency_hz: 0.0, density: 0.0 };
        for folder in folders {
            all.add(folder.as_ref(), split)?;
        }
        if all.phantoms.is_empty() {
            return Err(Error::Data(format!(
                "the set has no phantom for {}: in each family, the ninth of ten is for validation and the tenth \
                 for testing; simulate a larger set",
                split.name()
            )));
        }
        Ok(all)
    }

    fn add(&mut self, folder: &Path, split: Split) -> Result<()> {
        let path = folder.join(set::MANIFEST);
        let fail = |what: String| Error::file(&path, what);
        let text = std::fs::read_to_string(&path).map_err(|e| fail(format!("cannot be read: {e}")))?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|e| fail(format!("is no manifest of a set ({e})")))?;
        let missing = manifest.phantoms.len() - manifest.finished;
        if missing > 0 {
            return Err(fail(format!(
                "says that {missing} of its phantoms are missing; finish the set with the `palpate simulate` command \
                 that started it"
            )));
        }
        // Family, number and seed determine a phantom. Another set with the same seed may contain it in another
        // split.
        if let Some((other, _)) = self.sets.iter().find(|(other, _)| other.seed == manifest.set.seed) {
            return Err(Error::Usage(format!(
                "{} and an earlier set ({} {}) both have the seed {}, so they may contain the same phantoms; simulate sets \
                 for joint use with different seeds",
                folder.display(),
                other.set.name(),
                other.count,
                other.seed
            )));
        }
        let mut seen = std::collections::BTreeMap::<Family, usize>::new();
        for entry in manifest.phantoms {
            let number = seen.entry(entry.family).or_default();
            *number += 1;
            if Split::of(*number - 1) == split {
                self.phantom(&folder.join(&entry.folder), entry.family)?;
            }
        }
        let made = crate::store::load(&folder.join(set::SET))?;
        let made: serde_json::Value =
            serde_json::from_slice(&made).map_err(|e| Error::file(folder.join(set::SET), e))?;
        self.sets.push((manifest.set, made["quality"]["nodes_per_wavelength"].as_f64().unwrap_or(0.0)));
        Ok(())
    }

    fn phantom(&mut self, folder: &Path, family: Family) -> Result<()> {
        let path = folder.join("phantom.json");
        let about: serde_json::Value =
            serde_json::from_slice(&crate::store::load(&path)?).map_err(|e| Error::file(&path, e))?;
        let number = |name: &str| {
            let found = about["phantom"][name].as_f64();
            found.ok_or_else(|| {
                Error::file(&path, format!("does not state the phantom's {name}; simulate the set again"))
            })
        };
        let own = [number("pixel_mm")?, number("frequency_hz")?, number("density")?];
        let before = [self.pixel_mm, self.frequency_hz, self.density];
        if self.phantoms.is_empty() {
            [self.pixel_mm, self.frequency_hz, self.density] = own;
        } else if own != before {
            let text = |[pixel, f, rho]: [f64; 3]| format!("pixels of {pixel} mm at {f} Hz and {rho} kg/m³");
            let what = format!(
                "has {}, but the phantoms before it have {}; use sets of one kind together",
                text(own),
                text(before)
            );
            return Err(Error::file(&path, what));
        }
        let (component, _) = set::shown(folder);
        let (wave, [planes, components, rows, size]) = Array::four(&folder.join("displacement.npy"))?;
        let component = component.min(components - 1);
        let (modulus, shape) = Array::three::<f32>(&folder.join("modulus.npy"))?;
        let (mask, shape_of_mask) = Array::three::<u8>(&folder.join("mask.npy"))?;
        let alike = shape[0];
        let fits = alike == planes || alike == 1;
        if rows != size || !fits || shape != [alike, size, size] || shape_of_mask != shape {
            let what =
                "holds a displacement, a modulus and a mask of different shapes; simulate the set again";
            return Err(Error::file(folder, what));
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut phantom = Phantom {
            name,
            family,
            planes,
            size,
            component,
            bounds: [[0; 2]; 2],
            components,
            wave,
            alike,
            modulus,
            mask,
        };
        phantom.bounds = bounds(phantom.image(0).mask, size).ok_or_else(|| {
            Error::file(folder, "has a mask that is zero in the whole first plane; simulate the set again")
        })?;
        self.phantoms.push(phantom);
        Ok(())
    }

    /// Number of phantoms in the split.
    #[expect(clippy::len_without_is_empty, reason = "there is always a phantom")]
    pub fn len(&self) -> usize {
        self.phantoms.len()
    }

    /// Number of images of all phantoms.
    pub fn images(&self) -> usize {
        self.phantoms.iter().map(|p| p.planes).sum()
    }

    /// Number of planes of phantom `i`.
    pub fn planes(&self, i: usize) -> usize {
        self.phantoms[i].planes
    }

    /// The name of phantom `i` (that of its folder) and its family.
    pub fn name(&self, i: usize) -> (&str, Family) {
        (&self.phantoms[i].name, self.phantoms[i].family)
    }

    /// Plane `plane` of phantom `i`.
    pub fn image(&self, i: usize, plane: usize) -> Image<'_> {
        self.phantoms[i].image(plane)
    }

    /// Pixel size in mm, frequency in Hz, density in kg/m³.
    pub fn physics(&self) -> [f64; 3] {
        [self.pixel_mm, self.frequency_hz, self.density]
    }

    /// Name of the forward model of the waves: `bulk` for cylinders and squares, `slab` for slabs, `mixed` for
    /// both.
    pub fn forward_model(&self) -> &'static str {
        let slabs =
            self.sets.iter().filter(|(set, _)| matches!(set.set, SetKind::Livers | SetKind::Slabs)).count();
        match slabs {
            0 => "bulk",
            n if n == self.sets.len() => "slab",
            _ => "mixed",
        }
    }

    /// Describes the sets in the notation of `palpate simulate`: "cylinders 1000 (seed 1, 16 nodes a
    /// wavelength)".
    pub fn describe(&self) -> String {
        let one = |(set, nodes): &(set::Set, f64)| {
            format!("{} {} (seed {}, {nodes} nodes a wavelength)", set.set.name(), set.count, set.seed)
        };
        self.sets.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

impl Phantom {
    fn image(&self, plane: usize) -> Image<'_> {
        let n = self.size * self.size;
        let tissue = plane.min(self.alike - 1) * n;
        Image {
            size: self.size,
            wave: self.wave.slice((self.components * plane + self.component) * n, n),
            modulus: self.modulus.slice(tissue, n),
            mask: self.mask.slice(tissue, n),
            bounds: self.bounds,
        }
    }
}

impl Array {
    fn four(path: &Path) -> Result<(Self, [usize; 4])> {
        let map = Map::open(path)?;
        let view = ArrayView4::<Complex32>::view_npy(map.bytes()).map_err(|e| broken(path, &e))?;
        let (n, components, rows, columns) = view.dim();
        let whole = view.as_slice().filter(|_| [1, 3].contains(&components) && n > 0);
        let first = offset(&map, path, whole)?;
        Ok((Self { map, first }, [n, components, rows, columns]))
    }

    fn three<T: ndarray_npy::ViewElement + bytemuck::Pod>(path: &Path) -> Result<(Self, [usize; 3])> {
        let map = Map::open(path)?;
        let view = ArrayView3::<T>::view_npy(map.bytes()).map_err(|e| broken(path, &e))?;
        let first = offset(&map, path, view.as_slice())?;
        let shape = view.dim().into();
        Ok((Self { map, first }, shape))
    }

    fn slice<T: bytemuck::Pod>(&self, first: usize, len: usize) -> &[T] {
        let start = self.first + first * size_of::<T>();
        bytemuck::cast_slice(&self.map.bytes()[start..start + len * size_of::<T>()])
    }
}

/// Returns the byte offset of `samples` in a mapped file.
fn offset<T>(map: &Map, path: &Path, samples: Option<&[T]>) -> Result<usize> {
    let samples =
        samples.ok_or_else(|| Error::file(path, "does not have the layout of `palpate simulate`"))?;
    Ok(samples.as_ptr().addr() - map.bytes().as_ptr().addr())
}

fn broken(path: &Path, e: &ViewNpyError) -> Error {
    Error::file(
        path,
        format!("is not an array of `palpate simulate`, or is damaged ({e}); simulate the set again"),
    )
}

/// Returns first and last row, first and last column with a pixel inside the mask.
fn bounds(mask: &[u8], size: usize) -> Option<[[usize; 2]; 2]> {
    let inside = |at: &dyn Fn(usize) -> bool| {
        let mut hits = (0..size).filter(|i| at(*i));
        let first = hits.next()?;
        Some([first, hits.next_back().unwrap_or(first)])
    };
    let rows = inside(&|y| mask[y * size..(y + 1) * size].iter().any(|m| *m > 0))?;
    let columns = inside(&|x| mask.iter().skip(x).step_by(size).any(|m| *m > 0))?;
    Some([rows, columns])
}

/// A [`PatchSource`] of patches cut from images at random: `count` new ones in each epoch.
#[derive(Debug)]
pub struct Cuttings {
    images: SetImages,
    cutter: Cutter,
    count: u32,
}

impl Cuttings {
    /// Creates a source of `count` patches of `side` × `side` pixels per epoch. At least half of a patch is
    /// inside the object if such a place is found. `scales` are the sides of a pixel of each view of the surroundings, in
    /// pixels of a patch; they are odd. Of `augmentations`, only [`Augmentation::Zoom`], [`Augmentation::Texture`] and
    /// [`Augmentation::Organs`] are applied here.
    pub fn new(
        images: SetImages,
        side: usize,
        count: u32,
        scales: &[usize],
        augmentations: &[Augmentation],
    ) -> Self {
        Self { images, cutter: Cutter::new(side, scales, augmentations), count }
    }

    /// The images that patches are cut from.
    pub fn images(&self) -> &SetImages {
        &self.images
    }
}

impl PatchSource for Cuttings {
    fn len(&self) -> u32 {
        self.count
    }

    fn size(&self) -> Size {
        Size::square(self.cutter.side())
    }

    fn about(&self) -> String {
        self.images.describe()
    }

    fn scales(&self) -> &[usize] {
        self.cutter.scales()
    }

    fn gather(&self, draws: &[Draw], to: &mut PatchArrays) -> Result<()> {
        for (draw, patch) in draws.iter().zip(to.each(self.size(), self.scales())) {
            let mut rng = draw.cutting();
            // A phantom is drawn first, then one of its planes. Families are then as frequent as in their sets.
            let phantom = &self.images.phantoms[rng.usize(..self.images.phantoms.len())];
            let image = phantom.image(rng.usize(..phantom.planes));
            let PatchMut { input, surroundings, truth, mask, .. } = patch;
            self.cutter.cut(image, &mut rng, Cut { input, surroundings, truth, mask });
            if let Some(bad) = input.iter().chain(&*surroundings).chain(&*truth).find(|v| !v.is_finite()) {
                let what = format!("phantom {} holds the value {bad}; simulate it again", phantom.name);
                return Err(Error::Data(what));
            }
        }
        Ok(())
    }
}
