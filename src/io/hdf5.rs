//! Reader for MATLAB v7.3 files (`save -v7.3`), which are HDF5 files behind a header of 512 bytes, and for plain HDF5
//! files that hold such arrays.
//!
//! HDF5 lists the axes of an array slowest first. MATLAB stores its first axis fastest, so its shape is the list in
//! reverse, and the numbers are in the order that palpate wants. Other HDF5 files are read by the same rule.

use super::HDF5_MAGIC;
use super::mat::{Entry, choose};
use super::volume::{
    Format, MAX_SAMPLES, Number, Samples, Stated, Volume, VolumeGeometry, check_shape, shape_text,
};
use half::f16;
use hdf5_pure::{AttrValue, Dataset, Datatype, DatatypeByteOrder, File, Group};
use num_complex::Complex64;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Length of the text and version that MATLAB writes before the HDF5 file.
const USER_BLOCK: usize = 512;
/// No stored byte unpacks to more than this many. Deflate reaches 1032.
const MOST_PACKED: u128 = 1100;
/// Names of the parts of a complex number, as MATLAB and h5py write them.
const PARTS: [[&str; 2]; 2] = [["real", "imag"], ["r", "i"]];

/// Reports whether `file` is an HDF5 file, or the beginning of a MATLAB v7.3 file.
pub(super) fn is_hdf5(file: &[u8]) -> bool {
    file.starts_with(HDF5_MAGIC)
        || file.get(USER_BLOCK..USER_BLOCK + HDF5_MAGIC.len()) == Some(HDF5_MAGIC)
        || file.starts_with(b"MATLAB 7.3")
}

/// Decodes the array called `variable`, or the only array that has two or more axes longer than 1.
pub(super) fn decode(file: Vec<u8>, variable: Option<&str>) -> Result<Volume, String> {
    // The crate that parses HDF5 is written to return errors. Should damaged bytes still lead it into a panic, that is
    // the file's fault and must not end the program.
    catch_unwind(AssertUnwindSafe(|| unguarded(file, variable)))
        .unwrap_or_else(|_| Err("is corrupt: its HDF5 structure contradicts itself".into()))
}

fn unguarded(bytes: Vec<u8>, variable: Option<&str>) -> Result<Volume, String> {
    let length = bytes.len();
    if !bytes.starts_with(HDF5_MAGIC) && length < USER_BLOCK + HDF5_MAGIC.len() {
        return Err(format!("is truncated: it has {length} bytes, less than its header"));
    }
    let file = File::from_bytes(bytes).map_err(damaged)?;
    // A file that was cut short may lack nothing but data, which no structure would miss.
    let end = file.superblock().eof_address;
    if end > length as u64 {
        return Err(format!("is truncated: it has {length} bytes, where it states {end}"));
    }
    let mut found = Vec::new();
    list(&file.root(), "", &mut found)?;
    for (name, group) in file.root().iter_groups().map_err(damaged)? {
        // MATLAB keeps the elements of cell arrays, and data of objects, in groups with such names.
        if name.starts_with('#') {
            continue;
        }
        let attributes = group.attrs().map_err(damaged)?;
        let sparse = attributes.contains_key("MATLAB_sparse");
        let class = attributes.get("MATLAB_class").and_then(AttrValue::as_str);
        let kind = if sparse { "sparse" } else { class.map_or("group", kind_of_class) };
        let kind = if kind == "numeric" { "group" } else { kind };
        found.push((Entry::new(name.clone(), kind, Vec::new()), None));
        if !sparse {
            list(&group, &format!("{name}/"), &mut found)?;
        }
    }
    let (entries, mut datasets): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let at = choose(&entries, variable)?;
    let dataset = datasets[at].take().ok_or("is corrupt: a group is no array")?;
    read(&dataset, length).map_err(|what| format!("variable `{}` {what}", entries[at].name))
}

/// Adds the arrays of one group.
fn list(group: &Group, prefix: &str, found: &mut Vec<(Entry, Option<Dataset>)>) -> Result<(), String> {
    for (name, dataset) in group.iter_datasets().map_err(damaged)? {
        let attributes = dataset.attrs().map_err(damaged)?;
        let mut shape = axes(&dataset)?;
        let class = attributes.get("MATLAB_class").and_then(AttrValue::as_str);
        let empty = attributes.get("MATLAB_empty").and_then(AttrValue::as_u64).is_some_and(|flag| flag != 0);
        let kind = if empty {
            // Its numbers are its shape.
            shape.clear();
            "empty"
        } else if attributes.contains_key("MATLAB_object_decode") {
            "object"
        } else {
            class.map_or_else(|| kind_of_type(&dataset), |class| Ok(kind_of_class(class)))?
        };
        found.push((Entry::new(format!("{prefix}{name}"), kind, shape), Some(dataset)));
    }
    Ok(())
}

/// The axes of an array, as MATLAB has them.
fn axes(dataset: &Dataset) -> Result<Vec<usize>, String> {
    let stored = dataset.shape().map_err(damaged)?;
    Ok(stored.iter().rev().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect())
}

fn kind_of_class(class: &str) -> &'static str {
    match class {
        "double" | "single" | "logical" | "int8" | "uint8" | "int16" | "uint16" | "int32" | "uint32"
        | "int64" | "uint64" => "numeric",
        "char" => "text",
        "cell" => "cell array",
        "struct" => "struct",
        "function_handle" => "function",
        _ => "object",
    }
}

fn kind_of_type(dataset: &Dataset) -> Result<&'static str, String> {
    Ok(match dataset.datatype().map_err(damaged)? {
        Datatype::FixedPoint { .. } | Datatype::FloatingPoint { .. } | Datatype::Enumeration { .. } => {
            "numeric"
        }
        Datatype::Compound { members, .. } if PARTS.iter().any(|names| is_complex(&members, names)) => {
            "numeric"
        }
        Datatype::Compound { .. } => "records",
        Datatype::String { .. } | Datatype::VariableLength { is_string: true, .. } => "text",
        Datatype::Reference { .. } => "references",
        _ => "unknown",
    })
}

fn is_complex(members: &[hdf5_pure::CompoundMember], names: &[&str; 2]) -> bool {
    members.len() == 2 && members.iter().zip(names).all(|(member, name)| member.name == *name)
}

/// Reads the numbers of an array in a file of `length` bytes.
fn read(dataset: &Dataset, length: usize) -> Result<Volume, String> {
    let claimed = axes(dataset)?;
    let mut shape = claimed.clone();
    let samples = check_shape(&mut shape)?;
    let kind = dataset.datatype().map_err(damaged)?;
    // Chunks that were never written read as zeros, so the file's length alone limits nothing.
    let room = (length as u128 * MOST_PACKED).min(16 * MAX_SAMPLES as u128);
    let size = u128::from(dataset.element_size().map_err(damaged)?);
    let chunk = dataset.chunk_shape().map_err(damaged)?.unwrap_or_default();
    let chunk = chunk.iter().try_fold(size, |bytes, &n| bytes.checked_mul(u128::from(n)));
    if size * samples as u128 > room || chunk.is_none_or(|bytes| bytes > room) {
        return Err(format!(
            "claims {} samples, more than a file of {length} bytes can hold",
            shape_text(&claimed)
        ));
    }
    let data = match &kind {
        Datatype::Compound { size, members } => {
            if !PARTS.iter().any(|names| is_complex(members, names)) {
                return Err("holds records, not numbers".into());
            }
            let bytes = dataset.read_raw().map_err(damaged)?;
            let part = |at: usize| {
                let (number, big_endian) = number(&members[at].datatype)?;
                let from = members[at].byte_offset as usize;
                let cut = |record: &[u8]| record.get(from..from + number.size()).map(<[u8]>::to_vec);
                let cut: Option<Vec<u8>> = bytes.chunks_exact((*size).max(1) as usize).map(cut).try_fold(
                    Vec::with_capacity(samples * number.size()),
                    |mut all, part| {
                        all.extend(part?);
                        Some(all)
                    },
                );
                Ok::<_, String>(number.decode(&cut.ok_or("is corrupt: its parts overlap")?, big_endian))
            };
            let [re, im] = [part(0)?, part(1)?];
            Samples::Complex(re.into_iter().zip(im).map(|(re, im)| Complex64::new(re, im)).collect())
        }
        Datatype::FloatingPoint { size: 2, byte_order, layout } => {
            // The crate decodes floats of four and eight bytes alone.
            let half: fn([u8; 2]) -> f16 = match (byte_order, layout.exponent_size, layout.mantissa_size) {
                (DatatypeByteOrder::LittleEndian, 5, 10) => f16::from_le_bytes,
                (DatatypeByteOrder::BigEndian, 5, 10) => f16::from_be_bytes,
                _ => return Err("holds numbers of a type that palpate does not read".into()),
            };
            let bytes = dataset.read_raw().map_err(damaged)?;
            Samples::Real(bytes.as_chunks().0.iter().map(|&b| half(b).to_f64()).collect())
        }
        _ => Samples::Real(dataset.read_f64().map_err(damaged)?),
    };
    if data.len() != samples {
        return Err(format!(
            "is corrupt: it holds {} numbers, where {} are claimed",
            data.len(),
            shape_text(&claimed)
        ));
    }
    Ok(Volume {
        shape,
        data,
        geometry: VolumeGeometry::default(),
        format: Format::Matlab,
        stated: Stated::default(),
    })
}

/// The storage of a part of a complex number, and whether it is big-endian.
fn number(part: &Datatype) -> Result<(Number, bool), String> {
    let (found, order) = match part {
        Datatype::FloatingPoint { size, byte_order, .. } => {
            (if *size == 8 { Some(Number::F64) } else { (*size == 4).then_some(Number::F32) }, byte_order)
        }
        Datatype::FixedPoint { size, byte_order, layout } => {
            let found = match (size, layout.signed) {
                (1, true) => Some(Number::I8),
                (1, false) => Some(Number::U8),
                (2, true) => Some(Number::I16),
                (2, false) => Some(Number::U16),
                (4, true) => Some(Number::I32),
                (4, false) => Some(Number::U32),
                (8, true) => Some(Number::I64),
                (8, false) => Some(Number::U64),
                _ => None,
            };
            (found, byte_order)
        }
        _ => (None, &DatatypeByteOrder::Vax),
    };
    match (found, order) {
        (Some(number), DatatypeByteOrder::LittleEndian) => Ok((number, false)),
        (Some(number), DatatypeByteOrder::BigEndian) => Ok((number, true)),
        _ => Err("holds complex numbers of a type that palpate does not read".into()),
    }
}

fn damaged(error: hdf5_pure::Error) -> String {
    format!(
        "is a MATLAB 7.3 (HDF5) file that is truncated, corrupt or of an unknown kind ({error}); save it again, or with -v7"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdf5_pure::FileBuilder;

    const MATLAB: &[u8] = include_bytes!("../../tests/fixtures/matlab_v73.mat");
    const PLAIN: &[u8] = include_bytes!("../../tests/fixtures/matlab_hdf5.mat");

    fn fault(file: &[u8], variable: Option<&str>) -> String {
        decode(file.to_vec(), variable).map(|volume| volume.shape).unwrap_err()
    }

    /// What the fixtures hold: i + 10 j + 100 k at (i, j, k).
    fn counted(shape: &[usize]) -> Vec<f64> {
        let digits = |mut n: usize| {
            shape.iter().zip([1.0, 10.0, 100.0]).fold(0.0, |sum, (&length, digit)| {
                let index = n % length;
                n /= length;
                sum + digit * index as f64
            })
        };
        (0..shape.iter().product()).map(digits).collect()
    }

    #[test]
    fn the_only_array_of_a_matlab_file_is_read() {
        for variable in [None, Some("wave")] {
            let volume = decode(MATLAB.to_vec(), variable).unwrap();
            assert_eq!(volume.shape, [7, 5, 3]);
            let wanted = counted(&[7, 5, 3]).into_iter().map(|v| Complex64::new(v, -v)).collect();
            assert_eq!(volume.data, Samples::Complex(wanted));
        }
        let volume = decode(MATLAB.to_vec(), Some("scan/mask")).unwrap();
        assert_eq!((volume.shape, volume.data), (vec![4, 3], Samples::Real(counted(&[4, 3]))));
    }

    #[test]
    fn arrays_are_chosen_by_name() {
        for (name, shape) in
            [("counts", vec![6, 4, 2]), ("half", vec![3, 4]), ("inside", vec![5, 4]), ("chunked", vec![9, 4])]
        {
            let volume = decode(PLAIN.to_vec(), Some(name)).unwrap();
            let mut wanted = counted(&shape);
            if name == "inside" {
                wanted = wanted.into_iter().map(|v| f64::from(v > 20.0)).collect();
            }
            assert_eq!((volume.shape, volume.data), (shape, Samples::Real(wanted)), "{name}");
        }
        let complex = decode(PLAIN.to_vec(), Some("complex")).unwrap().data;
        let wanted = counted(&[4, 4]).into_iter().map(|v| Complex64::new(v, -v)).collect();
        assert_eq!(complex, Samples::Complex(wanted));

        let what = fault(PLAIN, None);
        assert!(
            what.starts_with("holds several arrays (") && what.ends_with("; name the one to read"),
            "{what}"
        );
        assert!(
            what.contains("`counts` (numeric, 6 × 4 × 2)") && what.contains("`words` (text, 2)"),
            "{what}"
        );
        let what = fault(MATLAB, Some("sound"));
        for part in
            ["no variable `sound`", "`scan` (struct)", "`scan/mask` (numeric, 4 × 3)", "`none` (empty)"]
        {
            assert!(what.contains(part), "{part}: {what}");
        }
        assert!(fault(MATLAB, Some("note")).contains("no array of numbers (text)"));
        assert!(fault(MATLAB, Some("cells")).contains("no array of numbers (cell array)"));
        assert_eq!(decode(MATLAB.to_vec(), Some("rate")).unwrap().data, Samples::Real(vec![60.0]));
    }

    #[test]
    fn claims_are_checked_before_they_are_believed() {
        let file = |shape: &[u64], chunks: &[u64]| {
            let mut builder = FileBuilder::new();
            let dataset = builder.create_dataset("a").with_f64_data(&[1.0; 64]).with_shape(&[8, 8]);
            dataset.with_chunks(&[8, 8]).with_deflate(6);
            let mut bytes = builder.finish().unwrap();
            // The dataspace, the only place that holds 8 and 8 as two numbers in a row.
            let old: Vec<u8> = [8u64, 8].iter().flat_map(|n| n.to_le_bytes()).collect();
            let new: Vec<u8> = shape.iter().chain(chunks).flat_map(|n| n.to_le_bytes()).collect();
            for at in 0..bytes.len() - 16 {
                if bytes[at..at + 16] == old {
                    bytes[at..at + 16].copy_from_slice(&new[..16]);
                }
            }
            bytes
        };
        assert!(decode(file(&[8, 8], &[]), None).is_ok());
        // A checksum protects the header, so the claims below are found to be false at the latest by it.
        for shape in [[1 << 40, 1 << 40], [1 << 14, 1 << 14], [8, 1 << 60]] {
            assert!(decode(file(&shape, &[]), None).is_err());
        }
        for (old, new) in [(7u64, 1u64 << 32), (5, 1 << 20), (3, u64::MAX)] {
            // In the old format of MATLAB's files no checksum does.
            let mut bytes = MATLAB.to_vec();
            let dims: Vec<u8> = [3u64, 5, 7].iter().flat_map(|n| n.to_le_bytes()).collect();
            let at = bytes.windows(24).position(|window| window == dims).unwrap();
            let axis = [3, 5, 7].iter().position(|&n| n == old).unwrap();
            bytes[at + 8 * axis..][..8].copy_from_slice(&new.to_le_bytes());
            let what = fault(&bytes, None);
            assert!(what.contains("claims"), "{what}");
        }
    }

    #[test]
    fn cut_and_damaged_files_are_refused_without_a_panic() {
        for file in [MATLAB, PLAIN] {
            for length in (1..file.len()).step_by(7) {
                let what = unguarded(file[..length].to_vec(), Some("chunked")).unwrap_err();
                assert!(length < 24 || what.contains("truncated"), "{length}: {what}");
            }
        }
        let mut random = fastrand::Rng::with_seed(73);
        let mut read = 0;
        for round in 0..10_000 {
            let (file, names) = match round % 2 {
                0 => (MATLAB, ["wave", "scan/mask", "rate"]),
                _ => (PLAIN, ["counts", "complex", "chunked"]),
            };
            let mut bytes = file.to_vec();
            for _ in 0..random.usize(1..8) {
                let at = random.usize(0..bytes.len());
                match random.u8(0..4) {
                    0 => bytes[at] = random.u8(..),
                    1 => bytes[at] ^= 1 << random.u8(0..8),
                    2 => bytes[at] = 0xff,
                    _ => {
                        let from = random.usize(0..bytes.len() - 8);
                        let to = at.min(bytes.len() - 8);
                        bytes.copy_within(from..from + 8, to);
                    }
                }
            }
            if random.u8(0..8) == 0 {
                bytes.truncate(random.usize(0..bytes.len()));
            }
            if let Ok(volume) = unguarded(bytes, Some(names[random.usize(0..3)])) {
                assert_eq!(volume.data.len(), volume.shape.iter().product::<usize>());
                read += 1;
            }
        }
        // Most damage hits bytes that hold nothing or a number, so both outcomes must be frequent.
        assert!((1000..9000).contains(&read), "{read}");
    }
}
