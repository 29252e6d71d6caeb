//! Writer for maps as NIfTI-1, with the geometry of the input.
//!
//! The header is serialised here because the `nifti` crate writes only to a path. The files of a run must be
//! written together.

use super::{DATA_OFFSET, HEADER_BYTES, column, unit_mm};
use crate::error::{Error, Result};
use crate::io::volume::{VolumeGeometry, shape_text};
use ::nifti::NiftiHeader;
use flate2::{Compression, write::GzEncoder};
use num_complex::Complex32;
use std::io::Write;

/// Relative difference below which two spacings are the same (`pixdim` is f32).
const SAME: f64 = 1e-5;

/// Encodes a real map as the bytes of a `.nii.gz` file (float32, little-endian).
///
/// `maps` has axis 0 fastest. `dims` are its axes: `[nx, ny]`, or `[nx, ny, slices]` for a stack. `spacing_mm`
/// is the spacing used along axes 0 and 1. `description` is cut to 79 bytes.
///
/// If the input was NIfTI, its qform, sform, form codes and units are copied bit by bit. If `spacing_mm`
/// differs from that header, `pixdim` and the first two columns of the affine are scaled to it. The directions,
/// the slice axis and the position of voxel (0, 0, 0) stay. An input without a header gets the affine
/// diag(spacing, 1) with form codes 1.
///
/// # Errors
/// [`Error::Data`] if the product of `dims` is not the number of values, or if an axis is longer than 32767.
pub fn encode_f32(
    maps: &[f32],
    dims: &[usize],
    geometry: &VolumeGeometry,
    spacing_mm: [f64; 2],
    description: &str,
) -> Result<Vec<u8>> {
    let bytes: Vec<u8> = maps.iter().flat_map(|v| v.to_le_bytes()).collect();
    encode(&bytes, (16, 32), dims, geometry, spacing_mm, description)
}

/// Encodes a complex map as the bytes of a `.nii.gz` file (complex64); see [`encode_f32`].
///
/// # Errors
/// The same as for [`encode_f32`].
pub fn encode_complex64(
    maps: &[Complex32],
    dims: &[usize],
    geometry: &VolumeGeometry,
    spacing_mm: [f64; 2],
    description: &str,
) -> Result<Vec<u8>> {
    let bytes: Vec<u8> = maps.iter().flat_map(|v| [v.re, v.im]).flat_map(f32::to_le_bytes).collect();
    encode(&bytes, (32, 64), dims, geometry, spacing_mm, description)
}

fn encode(
    data: &[u8],
    (datatype, bitpix): (i16, i16),
    dims: &[usize],
    geometry: &VolumeGeometry,
    spacing_mm: [f64; 2],
    description: &str,
) -> Result<Vec<u8>> {
    let samples = dims.iter().try_fold(1usize, |n, &axis| n.checked_mul(axis));
    let held = data.len() / (bitpix as usize / 8);
    if !(1..=7).contains(&dims.len()) || samples != Some(held) {
        return Err(Error::Data(format!("a map of {} samples does not fit {held} values", shape_text(dims))));
    }
    if let Some(axis) = dims.iter().find(|&&n| n > i16::MAX as usize) {
        return Err(Error::Data(format!(
            "a NIfTI axis has at most {} samples; this map has one of {axis}",
            i16::MAX
        )));
    }
    let mut header = match &geometry.header {
        Some(input) => placed_like(input, spacing_mm),
        None => placed_by(spacing_mm),
    };
    header.dim = [1; 8];
    header.dim[0] = dims.len() as u16;
    header.dim.iter_mut().skip(1).zip(dims).for_each(|(d, &n)| *d = n as u16);
    (header.datatype, header.bitpix, header.scl_slope) = (datatype, bitpix, 1.0);
    let cut = (0..=description.len().min(79)).rev().find(|&n| description.is_char_boundary(n)).unwrap_or(0);
    header.descrip[..cut].copy_from_slice(&description.as_bytes()[..cut]);

    // The low bits of a map are mostly noise: the default level takes three times as long and saves 2 %.
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    [&header_bytes(&header)[..], &[0; DATA_OFFSET - HEADER_BYTES], data]
        .into_iter()
        .try_for_each(|part| gz.write_all(part))
        .and_then(|()| gz.finish())
        .map_err(|e| Error::Data(format!("a map could not be compressed: {e}")))
}

/// Returns a new header with the geometry of `input`, scaled to `spacing_mm` if that differs.
fn placed_like(input: &NiftiHeader, spacing_mm: [f64; 2]) -> NiftiHeader {
    let mut header = NiftiHeader {
        dim_info: input.dim_info,
        xyzt_units: input.xyzt_units & 7,
        qform_code: input.qform_code,
        sform_code: input.sform_code,
        quatern_b: input.quatern_b,
        quatern_c: input.quatern_c,
        quatern_d: input.quatern_d,
        quatern_x: input.quatern_x,
        quatern_y: input.quatern_y,
        quatern_z: input.quatern_z,
        srow_x: input.srow_x,
        srow_y: input.srow_y,
        srow_z: input.srow_z,
        magic: *::nifti::header::MAGIC_CODE_NIP1,
        ..NiftiHeader::default()
    };
    // Axes after the third were phases; the map has none, so their `pixdim` is not copied.
    header.pixdim[..4].copy_from_slice(&input.pixdim[..4]);
    for (axis, mm) in spacing_mm.into_iter().enumerate() {
        let wanted = mm / unit_mm(input);
        if (f64::from(input.pixdim[axis + 1]) / wanted - 1.0).abs() > SAME || input.pixdim[axis + 1].is_nan()
        {
            header.pixdim[axis + 1] = wanted as f32;
        }
        let scale = wanted / column(input, axis);
        if scale.is_finite() && (scale - 1.0).abs() > SAME {
            for row in [&mut header.srow_x, &mut header.srow_y, &mut header.srow_z] {
                row[axis] = (f64::from(row[axis]) * scale) as f32;
            }
        }
    }
    header
}

/// Returns a header for an input that had none.
fn placed_by([dx, dy]: [f64; 2]) -> NiftiHeader {
    let (dx, dy) = (dx as f32, dy as f32);
    NiftiHeader {
        pixdim: [1.0, dx, dy, 1.0, 1.0, 1.0, 1.0, 1.0],
        srow_x: [dx, 0.0, 0.0, 0.0],
        srow_y: [0.0, dy, 0.0, 0.0],
        xyzt_units: 2,
        magic: *::nifti::header::MAGIC_CODE_NIP1,
        ..NiftiHeader::default()
    }
}

/// Returns the 348 bytes of the header, little-endian.
fn header_bytes(h: &NiftiHeader) -> Vec<u8> {
    fn words<const N: usize>(out: &mut Vec<u8>, words: impl IntoIterator<Item = [u8; N]>) {
        words.into_iter().for_each(|w| out.extend(w));
    }
    let (f, s, l) = (f32::to_le_bytes, i16::to_le_bytes, i32::to_le_bytes);
    let mut out = Vec::with_capacity(HEADER_BYTES);
    words(&mut out, [l(h.sizeof_hdr)]);
    out.extend(h.data_type.iter().chain(&h.db_name));
    words(&mut out, [l(h.extents)]);
    words(&mut out, [s(h.session_error)]);
    out.extend([h.regular, h.dim_info]);
    words(&mut out, h.dim.map(u16::to_le_bytes));
    words(&mut out, [h.intent_p1, h.intent_p2, h.intent_p3].map(f));
    words(&mut out, [h.intent_code, h.datatype, h.bitpix, h.slice_start].map(s));
    words(&mut out, h.pixdim.map(f));
    words(&mut out, [h.vox_offset, h.scl_slope, h.scl_inter].map(f));
    words(&mut out, [s(h.slice_end)]);
    out.extend([h.slice_code, h.xyzt_units]);
    words(&mut out, [h.cal_max, h.cal_min, h.slice_duration, h.toffset].map(f));
    words(&mut out, [h.glmax, h.glmin].map(l));
    out.extend(h.descrip.iter().chain(&h.aux_file));
    words(&mut out, [h.qform_code, h.sform_code].map(s));
    words(&mut out, [h.quatern_b, h.quatern_c, h.quatern_d].map(f));
    words(&mut out, [h.quatern_x, h.quatern_y, h.quatern_z].map(f));
    words(&mut out, [h.srow_x, h.srow_y, h.srow_z].into_iter().flatten().map(f));
    out.extend(h.intent_name.iter().chain(&h.magic));
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::{decode_gz, geometry};
    use super::*;
    use crate::io::volume::{Samples, Volume, complex_from_pairs};

    /// A valid uncompressed file with the bytes `data`; tests change it to make it invalid.
    pub(crate) fn file(dims: &[u16], datatype: i16, data: &[u8]) -> Vec<u8> {
        let mut header = placed_by([1.5, 2.0]);
        header.dim[0] = dims.len() as u16;
        header.dim[1..=dims.len()].copy_from_slice(dims);
        header.datatype = datatype;
        [&header_bytes(&header), &[0; 4][..], data].concat()
    }

    pub(crate) fn oblique() -> NiftiHeader {
        NiftiHeader {
            qform_code: 2,
            sform_code: 3,
            quatern_b: 0.1,
            quatern_d: -0.2,
            quatern_x: 7.5,
            pixdim: [-1.0, 1.25, 1.5, 5.0, 0.1, 1.0, 1.0, 1.0],
            srow_x: [0.75, -1.2, 0.5, -90.0],
            srow_y: [1.0, 0.9, 0.25, 12.5],
            srow_z: [0.0, 0.0, 4.96, 30.0],
            xyzt_units: 10,
            ..NiftiHeader::default()
        }
    }

    pub(crate) fn real(volume: &Volume) -> &[f64] {
        match &volume.data {
            Samples::Real(values) => values,
            Samples::Complex(_) => panic!("complex"),
        }
    }

    #[test]
    fn maps_carry_the_place_of_the_input_exactly() {
        let input = geometry(oblique());
        let values: Vec<f32> = (0..24).map(|v| v as f32 / 7.0).collect();
        let long = "é".repeat(60);
        let gz = encode_f32(&values, &[2, 3, 4], &input, [1.25, 1.5], &long).unwrap();
        let back = decode_gz(&gz).unwrap();
        assert_eq!(back.shape, [2, 3, 4]);
        assert!(real(&back).iter().zip(&values).all(|(a, &b)| *a as f32 == b));
        let (h, want) = (back.geometry.header.unwrap(), oblique());
        assert_eq!((h.qform_code, h.sform_code, h.xyzt_units & 7), (2, 3, 2));
        assert_eq!(h.pixdim[..4], want.pixdim[..4]);
        assert_eq!((h.srow_x, h.srow_y, h.srow_z), (want.srow_x, want.srow_y, want.srow_z));
        assert_eq!((h.quatern_b, h.quatern_d, h.quatern_x), (0.1, -0.2, 7.5));
        assert_eq!(h.descrip[..78], long.as_bytes()[..78]);
        assert_eq!(h.descrip[78..], [0, 0]);
    }

    #[test]
    fn another_spacing_scales_the_columns_and_keeps_their_directions() {
        let gz = encode_f32(&[0.0; 4], &[2, 2], &geometry(oblique()), [2.5, 1.5], "").unwrap();
        let h = decode_gz(&gz).unwrap().geometry.header.unwrap();
        assert_eq!(h.srow_x, [1.5, -1.2, 0.5, -90.0]);
        assert_eq!(h.srow_y, [2.0, 0.9, 0.25, 12.5]);
        assert_eq!(h.pixdim[1..4], [2.5, 1.5, 5.0]);
    }

    #[test]
    fn data_without_a_header_get_a_diagonal_affine() {
        let values = [Complex32::new(1.0, -2.0), Complex32::new(0.5, 4.0)];
        let gz = encode_complex64(&values, &[2, 1], &VolumeGeometry::default(), [1.4, 0.7], "u").unwrap();
        let back = decode_gz(&gz).unwrap();
        assert_eq!(back.data, complex_from_pairs(&[1.0, -2.0, 0.5, 4.0]));
        assert_eq!(back.geometry.spacing_mm, Some([1.4, 0.7]));
        let h = back.geometry.header.unwrap();
        assert_eq!((h.srow_x[0], h.srow_y[1], h.srow_z[2]), (1.4, 0.7, 1.0));
        assert_eq!((h.qform_code, h.sform_code, h.scl_slope), (1, 1, 1.0));
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(encode_f32(&[0.0; 5], &[2, 3], &VolumeGeometry::default(), [1.0; 2], "").is_err());
        assert!(encode_f32(&[0.0; 40000], &[40000, 1], &VolumeGeometry::default(), [1.0; 2], "").is_err());
    }
}
