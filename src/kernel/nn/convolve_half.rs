//! Convolutions on matrix units with f16 factors: `kernels/nn/convolve_half.wgsl`. `super::convolve::record` records
//! them in [`Form::Half`].

use super::convolve::{self, FinishKind, Geometry};
use crate::kernel::form::{Form, Units};
use crate::plan::{Kernel, Spec};

/// The row of the table of kernels.
pub static CONVOLVE_HALF: Kernel = Kernel {
    name: "convolve_half",
    source: include_str!("../../../kernels/nn/convolve_half.wgsl"),
    bindings: convolve::BINDINGS,
    params: convolve::LAYOUT,
    specs: || {
        let finishes = |g| FinishKind::ALL.map(|finish| (g, finish));
        let own: Vec<_> =
            Geometry::ALL.into_iter().filter(|g| *g != Geometry::Tiles).flat_map(finishes).collect();
        let mut all = Vec::new();
        for units in Units::ALL {
            // Software adapters take 5 s to compile an imitation. One specialisation with small units is enough. With
            // large units, each geometry and each finish occurs at least once.
            let wanted = |&&(g, finish): &&(Geometry, FinishKind)| match (units.imitated, units.side) {
                (false, _) => true,
                (true, 16) => g == Geometry::Three || finish == FinishKind::Plain,
                (true, _) => g == Geometry::Three && finish == FinishKind::Plain,
            };
            all.extend(own.iter().filter(wanted).map(|(g, finish)| spec(units, *g, *finish)));
        }
        all
    },
    native: None,
};

/// The specialisation for a geometry and a kind of [`convolve::Finish`].
pub(crate) fn spec(units: Units, geometry: Geometry, finish: FinishKind) -> Spec {
    let [high, broad] = [64, 32].map(|numbers| numbers / units.side);
    let own = [geometry.constant(), finish.constant(), ("HIGH", high), ("BROAD", broad)];
    Form::Half(units).spec(&CONVOLVE_HALF, &own)
}
