//! The folder of a set: the finished phantoms, the missing ones, and the share that each run computes.

use super::{Family, Set, sheet};
use crate::error::{Error, Result};
use crate::phantom::output::pretty;
use crate::phantom::{FILES, Phantom, Quality, Simulated};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The file that describes the set in a folder.
pub(crate) const SET: &str = "set.json";
/// The file that lists the phantoms.
pub(crate) const MANIFEST: &str = "manifest.json";
/// A picture of some of the phantoms.
const SHEET: &str = "contact-sheet.png";

/// A share of the work: part `part`, from 1, of `of` parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    of: usize,
}

impl Shard {
    /// All of the work.
    pub const ALL: Shard = Shard { part: 1, of: 1 };

    /// Reports whether phantom `i`, from 0, belongs to this share.
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
                "'{text}' is not a shard; give for example 3/8, the third of eight parts (1/8 to 8/8)"
            )),
        }
    }
}

/// The settings that a folder was made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Made {
    #[serde(flatten)]
    set: Set,
    quality: Quality,
    nifti: bool,
    palpate: String,
}

/// Progress while a set is computed.
#[non_exhaustive]
pub enum SetEvent<'a> {
    /// The number of phantoms of this share that were finished already.
    Kept(usize),
    /// A phantom is finished. `seconds` is the computation time, `memory` the bytes for equations and waves.
    Done {
        /// The folder of the phantom.
        folder: &'a str,
        /// The computation time in s.
        seconds: f64,
        /// The bytes for equations and waves.
        memory: usize,
    },
    /// A phantom could not be computed or written.
    Failed {
        /// The folder of the phantom.
        folder: &'a str,
        /// The reason.
        error: &'a Error,
    },
}

/// A phantom in the manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The number in the set, from 0.
    pub index: usize,
    /// The family.
    pub family: Family,
    /// The name of its folder within the set's folder.
    pub folder: String,
    /// True if all files are present.
    pub finished: bool,
    /// The phantom in one line. This field and the following ones are `None` until the phantom is finished.
    pub summary: Option<String>,
    /// The computation time in seconds.
    pub seconds: Option<f64>,
    /// The number of unknowns of one system of equations.
    pub unknowns: Option<u64>,
    /// The number of systems solved.
    pub systems: Option<u64>,
    /// The bytes for equations and waves.
    pub memory_bytes: Option<u64>,
    /// The largest relative residual.
    pub largest_residual: Option<f64>,
}

/// The list of all phantoms of a set, finished or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The set.
    #[serde(flatten)]
    pub set: Set,
    /// The number of finished phantoms.
    pub finished: usize,
    /// All phantoms, in order.
    pub phantoms: Vec<Entry>,
}

/// A folder for a set.
pub struct SetFolder {
    path: PathBuf,
    made: Made,
    families: Vec<Family>,
}

impl SetFolder {
    /// Creates the folder, or continues in one that was begun with the same settings.
    ///
    /// # Errors
    /// [`Error::OtherSettings`] if the folder holds another set, or was made with another version, quality or NIfTI
    /// setting. [`Error::OutputFolder`] if it cannot hold a set. [`Error::File`] if it cannot be read or written.
    pub fn open(path: impl Into<PathBuf>, set: Set, quality: &Quality, nifti: bool) -> Result<SetFolder> {
        let path = path.into();
        let made = Made { set, quality: *quality, nifti, palpate: env!("CARGO_PKG_VERSION").into() };
        if path.exists() && !path.is_dir() {
            return Err(Error::output_folder(path, "is a file, but the output needs a folder"));
        }
        fs::create_dir_all(&path)
            .map_err(|e| Error::output_folder(&path, format!("cannot make this folder: {}", e.kind())))?;
        let file = path.join(SET);
        if file.exists() {
            let text =
                fs::read_to_string(&file).map_err(|e| Error::file(&file, format!("cannot be read: {e}")))?;
            let found: Made = serde_json::from_str(&text)
                .map_err(|e| Error::output_folder(&file, format!("does not describe a set ({e})")))?;
            if found != made {
                let Set { set, count, seed } = found.set;
                let settings = vec![
                    ("set", set.name().to_string()),
                    ("count", count.to_string()),
                    ("seed", seed.to_string()),
                    ("nodes_per_wavelength", found.quality.nodes_per_wavelength.to_string()),
                    ("nifti", found.nifti.to_string()),
                    ("palpate", found.palpate),
                ];
                return Err(Error::OtherSettings { path, what: "set", settings });
            }
        } else {
            crate::store::write(&file, pretty(&made)?.as_bytes())?;
        }
        Ok(SetFolder { path, families: set.families(), made })
    }

    /// Computes the missing phantoms of a share, `jobs` at a time, each in one thread. Then writes the manifest and
    /// the contact sheet of all finished phantoms. If a phantom cannot be computed, the others are still computed. If
    /// one cannot be written, the run stops, because the next one could not be written either.
    ///
    /// If several shares end at the same time, the last manifest may lack the last phantoms of the others. Another
    /// run has nothing to compute and completes the manifest.
    ///
    /// # Errors
    /// The last error of a phantom, or the error that prevents writing the manifest.
    pub fn run(&self, shard: Shard, jobs: usize, on: &(dyn Fn(SetEvent) + Sync)) -> Result<()> {
        let mine: Vec<usize> = (0..self.families.len()).filter(|i| shard.has(*i)).collect();
        let missing: Vec<usize> = mine.iter().copied().filter(|i| self.finished(*i).is_none()).collect();
        on(SetEvent::Kept(mine.len() - missing.len()));
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, missing.len().max(1)) {
                scope.spawn(|| {
                    while let Some(&i) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let folder = self.name(i);
                        match self.one(i) {
                            Ok((seconds, memory)) => on(SetEvent::Done { folder: &folder, seconds, memory }),
                            Err(error) => {
                                on(SetEvent::Failed { folder: &folder, error: &error });
                                if matches!(error, Error::File { .. } | Error::OutputFolder { .. }) {
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
        crate::store::write(self.path.join(MANIFEST), pretty(&manifest)?.as_bytes())?;
        if let Some(sheet) = sheet::draw(&self.path, &manifest)? {
            crate::store::write(self.path.join(SHEET), &sheet)?;
        }
        failed.into_inner().unwrap_or_else(|e| e.into_inner()).map_or(Ok(()), Err)
    }

    /// The manifest of all shares.
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

    /// Identifies a phantom in its description.
    fn about(&self, i: usize) -> Value {
        let Set { set, count, seed } = self.made.set;
        json!({ "set": set, "count": count, "seed": seed, "index": i, "family": self.families[i] })
    }

    /// The name of a phantom's NIfTI file. It is unique, because one inversion reads many files.
    fn nifti(&self, i: usize) -> Option<String> {
        self.made.nifti.then(|| self.name(i) + ".nii.gz")
    }

    /// Computes and writes one phantom. Returns the seconds and bytes it needed.
    fn one(&self, i: usize) -> Result<(f64, usize)> {
        let phantom = self.phantom(i)?;
        let folder = self.path.join(self.name(i));
        sweep(&folder);
        let quality = &self.made.quality;
        let images = phantom.simulate(quality)?;
        let simulated = Simulated {
            phantom: &phantom,
            quality,
            images: &images,
            about: self.about(i),
            lean: self.made.set.set.lean(),
        };
        simulated.write(&folder, self.nifti(i).as_deref(), true)?;
        Ok((images.seconds, images.work.memory))
    }

    /// The description of a phantom, if all its files are complete and belong to this set, version and quality.
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

/// The description of a phantom; null if there is none.
fn read(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("phantom.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// The driven component of the displacement (0 for x, 1 for y, 2 for z) and the side of a pixel in mm, from a
/// phantom's description.
pub(crate) fn shown(folder: &Path) -> (usize, f64) {
    let said = read(folder);
    let component = match said["driven_component"].as_str() {
        Some("x") => 0,
        Some("y") => 1,
        _ => 2,
    };
    (component, said["phantom"]["pixel_mm"].as_f64().unwrap_or(1.0))
}

/// Removes the temporary files that a killed run left in a phantom's folder. Only one run at a time should compute a
/// share.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".palpate-") {
            // A file that cannot be removed only takes disk space.
            let _ = fs::remove_file(entry.path());
        }
    }
}
