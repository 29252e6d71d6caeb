//! Reader for one array in a NIfTI-1 file. [`write`](mod@write) writes maps with the geometry of the input.
//!
//! The `nifti` crate reads the header, in either byte order. The voxels are decoded here for two reasons. The
//! crate applies a slope of NaN, which common writers store for "no scaling". It also treats complex types
//! separately.

pub mod write;

pub use write::{encode_complex64, encode_f32};

use super::place::Affine;
use super::volume::{
    Format, Number, Samples, Stated, Volume, VolumeGeometry, check_shape, complex_from_pairs, shape_text,
};
use super::{read_capped, what_it_is};
use ::nifti::NiftiHeader;
use flate2::read::MultiGzDecoder;
use std::io::ErrorKind;

const HEADER_BYTES: usize = 348;
/// The header, and four bytes that mean "no extensions".
const DATA_OFFSET: usize = 352;
/// Bytes to read after the last voxel of a compressed file, to reach its checksum.
const SLACK_BYTES: usize = 1 << 20;

/// Reports whether `bytes` contain the NIfTI-1 magic.
pub(super) fn is_nifti(bytes: &[u8]) -> bool {
    matches!(bytes.get(344..348), Some(b"n+1\0" | b"ni1\0"))
}

/// Decodes a `.nii.gz` file. Decompresses only as many bytes as the header claims, and 1 MiB for the checksum.
pub(super) fn decode_gz(file: &[u8]) -> Result<Volume, String> {
    if !file.starts_with(&[0x1f, 0x8b]) {
        return Err(format!("is not gzip-compressed, though its name ends in .gz{}", what_it_is(file)));
    }
    let corrupt = |e: std::io::Error| match e.kind() {
        ErrorKind::UnexpectedEof => "is truncated: its compressed data end early".to_string(),
        _ => format!("is corrupt: its gzip data cannot be decompressed ({e})"),
    };
    let mut decoder = MultiGzDecoder::new(file);
    let mut bytes = read_capped(&mut decoder, HEADER_BYTES).map_err(corrupt)?;
    let plan = Plan::parse(&bytes)?;
    let rest = (plan.offset + plan.data_bytes - bytes.len()).saturating_add(SLACK_BYTES);
    bytes.extend(read_capped(&mut decoder, rest).map_err(corrupt)?);
    plan.decode(&bytes)
}

/// Decodes a `.nii` file.
pub(super) fn decode(bytes: &[u8]) -> Result<Volume, String> {
    Plan::parse(bytes)?.decode(bytes)
}

/// The checked contents of a header.
struct Plan {
    header: NiftiHeader,
    shape: Vec<usize>,
    number: Number,
    complex: bool,
    offset: usize,
    data_bytes: usize,
}

impl Plan {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let size = bytes.first_chunk().map(|&b| (i32::from_le_bytes(b), i32::from_be_bytes(b)));
        let claims = |n| size.is_some_and(|(le, be)| le == n || be == n);
        if claims(540) {
            return Err("is a NIfTI-2 file, which palpate does not read; save it as NIfTI-1".into());
        }
        if bytes.len() < HEADER_BYTES && claims(348) {
            return Err(format!(
                "is truncated: it has {} bytes, but the header alone needs {HEADER_BYTES}",
                bytes.len()
            ));
        }
        if !claims(348) || !is_nifti(bytes) {
            return Err(format!("is not a NIfTI-1 file{}", what_it_is(bytes)));
        }
        let header = NiftiHeader::from_reader(&bytes[..HEADER_BYTES])
            .map_err(|e| format!("has a NIfTI header that cannot be read ({e})"))?;
        if header.sizeof_hdr != 348 {
            return Err("has a corrupt header: its byte order contradicts itself".into());
        }
        if &header.magic == b"ni1\0" {
            return Err("is the header of an .hdr/.img pair; save it as a single .nii file".into());
        }
        let axes = header.dim[0] as usize;
        if !(1..=7).contains(&axes) {
            return Err(format!("has a corrupt header: it claims {axes} dimensions"));
        }
        if let Some(&axis) = header.dim[1..=axes].iter().find(|&&n| n > i16::MAX as u16) {
            return Err(format!("has a corrupt header: it claims an axis of length {}", axis as i16));
        }
        let mut shape: Vec<usize> = header.dim[1..=axes].iter().map(|&n| n.into()).collect();
        let samples = check_shape(&mut shape)?;
        let (number, complex) = number(header.datatype)?;
        let sample_bytes = number.size() * if complex { 2 } else { 1 };
        if header.bitpix != 0 && header.bitpix as usize != 8 * sample_bytes {
            return Err(format!(
                "has a corrupt header: it claims {} bits per sample, but data type {} has {}",
                header.bitpix,
                header.datatype,
                8 * sample_bytes
            ));
        }
        let offset = match header.vox_offset {
            0.0 => DATA_OFFSET,
            v if v >= HEADER_BYTES as f32 && v < i32::MAX as f32 && v.fract() == 0.0 => v as usize,
            v => return Err(format!("has a corrupt header: it claims that its data start at byte {v}")),
        };
        Ok(Plan { header, shape, number, complex, offset, data_bytes: samples * sample_bytes })
    }

    fn decode(self, bytes: &[u8]) -> Result<Volume, String> {
        let end = self.offset + self.data_bytes;
        let Some(data) = bytes.get(self.offset..end) else {
            return Err(format!(
                "is truncated: its header claims {} samples up to byte {end}, but the file has {} bytes",
                shape_text(&self.shape),
                bytes.len()
            ));
        };
        let mut values = self.number.decode(data, self.header.endianness == ::nifti::Endianness::Big);
        let (slope, inter) = (f64::from(self.header.scl_slope), f64::from(self.header.scl_inter));
        if slope != 0.0 && slope.is_finite() && (slope, inter) != (1.0, 0.0) {
            let inter = if inter.is_finite() { inter } else { 0.0 };
            // The format applies slope and intercept to both parts of a complex sample.
            values.iter_mut().for_each(|v| *v = *v * slope + inter);
        }
        let data = if self.complex { complex_from_pairs(&values) } else { Samples::Real(values) };
        let (geometry, stated) = (geometry(self.header), Stated::default());
        Ok(Volume { shape: self.shape, data, geometry, format: Format::Nifti, stated })
    }
}

/// Returns the number format of a `datatype` code, and true if the samples are complex.
fn number(code: i16) -> Result<(Number, bool), String> {
    Ok(match code {
        2 => (Number::U8, false),
        4 => (Number::I16, false),
        8 => (Number::I32, false),
        16 => (Number::F32, false),
        32 => (Number::F32, true),
        64 => (Number::F64, false),
        256 => (Number::I8, false),
        512 => (Number::U16, false),
        768 => (Number::U32, false),
        1024 => (Number::I64, false),
        1280 => (Number::U64, false),
        1792 => (Number::F64, true),
        128 | 2304 => return Err("holds colours, not a wave image".into()),
        1536 | 2048 => return Err("holds 128-bit floats; save it as float32 or float64".into()),
        _ => return Err(format!("has a corrupt header: data type {code} does not exist")),
    })
}

/// Millimetres per unit of `pixdim` and the affine. Unknown units are taken as millimetres.
fn unit_mm(header: &NiftiHeader) -> f64 {
    match header.xyzt_units & 7 {
        1 => 1e3,
        3 => 1e-3,
        _ => 1.0,
    }
}

/// Length of column `axis` of the sform, in the header's units.
fn column(header: &NiftiHeader, axis: usize) -> f64 {
    [header.srow_x, header.srow_y, header.srow_z]
        .iter()
        .map(|row| f64::from(row[axis]).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// Intent codes of axes that hold the components of a vector.
const VECTOR: i16 = 1007;
const DISPLACEMENT: i16 = 1006;

/// The affine that the header states, in mm: the sform, else the qform. None if both are unknown or not finite.
fn affine(h: &NiftiHeader) -> Option<Affine> {
    let unit = unit_mm(h);
    let rows = if h.sform_code > 0 {
        [h.srow_x, h.srow_y, h.srow_z].map(|row| row.map(f64::from))
    } else if h.qform_code > 0 {
        let [b, c, d] = [h.quatern_b, h.quatern_c, h.quatern_d].map(f64::from);
        // Rounding may leave a little less than nothing.
        let a = (1.0 - (b * b + c * c + d * d)).max(0.0).sqrt();
        let turned = [
            [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
            [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
            [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ];
        let side = if h.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
        let steps = [h.pixdim[1], h.pixdim[2], h.pixdim[3]].map(|v| f64::from(v).abs());
        let origin = [h.quatern_x, h.quatern_y, h.quatern_z].map(f64::from);
        std::array::from_fn(|k| {
            let [x, y, z] = turned[k];
            [x * steps[0], y * steps[1], side * z * steps[2], origin[k]]
        })
    } else {
        return None;
    };
    let affine = Affine(rows.map(|row| row.map(|v| v * unit)));
    affine.0.iter().flatten().all(|v| v.is_finite()).then_some(affine)
}

impl VolumeGeometry {
    /// The geometry of an array at `affine`.
    pub fn placed(affine: Affine) -> Self {
        let [x, y, z] = affine.0.map(|row| row.map(|v| v as f32));
        let mut pixdim = [1.0; 8];
        (0..3).for_each(|axis| pixdim[axis + 1] = affine.spacing(axis) as f32);
        geometry(NiftiHeader {
            sform_code: 1,
            srow_x: x,
            srow_y: y,
            srow_z: z,
            pixdim,
            xyzt_units: 2,
            ..NiftiHeader::default()
        })
    }
}

fn geometry(header: NiftiHeader) -> VolumeGeometry {
    let unit = unit_mm(&header);
    // The f32 is converted via its shortest decimal, so that 0.9 mm is not reported as 0.8999999762.
    let mm = |v: f32| v.to_string().parse().unwrap_or(f64::from(v)) * unit;
    let h = &header;
    let unrotated = if h.sform_code > 0 {
        (h.srow_x, h.srow_y, h.srow_z) == ([1., 0., 0., 0.], [0., 1., 0., 0.], [0., 0., 1., 0.])
    } else {
        let q = [h.quatern_b, h.quatern_c, h.quatern_d, h.quatern_x, h.quatern_y, h.quatern_z];
        h.qform_code <= 0 || (q == [0.0; 6] && h.pixdim[0] >= 0.0)
    };
    let identity = unrotated && h.pixdim[1..3] == [1.0, 1.0];
    let affine_spacing_mm = (h.sform_code > 0).then(|| [column(h, 0) * unit, column(h, 1) * unit]);
    // Old programs write a negative spacing for a flipped axis where there is no affine, or none at all beside a good one.
    let placed = h.sform_code > 0 || h.qform_code > 0;
    let stated = [1, 2].map(|axis| mm(h.pixdim[axis])).map(|mm| if placed { mm } else { mm.abs() });
    let affine_alone = affine_spacing_mm.filter(|_| stated == [0.0, 0.0]);
    VolumeGeometry {
        spacing_mm: Some(affine_alone.unwrap_or(stated)),
        affine_spacing_mm,
        identity,
        affine: affine(h).filter(|_| !identity),
        vector: [VECTOR, DISPLACEMENT].contains(&h.intent_code),
        header: Some(Box::new(header)),
    }
}

#[cfg(test)]
mod tests {
    use super::write::tests::{file, oblique, real};
    use super::*;

    #[test]
    fn every_data_type_in_either_byte_order() {
        let cases: [(i16, &[u8]); 10] = [
            (2, &[5]),
            (256, &[5]),
            (4, &5i16.to_be_bytes()),
            (512, &5u16.to_be_bytes()),
            (8, &5i32.to_be_bytes()),
            (768, &5u32.to_be_bytes()),
            (1024, &5i64.to_be_bytes()),
            (1280, &5u64.to_be_bytes()),
            (16, &5f32.to_be_bytes()),
            (64, &5f64.to_be_bytes()),
        ];
        for (code, big) in cases {
            let little: Vec<u8> = big.iter().rev().copied().collect();
            let little = decode(&file(&[1, 1], code, &little)).unwrap();
            assert_eq!(little.data, Samples::Real(vec![5.0]), "{code}");
            let mut swapped = file(&[1, 1], code, big);
            swap_header(&mut swapped);
            let volume = decode(&swapped).unwrap();
            assert_eq!(volume.data, Samples::Real(vec![5.0]), "{code}, big-endian");
            assert_eq!(volume.geometry.spacing_mm, Some([1.5, 2.0]));
        }
        let pair = [1f64.to_le_bytes(), (-2f64).to_le_bytes()].concat();
        assert_eq!(decode(&file(&[1, 1], 1792, &pair)).unwrap().data, complex_from_pairs(&[1.0, -2.0]));
    }

    /// Reverses the bytes of the fields that the reader uses.
    fn swap_header(bytes: &mut [u8]) {
        bytes[..4].reverse();
        (40..56).chain(70..76).step_by(2).for_each(|i| bytes[i..i + 2].reverse());
        (76..120).step_by(4).for_each(|i| bytes[i..i + 4].reverse());
        (252..256).step_by(2).for_each(|i| bytes[i..i + 2].reverse());
        (256..328).step_by(4).for_each(|i| bytes[i..i + 4].reverse());
    }

    #[test]
    fn slope_units_and_identity() {
        let mut bytes = file(&[2, 1], 2, &[3, 4]);
        bytes[112..116].copy_from_slice(&f32::NAN.to_le_bytes());
        assert_eq!(real(&decode(&bytes).unwrap()), [3.0, 4.0], "a slope of NaN means none");
        bytes[112..116].copy_from_slice(&0.5f32.to_le_bytes());
        bytes[116..120].copy_from_slice(&(-1f32).to_le_bytes());
        bytes[123] = 1;
        let volume = decode(&bytes).unwrap();
        assert_eq!(real(&volume), [0.5, 1.0]);
        assert_eq!(volume.geometry.spacing_mm, Some([1500.0, 2000.0]), "metres");
        assert!(!volume.geometry.identity);
        assert!(geometry(NiftiHeader::default()).identity);
        assert!(geometry(NiftiHeader { sform_code: 0, qform_code: 0, ..Default::default() }).identity);
        assert!(!geometry(oblique()).identity);
    }

    #[test]
    fn contradictory_headers_are_refused() {
        let good = file(&[2, 1], 2, &[3, 4]);
        let spoil = |at: usize, with: &[u8]| {
            let mut bytes = good.clone();
            bytes[at..at + with.len()].copy_from_slice(with);
            decode(&bytes).unwrap_err()
        };
        assert!(spoil(0, &540i32.to_le_bytes()).contains("NIfTI-2"));
        assert!(spoil(344, b"ni1\0").contains("pair"));
        assert!(spoil(344, b"nix\0").contains("not a NIfTI-1"));
        assert!(spoil(40, &[0, 0]).contains("dimensions"));
        assert!(spoil(42, &[0, 0]).contains("empty"));
        assert!(spoil(42, &(-3i16).to_le_bytes()).contains("length -3"));
        assert!(spoil(42, &3i16.to_le_bytes()).contains("truncated"));
        assert!(spoil(70, &128i16.to_le_bytes()).contains("colours"));
        assert!(spoil(70, &77i16.to_le_bytes()).contains("77"));
        assert!(spoil(72, &16i16.to_le_bytes()).contains("bits"));
        for offset in [f32::NAN, -352.0, 12.0, 352.5, 1e30] {
            assert!(spoil(108, &offset.to_le_bytes()).contains("start at byte"), "{offset}");
        }
    }
}
