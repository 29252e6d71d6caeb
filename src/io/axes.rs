//! Names of an array's axes, as a person, a sidecar or a scanner states them.

use super::volume::shape_text;
use std::fmt;
use std::str::FromStr;

/// What an axis of a wave image counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AxisName {
    /// Columns of the slice.
    X,
    /// Rows of the slice.
    Y,
    /// Slices.
    Slice,
    /// Phase offsets over one period of the vibration, in order of time.
    Phase,
    /// Directions of motion.
    Direction,
    /// Frequencies of the vibration.
    Frequency,
    /// A real and an imaginary part.
    ReIm,
    /// A magnitude and a phase.
    MagPhase,
}

impl AxisName {
    /// All names, in the order of the canonical array.
    pub const ALL: [Self; 8] = [
        Self::X,
        Self::Y,
        Self::Slice,
        Self::Phase,
        Self::Direction,
        Self::Frequency,
        Self::ReIm,
        Self::MagPhase,
    ];

    /// The name, as it is written on the command line and in a sidecar.
    pub fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Slice => "slice",
            Self::Phase => "phase",
            Self::Direction => "direction",
            Self::Frequency => "frequency",
            Self::ReIm => "re-im",
            Self::MagPhase => "mag-phase",
        }
    }

    /// The only length that the axis can have, if there is one.
    fn needs(self) -> Option<usize> {
        matches!(self, Self::ReIm | Self::MagPhase).then_some(2)
    }
}

impl fmt::Display for AxisName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AxisName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|axis| axis.name() == text);
        named.ok_or_else(|| {
            let all = Self::ALL.map(Self::name).join(", ");
            format!("'{text}' is no axis; the axes are {all}, and 1 for one of length 1")
        })
    }
}

/// One axis of a stored array. It counts one thing, several that are folded into it, or nothing if its length is 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Axis(pub Vec<(AxisName, Option<usize>)>);

impl Axis {
    /// An axis of this name.
    pub fn of(name: AxisName) -> Self {
        Self(vec![(name, None)])
    }

    /// The lengths of the axes that are folded into one of `length`, the fastest first.
    ///
    /// # Errors
    /// A sentence, if the lengths do not multiply to `length`.
    fn unfold(&self, length: usize) -> Result<Vec<(AxisName, usize)>, String> {
        let given = |&(name, n): &(AxisName, Option<usize>)| n.or(name.needs());
        let known = self.0.iter().filter_map(given).try_fold(1usize, usize::checked_mul);
        let open = self.0.iter().filter(|part| given(part).is_none()).count();
        let known = known.filter(|&n| n > 0).ok_or_else(|| format!("{self} has no length"))?;
        let fits = if open == 0 { known == length } else { length.is_multiple_of(known) };
        if !fits {
            return Err(format!("an axis of length {length} is not {self}"));
        }
        if open > 1 {
            return Err(format!("{self} needs its lengths, such as {}:8", self.0[0].0));
        }
        Ok(self.0.iter().map(|part| (part.0, given(part).unwrap_or(length / known))).collect())
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("1");
        }
        for (i, (name, length)) in self.0.iter().enumerate() {
            let star = if i > 0 { "*" } else { "" };
            match length {
                Some(n) => write!(f, "{star}{name}:{n}")?,
                None => write!(f, "{star}{name}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Axis {
    type Err = String;

    /// `phase`, `phase:8*direction:3` (phase is the faster one), or `1`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "1" {
            return Ok(Self::default());
        }
        let part = |part: &str| {
            let (name, length) = match part.split_once(':') {
                Some((name, length)) => (name, Some(length)),
                None => (part, None),
            };
            let number = |n: &str| {
                n.trim().parse::<usize>().ok().filter(|n| *n > 0).ok_or_else(|| format!("'{n}' is no length"))
            };
            Ok((name.trim().parse()?, length.map(number).transpose()?))
        };
        text.split('*').map(part).collect::<Result<_, String>>().map(Self)
    }
}

/// The axes of a stored array, axis 0 first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Axes(pub Vec<Axis>);

impl Axes {
    /// Axes with these names.
    pub fn of(names: &[AxisName]) -> Self {
        Self(names.iter().copied().map(Axis::of).collect())
    }

    /// Names and lengths of the axes of an array of this shape, the fastest first, with folded axes unfolded. Axes of
    /// length 1 that were left out of the statement are skipped, and x and y must be there.
    ///
    /// # Errors
    /// A sentence, if the axes do not fit the shape.
    pub fn unfold(&self, shape: &[usize]) -> Result<Vec<(AxisName, usize)>, String> {
        let claimed = shape_text(shape);
        let squeezed: Vec<usize> = shape.iter().copied().filter(|&n| n > 1).collect();
        // A statement with an entry for each axis, or one for each axis that is longer than 1.
        let lengths: &[usize] = if shape.len() == self.0.len() { shape } else { &squeezed };
        if lengths.len() != self.0.len() {
            return Err(format!("an array of {claimed} has other axes than {self}"));
        }
        let mut all = Vec::new();
        for (axis, &length) in self.0.iter().zip(lengths) {
            all.extend(axis.unfold(length).map_err(|what| format!("{what} ({claimed})"))?);
        }
        for (i, (name, _)) in all.iter().enumerate() {
            if all[..i].iter().any(|(other, _)| other == name) {
                return Err(format!("{self} names {name} twice"));
            }
        }
        for name in [AxisName::X, AxisName::Y] {
            if !all.iter().any(|(other, _)| *other == name) {
                return Err(format!("{self} does not name {name}"));
            }
        }
        Ok(all)
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Axis::to_string).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for Axes {
    type Err = String;

    /// `x,y,slice,phase,direction`; see [`Axis`] for folded axes.
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AxisName::*;

    fn unfold(text: &str, shape: &[usize]) -> Result<Vec<(AxisName, usize)>, String> {
        text.parse::<Axes>()?.unfold(shape)
    }

    #[test]
    fn axes_are_read_as_they_are_written() {
        for text in ["x,y,slice,phase,direction", "y,x,1,phase:8*direction:3,re-im", "x,y,slice*phase:8"] {
            assert_eq!(text.parse::<Axes>().unwrap().to_string(), text);
        }
        assert_eq!(
            unfold("x,y,1,phase:8*direction", &[30, 40, 1, 24]),
            Ok(vec![(X, 30), (Y, 40), (Phase, 8), (Direction, 3)])
        );
        assert_eq!(unfold("x,y,phase", &[30, 40, 1, 8]), Ok(vec![(X, 30), (Y, 40), (Phase, 8)]));
        assert_eq!(
            unfold("x,y,slice,phase", &[30, 40, 1, 8]),
            Ok(vec![(X, 30), (Y, 40), (Slice, 1), (Phase, 8)])
        );
    }

    #[test]
    fn axes_that_do_not_fit_are_refused() {
        for (text, shape, says) in [
            ("x,y,time", &[2, 2, 2][..], "'time' is no axis"),
            ("x,y,phase:0", &[2, 2, 2], "no length"),
            ("x,y,phase", &[2, 2, 3, 4], "other axes"),
            ("x,y,phase:7*direction", &[2, 2, 24], "length 24 is not"),
            ("x,y,phase*direction", &[2, 2, 24], "needs its lengths"),
            ("x,y,re-im", &[2, 2, 3], "length 3 is not re-im"),
            ("x,x,phase", &[2, 2, 3], "twice"),
            ("x,slice,phase", &[2, 2, 3], "does not name y"),
            ("x,y,1", &[2, 2, 3], "length 3 is not 1"),
            ("", &[2, 2], "'' is no axis"),
        ] {
            let what = unfold(text, shape).unwrap_err();
            assert!(what.contains(says), "{text}: {what}");
        }
    }
}
