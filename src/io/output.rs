//! The output files of one run: all of them are written, or none.

use super::EXTENSIONS;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// Collects the files of a run as temporary files in the output folder.
///
/// [`commit`](Self::commit) renames all of them or none. If the set is dropped before, nothing of the run is
/// left.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// # let dir = dir.path().join("out");
/// let mut out = palpate::lowlevel::io::OutputSet::new(&dir, false)?;
/// out.check_free(&["a.json".to_string()])?;
/// out.add_bytes("a.json", b"{}")?;
/// assert!(!dir.join("a.json").exists());
/// out.commit()?;
/// assert!(dir.join("a.json").exists());
/// # Ok::<(), palpate::Error>(())
/// ```
#[derive(Debug)]
pub struct OutputSet {
    dir: PathBuf,
    force: bool,
    files: Vec<(String, NamedTempFile)>,
    /// Folders that `new` created, outermost first. They are removed if the run is not committed.
    made: Vec<PathBuf>,
}

impl OutputSet {
    /// Creates the folder `dir` if it does not exist, and checks that it can be written. With `force`, existing
    /// files may be replaced.
    ///
    /// # Errors
    /// [`Error::OutputFolder`] if `dir` is a file, or cannot be created or written.
    pub fn new(dir: impl Into<PathBuf>, force: bool) -> Result<Self> {
        let dir = dir.into();
        if dir.exists() && !dir.is_dir() {
            return Err(Error::output_folder(dir, "is a file, but the output needs a folder"));
        }
        let mut made: Vec<PathBuf> = dir
            .ancestors()
            .take_while(|a| !a.as_os_str().is_empty() && !a.exists())
            .map(Path::to_path_buf)
            .collect();
        made.reverse();
        let set = OutputSet { dir, force, files: Vec::new(), made };
        fs::create_dir_all(&set.dir)
            .map_err(|e| Error::output_folder(&set.dir, format!("cannot make this folder: {}", e.kind())))?;
        set.temporary()?;
        Ok(set)
    }

    /// Checks, before any work is done, that the files `names` may be written.
    ///
    /// # Errors
    /// [`Error::Exists`] if one of `names` exists and `force` is false. [`Error::Usage`] if one is a folder, or is
    /// not a plain file name.
    pub fn check_free(&self, names: &[String]) -> Result<()> {
        for name in names {
            if Path::new(name).file_name() != Some(name.as_ref()) {
                return Err(Error::Usage(format!("`{name}` cannot be the name of an output file")));
            }
            let path = self.dir.join(name);
            if path.is_dir() {
                return Err(Error::Usage(format!(
                    "{} is a folder; the output file cannot replace it",
                    path.display()
                )));
            }
            // A link to nowhere also counts as an existing file.
            if !self.force && path.symlink_metadata().is_ok() {
                return Err(Error::Exists { path, during_run: false });
            }
        }
        Ok(())
    }

    /// Writes a file under a temporary name.
    ///
    /// # Errors
    /// - The errors of [`check_free`](Self::check_free).
    /// - [`Error::Usage`] if the set already has a file with this name.
    /// - [`Error::File`] if the file cannot be written.
    pub fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.check_free(&[name.to_string()])?;
        if self.files.iter().any(|(n, _)| n == name) {
            return Err(Error::Usage(format!(
                "two outputs would be named `{name}`; rename one of the inputs"
            )));
        }
        let mut file = self.temporary()?;
        file.write_all(bytes)
            .and_then(|()| file.flush())
            .map_err(|e| Error::file(self.dir.join(name), format!("cannot be written: {}", e.kind())))?;
        self.files.push((name.to_string(), file));
        Ok(())
    }

    /// Renames every file to its final name and returns the paths. If one rename fails, the earlier ones are
    /// undone and the replaced files are restored.
    ///
    /// # Errors
    /// [`Error::File`] for the first file that cannot be renamed, or [`Error::Exists`] if another program created
    /// it during the run.
    pub fn commit(mut self) -> Result<Vec<PathBuf>> {
        let mut placed: Vec<(PathBuf, Option<TempPath>)> = Vec::new();
        for (name, file) in std::mem::take(&mut self.files) {
            let target = self.dir.join(name);
            match self.place(file, &target) {
                Ok(replaced) => placed.push((target, replaced)),
                Err(e) => {
                    for (path, replaced) in placed.into_iter().rev() {
                        // If the undo fails too, nothing better can be done.
                        let _ = match replaced {
                            Some(old) => old.persist(&path).map_err(|e| e.error),
                            None => fs::remove_file(&path),
                        };
                    }
                    return Err(e);
                }
            }
        }
        self.made.clear();
        Ok(placed.into_iter().map(|(path, _)| path).collect())
    }

    /// Renames `file` to `target`. Returns the replaced file under a temporary name.
    fn place(&self, file: NamedTempFile, target: &Path) -> Result<Option<TempPath>> {
        let fail = |e: std::io::Error| match e.kind() {
            ErrorKind::AlreadyExists => Error::Exists { path: target.into(), during_run: true },
            _ => Error::file(target, format!("cannot be put in place: {e}")),
        };
        if !self.force {
            return file.persist_noclobber(target).map(|_| None).map_err(|e| fail(e.error));
        }
        let replaced = if target.is_file() {
            let kept = self.temporary()?.into_temp_path();
            fs::rename(target, &kept).map_err(fail)?;
            Some(kept)
        } else {
            None
        };
        match file.persist(target) {
            Ok(_) => Ok(replaced),
            Err(e) => {
                if let Some(old) = replaced {
                    let _ = old.persist(target);
                }
                Err(fail(e.error))
            }
        }
    }

    /// Creates an empty temporary file in the folder, with the permissions of an ordinary new file.
    fn temporary(&self) -> Result<NamedTempFile> {
        super::atomic::temporary(&self.dir).map_err(|e| {
            Error::output_folder(&self.dir, format!("this folder cannot be written: {}", e.kind()))
        })
    }
}

impl Drop for OutputSet {
    fn drop(&mut self) {
        self.files.clear();
        for dir in self.made.iter().rev() {
            // This fails if someone else has put a file into the folder, which is intended.
            let _ = fs::remove_dir(dir);
        }
    }
}

/// Returns the first part of an output name for an input: `x/a.nii.gz` → `a`, `b.mat` → `b`.
///
/// ```
/// # use palpate::lowlevel::io::output::stem;
/// assert_eq!(stem("x/a.nii.gz".as_ref()), "a");
/// assert_eq!(stem("b.c.MAT".as_ref()), "b.c");
/// ```
pub fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let cut =
        EXTENSIONS.iter().filter_map(|e| name.len().checked_sub(e.len()).filter(|&n| n > 0).map(|n| (n, e)));
    let end = cut
        .filter(|&(n, e)| name.get(n..).is_some_and(|end| end.eq_ignore_ascii_case(e)))
        .map(|(n, _)| n)
        .min();
    name[..end.unwrap_or(name.len())].to_string()
}

/// Checks that no two inputs would have the same output names.
///
/// # Errors
/// [`Error::Usage`] if two inputs clash; the message names both.
pub fn check_stems(inputs: &[PathBuf]) -> Result<()> {
    let mut seen: HashMap<String, &PathBuf> = HashMap::new();
    for input in inputs {
        let stem = stem(input);
        if let Some(other) = seen.insert(stem.clone(), input) {
            if other == input {
                return Err(Error::Usage(format!("{} is given twice", input.display())));
            }
            return Err(Error::Usage(format!(
                "{} and {} would both be written as `{stem}_…`; run them one at a time, into different folders",
                other.display(),
                input.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_left_without_a_commit() {
        let root = tempfile::tempdir().unwrap();
        let mut set = OutputSet::new(root.path().join("a/b"), false).unwrap();
        set.add_bytes("x", b"1").unwrap();
        drop(set);
        assert!(names(root.path()).is_empty());
        // A folder that existed before stays.
        drop(OutputSet::new(root.path(), false).unwrap());
        assert!(root.path().exists());
    }

    #[test]
    fn existing_files_are_refused_or_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("x"), "old").unwrap();
        let mut set = OutputSet::new(root.path(), false).unwrap();
        let e = set.add_bytes("x", b"new").unwrap_err();
        assert!(matches!(&e, Error::Exists { path, during_run: false } if path.ends_with("x")), "{e}");
        assert!(set.check_free(&["y".into(), "../z".into()]).is_err());
        let mut set = OutputSet::new(root.path(), true).unwrap();
        set.add_bytes("x", b"new").unwrap();
        set.add_bytes("y", b"also").unwrap();
        assert!(set.add_bytes("y", b"twice").is_err());
        assert_eq!(fs::read(root.path().join("x")).unwrap(), b"old");
        assert_eq!(set.commit().unwrap(), [root.path().join("x"), root.path().join("y")]);
        assert_eq!(fs::read(root.path().join("x")).unwrap(), b"new");
        assert_eq!(names(root.path()), ["x", "y"]);
    }

    #[test]
    fn a_failed_commit_puts_everything_back() {
        for force in [false, true] {
            let root = tempfile::tempdir().unwrap();
            let path = |name| root.path().join(name);
            let mut set = OutputSet::new(root.path(), force).unwrap();
            if force {
                fs::write(path("a"), "old").unwrap();
            }
            for name in ["a", "b", "c"] {
                set.add_bytes(name, b"new").unwrap();
            }
            // A non-empty folder now has the name; a rename cannot replace it.
            fs::create_dir(path("c")).unwrap();
            fs::write(path("c").join("in"), "it").unwrap();
            let said = set.commit().unwrap_err().to_string();
            assert!(said.contains(path("c").to_str().unwrap()), "{said}");
            assert_eq!(names(root.path()), if force { vec!["a", "c"] } else { vec!["c"] });
            if force {
                assert_eq!(fs::read(path("a")).unwrap(), b"old");
            }
        }
    }

    #[test]
    fn folders_that_cannot_be() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("f");
        fs::write(&file, "").unwrap();
        assert!(OutputSet::new(&file, true).unwrap_err().to_string().contains("is a file"));
        assert!(OutputSet::new(file.join("x/y"), true).unwrap_err().to_string().contains("cannot make"));
        assert_eq!(names(root.path()), ["f"]);
    }

    #[cfg(unix)]
    #[test]
    fn outputs_are_as_readable_as_other_files() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let mut set = OutputSet::new(root.path(), false).unwrap();
        set.add_bytes("x", b"").unwrap();
        set.commit().unwrap();
        fs::write(root.path().join("y"), "").unwrap();
        let mode = |name| fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("x"), mode("y"));
    }

    #[test]
    fn one_stem_twice_is_refused() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        check_stems(&paths(&["a.nii", "b.nii.gz", "ab.mat"])).unwrap();
        let e = check_stems(&paths(&["p/a.nii", "q/a.NII.gz"])).unwrap_err();
        assert!(matches!(&e, Error::Usage(what) if what.contains("p/a.nii and q/a.NII.gz")), "{e}");
        assert_eq!(stem(Path::new(".nii")), ".nii");
        assert_eq!(stem(Path::new("é.npy")), "é");
        assert_eq!(stem(Path::new("a.txt")), "a.txt");
    }
}
