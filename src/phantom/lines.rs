//! The position in its file where a phantom is wrong.

use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table of the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Table {
    Top,
    Drive,
    Background,
    /// A source, counted like inclusions.
    Source(usize),
    /// An inclusion, counted from 0. Messages count from 1.
    Inclusion(usize),
}

/// A key of the file. Without a key it is the table itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    table: Table,
    key: Option<&'static str>,
}

/// An error and its position.
#[derive(Debug)]
pub(super) struct Fault {
    pub at: Place,
    pub what: String,
}

impl Table {
    /// Refuses a key. The message begins with the name of the key.
    pub fn refuse<T>(self, key: &'static str, what: impl fmt::Display) -> Result<T, Fault> {
        let what = format!("{}{key} {what}", self.prefix());
        Err(Fault { at: Place { table: self, key: Some(key) }, what })
    }

    /// The text before a key in messages.
    pub fn prefix(self) -> String {
        if self == Table::Top { String::new() } else { format!("{self}: ") }
    }

    /// Refuses the whole table.
    pub fn fault<T>(self, what: impl fmt::Display) -> Result<T, Fault> {
        Err(Fault { at: Place { table: self, key: None }, what: what.to_string() })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Table::Top => f.write_str("the phantom"),
            Table::Drive => f.write_str("drive"),
            Table::Background => f.write_str("background"),
            Table::Source(i) => write!(f, "source {}", i + 1),
            Table::Inclusion(i) => write!(f, "inclusion {}", i + 1),
        }
    }
}

/// The positions of the keys in a file's text; `None` for a phantom made in code.
pub(super) struct Lines<'a>(pub Option<(&'a str, &'a DeTable<'a>)>);

impl Lines<'_> {
    /// The line and column, each from 1, of a place's key. If the key is not in the file, the position of its table.
    pub fn find(&self, place: Place) -> Option<[usize; 2]> {
        let (text, top) = self.0?;
        let (mut table, mut span) = (Some(top), 0..0);
        let mut enter = |name: &str, index: Option<usize>| {
            let found = table.and_then(|table| table.iter().find(|(key, _)| key.get_ref() == name));
            table = found.and_then(|(key, value)| {
                span = key.span();
                let value = match index {
                    None => value,
                    Some(i) => value.get_ref().as_array()?.get(i).inspect(|entry| span = entry.span())?,
                };
                value.get_ref().as_table().inspect(|_| span = whole(value, &span))
            });
        };
        match place.table {
            Table::Top => {}
            Table::Drive => enter("drive", None),
            Table::Background => enter("background", None),
            Table::Source(i) => enter("source", Some(i)),
            Table::Inclusion(i) => enter("inclusion", Some(i)),
        }
        if let Some(key) = place.key {
            enter(key, None);
        }
        Some(position(text, span.start))
    }

    /// The name of an inclusion, counted from 0, for a message about another inclusion.
    pub fn inclusion(&self, i: usize) -> String {
        let table = Table::Inclusion(i);
        match self.find(Place { table, key: None }) {
            Some([line, _]) => format!("{table} (line {line})"),
            None => table.to_string(),
        }
    }
}

/// The span of a table. A table with its own header starts before its key.
fn whole(value: &Spanned<DeValue>, key: &Range<usize>) -> Range<usize> {
    if value.span().start < key.start { value.span() } else { key.clone() }
}

/// The key whose value contains byte `byte` of the text.
pub(super) fn key_at<'a>(table: &'a DeTable, byte: usize) -> Option<&'a str> {
    table.iter().find_map(|(key, value)| {
        let inner = match value.get_ref() {
            DeValue::Table(table) => key_at(table, byte),
            DeValue::Array(entries) => {
                entries.iter().find_map(|entry| key_at(entry.get_ref().as_table()?, byte))
            }
            _ => None,
        };
        inner.or_else(|| value.span().contains(&byte).then_some(key.get_ref()))
    })
}

/// The line and column, each from 1, of byte `byte` of the text.
pub(super) fn position(text: &str, byte: usize) -> [usize; 2] {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line = before.split(|b| *b == b'\n').next_back().unwrap_or_default();
    let lines = before.iter().filter(|b| **b == b'\n').count();
    [lines + 1, String::from_utf8_lossy(line).chars().count() + 1]
}
