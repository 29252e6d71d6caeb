//! Elements and their values.

use super::tags::Tag;

/// A value of an element.
pub(super) enum Value {
    Bytes(Vec<u8>),
    Items(Vec<Dataset>),
}

/// The elements that palpate knows, of a file or of an item of a sequence. They identify the patient, and so have no
/// [`std::fmt::Debug`].
#[derive(Default)]
pub(super) struct Dataset {
    elements: Vec<(u32, Value)>,
    big_endian: bool,
}

impl Dataset {
    pub fn new(big_endian: bool) -> Self {
        Self { elements: Vec::new(), big_endian }
    }

    pub fn push(&mut self, number: u32, value: Value) {
        self.elements.push((number, value));
    }

    fn value(&self, tag: Tag) -> Option<&Value> {
        self.elements.iter().find(|(number, _)| *number == tag.number).map(|(_, value)| value)
    }

    /// The bytes of a value.
    pub fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        match self.value(tag)? {
            Value::Bytes(bytes) => Some(bytes),
            Value::Items(_) => None,
        }
    }

    /// The items of a sequence; none if it is absent.
    pub fn items(&self, tag: Tag) -> &[Dataset] {
        match self.value(tag) {
            Some(Value::Items(items)) => items,
            _ => &[],
        }
    }

    /// A text without its padding; None if it is absent or empty.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let bytes = self.bytes(tag)?;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_string(),
            // Latin-1 is the most common of the other character sets.
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        };
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_string();
        (!text.is_empty()).then_some(text)
    }

    /// The numbers of an element, of any representation; None if it is absent, empty or holds anything else.
    pub fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        if matches!(&tag.vr, b"DS" | b"IS") {
            let text = self.text(tag)?;
            let number = |part: &str| part.trim().parse().ok().filter(|v: &f64| v.is_finite());
            return text.split('\\').map(number).collect();
        }
        let bytes = self.bytes(tag)?;
        let big = self.big_endian;
        macro_rules! read {
            ($type:ty) => {{
                let number = |&b| if big { <$type>::from_be_bytes(b) } else { <$type>::from_le_bytes(b) };
                bytes.as_chunks().0.iter().map(number).map(f64::from).collect::<Vec<f64>>()
            }};
        }
        let numbers = match &tag.vr {
            b"US" => read!(u16),
            b"UL" => read!(u32),
            b"FD" => read!(f64),
            // A tag is two numbers of 16 bits.
            b"AT" => {
                read!(u16).as_chunks().0.iter().map(|[group, element]| group * 65536.0 + element).collect()
            }
            _ => return None,
        };
        (!numbers.is_empty() && numbers.iter().all(|v| v.is_finite())).then_some(numbers)
    }

    /// The first number of an element.
    pub fn number(&self, tag: Tag) -> Option<f64> {
        self.numbers(tag)?.first().copied()
    }

    /// The only `N` numbers of an element.
    pub fn exactly<const N: usize>(&self, tag: Tag) -> Option<[f64; N]> {
        self.numbers(tag)?.try_into().ok()
    }
}
