//! Reader for NumPy's `.npy` files.
//!
//! The `ndarray-npy` crate reads the header. The samples are decoded by the decoder shared by all formats,
//! because their type is known only after the header is read.

use super::volume::{
    Format, Number, Samples, Stated, Volume, VolumeGeometry, check_shape, complex_from_pairs, shape_text,
};
use super::what_it_is;
use crate::error::{Error, Result as Outcome};
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::npy::header::{Header, Layout};
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Maximum length of a header in bytes; NumPy itself refuses longer ones.
const HEADER_BYTES: usize = 10_000;

/// Decodes a `.npy` file. Index `[i, j, k]` becomes sample (i, j, k) in C and in Fortran order.
pub(super) fn decode(file: &[u8]) -> Result<Volume, String> {
    let (header, data) = parse(file)?;
    let mut shape = header.shape;
    let c_shape = shape.clone();
    let samples = check_shape(&mut shape)?;
    let descriptor = header.type_descriptor.as_string().map_or("", String::as_str);
    let (big_endian, number, complex) = element(descriptor).ok_or_else(|| {
        format!(
            "holds elements of type {}, which palpate does not read; save it as float32, float64 or complex64",
            header.type_descriptor
        )
    })?;
    check_length(data, &shape, samples.checked_mul(number.size() * if complex { 2 } else { 1 }))?;
    let values = number.decode(data, big_endian);
    let data = if complex { complex_from_pairs(&values) } else { Samples::Real(values) };
    let data = match (header.layout, data) {
        (Layout::Fortran, data) => data,
        (Layout::Standard, Samples::Real(values)) => Samples::Real(first_axis_fastest(&values, &c_shape)),
        (Layout::Standard, Samples::Complex(values)) => {
            Samples::Complex(first_axis_fastest(&values, &c_shape))
        }
    };
    Ok(Volume {
        shape,
        data,
        geometry: VolumeGeometry::default(),
        format: Format::Npy,
        stated: Stated::default(),
    })
}

/// Reads an array of float32 or float64 with any number of axes from `path`; float64 is rounded to float32.
///
/// The axes keep the file's order. The last axis of the result is the fastest in memory, whichever it is in the
/// file.
///
/// # Errors
/// [`Error::File`] if the file cannot be read, is truncated or is not a `.npy` file. The same error is returned
/// if it holds no values or values of another type.
pub fn read_floats(path: impl AsRef<Path>) -> Outcome<ArrayD<f32>> {
    let path = path.as_ref();
    floats(&super::load(path)?).map_err(|what| Error::file(path, what))
}

fn floats(file: &[u8]) -> Result<ArrayD<f32>, String> {
    let (header, data) = parse(file)?;
    let descriptor = header.type_descriptor.as_string().map_or("", String::as_str);
    let (big_endian, number) = match element(descriptor) {
        Some((big_endian, number @ (Number::F32 | Number::F64), false)) => (big_endian, number),
        other => {
            let remedy = match other {
                Some((_, _, true)) => "save its real and its imaginary part as channels of float32",
                _ => "save it with .astype('float32')",
            };
            let kind = header.type_descriptor;
            return Err(format!("holds elements of type {kind}, but float32 is wanted; {remedy}"));
        }
    };
    let shape = header.shape;
    if shape.contains(&0) {
        return Err(format!("holds an empty array ({})", shape_text(&shape)));
    }
    check_length(data, &shape, shape.iter().try_fold(number.size(), |n, &axis| n.checked_mul(axis)))?;
    let values: Vec<f32> = number.decode(data, big_endian).into_iter().map(|v| v as f32).collect();
    let fortran = header.layout == Layout::Fortran;
    let array = ArrayD::from_shape_vec(IxDyn(&shape).set_f(fortran), values);
    let array = array.map_err(|e| format!("does not hold the array that its header describes ({e})"))?;
    Ok(if fortran { array.as_standard_layout().into_owned() } else { array })
}

/// Splits a file into its header and its data.
fn parse(file: &[u8]) -> Result<(Header, &[u8]), String> {
    if !file.starts_with(MAGIC) {
        return Err(format!("is not a NumPy .npy file{}", what_it_is(file)));
    }
    let mut rest = file;
    check_header(file)?;
    let header = Header::from_reader(&mut rest)
        .map_err(|e| format!("has a NumPy header that cannot be read ({e})"))?;
    Ok((header, rest))
}

/// Checks that `data` have `expected` bytes. `None` means that the size overflows, so the file is too short.
fn check_length(data: &[u8], shape: &[usize], expected: Option<usize>) -> Result<(), String> {
    let expected = expected.unwrap_or(usize::MAX);
    if data.len() == expected {
        return Ok(());
    }
    let fault = if data.len() < expected { "is truncated" } else { "is longer than its header says" };
    Err(format!(
        "{fault}: it has {} bytes of data, but {} samples need {expected}",
        data.len(),
        shape_text(shape)
    ))
}

/// Refuses headers that would harm the crate's parser. It allocates the length in the header, and descends into
/// nested brackets without a limit.
fn check_header(file: &[u8]) -> Result<(), String> {
    let length = match file.get(6..12) {
        Some(&[1, _, a, b, ..]) => usize::from(u16::from_le_bytes([a, b])) + 10,
        Some(&[_, _, a, b, c, d]) => (u32::from_le_bytes([a, b, c, d]) as usize).saturating_add(12),
        _ => return Err(format!("is truncated: it ends after {} bytes", file.len())),
    };
    if length > HEADER_BYTES {
        return Err(format!("has a corrupt NumPy header of {length} bytes"));
    }
    let header = file.get(..length).ok_or("is truncated: it ends within its header")?;
    // A plain array has one dictionary and one tuple. A structured type adds a list of pairs.
    if header.iter().filter(|b| b"([{".contains(b)).count() > 2 {
        return Err("does not hold a plain array of numbers".into());
    }
    Ok(())
}

/// Parses a type descriptor like `<f4`: big-endian or not, number format, complex or not.
fn element(descriptor: &str) -> Option<(bool, Number, bool)> {
    let (order, kind) = descriptor.split_at_checked(1)?;
    let big_endian = match order {
        "<" | "|" => false,
        ">" => true,
        _ => return None,
    };
    let (number, complex) = match kind {
        "b1" | "u1" => (Number::U8, false),
        "i1" => (Number::I8, false),
        "u2" => (Number::U16, false),
        "i2" => (Number::I16, false),
        "u4" => (Number::U32, false),
        "i4" => (Number::I32, false),
        "u8" => (Number::U64, false),
        "i8" => (Number::I64, false),
        "f4" => (Number::F32, false),
        "f8" => (Number::F64, false),
        "c8" => (Number::F32, true),
        "c16" => (Number::F64, true),
        _ => return None,
    };
    Some((big_endian, number, complex))
}

/// Reorders samples from last axis fastest to first axis fastest.
fn first_axis_fastest<T: Copy>(samples: &[T], shape: &[usize]) -> Vec<T> {
    let mut out = Vec::with_capacity(samples.len());
    let mut index = vec![0; shape.len()];
    // `strides[a]` is the step along axis `a` in `samples`.
    let mut strides = vec![1; shape.len()];
    for a in (1..shape.len()).rev() {
        strides[a - 1] = strides[a] * shape[a];
    }
    for _ in 0..samples.len() {
        out.push(samples[index.iter().zip(&strides).map(|(i, s)| i * s).sum::<usize>()]);
        for (i, &n) in index.iter_mut().zip(shape) {
            *i += 1;
            if *i < n {
                break;
            }
            *i = 0;
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file with the bytes `data`.
    pub(crate) fn file(descriptor: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': {descriptor}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes(), data].concat()
    }

    fn real(file: &[u8]) -> (Vec<usize>, Vec<f64>) {
        let volume = decode(file).unwrap();
        match volume.data {
            Samples::Real(values) => (volume.shape, values),
            Samples::Complex(_) => panic!("complex"),
        }
    }

    #[test]
    fn either_order_of_axes_and_bytes() {
        // a[i, j, k] = 100 i + 10 j + k, shape 2 × 3 × 2.
        let c = [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121];
        let want = [0., 100., 10., 110., 20., 120., 1., 101., 11., 111., 21., 121.];
        let big: Vec<u8> = c.iter().flat_map(|&v: &i16| v.to_be_bytes()).collect();
        assert_eq!(real(&file("'>i2'", "False", "(2, 3, 2)", &big)), (vec![2, 3, 2], want.to_vec()));
        let f: Vec<u8> = want.iter().flat_map(|&v| (v as f32).to_le_bytes()).collect();
        assert_eq!(real(&file("'<f4'", "True", "(2, 3, 2)", &f)), (vec![2, 3, 2], want.to_vec()));
        assert_eq!(real(&file("'|b1'", "False", "(1, 2)", &[0, 1])).1, [0.0, 1.0]);
        // A fifth axis of length 1 is removed; the order stays.
        assert_eq!(
            real(&file("'|u1'", "False", "(2, 1, 1, 2, 1)", &[0, 1, 2, 3])),
            (vec![2, 1, 1, 2], vec![0., 2., 1., 3.])
        );
    }

    #[test]
    fn complex_samples() {
        let bytes: Vec<u8> = [1f32, -2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let volume = decode(&file("'<c8'", "False", "(2, 1)", &bytes)).unwrap();
        assert_eq!(volume.data, complex_from_pairs(&[1.0, -2.0, 3.0, 4.0]));
    }

    #[test]
    fn what_is_not_an_array_is_refused() {
        let bad = |descriptor, shape, data| decode(&file(descriptor, "False", shape, data)).unwrap_err();
        assert!(bad("'<f2'", "(1,)", &[0, 0]).contains("type '<f2'"));
        assert!(bad("'|O'", "(1,)", &[0, 0]).contains("type"));
        assert!(bad("[('a', '<f4'), ('b', '<f4')]", "(1,)", &[0; 8]).contains("plain array"));
        assert!(bad("'<f4'", "()", &[0; 4]).contains("single number"));
        assert!(bad("'<f4'", "(0, 3)", &[]).contains("empty"));
        assert!(bad("'<f4'", "(1, 1, 1, 1, 1, 1, 1, 2)", &[0; 8]).contains("8 dimensions"));
        assert!(bad("'<f4'", "(99999999999999999999, 3)", &[]).contains("header"));
        assert!(bad("'<f4'", "(4000000000, 4000000000)", &[]).contains("claims"));
        assert!(bad("'<f4'", "(2, 2)", &[0; 15]).contains("truncated"));
        assert!(bad("'<f4'", "(2, 2)", &[0; 17]).contains("longer"));
        // A header that would overflow the parser's stack, and one that claims 4 GiB.
        let deep = "(".repeat(9000);
        assert!(bad(&deep, "(2, 2)", &[]).contains("plain array"));
        let mut long = b"\x93NUMPY\x02\0\xff\xff\xff\xff".to_vec();
        long.resize(100, b' ');
        assert!(decode(&long).unwrap_err().contains("header"));
        assert!(decode(b"\x93NUMPY\x01").unwrap_err().contains("truncated"));
    }

    #[test]
    fn floats_in_either_order_with_the_last_axis_fastest() {
        let bytes = |values: &[f64]| values.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<_>>();
        let c = floats(&file("'>f8'", "False", "(2, 3)", &bytes(&[0., 1., 2., 10., 11., 12.]))).unwrap();
        let f = floats(&file("'>f8'", "True", "(2, 3)", &bytes(&[0., 10., 1., 11., 2., 12.]))).unwrap();
        assert_eq!(c, ndarray::array![[0f32, 1., 2.], [10., 11., 12.]].into_dyn());
        assert_eq!((f.as_slice(), &f), (c.as_slice(), &c));
        let five = floats(&file("'<f4'", "False", "(1, 1, 1, 1, 1)", &1f32.to_le_bytes())).unwrap();
        assert_eq!(five.shape(), [1; 5]);
        let bad = |descriptor, shape, data| floats(&file(descriptor, "False", shape, data)).unwrap_err();
        assert!(bad("'<i4'", "(1,)", &[0; 4]).contains(".astype('float32')"));
        assert!(bad("'<c8'", "(1,)", &[0; 8]).contains("imaginary part as channels"));
        assert!(bad("'<f4'", "(0, 99999999999, 99999999999)", &[]).contains("empty"));
        assert!(bad("'<f4'", "(9999999999, 9999999999)", &[]).contains("truncated"));
        assert!(bad("'<f4'", "(1,)", &[0; 5]).contains("longer"));
        assert!(floats(b"PK\x03\x04").unwrap_err().contains("zip"));
    }
}
