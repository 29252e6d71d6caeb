//! What the axes of an array are, where nobody has stated it: by the file's format and header, and by its shape.
//!
//! A shape can fit several readings. Where the format or the data do not decide, the array is refused with the readings
//! that fit, and the user states the right one.

use crate::error::{Error, Result};
use crate::io::axes::AxisName::{self, Direction, Frequency, MagPhase, Phase, ReIm, Slice, X, Y};
use crate::io::volume::{Format, Samples, Volume, shape_text};

/// The most directions of motion that there can be.
const DIRECTIONS: usize = 3;

/// A reading of an array that nobody has stated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Guess {
    /// Names and lengths of the axes that are longer than 1, and of x and y, in stored order.
    pub axes: Vec<(AxisName, usize)>,
    /// Other readings. If the data show phases there, the array is refused.
    pub rivals: Vec<Vec<(AxisName, usize)>>,
    /// True if the file says that the last axis is something else than time, so that the data have to show more.
    pub strict: bool,
    /// The index of the axis that the frames are along.
    pub last: usize,
}

impl Guess {
    /// The guess for `volume`.
    ///
    /// # Errors
    /// [`Error::Axes`] with the readings that fit, if the shape alone does not decide. [`Error::Data`] if no reading fits.
    pub fn of(volume: &Volume) -> Result<Self> {
        let shape = &volume.shape;
        let complex = matches!(volume.data, Samples::Complex(_));
        // NIfTI's first three axes are space, its fourth is time, its fifth holds the components of a vector.
        let header = volume.format == Format::Nifti;
        let rest: Vec<(usize, usize)> =
            shape.iter().copied().enumerate().skip(2).filter(|(_, n)| *n > 1).collect();
        // A stored fourth axis of length 1 means one frame.
        let single = !complex && shape.get(3) == Some(&1) && matches!(rest[..], [(2, _)]);
        if shape.len() < 2 || single || (rest.is_empty() && !complex) {
            return Err(one_frame(shape));
        }
        let plane = [(X, shape[0]), (Y, shape[1])];
        let axes = |names: &[AxisName]| -> Vec<(AxisName, usize)> {
            plane.into_iter().chain(names.iter().copied().zip(rest.iter().map(|(_, n)| *n))).collect()
        };
        let refuse = |why: &str| Err(refusal(volume, why));
        let guess = |names: &[AxisName], rivals: &[&[AxisName]]| {
            let rivals = rivals.iter().map(|names| axes(names)).collect();
            let last = rest.last().map_or(2, |(axis, _)| *axis);
            Ok(Self {
                axes: axes(names),
                rivals,
                strict: header && !volume.geometry.identity && last == 2,
                last,
            })
        };
        match (rest.as_slice(), complex) {
            ([], _) => guess(&[], &[]),
            ([(axis, n)], true) if header && *axis > 2 && *n > 2 => guess(&[Phase], &[]),
            ([(axis, _)], true) if header && *axis > 2 => refuse("it has two complex frames"),
            ([(_, n)], true) if *n > 2 => guess(&[Slice], &[&[Phase]]),
            ([_], true) => guess(&[Slice], &[]),
            ([_, (_, n)], true) if *n > 2 => guess(&[Slice, Phase], &[]),
            (_, true) => refuse(&many(shape)),

            ([(_, 2 | 3)], false) if volume.geometry.vector => {
                refuse("its header says that the last axis holds the components of a vector")
            }
            ([(2, 2)], false) if header && !volume.geometry.identity => {
                refuse("its header says that the third axis is space, which makes it two slices of one frame")
            }
            ([(4.., 3)], false) if header => refuse("NIfTI's fifth axis holds the components of a vector"),
            ([(_, 2)], false) => guess(&[ReIm], &[]),
            ([_], false) => guess(&[Phase], &[]),

            ([(2, 2), (_, 2)], false) => refuse("its shape does not tell slices from parts"),
            ([_, (_, 2 | 3)], false) if volume.geometry.vector => {
                refuse("its header says that the last axis holds the components of a vector")
            }
            ([(2, _), (3 | 4, 2)], false) if header => guess(&[Slice, ReIm], &[&[Phase, Slice]]),
            ([(2, _), (4, 3)], false) if header => {
                refuse("NIfTI's fifth axis holds the components of a vector")
            }
            ([(2, _), (3 | 4, _)], false) if header => guess(&[Slice, Phase], &[&[Phase, Slice]]),
            ([(_, n), _], false) if !header && *n <= DIRECTIONS => {
                refuse("its shape does not tell slices from directions or parts")
            }
            ([_, (_, 2)], false) if !header => guess(&[Slice, ReIm], &[&[Phase, Slice]]),
            ([_, _], false) if !header => guess(&[Slice, Phase], &[&[Phase, Slice]]),
            _ => refuse(&many(shape)),
        }
    }
}

fn one_frame(shape: &[usize]) -> Error {
    Error::OneFrame { shape: shape_text(shape) }
}

/// Why the axes of an array with many are not known.
fn many(shape: &[usize]) -> String {
    format!(
        "it has {} dimensions, and nothing names them; name them, or save one series at a time",
        shape.len()
    )
}

/// The refusal of an array whose axes are not known, with the readings that fit its shape.
pub(super) fn refusal(volume: &Volume, why: &str) -> Error {
    let shape = &volume.shape;
    let readings = fitting(shape, matches!(volume.data, Samples::Complex(_)));
    let what = format!("the axes of this array ({}) are not known: {why}", shape_text(shape));
    Error::Axes { what, readings }
}

/// Whether an axis of this name can have this length.
fn can_be(name: AxisName, n: usize) -> bool {
    match name {
        Phase => n >= 3,
        Direction => n <= DIRECTIONS,
        ReIm | MagPhase => n == 2,
        _ => true,
    }
}

/// The readings that fit a shape, the usual ones first, as `--axes` takes them.
fn fitting(shape: &[usize], complex: bool) -> Vec<String> {
    let rest: Vec<usize> = shape.iter().skip(2).copied().filter(|n| *n > 1).collect();
    let parts: &[AxisName] = if complex { &[] } else { &[ReIm, MagPhase] };
    let names: Vec<AxisName> = [Slice, Phase, Direction, Frequency].iter().chain(parts).copied().collect();
    let mut orders = vec![Vec::new()];
    for &n in &rest {
        let more = |order: &Vec<AxisName>| -> Vec<Vec<AxisName>> {
            let free = names.iter().filter(|name| !order.contains(name) && can_be(**name, n));
            free.map(|name| order.iter().copied().chain([*name]).collect()).collect()
        };
        orders = orders.iter().flat_map(more).collect();
    }
    // Without phases, or a real and an imaginary part, there is no wave.
    let wave = |order: &Vec<AxisName>| {
        let has = |name| order.contains(&name);
        let parted = usize::from(has(ReIm)) + usize::from(has(MagPhase));
        if complex { true } else { has(Phase) && parted < 2 || parted == 1 }
    };
    let text = |order: &[String]| [&["x".to_string(), "y".into()], order].concat().join(",");
    let mut all: Vec<String> = orders
        .into_iter()
        .filter(wave)
        .map(|order| text(&order.iter().map(|name| name.name().to_string()).collect::<Vec<_>>()))
        .collect();
    // Converters fold slices, directions or parts and phases into one axis.
    if let [n] | [_, n] = rest[..]
        && !complex
    {
        let before = if rest.len() > 1 { vec!["slice".to_string()] } else { Vec::new() };
        let mut folded = |what: AxisName, count: usize| {
            if n.is_multiple_of(count) && n / count >= 3 && count > 1 {
                for axis in [format!("phase:{}*{what}", n / count), format!("{what}:{count}*phase")] {
                    all.push(text(&[before.clone(), vec![axis]].concat()));
                }
            }
        };
        folded(MagPhase, 2);
        folded(Direction, 3);
        if rest.len() == 1 {
            [8, 4, 6]
                .into_iter()
                .filter(|phases| n.is_multiple_of(*phases))
                .for_each(|phases| folded(Slice, n / phases));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::volume::{Stated, VolumeGeometry};

    fn guess(shape: &[usize], format: Format, spacing: bool) -> Result<Guess> {
        let n = shape.iter().product();
        let geometry = VolumeGeometry { identity: !spacing, ..VolumeGeometry::default() };
        let data = Samples::Real(vec![0.0; n]);
        Guess::of(&Volume { shape: shape.to_vec(), data, geometry, format, stated: Stated::default() })
    }

    fn names(shape: &[usize], format: Format, spacing: bool) -> String {
        match guess(shape, format, spacing) {
            Ok(guess) => guess.axes.iter().map(|(name, _)| name.name()).collect::<Vec<_>>().join(","),
            Err(Error::Axes { readings, .. }) => format!("? {}", readings.join(" ")),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn what_the_format_and_the_shape_say() {
        use Format::{Matlab, Nifti, Npy};
        for (shape, format, spacing, wanted) in [
            (&[20, 20, 8][..], Npy, false, "x,y,phase"),
            (&[20, 20, 2], Nifti, false, "x,y,re-im"),
            (&[20, 20, 2], Npy, false, "x,y,re-im"),
            (&[20, 20, 2], Nifti, true, "? x,y,re-im x,y,mag-phase"),
            (&[20, 20, 1, 8], Nifti, true, "x,y,phase"),
            (&[20, 20, 1, 1, 8], Nifti, true, "x,y,phase"),
            (&[20, 20, 3, 8], Nifti, true, "x,y,slice,phase"),
            (&[20, 20, 5, 2], Nifti, true, "x,y,slice,re-im"),
            (&[20, 20, 5, 8], Matlab, false, "x,y,slice,phase"),
        ] {
            assert_eq!(names(shape, format, spacing), wanted, "{shape:?} {format:?}");
        }
        for (shape, format, reading) in [
            (&[20, 20, 2, 2][..], Nifti, "x,y,slice,re-im"),
            (&[20, 20, 3, 8], Npy, "x,y,direction,phase"),
            (&[20, 20, 4, 3, 4], Npy, "x,y,phase,direction,frequency"),
            (&[20, 20, 5, 8, 3], Nifti, "x,y,slice,phase,direction"),
        ] {
            let refused = names(shape, format, true);
            assert!(
                refused.starts_with("? ") && refused.split(' ').any(|r| r == reading),
                "{shape:?}: {refused}"
            );
        }
        assert!(names(&[20, 20, 7, 1], Nifti, true).contains("one frame"));
        assert!(names(&[20, 20], Npy, false).contains("one frame"));
    }

    #[test]
    fn folded_axes_are_among_the_readings() {
        let all = fitting(&[20, 20, 5, 24], false);
        assert!(all.contains(&"x,y,slice,phase:8*direction".into()), "{all:?}");
        let all = fitting(&[20, 20, 32], false);
        assert!(
            all.contains(&"x,y,phase:8*slice".into()) && all.contains(&"x,y,slice:4*phase".into()),
            "{all:?}"
        );
    }
}
