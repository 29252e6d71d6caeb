//! Sets of phantoms drawn at random: the paper's table, and livers.
//!
//! Phantom i of a set depends on the set's name, its count and seed alone, so that any number of machines may share
//! the work and the result is the same.

mod draw;
mod folder;
mod sheet;

pub use folder::{Entry, Event, Folder, Manifest, Shard};
pub(crate) use folder::{MANIFEST, SET, shown};

use super::Phantom;
use crate::error::{Error, Result};
use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// The most phantoms in a set.
pub const MOST: usize = 1_000_000;

/// A kind of set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The seven families of Iftikhar, Ahmad and Kolipaka's table 1 in its proportions.
    Table1,
    /// The cylinders among them, with most weight on those with inclusions: what the `bulk` network is trained on.
    Cylinders,
    /// Slabs of liver-like outline and smoothly varying modulus: what the `slab` network is trained on.
    Livers,
}

/// What the phantoms of one family have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Homogeneous cylinders, driven alike all over one end.
    Homogeneous,
    /// Cylinders whose modulus varies linearly.
    Linear,
    /// Homogeneous cylinders, driven off the centre.
    OffCentre,
    /// Cylinders with four inclusions in fixed places.
    FourInclusions,
    /// Cylinders with two inclusions anywhere.
    TwoInclusions,
    /// Homogeneous squares.
    Square,
    /// Squares with four inclusions anywhere.
    SquareInclusions,
    /// Slabs of liver-like outline.
    Liver,
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
        }
    }

    /// A phantom of this family, drawn at random.
    ///
    /// # Errors
    /// [`Error::Data`] where chance gave none that is allowed, which does not happen.
    pub fn draw(self, rng: &mut Rng) -> Result<Phantom> {
        // Drawings that overlap or lie outside are thrown away.
        for _ in 0..1000 {
            let phantom = draw::phantom(self, rng);
            if phantom.check().is_ok() {
                return Ok(phantom);
            }
        }
        Err(Error::Data(format!("no phantom of the family {} could be drawn", self.name())))
    }
}

impl Kind {
    /// The set's name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Table1 => "table1",
            Kind::Cylinders => "cylinders",
            Kind::Livers => "livers",
        }
    }

    /// The families, and each one's share: in the paper's set, its number there.
    pub fn families(self) -> &'static [(Family, usize)] {
        match self {
            Kind::Table1 => &[
                (Family::Homogeneous, 400),
                (Family::Linear, 100),
                (Family::OffCentre, 100),
                (Family::FourInclusions, 50),
                (Family::TwoInclusions, 50),
                (Family::Square, 100),
                (Family::SquareInclusions, 100),
            ],
            Kind::Cylinders => &[
                (Family::Homogeneous, 6),
                (Family::Linear, 2),
                (Family::OffCentre, 2),
                (Family::FourInclusions, 5),
                (Family::TwoInclusions, 5),
            ],
            Kind::Livers => &[(Family::Liver, 1)],
        }
    }

    /// How many of `count` phantoms each family has: its share rounded down, and one more for those with the largest
    /// remainders.
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

/// A set: which, how many, and the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// Which set.
    pub set: Kind,
    /// How many phantoms.
    pub count: usize,
    /// What they are drawn by.
    pub seed: u64,
}

impl Set {
    /// A set of `count` phantoms.
    ///
    /// # Errors
    /// [`Error::Usage`] for a count of 0 or above [`MOST`].
    pub fn new(set: Kind, count: usize, seed: u64) -> Result<Set> {
        if !(1..=MOST).contains(&count) {
            return Err(Error::Usage(format!("a set of {count} phantoms; give a --count from 1 to {MOST}")));
        }
        Ok(Set { set, count, seed })
    }

    /// The family of every phantom: each family is spread evenly over the set, so that the set's first part, or every
    /// n-th phantom, has all of them in proportion.
    pub fn families(&self) -> Vec<Family> {
        let mut places: Vec<(f64, Family)> = vec![];
        for (family, n) in self.set.shares(self.count) {
            places.extend((0..n).map(|k| ((k as f64 + 0.5) / n as f64, family)));
        }
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        places.into_iter().map(|(_, family)| family).collect()
    }

    /// Phantom `i` of the set, from 0, of a family that [`Set::families`] tells.
    ///
    /// # Errors
    /// As [`Family::draw`].
    pub fn phantom(&self, i: usize, family: Family) -> Result<Phantom> {
        // Neighbouring seeds and numbers give unrelated generators: fastrand mixes its seed.
        let mut mixed = Rng::with_seed(self.seed);
        let seed = mixed.u64(..) ^ (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        family.draw(&mut Rng::with_seed(seed))
    }

    /// The folder of phantom `i`: "0001-homogeneous".
    pub fn folder(&self, i: usize, family: Family) -> String {
        let digits = self.count.to_string().len().max(4);
        format!("{:0digits$}-{}", i + 1, family.name())
    }
}
