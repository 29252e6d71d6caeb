//! Convolutions on matrix units, in half precision; `kernels/convolve_half.wgsl`. They are recorded as any other, by
//! [`super::convolve::record`] in [`Form::Half`].

use super::convolve::{self, Form, Geometry, Units};
use super::{Expect, Kernel, Size, Spec};
use crate::oracle;
use crate::plan::Recorder;

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "convolve_half",
    source: include_str!("../../kernels/convolve_half.wgsl"),
    bindings: convolve::BINDINGS,
    params: convolve::LAYOUT,
    specs: || {
        let finishes = |g| [0, 1, 2].map(|finish| (g, finish));
        let own: Vec<_> =
            Geometry::ALL.into_iter().filter(|g| *g != Geometry::Tiles).flat_map(finishes).collect();
        let mut all = Vec::new();
        for units in Units::ALL {
            // Software adapters take 5 s to compile an imitation: of the smaller units one is enough, and of the larger
            // geometries and finishes each by itself.
            let wanted = |&&(g, finish): &&(Geometry, u32)| match (units.imitated, units.side) {
                (false, _) => true,
                (true, 16) => g == Geometry::Three || finish == 0,
                (true, _) => g == Geometry::Three && finish == 0,
            };
            all.extend(own.iter().filter(wanted).map(|(g, finish)| spec(units, *g, *finish)));
        }
        all
    },
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(5, [3, 2], 2, 3),
        Size::batch(2, [3, 5], 133, 150),
        Size::batch(1, [7, 13], 5, 37),
        Size::batch(33, [2, 3], 18, 5),
        Size::batch(1, [1, 55], 1, 70),
        Size::batch(3, [15, 15], 32, 32),
    ],
    trial,
};

/// The specialisation of `geometry` whose sums are finished as of [`convolve::Finish`]'s number.
pub(super) fn spec(units: Units, geometry: Geometry, finish: u32) -> Spec {
    let [high, broad] = [64, 32].map(|numbers| numbers / units.side);
    let own = [geometry.constant(), ("FINISH", finish), ("HIGH", high), ("BROAD", broad)];
    Form::Half(units).spec(&KERNEL, &own)
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let units = Units { side: spec.constant("SIDE"), imitated: spec.constant("IMITATED") == 1 };
    // The oracle rounds its factors alike, so that what is left is the rounding of sums; units are free to add up a few
    // products with fewer bits than f32 has.
    convolve::tried(rec, Form::Half(units), spec, size, rng, (&oracle::convolve_half, 1e-5))
}
