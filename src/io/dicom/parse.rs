//! The elements of a DICOM file up to its pixels.
//!
//! This is our own reader because the existing crate trusts a file too much. It calls itself for each level of nested
//! sequences, so that a small file overflows the stack, and it reserves as much memory as a length claims. Here, a
//! length is compared with the bytes that are left before anything is reserved, and elements that palpate does not use
//! are passed over. A pixel is read only when it is needed.

use super::dataset::{Dataset, Value};
use super::syntax::Syntax;
use super::tags::{self, known};
use std::io::{BufReader, Read, Seek};

/// Maximum depth of nested sequences.
const MAX_DEPTH: usize = 16;
/// Maximum number of elements of a file.
const MAX_ELEMENTS: usize = 2 << 20;
/// Maximum length of a value that is kept, in bytes.
const MAX_VALUE: u64 = 4 << 20;
/// Maximum number of fragments of compressed pixels.
const MAX_FRAGMENTS: usize = 1 << 20;

const UNDEFINED: u32 = u32::MAX;
const ITEM: u32 = 0xfffe_e000;
const ITEM_END: u32 = 0xfffe_e00d;
const SEQUENCE_END: u32 = 0xfffe_e0dd;

/// Where the pixels are in the file.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    /// Numbers, from this byte on, so many bytes.
    Native { tag: u32, at: u64, length: u64 },
    /// Compressed data: the table of offsets, and first byte and length of each fragment. An offset counts from
    /// `base`, to the head of a fragment.
    Fragments { offsets: Vec<u32>, base: u64, parts: Vec<(u64, u64)> },
}

/// The contents of a file before its pixels, and where these are.
pub(super) struct Header {
    pub syntax: Syntax,
    pub data: Dataset,
    pub stored: Option<Stored>,
}

/// Reads a file of `end` bytes up to its pixels.
///
/// # Errors
/// A clause that says what is wrong with the file.
pub(super) fn parse(source: impl Read + Seek, end: u64) -> Result<Header, String> {
    let source = BufReader::new(source);
    let mut parser =
        Parser { source, at: 0, end, implicit: false, big_endian: false, count: 0, stored: None };
    parser.skip(128, end)?;
    if parser.take::<4>(end)? != *b"DICM" {
        return Err("is not a DICOM file".into());
    }
    let uid = parser.meta()?.text(tags::TRANSFER_SYNTAX_UID);
    let uid = uid.ok_or("has a corrupt header: it names no transfer syntax")?;
    // What is said of a file must not repeat more of it than an identifier.
    if !uid.bytes().all(|b| b.is_ascii_digit() || b == b'.') || uid.len() > 64 {
        return Err("has a corrupt header: its transfer syntax is no identifier".into());
    }
    let syntax = Syntax::of(&uid)?;
    (parser.implicit, parser.big_endian) = (syntax.implicit, syntax.big_endian);
    let data = parser.dataset(end, false, 0, true)?;
    Ok(Header { syntax, data, stored: parser.stored })
}

struct Parser<R> {
    source: BufReader<R>,
    at: u64,
    end: u64,
    implicit: bool,
    big_endian: bool,
    count: usize,
    stored: Option<Stored>,
}

impl<R: Read + Seek> Parser<R> {
    /// Checks that `length` bytes are left before `limit`.
    fn fits(&self, length: u64, limit: u64) -> Result<(), String> {
        if length <= limit.saturating_sub(self.at) {
            return Ok(());
        }
        Err(if limit == self.end {
            format!(
                "is truncated: at byte {}, it claims {length} bytes more, but ends at {}",
                self.at, self.end
            )
        } else {
            format!("is corrupt: at byte {}, an element is longer than what holds it", self.at)
        })
    }

    fn take<const N: usize>(&mut self, limit: u64) -> Result<[u8; N], String> {
        self.fits(N as u64, limit)?;
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(unreadable)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn skip(&mut self, length: u64, limit: u64) -> Result<(), String> {
        self.fits(length, limit)?;
        self.source.seek_relative(length as i64).map_err(unreadable)?;
        self.at += length;
        Ok(())
    }

    fn u16(&mut self, limit: u64) -> Result<u16, String> {
        let bytes = self.take(limit)?;
        Ok(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&mut self, limit: u64) -> Result<u32, String> {
        let bytes = self.take(limit)?;
        Ok(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn tag(&mut self, limit: u64) -> Result<u32, String> {
        let group = self.u16(limit)?;
        Ok(u32::from(group) << 16 | u32::from(self.u16(limit)?))
    }

    /// The value representation and the length of an element.
    fn head(&mut self, number: u32, limit: u64) -> Result<([u8; 2], u32), String> {
        if self.implicit {
            let vr = known(number).map_or(*b"UN", |tag| tag.vr);
            return Ok((vr, self.u32(limit)?));
        }
        let vr = self.take::<2>(limit)?;
        if !vr.iter().all(u8::is_ascii_uppercase) {
            return Err(format!("is corrupt: at byte {}, an element has no representation", self.at - 2));
        }
        let long = matches!(
            &vr,
            b"OB"
                | b"OD"
                | b"OF"
                | b"OL"
                | b"OV"
                | b"OW"
                | b"SQ"
                | b"SV"
                | b"UC"
                | b"UN"
                | b"UR"
                | b"UT"
                | b"UV"
        );
        if !long {
            return Ok((vr, self.u16(limit)?.into()));
        }
        self.take::<2>(limit)?;
        Ok((vr, self.u32(limit)?))
    }

    /// The bytes of a value.
    fn value(&mut self, length: u64, limit: u64) -> Result<Vec<u8>, String> {
        self.fits(length, limit)?;
        if length > MAX_VALUE {
            return Err(format!("is corrupt: at byte {}, a value claims {length} bytes", self.at));
        }
        let mut bytes = vec![0; length as usize];
        self.source.read_exact(&mut bytes).map_err(unreadable)?;
        self.at += length;
        Ok(bytes)
    }

    /// Counts an element or an item.
    fn another(&mut self) -> Result<(), String> {
        self.count += 1;
        if self.count > MAX_ELEMENTS {
            return Err(format!("holds more than {MAX_ELEMENTS} elements"));
        }
        Ok(())
    }

    /// The file's meta information, which is explicit and little-endian whatever follows.
    fn meta(&mut self) -> Result<Dataset, String> {
        let mut data = Dataset::default();
        while self.end - self.at >= 2 && self.peek_group() == Some(2) {
            self.another()?;
            let number = self.tag(self.end)?;
            let (_, length) = self.head(number, self.end)?;
            if number == tags::TRANSFER_SYNTAX_UID.number {
                let bytes = self.value(length.into(), self.end)?;
                data.push(number, Value::Bytes(bytes));
            } else {
                self.skip(length.into(), self.end)?;
            }
        }
        Ok(data)
    }

    /// The group of the next element, little-endian, without reading it.
    fn peek_group(&mut self) -> Option<u16> {
        let start = self.at;
        let group = self.u16(self.end).ok()?;
        self.source.seek_relative(-2).ok()?;
        self.at = start;
        Some(group)
    }

    /// Elements up to `limit`, or up to the end of the item if it is `delimited`. Those of a sequence that palpate does
    /// not know are passed over.
    fn dataset(&mut self, limit: u64, delimited: bool, depth: usize, keep: bool) -> Result<Dataset, String> {
        let mut data = Dataset::new(self.big_endian);
        while self.at < limit {
            self.another()?;
            let start = self.at;
            let number = self.tag(limit)?;
            if number == ITEM_END && delimited {
                self.u32(limit)?;
                return Ok(data);
            }
            if number >> 16 == 0xfffe {
                return Err(format!("is corrupt: at byte {start}, an item stands outside of a sequence"));
            }
            let (vr, length) = self.head(number, limit)?;
            let pixels = [tags::FLOAT_PIXELS, tags::DOUBLE_PIXELS, tags::PIXELS].map(|tag| tag.number);
            if pixels.contains(&number) && (depth == 0 || length == UNDEFINED) {
                let stored = if length == UNDEFINED {
                    self.fragments(limit)?
                } else {
                    self.fits(length.into(), limit)?;
                    Stored::Native { tag: number, at: self.at, length: length.into() }
                };
                if depth == 0 {
                    self.stored = Some(stored);
                    return Ok(data);
                }
                continue;
            }
            let tag = known(number).filter(|_| keep && !pixels.contains(&number));
            let sequence = length == UNDEFINED || tag.is_some_and(|tag| &tag.vr == b"SQ");
            if sequence {
                let around = (self.implicit, self.big_endian);
                if &vr == b"UN" {
                    // A sequence of unknown representation is implicit and little-endian inside.
                    (self.implicit, self.big_endian) = (true, false);
                }
                let items = self.items(length, limit, depth + 1, tag.is_some())?;
                (self.implicit, self.big_endian) = around;
                if tag.is_some() {
                    data.push(number, Value::Items(items));
                }
            } else if tag.is_some() {
                let bytes = self.value(length.into(), limit)?;
                data.push(number, Value::Bytes(bytes));
            } else {
                self.skip(length.into(), limit)?;
            }
        }
        if delimited {
            return Err("is truncated: an item has no end".into());
        }
        Ok(data)
    }

    /// The items of a sequence.
    fn items(&mut self, length: u32, limit: u64, depth: usize, keep: bool) -> Result<Vec<Dataset>, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nests more than {MAX_DEPTH} sequences"));
        }
        let open = length == UNDEFINED;
        let limit = if open {
            limit
        } else {
            self.fits(length.into(), limit)?;
            self.at + u64::from(length)
        };
        let mut items = Vec::new();
        while self.at < limit {
            self.another()?;
            let start = self.at;
            let number = self.tag(limit)?;
            let length = self.u32(limit)?;
            match (number, length) {
                (SEQUENCE_END, _) if open => return Ok(items),
                (ITEM, UNDEFINED) => items.push(self.dataset(limit, true, depth, keep)?),
                (ITEM, length) => {
                    self.fits(length.into(), limit)?;
                    let end = self.at + u64::from(length);
                    items.push(self.dataset(end, false, depth, keep)?);
                }
                _ => return Err(format!("is corrupt: at byte {start}, a sequence holds what is no item")),
            }
            if !keep {
                items.clear();
            }
        }
        if open { Err("is truncated: a sequence has no end".into()) } else { Ok(items) }
    }

    /// The fragments of compressed pixels.
    fn fragments(&mut self, limit: u64) -> Result<Stored, String> {
        let (mut offsets, mut base, mut parts) = (None, 0, Vec::new());
        loop {
            let start = self.at;
            let number = self.tag(limit)?;
            let length = self.u32(limit)?;
            match number {
                SEQUENCE_END => break,
                ITEM if offsets.is_none() => {
                    let bytes = self.value(length.into(), limit)?;
                    offsets = Some(bytes.as_chunks().0.iter().map(|&b| u32::from_le_bytes(b)).collect());
                    base = self.at;
                }
                ITEM => {
                    parts.push((self.at, length.into()));
                    self.skip(length.into(), limit)?;
                }
                _ => {
                    return Err(format!("is corrupt: at byte {start}, the pixels hold what is no fragment"));
                }
            }
            if parts.len() > MAX_FRAGMENTS {
                return Err(format!("holds more than {MAX_FRAGMENTS} fragments"));
            }
        }
        Ok(Stored::Fragments { offsets: offsets.unwrap_or_default(), base, parts })
    }
}

fn unreadable(e: std::io::Error) -> String {
    format!("cannot be read: {}", e.kind())
}
