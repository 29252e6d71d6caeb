//! The comparison of two reports.

use super::report::{BenchReport, NetworkRow, Row, SliceRow};

/// A rate that falls by more than this share is reported.
pub const FALL: f64 = 0.15;

/// One measure in two reports. Greater values are better.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The measure, and its shape or method.
    pub what: String,
    /// The unit.
    pub unit: &'static str,
    /// The values of the first and the second report.
    pub values: [f64; 2],
    /// The shares of the ceilings, if the measure has a ceiling.
    pub shares: Option<[f64; 2]>,
}

impl Comparison {
    /// The second value over the first.
    pub fn ratio(&self) -> f64 {
        self.values[1] / self.values[0]
    }

    /// Reports whether the measure fell by more than [`FALL`].
    pub fn fell(&self) -> bool {
        self.ratio() < 1.0 - FALL
    }
}

/// Compares every measure that both reports have.
pub fn compare(a: &BenchReport, b: &BenchReport) -> Vec<Comparison> {
    let plain = |what: &str, unit, values| Comparison { what: what.into(), unit, values, shares: None };
    let [x, y] = [&a.ceilings, &b.ceilings];
    let mut all = vec![
        plain("ceiling: multiply-adds", "GFLOP/s", [x.fma_gflops, y.fma_gflops]),
        plain("ceiling: memory", "GB/s", [x.copy_gbs, y.copy_gbs]),
        plain("submissions", "a second", [1e6 / x.submit_us, 1e6 / y.submit_us]),
    ];
    let partner = |row: &Row| {
        b.kernels.iter().chain(&b.layers).find(|r| r.kernel == row.kernel && r.shape == row.shape)
    };
    for (row, other) in a.kernels.iter().chain(&a.layers).filter_map(|row| Some((row, partner(row)?))) {
        let arithmetic = row.gflops > 0.0 && row.kernel.starts_with("conv");
        all.push(Comparison {
            what: format!("{} {}", row.kernel, row.shape),
            unit: if arithmetic { "GFLOP/s" } else { "GB/s" },
            values: if arithmetic { [row.gflops, other.gflops] } else { [row.gbs, other.gbs] },
            shares: Some([row.share_of_ceiling, other.share_of_ceiling]),
        });
    }
    let network = |what: &str, pair: [&Option<NetworkRow>; 2]| {
        let [Some(x), Some(y)] = pair else { return None };
        (x.chans == y.chans).then(|| Comparison {
            what: format!("{what}, {} channels", x.chans),
            unit: "patches a second",
            values: [x.patches_per_second, y.patches_per_second],
            shares: Some([x.share_of_ceiling, y.share_of_ceiling]),
        })
    };
    all.extend(network("training step", [&a.step, &b.step]));
    all.extend(network("network", [&a.forward, &b.forward]));
    let slices = |report: &BenchReport| -> Vec<SliceRow> {
        report.slice.iter().chain(&report.mmdi).cloned().collect()
    };
    for x in slices(a) {
        if let Some(y) = slices(b).iter().find(|y| (&y.method, y.stride) == (&x.method, x.stride)) {
            let what = format!("{} on a slice", x.method);
            all.push(plain(&what, "slices a second", [1.0 / x.time.seconds(), 1.0 / y.time.seconds()]));
        }
    }
    all
}
