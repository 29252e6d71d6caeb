//! Views: transformations of patches before the network sees them.

use crate::patches::Augmentation;

/// The set of transformations for patches. The network was trained with all of them, so each view is equally
/// valid.
///
/// The view of a patch depends on its place in the lattice. The average over several views of a pixel is more
/// accurate than a single view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Views {
    /// Patches as they are in the image.
    #[default]
    One,
    /// Patches at 0 to 3 quarters of a period later. Unlike other phase shifts, these do not mix the
    /// channels: each becomes the other one or its negative. The gains of the channels therefore still have no
    /// effect.
    Phases,
    /// Phase shifts, and also quarter turns and mirror images.
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

    /// Returns the views with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::One, Self::Phases, Self::All].into_iter().find(|views| views.name() == name)
    }

    /// Returns the views that a network has learned, given the augmentations of its training.
    pub fn learned(augmentations: &[Augmentation]) -> Self {
        let has = |one| augmentations.contains(&one);
        match (has(Augmentation::Phase), has(Augmentation::Flips) && has(Augmentation::QuarterTurns)) {
            (false, _) => Self::One,
            (true, false) => Self::Phases,
            (true, true) => Self::All,
        }
    }

    /// Returns the view of the patch at a column and row of the lattice, a number for `kernels/lib/view.wgsl`.
    /// Patches that share a pixel have as many different views as possible.
    pub(super) fn at(self, column: usize, row: usize) -> u32 {
        (5 * column + 13 * row) as u32 % self.count()
    }

    /// The number of different views.
    pub(super) fn count(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Phases => 4,
            Self::All => 32,
        }
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
        // A pixel is in 3 × 3 patches at stride 9 or 10, and in 10 × 10 at stride 3.
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
