//! A folder of wave images in every format, and the program run in it. Files are written and read by other code
//! than palpate's own wherever there is some, so that the two cannot be wrong alike.
#![allow(dead_code, reason = "each program uses its own part")]

pub mod map;

pub use map::Map;

use ndarray::{ArrayD, Dimension, IxDyn};
use nifti::writer::WriterOptions;
use nifti::{InMemNiftiObject, NiftiHeader, NiftiObject, ReaderOptions};
use num_complex::Complex64;
use palpate::Size;
use std::f64::consts::TAU;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Pixels along x and y.
pub const SIZE: Size = Size::new(48, 40);
/// Shear wavelength in the soft part (x below half) and in the stiff one, px.
pub const WAVELENGTHS: [f64; 2] = [8.0, 16.0];

/// The mask that the images come with: off the border, and one corner is missing, so that no flip hides.
pub fn inside(x: usize, y: usize) -> bool {
    (2..SIZE.nx - 2).contains(&x) && (2..SIZE.ny - 2).contains(&y) && !(x < 14 && y < 12)
}

/// A wave along x, for e^{+iωt}. The amplitude differs from pixel to pixel, so that each can be told.
pub fn wave(x: usize, y: usize) -> Complex64 {
    let [soft, stiff] = WAVELENGTHS;
    let (x, half) = (x as f64, SIZE.nx as f64 / 2.0);
    let turns = x.min(half) / soft + (x - half).max(0.0) / stiff;
    Complex64::from_polar(1000.0 + 3.0 * x + 4.0 * y as f64, -TAU * turns)
}

/// [`wave`], 0 outside the mask.
pub fn masked(x: usize, y: usize) -> Complex64 {
    if inside(x, y) { wave(x, y) } else { Complex64::ZERO }
}

/// Phase `t` of `n` over a period of the displacement `u`.
pub fn phase(u: Complex64, t: usize, n: usize) -> f64 {
    (u * Complex64::cis(TAU * t as f64 / n as f64)).re
}

/// An array by its value at each index.
pub fn array<T>(shape: &[usize], value: impl Fn(&[usize]) -> T) -> ArrayD<T> {
    ArrayD::from_shape_fn(IxDyn(shape), |index| value(index.slice()))
}

/// X, Y, phase: 8 phases of `u`.
pub fn phases(u: impl Fn(usize, usize) -> Complex64) -> ArrayD<f32> {
    array(&[SIZE.nx, SIZE.ny, 8], |i| phase(u(i[0], i[1]), i[2], 8) as f32)
}

/// A header whose affine is not the identity: pixels of 1.5 mm, slices of 5 mm.
pub fn plain() -> NiftiHeader {
    NiftiHeader {
        pixdim: [1.0, 1.5, 1.5, 5.0, 1.0, 1.0, 1.0, 1.0],
        srow_x: [1.5, 0.0, 0.0, 0.0],
        srow_y: [0.0, 1.5, 0.0, 0.0],
        srow_z: [0.0, 0.0, 5.0, 0.0],
        xyzt_units: 2,
        ..NiftiHeader::default()
    }
}

/// A header as a scanner's oblique slices have it: turned, and flipped in both axes.
pub fn oblique() -> NiftiHeader {
    NiftiHeader {
        pixdim: [-1.0, 1.5, 1.5, 5.0, 0.125, 1.0, 1.0, 1.0],
        srow_x: [-1.2, 0.54, 2.4, 91.5],
        srow_y: [-0.9, -0.72, -3.2, -17.25],
        srow_z: [0.0, -1.2, 3.0, 40.0],
        qform_code: 2,
        sform_code: 1,
        quatern_b: 0.25,
        quatern_c: -0.5,
        quatern_d: 0.125,
        quatern_x: 91.5,
        quatern_y: -17.25,
        quatern_z: 40.0,
        xyzt_units: 10,
        ..NiftiHeader::default()
    }
}

/// A MATLAB v5 file of one double array, axis 0 fastest; `im` makes it complex.
pub fn matlab(dims: &[usize], re: &[f64], im: Option<&[f64]>) -> Vec<u8> {
    let element = |kind: u32, data: Vec<u8>| {
        let mut out = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        out.extend(&data);
        out.resize(out.len().next_multiple_of(8), 0);
        out
    };
    let doubles = |values: &[f64]| element(9, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    let complex = if im.is_some() { 0x800 } else { 0 };
    let body = [
        element(6, [(6 | complex as u32).to_le_bytes(), [0; 4]].concat()),
        element(5, dims.iter().flat_map(|&n| (n as i32).to_le_bytes()).collect()),
        element(1, b"wave".to_vec()),
        doubles(re),
        im.map_or(Vec::new(), doubles),
    ];
    let mut file = b"MATLAB 5.0 MAT-file, written by hand".to_vec();
    file.resize(124, b' ');
    file.extend(b"\0\x01IM");
    file.extend(element(14, body.concat()));
    file
}

/// Numbers without a pattern.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| rng.u8(..)).collect()
}

/// What a run of the program came to.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A folder for one test; goes with all that is in it.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names in a folder below this one, sorted; none where there is no such folder.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten();
        let mut names: Vec<_> =
            entries.map(|e| e.expect("entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("write");
    }

    pub fn npy<T: ndarray_npy::WritableElement>(&self, name: &str, array: &ArrayD<T>) {
        ndarray_npy::write_npy(self.path(name), array).expect("write");
    }

    /// As `.nii` or `.nii.gz`, as the name says.
    pub fn nifti<T>(&self, name: &str, header: &NiftiHeader, array: &ArrayD<T>)
    where
        T: nifti::DataElement + bytemuck::Pod,
    {
        WriterOptions::new(self.path(name)).reference_header(header).write_nifti(array).expect("write");
    }

    pub fn map(&self, name: &str) -> Map {
        let object: InMemNiftiObject = ReaderOptions::new()
            .read_file(self.path(name))
            .unwrap_or_else(|e| panic!("{name} is no NIfTI file: {e}"));
        let header = object.header().clone();
        let dims = header.dim[1..=header.dim[0] as usize].iter().map(|&n| n.into()).collect();
        let words = object.volume().raw_data().as_chunks().0;
        Map { dims, values: words.iter().map(|&word| f32::from_le_bytes(word)).collect(), header }
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.bytes(name)).expect("JSON")
    }

    /// The program in this folder, on the adapter that it chooses itself; `line` holds its arguments, without quoting.
    pub fn plain(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palpate"));
        command.args(line.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        // The same forms of kernels in every run: the same bits.
        command.env("PALPATE_NO_TUNE", "1");
        command
    }

    /// The same, on the adapter that the other tests use.
    pub fn command(&self, line: &str) -> Command {
        let mut command = self.plain(line);
        if let Ok(adapter) = std::env::var("PALPATE_ADAPTER")
            && ["invert", "forward"].iter().any(|command| line.starts_with(command))
            && !line.contains("--adapter")
        {
            command.arg("--adapter").arg(adapter);
        }
        command
    }

    pub fn run(&self, line: &str) -> Ran {
        self.command(line).output().expect("the program runs").into()
    }

    /// A run that must fail with `code`, say all of `words` on standard error, and write nothing into `out`.
    pub fn refused(&self, line: &str, code: i32, words: &[&str]) -> String {
        self.judge(line, self.run(line), code, words)
    }

    /// The same of a run that is over.
    pub fn judge(&self, line: &str, ran: Ran, code: i32, words: &[&str]) -> String {
        assert_eq!(ran.code, Some(code), "{line}\n{}{}", ran.out, ran.err);
        assert!(ran.err.lines().any(|line| line.starts_with("error: ")), "{line}\n{}", ran.err);
        for word in words {
            assert!(ran.err.contains(word), "{line}: no '{word}' in\n{}", ran.err);
        }
        assert!(!ran.err.contains("panicked") && !ran.err.contains("Error {"), "{line}\n{}", ran.err);
        assert_eq!(ran.out, "", "{line}");
        assert_eq!(self.names("out"), [""; 0], "{line} left something");
        ran.err
    }

    /// A run that must end well.
    pub fn good(&self, line: &str) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line}\n{}", ran.err);
        ran
    }
}
