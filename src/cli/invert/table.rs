//! The table over all exams.

use super::exams::Shard;
use super::input::Exam;
use crate::cli::report::Report;
use palpate::lowlevel::io::OutputSet;
use palpate::{Error, Result};
use serde_json::Value;
use std::path::Path;

/// The columns, and where a report holds them.
const COLUMNS: [(&str, &str); 12] = [
    ("frequency_hz", "/frequency_hz"),
    ("frequency_origin", "/origins/frequency"),
    ("spacing_x_mm", "/spacing_mm/0"),
    ("spacing_y_mm", "/spacing_mm/1"),
    ("mmdi_mean_kpa", "/regions/mask/stiffness_kpa/mean"),
    ("mmdi_sd_kpa", "/regions/mask/stiffness_kpa/sd"),
    ("mmdi_median_kpa", "/regions/mask/stiffness_kpa/median"),
    ("mmdi_confident_mean_kpa", "/regions/confident/stiffness_kpa/mean"),
    ("mmdi_confident_share", "/regions/mask/stiffness_kpa/share_confident"),
    ("dime_mean_kpa", "/dime/mask/stiffness_kpa/mean"),
    ("dime_median_kpa", "/dime/mask/stiffness_kpa/median"),
    ("area_mm2", "/regions/mask/stiffness_kpa/area_mm2"),
];

/// One exam: what it is called, and its report or its error.
pub struct Row {
    name: String,
    input: String,
    report: Value,
    error: String,
}

impl Row {
    /// The row of a finished exam.
    pub fn of(exam: &Exam, report: &Report) -> Self {
        Self::new(exam, serde_json::to_value(report).unwrap_or_default(), String::new())
    }

    /// The row of an exam that failed.
    pub fn failed(exam: &Exam, error: &str) -> Self {
        Self::new(exam, Value::Null, error.into())
    }

    /// The row of an exam that was finished before, by its report in `folder`.
    pub fn read(folder: &Path, exam: &Exam) -> Self {
        let text = std::fs::read_to_string(folder.join(format!("{}.json", exam.name)));
        let report = text.ok().and_then(|text| serde_json::from_str(&text).ok());
        match report {
            Some(report) => Self::new(exam, report, String::new()),
            None => Self::failed(exam, "its report cannot be read"),
        }
    }

    fn new(exam: &Exam, report: Value, error: String) -> Self {
        Self { name: exam.name.clone(), input: exam.told.display().to_string(), report, error }
    }

    fn cells(&self) -> Vec<String> {
        let value = |pointer: &str| match self.report.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let codes = self.report["warnings"].as_array().map_or(String::new(), |warnings| {
            warnings.iter().filter_map(|w| w["code"].as_str()).collect::<Vec<_>>().join(" ")
        });
        let numbers = COLUMNS.iter().map(|(_, pointer)| value(pointer));
        [self.name.clone(), self.input.clone()]
            .into_iter()
            .chain(numbers)
            .chain([codes, self.error.clone()])
            .collect()
    }
}

/// The name of the table.
pub fn name(shard: Option<Shard>) -> String {
    match shard {
        None => "exams.csv".into(),
        Some(Shard { one, of }) => format!("exams_{}of{of}.csv", one + 1),
    }
}

/// Writes the table. It replaces the one of an earlier call.
pub fn write(folder: &Path, name: &str, rows: &[Row]) -> Result<()> {
    let head =
        ["exam", "input"].into_iter().chain(COLUMNS.map(|(name, _)| name)).chain(["warnings", "error"]);
    let mut text = line(&head.map(String::from).collect::<Vec<_>>());
    rows.iter().for_each(|row| text += &line(&row.cells()));
    let mut set = OutputSet::new(folder, true)?;
    set.add_bytes(name, text.as_bytes())?;
    set.commit().map(drop).map_err(|e| match e {
        Error::Exists { path, .. } => Error::file(path, "cannot be replaced"),
        other => other,
    })
}

/// A line of comma-separated values; text with a comma, a quote or a line's end is quoted.
pub fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}
