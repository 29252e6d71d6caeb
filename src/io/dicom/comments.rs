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
    /// Reads letters that are followed by a number, in any order. Anything else is passed over.
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        let parts =
            text.split(|c: char| c.is_whitespace() || ",;_".contains(c)).filter(|part| !part.is_empty());
        let mut name = "";
        for part in parts {
            let letters = part.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(part.len());
            let (own, number) = part.split_at(letters);
            // The number may stand apart from its letters.
            if !own.is_empty() {
                name = own;
            }
            let number = number.trim_start_matches([':', '=']);
            if let Ok(value) = number.parse::<f64>()
                && value.is_finite()
            {
                found.set(name, value);
                name = "";
            }
        }
        found
    }

    fn set(&mut self, name: &str, value: f64) {
        let index = (value.fract() == 0.0 && value.abs() < 1e9).then_some(value as i64);
        match name.to_ascii_lowercase().as_str() {
            "f" => self.frequency = index,
            "d" => self.direction = index,
            "az" => self.azimuth = Some(value),
            "po" => self.polar = Some(value),
            "t" => self.time = index,
            "vp" => self.period_us = Some(value).filter(|us| *us > 0.0),
            _ => {}
        }
    }

    /// Reports whether the comment gives an image a place among others.
    pub fn is_index(&self) -> bool {
        self.time.is_some() || self.direction.is_some() || self.frequency.is_some() || self.azimuth.is_some()
    }
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
            "MRE f=0; d:1 az90 po-0.5 t3 VP1.6667e4 x9",
        ] {
            assert_eq!(Comment::parse(text), all, "{text}");
        }
        for text in ["", "liver, second try", "t", "t1.5 VP-3 VPinf", "f99999999999999999999"] {
            assert_eq!(Comment::parse(text), Comment::default(), "{text}");
        }
    }
}
