//! Elements written as Explicit VR Little Endian.

use super::syntax::EXPLICIT_LITTLE_ENDIAN;
use super::tags::{self, Tag};
use std::collections::BTreeMap;

/// Root of palpate's identifiers of this implementation: a UUID as a decimal number.
const IMPLEMENTATION: &str = "2.25.193714211829305627390713382946671034129";

/// Elements of a file or of an item, in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Elements(BTreeMap<u32, ([u8; 2], Vec<u8>)>);

impl Elements {
    /// Adds a value as it is stored.
    pub fn bytes(&mut self, tag: Tag, mut bytes: Vec<u8>) -> &mut Self {
        if !bytes.len().is_multiple_of(2) {
            bytes.push(if matches!(&tag.vr, b"UI" | b"OB") { 0 } else { b' ' });
        }
        self.0.insert(tag.number, (tag.vr, bytes));
        self
    }

    /// Adds a text.
    pub fn text(&mut self, tag: Tag, text: &str) -> &mut Self {
        self.bytes(tag, text.as_bytes().to_vec())
    }

    /// Adds numbers in the representation of the attribute.
    pub fn numbers(&mut self, tag: Tag, numbers: &[f64]) -> &mut Self {
        let bytes = match &tag.vr {
            b"US" => numbers.iter().flat_map(|v| (*v as u16).to_le_bytes()).collect(),
            b"UL" => numbers.iter().flat_map(|v| (*v as u32).to_le_bytes()).collect(),
            b"FD" => numbers.iter().flat_map(|v| v.to_le_bytes()).collect(),
            _ => numbers.iter().map(|v| decimal(*v)).collect::<Vec<_>>().join("\\").into_bytes(),
        };
        self.bytes(tag, bytes)
    }

    /// Adds an attribute that names another.
    pub fn pointer(&mut self, tag: Tag, to: Tag) -> &mut Self {
        let [group, element] = [(to.number >> 16) as u16, to.number as u16].map(u16::to_le_bytes);
        self.bytes(tag, [group, element].concat())
    }

    /// Adds a sequence.
    pub fn items(&mut self, tag: Tag, items: Vec<Elements>) -> &mut Self {
        let mut bytes = Vec::new();
        for item in items {
            let item = item.encode();
            bytes.extend([0xfe, 0xff, 0x00, 0xe0]);
            bytes.extend((item.len() as u32).to_le_bytes());
            bytes.extend(item);
        }
        self.bytes(tag, bytes)
    }

    /// Adds a sequence of one item.
    pub fn item(&mut self, tag: Tag, item: Elements) -> &mut Self {
        self.items(tag, vec![item])
    }

    fn encode(self) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, (vr, bytes)) in self.0 {
            out.extend(((number >> 16) as u16).to_le_bytes());
            out.extend((number as u16).to_le_bytes());
            out.extend(vr);
            if matches!(&vr, b"OB" | b"OD" | b"OF" | b"OW" | b"SQ" | b"UN") {
                out.extend([0, 0]);
                out.extend((bytes.len() as u32).to_le_bytes());
            } else {
                out.extend((bytes.len() as u16).to_le_bytes());
            }
            out.extend(bytes);
        }
        out
    }

    /// The file of these elements, which have their class and identifier.
    pub fn file(self) -> Vec<u8> {
        let own = |tag: Tag| self.0.get(&tag.number).map(|(_, bytes)| bytes.clone()).unwrap_or_default();
        let tag = |number: u32, vr: &[u8; 2]| Tag { number, vr: *vr };
        let mut meta = Self::default();
        meta.bytes(tag(0x0002_0001, b"OB"), vec![0, 1])
            .bytes(tag(0x0002_0002, b"UI"), own(tags::SOP_CLASS_UID))
            .bytes(tag(0x0002_0003, b"UI"), own(tags::SOP_INSTANCE_UID))
            .text(tags::TRANSFER_SYNTAX_UID, EXPLICIT_LITTLE_ENDIAN)
            .text(tag(0x0002_0012, b"UI"), IMPLEMENTATION)
            .text(tag(0x0002_0013, b"SH"), concat!("PALPATE_", env!("CARGO_PKG_VERSION")));
        let meta = meta.encode();
        let mut length = Self::default();
        length.numbers(tag(0x0002_0000, b"UL"), &[meta.len() as f64]);
        [vec![0; 128], b"DICM".to_vec(), length.encode(), meta, self.encode()].concat()
    }
}

/// A number as a decimal string of at most 16 characters, as near as these allow.
pub(super) fn decimal(v: f64) -> String {
    let plain = format!("{v}");
    if plain.len() <= 16 {
        return plain;
    }
    let fits = |text: &String| text.len() <= 16;
    let short = (0..=14).rev().map(|digits| format!("{v:.digits$e}")).find(fits).unwrap_or_default();
    let plain = (0..=14).rev().map(|digits| format!("{v:.digits$}")).find(fits).unwrap_or_default();
    let off = |text: &str| text.parse::<f64>().map_or(f64::INFINITY, |own| (own - v).abs());
    if !plain.is_empty() && off(&plain) <= off(&short) { plain } else { short }
}

/// An identifier from texts and bytes: their hash of 128 bits (FNV-1a), with the marks of a UUID of version 8, as a
/// decimal number below 2.25.
pub(super) fn uid(parts: &[&[u8]]) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for part in parts {
        // The length keeps apart what would be equal one behind the other.
        for byte in (part.len() as u64).to_le_bytes().iter().chain(*part) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    let version = hash & !(0xf << 76) | 8 << 76;
    format!("2.25.{}", version & !(0b11 << 62) | 0b10 << 62)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_fit_their_field() {
        for v in
            [0.0, 1.5, -1.5, 1.0 / 3.0, -2e9 / 3.0, 1e-7 / 3.0, -1e-300 / 3.0, 12_345_678.123_456_79, 1e300]
        {
            let text = decimal(v);
            let off = (text.parse::<f64>().unwrap() - v).abs();
            assert!(text.len() <= 16 && off <= 1e-8 * v.abs(), "{text}");
        }
    }

    #[test]
    fn identifiers_follow_from_their_parts() {
        let own = uid(&[b"1.2.3", b"stiffness"]);
        assert_eq!(own, uid(&[b"1.2.3", b"stiffness"]));
        assert_ne!(own, uid(&[b"1.2.3s", b"tiffness"]));
        assert!(own.starts_with("2.25.") && own.len() <= 44, "{own}");
    }
}
