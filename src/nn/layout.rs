//! The places of a network's parameters in one buffer of f32, and their conversion from and to PyTorch's layout.

use crate::device::Caps;
use crate::error::{Error, Result};
use crate::kernel::nn::convolve::Geometry;
use crate::tape::{Tape, Var};
use crate::tensor::Shape;

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Weights of a convolution, with its input and output channels.
    Weights(Geometry, [usize; 2]),
    /// One value per channel.
    Vector(usize),
    /// Running mean and variance of this many channels.
    Running(usize),
}

/// A parameter, or a part of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutEntry {
    /// The name in PyTorch's state dictionary. For running statistics, without `.running_mean` and `.running_var`.
    pub name: String,
    /// The kind.
    pub kind: EntryKind,
    /// The index of its first f32, a multiple of 4.
    pub first: usize,
}

impl LayoutEntry {
    /// The shape on the device.
    pub fn shape(&self) -> Shape {
        match self.kind {
            EntryKind::Weights(geometry, [ci, co]) => geometry.weights(ci, co),
            EntryKind::Vector(c) => Shape::new(1, 1, 1, c),
            EntryKind::Running(c) => Shape::new(1, 1, 2, c),
        }
    }

    /// Names and shapes of its tensors in a state dictionary.
    pub fn at_rest(&self) -> Vec<(String, Vec<usize>)> {
        match self.kind {
            EntryKind::Weights(geometry, [ci, co]) => {
                let shape = match geometry {
                    Geometry::Three => [co, ci, 3, 3],
                    Geometry::One => [co, ci, 1, 1],
                    Geometry::Up | Geometry::Down => [ci, co, 2, 2],
                    // Never in a file: these are computed from 3 × 3 weights.
                    Geometry::Tiles => [co, ci, 4, 4],
                };
                vec![(self.name.clone(), shape.into())]
            }
            EntryKind::Vector(c) => vec![(self.name.clone(), vec![c])],
            EntryKind::Running(c) => {
                ["running_mean", "running_var"].map(|part| (format!("{}.{part}", self.name), vec![c])).into()
            }
        }
    }

    /// The index on the device of each value of the tensors of [`LayoutEntry::at_rest`], in order.
    pub fn places(&self) -> Vec<usize> {
        let padded = |c: usize| c.next_multiple_of(4);
        let mut places = Vec::new();
        match self.kind {
            EntryKind::Weights(geometry, [ci, co]) => {
                let taps = geometry.taps();
                let [outer, inner] = if geometry == Geometry::Up { [ci, co] } else { [co, ci] };
                for (a, b) in (0..outer).flat_map(|a| (0..inner).map(move |b| (a, b))) {
                    let [i, o] = if geometry == Geometry::Up { [a, b] } else { [b, a] };
                    places.extend((0..taps).map(|t| self.first + (t * padded(ci) + i) * padded(co) + o));
                }
            }
            EntryKind::Vector(c) => places.extend(self.first..self.first + c),
            EntryKind::Running(c) => {
                places.extend((0..2).flat_map(|row| (0..c).map(move |i| self.first + row * padded(c) + i)));
            }
        }
        places
    }

    /// The number of values that a weight is summed with. PyTorch initialises weights uniformly within 1/√ of it.
    pub(super) fn fan_in(&self) -> Option<usize> {
        match self.kind {
            // PyTorch counts a transposed convolution's second axis, its output channels.
            EntryKind::Weights(Geometry::Up, [_, co]) => Some(4 * co),
            EntryKind::Weights(geometry, [ci, _]) => Some(geometry.taps() * ci),
            _ => None,
        }
    }

    /// The index of the entry `name`.
    pub(super) fn position(entries: &[Self], name: &str) -> usize {
        entries.iter().position(|e| e.name == name).expect("the network's own names")
    }
}

/// The parameters and the state of a network.
///
/// A network of its own appends its parameters in the order in which it uses them:
///
/// ```
/// # use palpate::lowlevel::{kernel::nn::convolve::Geometry, nn::ParameterLayout};
/// let mut layout = ParameterLayout::default();
/// layout.weights("0.weight", Geometry::One, 1, 32);
/// layout.vector("0.bias", 32);
/// assert_eq!((layout.learned(), layout.parameters.len()), (64, 2));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParameterLayout {
    /// Learned by the optimiser.
    pub parameters: Vec<LayoutEntry>,
    /// Running statistics over past batches.
    pub state: Vec<LayoutEntry>,
}

/// The parameters and the state on a tape, in the layout's order.
pub struct Registered {
    /// Learned by the optimiser.
    pub parameters: Vec<Var>,
    /// Running statistics over past batches.
    pub state: Vec<Var>,
}

impl ParameterLayout {
    /// Appends the weights of a convolution from `ci` to `co` channels.
    pub fn weights(&mut self, name: &str, geometry: Geometry, ci: usize, co: usize) {
        Self::put(&mut self.parameters, name, EntryKind::Weights(geometry, [ci, co]));
    }

    /// Appends a vector of one value per channel, such as a bias.
    pub fn vector(&mut self, name: &str, c: usize) {
        Self::put(&mut self.parameters, name, EntryKind::Vector(c));
    }

    /// Appends a batch norm: scale and shift to the parameters, running statistics to the state.
    pub fn norm(&mut self, name: &str, c: usize) {
        self.vector(&format!("{name}.weight"), c);
        self.vector(&format!("{name}.bias"), c);
        Self::put(&mut self.state, name, EntryKind::Running(c));
    }

    fn put(entries: &mut Vec<LayoutEntry>, name: &str, kind: EntryKind) {
        let first = Self::end(entries);
        entries.push(LayoutEntry { name: name.into(), kind, first });
    }

    fn end(entries: &[LayoutEntry]) -> usize {
        entries.last().map_or(0, |e| e.first + e.shape().floats())
    }

    /// Number of f32 of all parameters on the device.
    pub fn parameters_len(&self) -> usize {
        Self::end(&self.parameters)
    }

    /// Number of f32 of the state on the device.
    pub fn state_len(&self) -> usize {
        Self::end(&self.state)
    }

    /// Number of learned values, without padding.
    pub fn learned(&self) -> usize {
        self.parameters
            .iter()
            .flat_map(LayoutEntry::at_rest)
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }

    /// Puts all entries on `tape`.
    pub fn register(&self, tape: &mut Tape) -> Registered {
        Registered {
            parameters: self.parameters.iter().map(|e| tape.parameter(e.first, e.shape())).collect(),
            state: self.state.iter().map(|e| tape.state(e.first, e.shape().c)).collect(),
        }
    }

    /// Checks that a buffer of the device can hold all parameters, before they are initialised or allocated.
    ///
    /// # Errors
    /// [`Error::Data`] with the size of the buffer.
    pub fn check_device(&self, caps: &Caps) -> Result<()> {
        let [bytes, most] = [4 * self.parameters_len() as u64, caps.max_binding()];
        if bytes <= most {
            return Ok(());
        }
        Err(Error::Data(format!(
            "the network has {} parameters, which need a buffer of {} MiB, but {} allows {} MiB",
            self.learned(),
            bytes >> 20,
            caps.info.name,
            most >> 20
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The place of `entry`'s value at PyTorch's index `[a, b, y, x]`.
    fn place(entry: &LayoutEntry, [a, b, y, x]: [usize; 4]) -> usize {
        let (_, shape) = entry.at_rest().remove(0);
        let [n, side] = [shape[1], shape[2]];
        entry.places()[((a * n + b) * side + y) * side + x]
    }

    fn entry(kind: EntryKind) -> LayoutEntry {
        LayoutEntry { name: "it".into(), kind, first: 40 }
    }

    #[test]
    fn weights_lie_tap_by_tap_with_the_output_channel_fastest() {
        // 3 channels to 6: padded to 4 and 8. PyTorch counts [co, ci, y, x], and [ci, co, y, x] where it transposes.
        let [ci, co] = [3, 6];
        let cases = [
            (Geometry::Three, vec![6, 3, 3, 3], 3),
            (Geometry::One, vec![6, 3, 1, 1], 1),
            (Geometry::Up, vec![3, 6, 2, 2], 2),
        ];
        for (geometry, shape, side) in cases {
            let entry = entry(EntryKind::Weights(geometry, [ci, co]));
            assert_eq!(entry.at_rest(), [("it".to_string(), shape)]);
            for (i, o) in (0..ci).flat_map(|i| (0..co).map(move |o| (i, o))) {
                for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
                    let index = if geometry == Geometry::Up { [i, o, y, x] } else { [o, i, y, x] };
                    let expected = 40 + ((y * side + x) * 4 + i) * 8 + o;
                    assert_eq!(place(&entry, index), expected, "{geometry:?} {index:?}");
                }
            }
        }
    }

    #[test]
    fn vectors_and_statistics_lie_padded_to_quads() {
        assert_eq!(entry(EntryKind::Vector(5)).places(), [40, 41, 42, 43, 44]);
        let running = entry(EntryKind::Running(3));
        assert_eq!(running.places(), [40, 41, 42, 44, 45, 46]);
        let names = ["it.running_mean", "it.running_var"].map(|name| (name.to_string(), vec![3]));
        assert_eq!(running.at_rest(), names);
    }

    #[test]
    fn no_two_values_share_a_place_and_entries_start_at_quads() {
        let mut layout = ParameterLayout::default();
        layout.weights("a", Geometry::Three, 2, 5);
        layout.weights("b", Geometry::Up, 5, 3);
        layout.weights("c", Geometry::One, 3, 1);
        layout.vector("d", 1);
        layout.norm("e", 7);
        assert_eq!(layout.learned(), 9 * 10 + 4 * 15 + 3 + 1 + 2 * 7);
        for (entries, len) in
            [(&layout.parameters, layout.parameters_len()), (&layout.state, layout.state_len())]
        {
            let mut taken = BTreeSet::new();
            for entry in entries {
                let own = entry.first..entry.first + entry.shape().floats();
                let places = entry.places();
                let values: usize = entry.at_rest().iter().map(|(_, s)| s.iter().product::<usize>()).sum();
                assert_eq!((entry.first % 4, places.len()), (0, values), "{}", entry.name);
                assert!(places.into_iter().all(|p| own.contains(&p) && taken.insert(p)), "{}", entry.name);
                assert!(own.end <= len && own.end.is_multiple_of(4));
            }
        }
        let names: Vec<_> = layout.parameters.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(
            (names, layout.state[0].name.as_str()),
            (vec!["a", "b", "c", "d", "e.weight", "e.bias"], "e")
        );
    }
}
