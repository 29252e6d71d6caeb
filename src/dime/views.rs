//! In how many ways a network is shown patches: one way each, but not the same for all.

use crate::patches::Augmentation;

/// The ways in which patches are shown to a network that knows no difference: which one is a patch's follows from its
/// place, and what they make of a pixel together is more right than what one way makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Views {
    /// As they lie in the image.
    #[default]
    One,
    /// Later by any number of quarters of a period. Unlike other phases, these keep the channels apart: each becomes the
    /// other or its negative, so that their gains still do not matter.
    Phases,
    /// Also turned by quarters and mirrored.
    All,
}

impl Views {
    /// The name in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Phases => "phases",
            Self::All => "all",
        }
    }

    /// The views of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::One, Self::Phases, Self::All].into_iter().find(|views| views.name() == name)
    }

    /// The views that a network has learned from, whose training patches were varied so.
    pub fn learned(augmentations: &[Augmentation]) -> Self {
        let has = |one| augmentations.contains(&one);
        match (has(Augmentation::Phase), has(Augmentation::Flips) && has(Augmentation::QuarterTurns)) {
            (false, _) => Self::One,
            (true, false) => Self::Phases,
            (true, true) => Self::All,
        }
    }

    /// The view of the patch at a lattice's column and row, a number for `kernels/lib/view.wgsl`: patches that hold the
    /// same pixel have as many different ones as there are.
    pub(super) fn at(self, column: usize, row: usize) -> u32 {
        let count = match self {
            Self::One => 1,
            Self::Phases => 4,
            Self::All => 32,
        };
        ((5 * column + 13 * row) % count) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn patches_around_a_pixel_are_shown_in_different_ways() {
        let kinds = |views: Views, side: usize| -> Vec<usize> {
            let squares = (0..40).flat_map(|row| (0..40).map(move |column| [column, row]));
            let within = |[x, y]: [usize; 2]| {
                let points = (0..side * side).map(|i| views.at(x + i % side, y + i / side));
                points.collect::<BTreeSet<_>>().len()
            };
            squares.map(within).collect()
        };
        // A pixel is in 3 × 3 patches at stride 9 or 10, in 10 × 10 at stride 3.
        assert!(kinds(Views::All, 3).iter().all(|n| *n == 9));
        assert!(kinds(Views::All, 10).iter().all(|n| *n == 32));
        assert!(kinds(Views::Phases, 3).iter().all(|n| *n == 4));
        assert!(kinds(Views::One, 10).iter().all(|n| *n == 1));
    }

    #[test]
    fn only_what_was_learned_is_shown() {
        use Augmentation::{Flips, Phase, QuarterTurns};
        assert_eq!(Views::learned(&[]), Views::One);
        assert_eq!(Views::learned(&[Flips, QuarterTurns]), Views::One);
        assert_eq!(Views::learned(&[Phase, Flips]), Views::Phases);
        assert_eq!(Views::learned(&[Flips, QuarterTurns, Phase]), Views::All);
        for views in [Views::One, Views::Phases, Views::All] {
            assert_eq!(Views::named(views.name()), Some(views));
        }
    }
}
