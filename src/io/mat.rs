//! Reader for MATLAB files: v5, that is `save -v6`, and `-v7`, which adds compression; v7.3 by the module `hdf5`.
//!
//! For v5 this is our own reader because the existing crate is not usable. It refuses int32 arrays and doubles packed
//! as int8, and it fails on a file with one unknown variable. It also decompresses without a limit and prints
//! to stdout. The format itself is only a sequence of tagged elements.

use super::volume::{Format, Number, Samples, Stated, Volume, VolumeGeometry, check_shape, shape_text};
use super::{SEVERAL, hdf5, read_capped, what_it_is};
use flate2::read::ZlibDecoder;
use num_complex::Complex64;

const HEADER_BYTES: usize = 128;
/// Bytes to decompress from a variable to reach its flags, dimensions and name.
const PEEK_BYTES: usize = 4096;
/// Element types (`mi…` in the format) that are not plain numbers.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Decodes the array called `variable`. Without a name, decodes the only array in `file` that has two or more axes
/// longer than 1; scalars, vectors, text and structures are skipped.
pub(super) fn decode(file: Vec<u8>, variable: Option<&str>) -> Result<Volume, String> {
    if hdf5::is_hdf5(&file) {
        return hdf5::decode(file, variable);
    }
    let big_endian = check_header(&file)?;
    let variables = variables(&file, big_endian)?;
    let entries: Vec<Entry> = variables.iter().map(Variable::entry).collect();
    let chosen = &variables[choose(&entries, variable)?];
    chosen.decode(big_endian).map_err(|what| format!("variable `{}` {what}", chosen.name))
}

/// A variable as messages name it, and as the choice among several needs it.
pub(super) struct Entry {
    pub name: String,
    kind: &'static str,
    shape: Vec<usize>,
}

impl Entry {
    /// A variable; of `kind` "numeric" if it is an array of numbers.
    pub fn new(name: String, kind: &'static str, shape: Vec<usize>) -> Self {
        Self { name, kind, shape }
    }

    fn is_image(&self) -> bool {
        self.kind == "numeric" && self.shape.iter().filter(|&&n| n > 1).count() >= 2
    }
}

/// Chooses a variable by its name, or the only one that is an image. A variable inside a group, which has a `/` in its
/// name, counts only if there is no other.
pub(super) fn choose(entries: &[Entry], name: Option<&str>) -> Result<usize, String> {
    if entries.is_empty() {
        return Err("holds no variables".into());
    }
    if let Some(name) = name {
        let found = entries.iter().position(|entry| entry.name == name);
        let at = found.ok_or_else(|| format!("holds no variable `{name}`, only {}", list(entries)))?;
        return match entries[at].kind {
            "numeric" => Ok(at),
            kind => Err(format!("variable `{name}` is no array of numbers ({kind})")),
        };
    }
    let images = |inner: bool| {
        let of = |entry: &Entry| entry.is_image() && entry.name.contains('/') == inner;
        (0..entries.len()).filter(|&at| of(&entries[at])).collect::<Vec<_>>()
    };
    let found = [false, true].map(images).into_iter().find(|found| !found.is_empty());
    match found.unwrap_or_default()[..] {
        [only] => Ok(only),
        [] => Err(format!("holds no numeric array with two or more dimensions, only {}", list(entries))),
        _ => Err(format!("holds several arrays ({}); {SEVERAL}", list(entries))),
    }
}

/// Checks the file's header; returns true if numbers are big-endian.
fn check_header(file: &[u8]) -> Result<bool, String> {
    match (file.get(124..126), file.get(126..128)) {
        (Some([0, 1]), Some(b"IM")) => Ok(false),
        (Some([1, 0]), Some(b"MI")) => Ok(true),
        _ if file.len() < HEADER_BYTES && file.starts_with(b"MATLAB") => Err(format!(
            "is truncated: it has {} bytes, but the header alone needs {HEADER_BYTES}",
            file.len()
        )),
        _ if file.starts_with(b"MATLAB") => {
            Err("has a corrupt header: the version and byte order are not those of a MATLAB v5 file".into())
        }
        _ => Err(format!("is not a MATLAB file{}", what_it_is(file))),
    }
}

/// A reader over bytes in the file's byte order.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(head)
    }

    fn u32(&mut self) -> Option<u32> {
        let word = *self.take(4)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }

    /// Returns the type and data of the next element. Data of at most four bytes may share the eight bytes of
    /// the tag; longer data are padded to a multiple of eight.
    fn element(&mut self) -> Option<(u32, &'a [u8])> {
        let word = self.u32()?;
        if word >> 16 != 0 {
            let data = self.take(4)?.get(..(word >> 16) as usize)?;
            return Some((word & 0xffff, data));
        }
        let size = self.u32()? as usize;
        let data = self.take(size)?;
        let padding = size.wrapping_neg() % 8;
        self.take(padding.min(self.bytes.len()))?;
        Some((word, data))
    }
}

/// A variable whose numbers are not read yet.
struct Variable<'a> {
    name: String,
    class: u8,
    complex: bool,
    shape: Vec<usize>,
    stored: &'a [u8],
    compressed: bool,
}

/// Reads the variables at the top level of the file.
fn variables(file: &[u8], big_endian: bool) -> Result<Vec<Variable<'_>>, String> {
    let mut at = Cursor { bytes: &file[HEADER_BYTES..], big_endian };
    let mut found = Vec::new();
    while !at.bytes.is_empty() {
        let truncated = || "is truncated: its last variable ends early".to_string();
        let kind = at.u32().ok_or_else(truncated)?;
        let size = at.u32().ok_or_else(truncated)? as usize;
        if kind != MATRIX && kind != COMPRESSED {
            return Err(format!("is corrupt: it has an element of type {kind} in place of a variable"));
        }
        // Variables are not padded, unlike the elements inside them.
        let stored = at.take(size).ok_or_else(truncated)?;
        let variable = Variable::open(stored, kind == COMPRESSED, big_endian)?;
        // MATLAB stores metadata about objects in variables without a name.
        found.extend(variable.filter(|v| !v.name.is_empty()));
    }
    Ok(found)
}

impl<'a> Variable<'a> {
    /// Reads flags, dimensions and name. Returns `None` for an empty element.
    fn open(stored: &'a [u8], compressed: bool, big_endian: bool) -> Result<Option<Self>, String> {
        if stored.is_empty() {
            return Ok(None);
        }
        let peeked;
        let mut bytes = stored;
        if compressed {
            // Damage beyond these first bytes is found when the numbers are read.
            let start = read_capped(ZlibDecoder::new(stored), PEEK_BYTES);
            peeked = start.map_err(|e| format!("is corrupt: a variable cannot be decompressed ({e})"))?;
            bytes = peeked.get(8..).unwrap_or_default();
        }
        let mut at = Cursor { bytes, big_endian };
        let variable = (|| {
            let flags = Cursor { bytes: at.element()?.1, big_endian }.u32()?;
            let class = (flags & 0xff) as u8;
            // Opaque objects (class 17: tables, strings, datetimes) have no dimensions element.
            let shape = if class == 17 {
                Vec::new()
            } else {
                let dims = Number::I32.decode(at.element()?.1, big_endian);
                dims.into_iter().map(|d| d as usize).collect()
            };
            let name = String::from_utf8_lossy(at.element()?.1).into_owned();
            Some(Variable { name, class, complex: flags & 0x800 != 0, shape, stored, compressed })
        })();
        variable
            .map(Some)
            .ok_or_else(|| "is corrupt: a variable's flags, dimensions or name are damaged".into())
    }

    fn class_name(&self) -> &'static str {
        match self.class {
            1 => "cell array",
            2 => "struct",
            3 | 17 => "object",
            4 => "text",
            5 => "sparse",
            6..=15 => "numeric",
            16 => "function",
            _ => "unknown",
        }
    }

    fn entry(&self) -> Entry {
        Entry::new(self.name.clone(), self.class_name(), self.shape.clone())
    }

    /// Reads the numbers. They may be stored in a smaller type than the class says.
    fn decode(&self, big_endian: bool) -> Result<Volume, String> {
        let mut shape = self.shape.clone();
        let samples = check_shape(&mut shape)?;
        let unpacked;
        let mut bytes = self.stored;
        if self.compressed {
            // No class needs more than 16 bytes per sample: two parts of eight bytes.
            let limit = PEEK_BYTES + 16 * samples;
            unpacked = read_capped(ZlibDecoder::new(self.stored), limit)
                .map_err(|e| format!("is corrupt: it cannot be decompressed ({e})"))?;
            bytes = unpacked.get(8..).unwrap_or_default();
        }
        let mut at = Cursor { bytes, big_endian };
        let truncated = "is truncated: its numbers end early";
        // Skips flags, dimensions and name; `open` has read them.
        for _ in 0..3 {
            at.element().ok_or(truncated)?;
        }
        let mut part = || {
            let (kind, data) = at.element().ok_or(truncated)?;
            let number = number(kind)
                .ok_or_else(|| format!("is corrupt: its numbers have the unknown type {kind}"))?;
            if data.len() / number.size() == samples {
                return Ok(number.decode(data, big_endian));
            }
            let held = data.len() / number.size();
            Err(format!("is corrupt: it holds {held} numbers, where {} are claimed", shape_text(&self.shape)))
        };
        let re = part()?;
        let data = if self.complex {
            let im = part()?;
            Samples::Complex(re.into_iter().zip(im).map(|(re, im)| Complex64::new(re, im)).collect())
        } else {
            Samples::Real(re)
        };
        Ok(Volume {
            shape,
            data,
            geometry: VolumeGeometry::default(),
            format: Format::Matlab,
            stated: Stated::default(),
        })
    }
}

/// Returns the number format of an element type.
fn number(kind: u32) -> Option<Number> {
    Some(match kind {
        1 => Number::I8,
        2 => Number::U8,
        3 => Number::I16,
        4 => Number::U16,
        5 => Number::I32,
        6 => Number::U32,
        7 => Number::F32,
        9 => Number::F64,
        12 => Number::I64,
        13 => Number::U64,
        _ => return None,
    })
}

/// Lists the variables for a message, at most 12.
fn list(entries: &[Entry]) -> String {
    let entry = |e: &Entry| match e.shape.is_empty() {
        true => format!("`{}` ({})", e.name, e.kind),
        false => format!("`{}` ({}, {})", e.name, e.kind, shape_text(&e.shape)),
    };
    let shown = entries.iter().take(12).map(entry).collect::<Vec<_>>().join(", ");
    match entries.len().saturating_sub(12) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::{Compression, write::ZlibEncoder};
    use std::io::Write;

    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut out = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        out.extend(data);
        out.resize(out.len().next_multiple_of(8), 0);
        out
    }

    /// Builds a variable; each of `parts` becomes one element.
    pub(crate) fn variable(name: &str, class: u32, dims: &[i32], parts: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let complex = if parts.len() > 1 { 0x800 } else { 0 };
        let mut body = element(6, &[u32::to_le_bytes(class | complex), [0; 4]].concat());
        body.extend(element(5, &dims.iter().flat_map(|d| d.to_le_bytes()).collect::<Vec<_>>()));
        body.extend(element(1, name.as_bytes()));
        parts.iter().for_each(|(kind, data)| body.extend(element(*kind, data)));
        element(MATRIX, &body)
    }

    pub(crate) fn compressed(variable: &[u8]) -> Vec<u8> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(variable).unwrap();
        let data = zlib.finish().unwrap();
        [&COMPRESSED.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), &data].concat()
    }

    pub(crate) fn file(variables: &[Vec<u8>]) -> Vec<u8> {
        let mut out = b"MATLAB 5.0 MAT-file".to_vec();
        out.resize(124, b' ');
        out.extend(b"\0\x01IM");
        variables.iter().for_each(|v| out.extend(v));
        out
    }

    fn doubles(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    #[test]
    fn the_only_array_is_read_past_scalars_and_text() {
        let wave = variable("wave", 6, &[2, 2], &[(9, doubles(&[1., 2., 3., 4.])), (1, vec![5, 6, 7, 0xff])]);
        let note = variable("note", 4, &[1, 2], &[(16, b"hi".to_vec())]);
        let rate = variable("f", 6, &[1, 1], &[(2, vec![60])]);
        for wave in [compressed(&wave), wave] {
            let volume = decode(file(&[note.clone(), rate.clone(), wave]), None).unwrap();
            assert_eq!(volume.shape, [2, 2]);
            let want = [(1., 5.), (2., 6.), (3., 7.), (4., -1.)].map(|(re, im)| Complex64::new(re, im));
            assert_eq!(volume.data, Samples::Complex(want.to_vec()));
        }
    }

    #[test]
    fn several_or_no_arrays_are_listed() {
        let a = variable("a", 9, &[2, 2], &[(2, vec![1; 4])]);
        let b = variable("b", 9, &[2, 3], &[(2, vec![1; 6])]);
        let what = decode(file(&[a.clone(), b.clone()]), None).unwrap_err();
        assert!(what.contains("`a` (numeric, 2 × 2)") && what.contains("`b`"), "{what}");
        assert!(what.ends_with("name the one to read"), "{what}");
        let s = variable("s", 2, &[1, 1], &[(5, vec![0; 4])]);
        assert!(decode(file(&[s]), None).unwrap_err().contains("`s` (struct"));
        assert!(decode(file(&[]), None).unwrap_err().contains("no variables"));
        let sparse = variable("m", 5, &[9, 9], &[]);
        assert!(decode(file(&[sparse]), None).unwrap_err().contains("sparse"));
    }

    #[test]
    fn arrays_are_chosen_by_name() {
        let a = variable("a", 9, &[2, 2], &[(2, vec![1; 4])]);
        let b = variable("b", 9, &[2, 3], &[(2, vec![7; 6])]);
        let note = variable("note", 4, &[1, 2], &[(16, b"hi".to_vec())]);
        let of = |name: &str| decode(file(&[a.clone(), note.clone(), b.clone()]), Some(name));
        assert_eq!(of("b").unwrap().data, Samples::Real(vec![7.0; 6]));
        assert!(of("note").unwrap_err().contains("`note` is no array of numbers (text)"));
        assert!(of("c").unwrap_err().contains("no variable `c`, only `a` (numeric, 2 × 2)"));
    }

    #[test]
    fn claims_are_checked_before_they_are_believed() {
        let huge = variable("a", 6, &[i32::MAX, i32::MAX, i32::MAX, i32::MAX], &[(9, doubles(&[1.0]))]);
        assert!(decode(file(&[huge]), None).unwrap_err().contains("claims"));
        let negative = variable("a", 6, &[4, 2, -1], &[(9, doubles(&[1.0]))]);
        assert!(decode(file(&[negative]), None).unwrap_err().contains("empty"));
        let short = variable("a", 6, &[4, 2], &[(9, doubles(&[1.0]))]);
        assert!(decode(file(&[compressed(&short)]), None).unwrap_err().contains("1 numbers, where 4 × 2"));
    }

    #[test]
    fn the_other_byte_order() {
        let mut out = file(&[]);
        out[124..].copy_from_slice(b"\x01\0MI");
        let big = |v: u32| v.to_be_bytes();
        let body: Vec<u8> = [
            [big(6), big(8), big(10), big(0)].concat(),
            [big(5), big(8), big(2), big(2)].concat(),
            [big(1 << 16 | 1), *b"w\0\0\0"].concat(),
            [big(3), big(8), big(1 << 16 | 2), big(0xfffd_0004)].concat(),
        ]
        .concat();
        out.extend([big(MATRIX), big(body.len() as u32)].concat());
        out.extend(body);
        assert_eq!(decode(out, None).unwrap().data, Samples::Real(vec![1.0, 2.0, -3.0, 4.0]));
    }
}
