//! Sets of random phantoms: the paper's table, cylinders, livers, and bodies of any outline.
//!
//! Phantom i of a set depends only on the set's name, its count and its seed. Any number of machines can therefore
//! share the work, with the same result.

mod bodies;
mod draw;
mod folder;
mod sheet;
mod slabs;

pub use folder::{Entry, Manifest, SetEvent, SetFolder, Shard};
pub(crate) use folder::{MANIFEST, SET, shown};

use super::Phantom;
use crate::error::{Error, Result};
use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// The largest number of phantoms in a set.
pub const MOST: usize = 1_000_000;

/// A kind of set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SetKind {
    /// The seven families of Iftikhar, Ahmad and Kolipaka's table 1, in its proportions.
    Table1,
    /// The cylinders of table 1, with the most weight on those with inclusions. The `bulk` network is trained on
    /// them.
    Cylinders,
    /// Slabs with a liver-like outline and a smoothly varying modulus. The `slab` network is trained on them.
    Livers,
    /// Prisms of any outline and structure, driven at their face and their wall.
    Bodies,
    /// Slabs of any outline and structure, 6 to 22 mm thick, driven at a part of their edge.
    Slabs,
    /// The squares of table 1. No network is trained on them; they are bodies unlike those of the training.
    Squares,
}

/// A family: phantoms with common properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Family {
    /// Homogeneous cylinders, driven uniformly at one end.
    Homogeneous,
    /// Cylinders whose modulus varies linearly.
    Linear,
    /// Homogeneous cylinders, driven away from the centre.
    OffCentre,
    /// Cylinders with four inclusions at fixed positions.
    FourInclusions,
    /// Cylinders with two inclusions at random positions.
    TwoInclusions,
    /// Homogeneous squares.
    Square,
    /// Squares with four inclusions at random positions.
    SquareInclusions,
    /// Slabs with a liver-like outline.
    Liver,
    /// Slabs of any outline, structure and thickness.
    Slab,
    /// Homogeneous prisms.
    Prism,
    /// Prisms with 1 to 6 inclusions.
    PrismInclusions,
    /// Prisms whose modulus is a smooth random field, with up to 3 inclusions.
    PrismRandom,
    /// Prisms of 2 to 5 layers, with up to 3 inclusions.
    PrismLayers,
}

impl Family {
    /// The family's name in folders and files.
    pub fn name(self) -> &'static str {
        match self {
            Family::Homogeneous => "homogeneous",
            Family::Linear => "linear",
            Family::OffCentre => "off-centre",
            Family::FourInclusions => "four-inclusions",
            Family::TwoInclusions => "two-inclusions",
            Family::Square => "square",
            Family::SquareInclusions => "square-inclusions",
            Family::Liver => "liver",
            Family::Slab => "slab",
            Family::Prism => "prism",
            Family::PrismInclusions => "prism-inclusions",
            Family::PrismRandom => "prism-random",
            Family::PrismLayers => "prism-layers",
        }
    }

    /// Draws a random phantom of this family.
    ///
    /// # Errors
    /// [`Error::Data`] if 1000 drawings give no valid phantom, which does not happen in practice.
    pub fn draw(self, rng: &mut Rng) -> Result<Phantom> {
        // Drawings whose inclusions overlap or lie outside the body are discarded.
        for _ in 0..1000 {
            let phantom = draw::phantom(self, rng);
            if phantom.check().is_ok() {
                return Ok(phantom);
            }
        }
        Err(Error::Data(format!(
            "1000 drawings gave no valid phantom of the family {}; use another seed",
            self.name()
        )))
    }
}

impl SetKind {
    /// The set's name.
    pub fn name(self) -> &'static str {
        match self {
            SetKind::Table1 => "table1",
            SetKind::Cylinders => "cylinders",
            SetKind::Livers => "livers",
            SetKind::Bodies => "bodies",
            SetKind::Slabs => "slabs",
            SetKind::Squares => "squares",
        }
    }

    /// The families with their weights. For the paper's set, the weight is the number of phantoms in the paper.
    pub fn families(self) -> &'static [(Family, usize)] {
        match self {
            SetKind::Table1 => &[
                (Family::Homogeneous, 400),
                (Family::Linear, 100),
                (Family::OffCentre, 100),
                (Family::FourInclusions, 50),
                (Family::TwoInclusions, 50),
                (Family::Square, 100),
                (Family::SquareInclusions, 100),
            ],
            SetKind::Cylinders => &[
                (Family::Homogeneous, 6),
                (Family::Linear, 2),
                (Family::OffCentre, 2),
                (Family::FourInclusions, 5),
                (Family::TwoInclusions, 5),
            ],
            SetKind::Livers => &[(Family::Liver, 1)],
            SetKind::Slabs => &[(Family::Slab, 1)],
            SetKind::Squares => &[(Family::Square, 1), (Family::SquareInclusions, 1)],
            SetKind::Bodies => &[
                (Family::Prism, 2),
                (Family::PrismInclusions, 4),
                (Family::PrismRandom, 3),
                (Family::PrismLayers, 3),
            ],
        }
    }

    /// Reports whether files hold only what differs: the driven component, and one plane of modulus, loss factor and
    /// mask. Sets of many planes are a sixth as large then.
    pub fn lean(self) -> bool {
        matches!(self, SetKind::Bodies | SetKind::Slabs)
    }

    /// The number of phantoms of each family among `count`: its share rounded down, plus one for the families with
    /// the largest remainders.
    pub fn shares(self, count: usize) -> Vec<(Family, usize)> {
        let families = self.families();
        let whole: usize = families.iter().map(|(_, n)| n).sum();
        let mut shares: Vec<(Family, usize)> =
            families.iter().map(|(family, n)| (*family, count * n / whole)).collect();
        let left = count - shares.iter().map(|(_, n)| n).sum::<usize>();
        let mut order: Vec<usize> = (0..families.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(count * families[*i].1 % whole));
        order.into_iter().take(left).for_each(|i| shares[i].1 += 1);
        shares
    }
}

/// A set: its kind, the number of phantoms, and the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// The kind of set.
    pub set: SetKind,
    /// The number of phantoms.
    pub count: usize,
    /// The seed of the random drawings.
    pub seed: u64,
}

impl Set {
    /// A set of `count` phantoms.
    ///
    /// # Errors
    /// [`Error::Setting`] for a count of 0 or above [`MOST`].
    pub fn new(set: SetKind, count: usize, seed: u64) -> Result<Set> {
        if !(1..=MOST).contains(&count) {
            return Err(Error::setting("count", count, format!("a set has from 1 to {MOST} phantoms")));
        }
        Ok(Set { set, count, seed })
    }

    /// The family of every phantom. Each family is spread evenly over the set. The first part of the set, or every
    /// n-th phantom, therefore has all families in proportion.
    pub fn families(&self) -> Vec<Family> {
        let mut places: Vec<(f64, Family)> = vec![];
        for (family, n) in self.set.shares(self.count) {
            places.extend((0..n).map(|k| ((k as f64 + 0.5) / n as f64, family)));
        }
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        places.into_iter().map(|(_, family)| family).collect()
    }

    /// Draws phantom `i` of the set, from 0. Its family comes from [`Set::families`].
    ///
    /// # Errors
    /// As for [`Family::draw`].
    pub fn phantom(&self, i: usize, family: Family) -> Result<Phantom> {
        // Adjacent seeds and numbers give unrelated generators, because fastrand mixes its seed.
        let mut mixed = Rng::with_seed(self.seed);
        let seed = mixed.u64(..) ^ (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        family.draw(&mut Rng::with_seed(seed))
    }

    /// The folder name of phantom `i`, for example "0001-homogeneous".
    pub fn folder(&self, i: usize, family: Family) -> String {
        let digits = self.count.to_string().len().max(4);
        format!("{:0digits$}-{}", i + 1, family.name())
    }
}
