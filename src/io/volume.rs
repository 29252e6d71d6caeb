//! The contents of a file of any format: samples, shape, geometry, and what the file says of them.

use super::axes::Axes;
use super::place::Affine;
use num_complex::Complex64;

/// Maximum number of samples in a file: 2²⁹, 4 GiB as `f64`.
pub(crate) const MAX_SAMPLES: usize = 1 << 29;

/// Maximum number of axes of an array.
const MAX_AXES: usize = 7;
/// Axes of length 1 behind this one are dropped.
const KEPT_AXES: usize = 4;

/// The formats that palpate reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// NIfTI-1, `.nii` or `.nii.gz`.
    Nifti,
    /// MATLAB (written by `save -v6`, `-v7` and `-v7.3`), `.mat`.
    Matlab,
    /// NumPy, `.npy`.
    Npy,
    /// A series of DICOM files.
    Dicom,
}

/// Samples with axis 0 fastest.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Real samples of any stored type.
    Real(Vec<f64>),
    /// Complex samples, stored as complex in the file.
    Complex(Vec<Complex64>),
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Samples::Real(values) => values.len(),
            Samples::Complex(values) => values.len(),
        }
    }

    /// Reports whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The geometry of the samples, as far as the file states it.
#[derive(Debug, Clone, Default)]
pub struct VolumeGeometry {
    /// Pixel spacing along axes 0 and 1 in mm, as stated and not checked. `None` if the format has no such
    /// field.
    pub spacing_mm: Option<[f64; 2]>,
    /// Column lengths of the affine for axes 0 and 1 in mm, if the file has an affine. They state the spacing a
    /// second time and may contradict `spacing_mm`.
    pub affine_spacing_mm: Option<[f64; 2]>,
    /// True if the affine is the identity, which programs write if they do not know the affine.
    pub identity: bool,
    /// Where the samples lie in the patient, if the file states it. None if the affine is the identity.
    pub affine: Option<Affine>,
    /// True if the file says that an axis holds the components of a vector.
    pub vector: bool,
    /// The complete header of a NIfTI file, so that outputs keep its affine unchanged.
    pub header: Option<Box<nifti::NiftiHeader>>,
}

/// What a file, its sidecar or a scanner states of the samples, beyond their geometry.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stated {
    /// The axes of the array.
    pub axes: Option<Axes>,
    /// Frequencies of the vibration, Hz: none, one, or one for each index of the frequency axis.
    pub frequencies_hz: Vec<f64>,
    /// Density of the tissue, kg/m³.
    pub density: Option<f64>,
    /// Names of the directions of motion, in the order of their axis.
    pub directions: Vec<String>,
    /// One turn of the phase, in the units of the samples.
    pub turn: Option<f64>,
}

/// The contents of a file.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Lengths of the axes, axis 0 first and fastest in memory: 1 to 7 axes, none of length 0.
    pub shape: Vec<usize>,
    /// The samples; their number is the product of `shape`.
    pub data: Samples,
    /// The geometry.
    pub geometry: VolumeGeometry,
    /// The format of the file.
    pub format: Format,
    /// What is stated of the samples.
    pub stated: Stated,
}

/// The storage of a number in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Number {
    /// Bytes per number.
    pub(crate) fn size(self) -> usize {
        match self {
            Number::U8 | Number::I8 => 1,
            Number::U16 | Number::I16 => 2,
            Number::U32 | Number::I32 | Number::F32 => 4,
            Number::U64 | Number::I64 | Number::F64 => 8,
        }
    }

    /// Decodes the numbers in `bytes`; an incomplete number at the end is dropped.
    pub(crate) fn decode(self, bytes: &[u8], big_endian: bool) -> Vec<f64> {
        macro_rules! decode {
            ($type:ty) => {
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| {
                        (if big_endian { <$type>::from_be_bytes(b) } else { <$type>::from_le_bytes(b) })
                            as f64
                    })
                    .collect()
            };
        }
        match self {
            Number::U8 => decode!(u8),
            Number::I8 => decode!(i8),
            Number::U16 => decode!(u16),
            Number::I16 => decode!(i16),
            Number::U32 => decode!(u32),
            Number::I32 => decode!(i32),
            Number::U64 => decode!(u64),
            Number::I64 => decode!(i64),
            Number::F32 => decode!(f32),
            Number::F64 => decode!(f64),
        }
    }
}

/// Converts interleaved real and imaginary parts to complex samples.
pub(crate) fn complex_from_pairs(parts: &[f64]) -> Samples {
    Samples::Complex(parts.as_chunks().0.iter().map(|&[re, im]| Complex64::new(re, im)).collect())
}

/// Checks a claimed shape before memory is allocated for it, and returns the number of samples.
///
/// Trailing axes of length 1 after the fourth are removed. A fourth axis of length 1 stays because it means
/// "one frame". Without it, a stack of slices could be taken for phases.
pub(crate) fn check_shape(shape: &mut Vec<usize>) -> Result<usize, String> {
    let claimed = shape_text(shape);
    while shape.len() > KEPT_AXES && shape.last() == Some(&1) {
        shape.pop();
    }
    if shape.is_empty() {
        return Err("holds a single number, not an image".into());
    }
    if shape.contains(&0) {
        return Err(format!("holds an empty array ({claimed})"));
    }
    if shape.len() > MAX_AXES {
        return Err(format!(
            "holds {} dimensions ({claimed}), but palpate reads at most {MAX_AXES}: x, y, slice, phase, direction, \
             frequency, and real and imaginary part",
            shape.len()
        ));
    }
    shape
        .iter()
        .try_fold(1usize, |n, &axis| n.checked_mul(axis))
        .filter(|&n| n <= MAX_SAMPLES)
        .ok_or_else(|| format!("claims {claimed} samples; palpate reads at most {MAX_SAMPLES}"))
}

/// Formats a shape for people: `256 × 256 × 8`.
pub(crate) fn shape_text(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_either_byte_order() {
        assert_eq!(Number::I16.decode(&[0xff, 0xfe, 0x00, 0x01], true), [-2.0, 1.0]);
        assert_eq!(Number::I16.decode(&[0xfe, 0xff, 0x01, 0x00, 0x07], false), [-2.0, 1.0]);
        assert_eq!(Number::F32.decode(&1.5f32.to_be_bytes(), true), [1.5]);
        assert_eq!(Number::U64.decode(&u64::MAX.to_le_bytes(), false), [u64::MAX as f64]);
    }

    #[test]
    fn shapes_are_checked() {
        let mut shape = vec![4, 5, 1, 1, 1, 1];
        assert_eq!(check_shape(&mut shape), Ok(20));
        assert_eq!(shape, [4, 5, 1, 1]);
        assert_eq!(check_shape(&mut vec![4, 5, 1, 1, 2]), Ok(40));
        assert!(check_shape(&mut vec![2; 8]).unwrap_err().contains("8 dimensions"));
        assert!(check_shape(&mut vec![4, 0, 2]).unwrap_err().contains("empty"));
        assert!(check_shape(&mut vec![usize::MAX, 3]).unwrap_err().contains("claims"));
        assert!(check_shape(&mut vec![]).is_err());
    }
}
