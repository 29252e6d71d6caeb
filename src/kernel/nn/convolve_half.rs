//! Convolutions on matrix units, in half precision; `kernels/convolve_half.wgsl`. They are recorded as any other, by
//! [`super::convolve::record`] in [`Form::Half`].

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
            // Software adapters take 5 s to compile an imitation: of the smaller units one is enough, and of the larger
            // geometries and finishes each by itself.
            let wanted = |&&(g, finish): &&(Geometry, FinishKind)| match (units.imitated, units.side) {
                (false, _) => true,
                (true, 16) => g == Geometry::Three || finish == FinishKind::Plain,
                (true, _) => g == Geometry::Three && finish == FinishKind::Plain,
            };
            all.extend(own.iter().filter(wanted).map(|(g, finish)| spec(units, *g, *finish)));
        }
        all
    },
};

/// The specialisation of `geometry` whose sums are finished as of [`convolve::Finish`]'s number.
pub(crate) fn spec(units: Units, geometry: Geometry, finish: FinishKind) -> Spec {
    let [high, broad] = [64, 32].map(|numbers| numbers / units.side);
    let own = [geometry.constant(), finish.constant(), ("HIGH", high), ("BROAD", broad)];
    Form::Half(units).spec(&CONVOLVE_HALF, &own)
}
