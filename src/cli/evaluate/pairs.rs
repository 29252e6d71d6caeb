//! Which file is an estimate of what.

use super::Map;
use palpate::Size;
use palpate::lowlevel::io::output::stem;
use palpate::lowlevel::io::{self, Affine, Reordering, Samples, Volume};
use palpate::lowlevel::stats::evaluation::Sample;
use palpate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `palpate invert` writes after the stem, before the ending.
const STIFFNESS: &str = "_stiffness";

/// Which sample a file belongs to, and by what method.
pub fn partner(samples: &[Sample], file: &str, name: Option<&str>, folder: &str) -> Option<(usize, String)> {
    let at = |stem: &str| samples.iter().position(|s| s.name == stem);
    if let Some(at) = at(file) {
        let own = Path::new(folder).file_name().map_or(folder.into(), |n| n.to_string_lossy().into_owned());
        return Some((at, name.map_or(own, String::from)));
    }
    let (stem, method) = file.strip_suffix(STIFFNESS)?.rsplit_once('_')?;
    let method = name.map_or(method.to_string(), |name| format!("{name} {method}"));
    Some((at(stem)?, method))
}

/// Whether a file is one of the maps that `palpate invert` writes beside the stiffness.
pub fn other_map(stem: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "_storage",
        "_loss",
        "_wavespeed",
        "_confidence",
        "_coherence",
        "_uncertainty",
        "_wave",
        "_amplitude",
        "_mask",
    ];
    OTHERS.iter().any(|end| stem.ends_with(end))
}

pub fn list(names: &[&str]) -> String {
    match names {
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a}, {b}, {c} and {} more", rest.len()),
        few => few.join(", "),
    }
}

/// The readable files of a folder, by their stems, in order of these; numbers in the order of their values.
pub fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let fail = |e: std::io::Error| Error::file(folder, format!("this folder cannot be read: {e}"));
    let mut found: BTreeMap<(usize, String), PathBuf> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if !io::EXTENSIONS.iter().any(|end| name.ends_with(end)) {
            continue;
        }
        let own = stem(&path);
        if let Some(other) = found.insert((own.len(), own.clone()), path.clone()) {
            return Err(Error::Usage(format!("{} and {} have one stem", other.display(), path.display())));
        }
    }
    if found.is_empty() {
        return Err(Error::file(folder, format!("holds no maps ({})", io::EXTENSIONS.join(", "))));
    }
    Ok(found.into_iter().map(|((_, stem), path)| (stem, path)).collect())
}

impl Map {
    /// The map in the order of another that lies at `affine`, of `size` and this number of slices. A map or an affine
    /// without a place is taken as it is stored. One slice of a region may serve all if `one_for_all`.
    pub fn laid_on(
        self,
        (affine, size, slices): (Option<Affine>, Size, usize),
        one_for_all: bool,
    ) -> Result<Self> {
        let (Some(own), Some(affine)) = (self.affine, affine) else { return Ok(self) };
        let from = [self.shape[0], self.shape[1], self.shape.get(2).copied().unwrap_or(1)];
        let found = Reordering::between((&own, from), (&affine, [size.nx, size.ny, slices]), one_for_all)?;
        let mut shape: Vec<usize> = found.axes.iter().map(|axis| from[*axis]).collect();
        shape.truncate(if shape[2] == 1 { 2 } else { 3 });
        Ok(Self { values: found.apply(&self.values, from), shape, affine: Some(affine) })
    }
}

/// A real array of two or three axes.
pub fn read(path: &Path) -> Result<Map> {
    let Volume { mut shape, data, geometry, .. } = io::read(path)?;
    while shape.len() > 2 && shape.last() == Some(&1) {
        shape.pop();
    }
    match data {
        Samples::Real(values) if (2..=3).contains(&shape.len()) => {
            Ok(Map { shape, values: values.into_iter().map(|v| v as f32).collect(), affine: geometry.affine })
        }
        Samples::Real(_) => {
            Err(Error::file(path, format!("has {} axes, where a map has 2 or 3", shape.len())))
        }
        Samples::Complex(_) => Err(Error::file(path, "holds complex numbers, where a map of kPa is wanted")),
    }
}
