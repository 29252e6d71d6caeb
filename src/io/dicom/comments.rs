//! What Siemens research sequences write about an image into its comment: `f0 d1 az90 po0 t3 VP16667`.

/// The numbers of a comment, each if it is there.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Comment {
    /// Index of the frequency (`f`).
    pub frequency: Option<i64>,
    /// Index of the direction of motion (`d`).
    pub direction: Option<i64>,
    /// Azimuth of the direction, degrees (`az`).
    pub azimuth: Option<f64>,
    /// Polar angle of the direction, degrees (`po`).
    pub polar: Option<f64>,
    /// Index of the phase offset (`t`).
    pub time: Option<i64>,
    /// Period of the vibration, µs (`VP`).
    pub period_us: Option<f64>,
}

impl Comment {
    /// Reads letters that are followed by a number, in any order, with or without anything between them. The letters of
    /// an index are small ones: T2 is no phase offset. Anything else is passed over.
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
            rest = &rest[start..];
            let (name, behind) = split(rest, |c| c.is_ascii_alphabetic());
            rest = behind;
            let number = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ':' || c == '=');
            if let Some((value, behind)) = leading_number(number) {
                found.set(name, value);
                rest = behind;
            }
        }
        found
    }

    fn set(&mut self, name: &str, value: f64) {
        let index = (value.fract() == 0.0 && value.abs() < 1e9).then_some(value as i64);
        match name {
            "f" => self.frequency = index,
            "d" => self.direction = index,
            "az" => self.azimuth = Some(value),
            "po" => self.polar = Some(value),
            "t" => self.time = index,
            "VP" | "vp" => self.period_us = Some(value).filter(|us| *us > 0.0),
            _ => {}
        }
    }

    /// Reports whether the comment gives an image a place among others.
    pub fn is_index(&self) -> bool {
        self.time.is_some() || self.direction.is_some() || self.frequency.is_some() || self.azimuth.is_some()
    }
}

/// Splits a text behind its first characters of a kind.
fn split(text: &str, kind: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !kind(c)).unwrap_or(text.len()))
}

/// The number at the start of a text, and the rest.
fn leading_number(text: &str) -> Option<(f64, &str)> {
    let digit = |c: char| c.is_ascii_digit();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (_, mut rest) = split(unsigned, digit);
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = split(fraction, digit).1;
    }
    if let Some(power) = rest.strip_prefix(['e', 'E']) {
        let (digits, behind) = split(power.strip_prefix(['+', '-']).unwrap_or(power), digit);
        rest = if digits.is_empty() { rest } else { behind };
    }
    let value: f64 = text[..text.len() - rest.len()].parse().ok()?;
    value.is_finite().then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_read_in_any_order() {
        let all = Comment {
            frequency: Some(0),
            direction: Some(1),
            azimuth: Some(90.0),
            polar: Some(-0.5),
            time: Some(3),
            period_us: Some(16667.0),
        };
        for text in [
            "f0 d1 az90 po-0.5 t3 VP16667",
            "VP16667,t3,po-.5,az+90,d1,f0",
            "  f 0\td 1 az 90.0 po -0.5 t 3 vp 16667 ",
            "f0d1az90po-0.5t3VP16667",
            "T2 liver é, f0_d1_az90_po-0.5_t3_VP16667us",
            "MRE f=0; d:1 az90 po-0.5 t3 VP1.6667e4 x9",
        ] {
            assert_eq!(Comment::parse(text), all, "{text}");
        }
        for text in
            ["", "liver, 2nd try", "t", "T2", "t1.5 VP-3 VPinf", "f99999999999999999999", "t -", "VP1e999 é"]
        {
            assert_eq!(Comment::parse(text), Comment::default(), "{text}");
        }
    }
}
