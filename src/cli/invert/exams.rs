//! Which exams the inputs make, and what each is called.

use super::input::Exam;
use palpate::lowlevel::io::EXTENSIONS;
use palpate::lowlevel::io::dicom::{self, Kind};
use palpate::lowlevel::io::output::stem;
use palpate::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Folders are searched to this depth.
const DEEPEST: usize = 8;
/// A folder with more images than this is not what the user meant.
const MOST: usize = 100_000;

/// A share of all exams: those whose number modulo `of` is `one`, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub one: usize,
    pub of: usize,
}

impl FromStr for Shard {
    type Err = String;

    /// `3/8` is the third of eight.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((i, of)) if (1..=of).contains(&i) => Ok(Self { one: i - 1, of }),
            _ => Err("must be I/N, with I from 1 to N".into()),
        }
    }
}

/// The exams of the inputs, in their order; the images of a folder in order of their paths.
///
/// # Errors
/// [`Error::Usage`] if two exams would have the same output names. [`Error::File`] if a folder cannot be read or holds no
/// image.
pub fn exams(inputs: &[PathBuf], join: bool, series: Option<u32>, shard: Option<Shard>) -> Result<Vec<Exam>> {
    let mut all = Vec::new();
    for input in inputs {
        if input.is_dir() {
            all.extend(in_folder(input, series)?);
        } else {
            all.push(Exam::of(stem(input), input.clone()));
        }
    }
    if join {
        let files: Vec<PathBuf> = all.iter().flat_map(|exam| exam.files().to_vec()).collect();
        let name = all[0].name.clone();
        return Ok(vec![Exam::joined(name, files)]);
    }
    distinguish(&mut all);
    let mut seen: HashMap<&str, &Path> = HashMap::new();
    for exam in &all {
        if let Some(other) = seen.insert(&exam.name, &exam.told) {
            if other == exam.told {
                return Err(Error::Usage(format!("{} is given twice", other.display())));
            }
            return Err(Error::Usage(format!(
                "{} and {} would both be written as `{}_…`; run them one at a time, into different folders, or make one \
                 exam of them with --join",
                other.display(),
                exam.told.display(),
                exam.name
            )));
        }
    }
    Ok(match shard {
        None => all,
        Some(Shard { one, of }) => all.into_iter().skip(one).step_by(of).collect(),
    })
}

/// Puts the names of their folders before those of DICOM series that have the same number.
fn distinguish(exams: &mut [Exam]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    exams.iter().for_each(|exam| *counts.entry(exam.name.clone()).or_default() += 1);
    for exam in exams.iter_mut().filter(|exam| exam.series().is_some() && counts[&exam.name] > 1) {
        if let Some(folder) = exam.told.file_name() {
            exam.name = format!("{}_{}", folder.to_string_lossy(), exam.name);
        }
    }
}

/// The exam of a folder that holds DICOM files; or the exams of the images in a folder and below it. An image is called by
/// its stem. If two have the same, they are called by their paths from the folder. A DICOM exam is called by the number of
/// its series, never by what the files say of the patient.
fn in_folder(folder: &Path, series: Option<u32>) -> Result<Vec<Exam>> {
    let subjects = subjects(folder)?;
    if !subjects.is_empty() {
        // Images beside the subjects are exams; other folders, such as those of derived maps, are not.
        let mut all: Vec<Exam> =
            images(folder)?.into_iter().map(|file| Exam::of(stem(&file), file)).collect();
        for subject in subjects {
            let name = subject.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // A subject that cannot be read is an exam that fails; the others go on.
            let found = in_folder(&subject, series)
                .unwrap_or_else(|error| vec![Exam::broken(name.clone(), subject.clone(), &error)]);
            for mut exam in found {
                if !exam.name.starts_with(&name) {
                    exam.name = format!("{name}_{}", exam.name);
                }
                all.push(exam);
            }
        }
        return Ok(all);
    }
    if dicom::is_folder_of_dicom(folder) {
        let all = dicom::list(folder)?;
        let phases: Vec<u32> = all.iter().filter(|s| s.kind == Kind::Phase).map(|s| s.number).collect();
        let number = match (series, &phases[..], &all[..]) {
            (Some(number), ..) | (None, &[number], _) => number,
            (None, _, [only]) => only.number,
            _ => {
                let found = format!("{} series", all.len());
                return Err(Error::SeveralSeries {
                    found,
                    series: all.iter().map(|s| s.to_string()).collect(),
                });
            }
        };
        return Ok(vec![Exam::dicom(format!("series_{number}"), folder.to_path_buf(), number)]);
    }
    let mut files = Vec::new();
    search(folder, 0, &mut files)?;
    if files.is_empty() {
        return Err(Error::file(
            folder,
            format!("is a folder without images ({}); name the files in it", EXTENSIONS.join(", ")),
        ));
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    files.iter().for_each(|file| *counts.entry(stem(file)).or_default() += 1);
    let named = files.into_iter().map(|file| {
        let own = stem(&file);
        if counts[&own] == 1 {
            return Exam::of(own, file);
        }
        let within = file.parent().and_then(|p| p.strip_prefix(folder).ok()).unwrap_or(Path::new(""));
        let parts = within.iter().map(|part| part.to_string_lossy().into_owned()).chain([own]);
        Exam::of(parts.collect::<Vec<_>>().join("_"), file)
    });
    Ok(named.collect())
}

/// The entries of a folder in order, without hidden ones.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let fail = |e: std::io::Error| Error::file(folder, format!("this folder cannot be read: {e}"));
    let entries = std::fs::read_dir(folder).map_err(fail)?;
    let mut paths =
        entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(fail)?;
    paths.retain(|path| !name(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// The images in a folder itself.
fn images(folder: &Path) -> Result<Vec<PathBuf>> {
    let image = |path: &PathBuf| path.is_file() && EXTENSIONS.iter().any(|end| name(path).ends_with(end));
    Ok(entries(folder)?.into_iter().filter(image).collect())
}

/// The folders of subjects in a folder, which are called `sub-…`.
fn subjects(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir() && name(path).starts_with("sub-")).collect())
}

/// The images in a folder and below it.
fn search(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    files.extend(images(folder)?);
    if files.len() > MOST {
        return Err(Error::file(folder, format!("holds more than {MOST} images; name a smaller folder")));
    }
    for path in entries(folder)?.into_iter().filter(|path| path.is_dir() && !path.is_symlink()) {
        if depth < DEEPEST {
            search(&path, depth + 1, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_without_images_fails_alone() {
        let root = tempfile::tempdir().unwrap();
        for name in ["sub-01", "sub-02"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        std::fs::write(root.path().join("sub-02/wave.npy"), b"x").unwrap();
        let exams = exams(&[root.path().to_path_buf()], false, None, None).unwrap();
        let faults: Vec<_> = exams.iter().map(|exam| (exam.name.as_str(), exam.fault().is_some())).collect();
        assert_eq!(faults, [("sub-01", true), ("sub-02_wave", false)]);
    }

    #[test]
    fn a_folder_is_many_exams_and_a_shard_some_of_them() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        };
        for name in [
            "sub-02/wave.nii.gz",
            "sub-01/wave.nii.gz",
            "sub-01/notes.txt",
            "other.npy",
            "derived/map.npy",
            ".hidden.npy",
        ] {
            put(name);
        }
        let folder = vec![root.path().to_path_buf()];
        let names = |shard: Option<&str>| {
            let exams = exams(&folder, false, None, shard.map(|s| s.parse().unwrap())).unwrap();
            exams.into_iter().map(|exam| exam.name).collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["other", "sub-01_wave", "sub-02_wave"]);
        assert_eq!(names(Some("2/2")), ["sub-01_wave"]);
        assert_eq!(names(Some("1/2")), ["other", "sub-02_wave"]);
        assert!("0/2".parse::<Shard>().is_err() && "3/2".parse::<Shard>().is_err());
        let twice = [root.path().join("sub-01/wave.nii.gz"), root.path().join("sub-02/wave.nii.gz")];
        assert!(exams(&twice, false, None, None).unwrap_err().to_string().contains("--join"));
        assert_eq!(exams(&twice, true, None, None).unwrap()[0].files().len(), 2);
    }
}
