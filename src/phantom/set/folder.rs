//! A set's folder: what is finished in it, what is still to be computed, and by whom.

use super::{Family, Set, sheet};
use crate::error::{Error, Result};
use crate::io::atomic;
use crate::phantom::output::pretty;
use crate::phantom::{FILES, Phantom, Quality, Simulated};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The file that says which set a folder holds.
pub(crate) const SET: &str = "set.json";
/// The file that lists the phantoms.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The picture of some of them.
const SHEET: &str = "contact-sheet.png";

/// A share of the work: part `part` of `of`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    of: usize,
}

impl Shard {
    /// All of the work.
    pub const ALL: Shard = Shard { part: 1, of: 1 };

    /// Whether phantom `i`, from 0, is in it.
    pub fn has(self, i: usize) -> bool {
        i % self.of == self.part - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Shard { part, of }),
            _ => Err(format!(
                "'{text}' is no shard; give one such as 3/8, the third of eight parts, from 1/8 to 8/8"
            )),
        }
    }
}

/// What a folder was made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Made {
    #[serde(flatten)]
    set: Set,
    quality: Quality,
    nifti: bool,
    palpate: String,
}

/// What happens while a set is computed.
pub enum Event<'a> {
    /// So many phantoms of this share were there already.
    Kept(usize),
    /// A phantom is finished, in so many seconds, with so many bytes for its equations.
    Done { folder: &'a str, seconds: f64, memory: usize },
    /// A phantom could not be computed or written.
    Failed { folder: &'a str, error: &'a Error },
}

/// A phantom in the manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the set, from 0.
    pub index: usize,
    /// Its family.
    pub family: Family,
    /// Its folder, within the set's.
    pub folder: String,
    /// Whether all its files are there.
    pub finished: bool,
    /// What it is, in a line; this and all that follows only when it is finished.
    pub summary: Option<String>,
    /// What its computation took.
    pub seconds: Option<f64>,
    /// Unknowns of one system of equations.
    pub unknowns: Option<u64>,
    /// Systems that were solved.
    pub systems: Option<u64>,
    /// Bytes for its equations.
    pub memory_bytes: Option<u64>,
    /// The largest residual.
    pub largest_residual: Option<f64>,
}

/// Every phantom of a set, and whether it is finished.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The set.
    #[serde(flatten)]
    pub set: Set,
    /// How many phantoms are finished.
    pub finished: usize,
    /// All of them, in order.
    pub phantoms: Vec<Entry>,
}

/// A folder that holds a set, or is to.
pub struct Folder {
    path: PathBuf,
    made: Made,
    families: Vec<Family>,
}

impl Folder {
    /// Makes the folder, or goes on in one that was begun with the same set and quality.
    ///
    /// # Errors
    /// [`Error::Usage`] if it holds another set, or was made by another version or quality; [`Error::File`] if it
    /// cannot be read or written.
    pub fn open(path: impl Into<PathBuf>, set: Set, quality: &Quality, nifti: bool) -> Result<Folder> {
        let path = path.into();
        let made = Made { set, quality: *quality, nifti, palpate: env!("CARGO_PKG_VERSION").into() };
        if path.exists() && !path.is_dir() {
            return Err(Error::file(path, "is a file; the output needs a folder: choose another with -o"));
        }
        fs::create_dir_all(&path).map_err(|e| {
            Error::file(&path, format!("cannot make this folder: {}; choose another with -o", e.kind()))
        })?;
        let file = path.join(SET);
        if file.exists() {
            let text =
                fs::read_to_string(&file).map_err(|e| Error::file(&file, format!("cannot be read: {e}")))?;
            let found: Made = serde_json::from_str(&text).map_err(|e| {
                Error::file(&file, format!("is no description of a set ({e}); choose another folder with -o"))
            })?;
            if found != made {
                let Set { set, count, seed } = found.set;
                return Err(Error::Usage(format!(
                    "{} holds another set: --set {} --count {count} --seed {seed}, {} nodes per wavelength, {} NIfTI files, by palpate {}; go on with those, or choose another folder with -o",
                    path.display(),
                    set.name(),
                    found.quality.nodes_per_wavelength,
                    if found.nifti { "with" } else { "without" },
                    found.palpate
                )));
            }
        } else {
            atomic::write(&file, pretty(&made)?.as_bytes())?;
        }
        Ok(Folder { path, families: set.families(), made })
    }

    /// Computes what is missing of a share, `jobs` phantoms at a time, each in one thread; then writes the manifest
    /// and the contact sheet of all that is finished. A phantom that cannot be computed does not keep the others from
    /// being done; one that cannot be written does, since the next could not either.
    ///
    /// Of several shares that end at the same time the last to write may not know of the others' last phantoms: a
    /// further run, which has nothing to compute, makes the manifest whole.
    ///
    /// # Errors
    /// The last of the phantoms' errors, or what keeps the manifest from being written.
    pub fn run(&self, shard: Shard, jobs: usize, on: &(dyn Fn(Event) + Sync)) -> Result<()> {
        let mine: Vec<usize> = (0..self.families.len()).filter(|i| shard.has(*i)).collect();
        let missing: Vec<usize> = mine.iter().copied().filter(|i| self.finished(*i).is_none()).collect();
        on(Event::Kept(mine.len() - missing.len()));
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, missing.len().max(1)) {
                scope.spawn(|| {
                    while let Some(&i) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let folder = self.name(i);
                        match self.one(i) {
                            Ok((seconds, memory)) => on(Event::Done { folder: &folder, seconds, memory }),
                            Err(error) => {
                                on(Event::Failed { folder: &folder, error: &error });
                                if matches!(error, Error::File { .. }) {
                                    next.store(missing.len(), Ordering::Relaxed);
                                }
                                *failed.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
                            }
                        }
                    }
                });
            }
        });
        let manifest = self.manifest();
        atomic::write(self.path.join(MANIFEST), pretty(&manifest)?.as_bytes())?;
        if let Some(sheet) = sheet::draw(&self.path, &manifest)? {
            atomic::write(self.path.join(SHEET), &sheet)?;
        }
        failed.into_inner().unwrap_or_else(|e| e.into_inner()).map_or(Ok(()), Err)
    }

    /// What is finished, of all shares.
    pub fn manifest(&self) -> Manifest {
        let entry = |(index, family): (usize, &Family)| {
            let said = self.finished(index);
            let finished = said.is_some();
            let said = said.unwrap_or(Value::Null);
            Entry {
                index,
                family: *family,
                folder: self.name(index),
                finished,
                summary: said["summary"].as_str().map(String::from),
                seconds: said["seconds"].as_f64(),
                unknowns: said["mesh"]["unknowns"].as_u64(),
                systems: said["mesh"]["systems"].as_u64(),
                memory_bytes: said["memory_bytes"].as_u64(),
                largest_residual: said["largest_residual"].as_f64(),
            }
        };
        let phantoms: Vec<Entry> = self.families.iter().enumerate().map(entry).collect();
        let finished = phantoms.iter().filter(|p| p.finished).count();
        Manifest { set: self.made.set, finished, phantoms }
    }

    fn name(&self, i: usize) -> String {
        self.made.set.folder(i, self.families[i])
    }

    fn phantom(&self, i: usize) -> Result<Phantom> {
        self.made.set.phantom(i, self.families[i])
    }

    /// Which phantom it is, as its description says.
    fn about(&self, i: usize) -> Value {
        let Set { set, count, seed } = self.made.set;
        json!({ "set": set, "count": count, "seed": seed, "index": i, "family": self.families[i] })
    }

    /// The name of a phantom's NIfTI file, which no other has: an inversion takes many at once.
    fn nifti(&self, i: usize) -> Option<String> {
        self.made.nifti.then(|| self.name(i) + ".nii.gz")
    }

    /// Seconds and bytes it took.
    fn one(&self, i: usize) -> Result<(f64, usize)> {
        let phantom = self.phantom(i)?;
        let folder = self.path.join(self.name(i));
        sweep(&folder);
        let quality = &self.made.quality;
        let images = phantom.simulate(quality)?;
        let simulated = Simulated { phantom: &phantom, quality, images: &images, about: self.about(i) };
        simulated.write(&folder, self.nifti(i).as_deref(), true)?;
        Ok((images.seconds, images.work.memory))
    }

    /// A phantom's description, if all its files are there, whole, and made of this set with this quality.
    fn finished(&self, i: usize) -> Option<Value> {
        let folder = self.path.join(self.name(i));
        let said = read(&folder);
        let whole = |name: &str| {
            let bytes = fs::metadata(folder.join(name)).map(|m| m.len());
            name == "phantom.json" || bytes.is_ok_and(|bytes| said["bytes"][name].as_u64() == Some(bytes))
        };
        let same = said["about"] == self.about(i)
            && said["palpate"] == self.made.palpate.as_str()
            && serde_json::to_value(self.made.quality).is_ok_and(|quality| said["quality"] == quality);
        let all =
            same && FILES.iter().all(|name| whole(name)) && self.nifti(i).is_none_or(|name| whole(&name));
        all.then_some(said)
    }
}

/// A phantom's description; nothing where there is none.
fn read(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("phantom.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// The component of the displacement that a phantom's description calls driven, 0 for x to 2 for z, and the side of
/// its pixels in mm.
pub(crate) fn shown(folder: &Path) -> (usize, f64) {
    let said = read(folder);
    let component = match said["driven_component"].as_str() {
        Some("x") => 0,
        Some("y") => 1,
        _ => 2,
    };
    (component, said["phantom"]["pixel_mm"].as_f64().unwrap_or(1.0))
}

/// Removes the temporaries that a killed run left in a phantom's folder: that of a share which only one run should
/// compute at a time.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".palpate-") {
            // What cannot be removed does no harm but to the disk's room.
            let _ = fs::remove_file(entry.path());
        }
    }
}
