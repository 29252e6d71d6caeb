//! What a bench found: one object, as `palpate bench --json` prints it and `benches/results/` keeps it.

use super::ceilings::Ceilings;
use super::timer::Measured;
use crate::error::{Error, Result};
use crate::plan::Cost;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// All that was measured on one adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// palpate's version.
    pub palpate: String,
    /// Whether it was measured with few runs and a coarse slice.
    pub quick: bool,
    /// Where.
    pub adapter: Adapter,
    /// What it can do at most.
    pub ceilings: Ceilings,
    /// A row for each kernel and reference shape, in the specialisation that is used.
    pub kernels: Vec<Row>,
    /// The specialisations that are not.
    pub candidates: Vec<Row>,
    /// Convolutions of other layers.
    pub layers: Vec<Row>,
    /// A training step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<Network>,
    /// The network alone, as it is used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward: Option<Network>,
    /// DIME on one slice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slice: Option<Slice>,
    /// The direct inversion on one slice.
    pub mmdi: Vec<Slice>,
}

/// An adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    /// Its own name.
    pub name: String,
    /// Discrete, integrated, virtual, software.
    pub kind: String,
    /// Vulkan, Metal, Dx12.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// Threads of its smallest subgroup.
    pub subgroup: u32,
    /// Processors of the machine, on which a software adapter computes.
    pub processors: usize,
    /// Whether kernels were timed by the device's own clock.
    pub timestamps: bool,
}

/// One kernel at one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// As the table names it.
    pub kernel: String,
    /// The specialisation of the dispatch that does most.
    pub spec: String,
    /// Channels and side; all of one batch.
    pub shape: String,
    /// Useful arithmetic, 10⁹ a second.
    pub gflops: f64,
    /// Bytes that have to move, 10⁹ a second.
    pub gbs: f64,
    /// The least time that the ceilings allow, over the time it took. Above 1 where work that counts can be left out.
    pub share_of_ceiling: f64,
    /// How long it took.
    #[serde(flatten)]
    pub time: Measured,
}

impl Row {
    pub(super) fn new(
        kernel: &str,
        shape: String,
        spec: String,
        cost: Cost,
        time: Measured,
        ceilings: &Ceilings,
    ) -> Self {
        let seconds = time.seconds();
        Self {
            kernel: kernel.into(),
            spec,
            shape,
            gflops: cost.flops / seconds / 1e9,
            gbs: cost.bytes / seconds / 1e9,
            share_of_ceiling: ceilings.least_seconds(cost) / seconds,
            time,
        }
    }
}

impl Report {
    /// Holds all of it against so many multiply-adds, 10⁹ a second.
    pub(super) fn hold_against(&mut self, fma_gflops: f64) {
        self.ceilings.fma_gflops = fma_gflops;
        let Ceilings { copy_gbs, units_gflops, .. } = self.ceilings;
        for row in self.kernels.iter_mut().chain(&mut self.candidates).chain(&mut self.layers) {
            // What multiplies on matrix units has their ceiling.
            let own = units_gflops.filter(|_| row.spec.starts_with("convolve_half"));
            row.share_of_ceiling = (row.gflops / own.unwrap_or(fma_gflops)).max(row.gbs / copy_gbs);
        }
        for network in self.step.iter_mut().chain(&mut self.forward) {
            network.share_of_ceiling = network.gflops / fma_gflops;
        }
    }
}

/// A whole network on batches of patches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Channels of the first block.
    pub chans: usize,
    /// Patches at once, of 30 × 30 pixels.
    pub batch: usize,
    /// How long a batch took.
    #[serde(flatten)]
    pub time: Measured,
    /// Patches a second.
    pub patches_per_second: f64,
    /// Arithmetic of convolutions and their gradients, 10⁹ a second.
    pub gflops: f64,
    /// That, of the FMA ceiling.
    pub share_of_ceiling: f64,
    /// Device memory held, MiB.
    pub memory_mib: f64,
    /// Where the time goes; empty without the device's own clock.
    pub parts: Vec<Part>,
}

/// A part of a network's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Convolution, data gradient, norm and activation, …
    pub stage: String,
    /// The kernel.
    #[serde(default)]
    pub kernel: String,
    /// How long its dispatches took.
    pub ms: f64,
    /// Of all dispatches.
    pub share_of_time: f64,
    /// Arithmetic, 10⁹ a second.
    pub gflops: f64,
}

/// An inversion of one slice, from upload to maps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// What inverts.
    pub method: String,
    /// Rows and columns of the image.
    pub side: usize,
    /// Pixels inside.
    pub inside: usize,
    /// Pixels from one patch to the next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stride: Option<usize>,
    /// The first, with the making of kernels and buffers, ms; what the driver keeps of kernels on disk counts for it.
    pub cold_ms: f64,
    /// Those after.
    #[serde(flatten)]
    pub time: Measured,
    /// Device memory held, MiB.
    pub memory_mib: f64,
}

impl Report {
    /// Reads a report from JSON.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, or is not a report.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        serde_json::from_str(&text)
            .map_err(|e| Error::file(path, format!("is not the report of a bench ({e})")))
    }

    /// The median share of the ceiling of kernel `name` over the reference shapes.
    pub fn median_share(&self, name: &str) -> Option<f64> {
        let mut shares: Vec<f64> =
            self.kernels.iter().filter(|row| row.kernel == name).map(|row| row.share_of_ceiling).collect();
        shares.sort_by(f64::total_cmp);
        let n = shares.len();
        (n > 0).then(|| (shares[(n - 1) / 2] + shares[n / 2]) / 2.0)
    }
}
