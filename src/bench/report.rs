//! The results of a bench: one object, which `palpate bench --json` prints and `benches/results/` keeps.

use super::ceilings::Ceilings;
use super::timer::Measured;
use crate::error::{Error, Result};
use crate::plan::Cost;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// All measurements of one adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchReport {
    /// palpate's version.
    pub palpate: String,
    /// True if it was measured with few runs and a coarse slice.
    pub quick: bool,
    /// The adapter.
    pub adapter: Adapter,
    /// The ceilings.
    pub ceilings: Ceilings,
    /// A row for each kernel and reference shape, in the specialisation that is used.
    pub kernels: Vec<Row>,
    /// Rows of the other specialisations.
    pub candidates: Vec<Row>,
    /// Rows of convolutions of other layers.
    pub layers: Vec<Row>,
    /// A training step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<NetworkRow>,
    /// A forward pass of the network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward: Option<NetworkRow>,
    /// DIME on one slice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slice: Option<SliceRow>,
    /// The direct inversion on one slice.
    pub mmdi: Vec<SliceRow>,
}

/// The description of an adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    /// The adapter's own name.
    pub name: String,
    /// The kind: discrete, integrated, virtual, software.
    pub kind: String,
    /// The backend: Vulkan, Metal, Dx12.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// The number of threads of the smallest subgroup.
    pub subgroup: u32,
    /// The machine's processors, on which a software adapter computes.
    pub processors: usize,
    /// True if kernels were timed by the device's own clock.
    pub timestamps: bool,
}

/// One kernel at one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The kernel's name in the table.
    pub kernel: String,
    /// The specialisation of the dispatch with the most work.
    pub spec: String,
    /// Channels and side of the images; the batch is the same in all rows.
    pub shape: String,
    /// Useful arithmetic, 10⁹ per second.
    pub gflops: f64,
    /// Bytes that have to move, 10⁹ per second.
    pub gbs: f64,
    /// The least time that the ceilings allow, over the measured time. It is above 1 if a form saves counted work.
    pub share_of_ceiling: f64,
    /// The measured time.
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

impl BenchReport {
    /// Computes all shares again from a rate of multiply-adds, 10⁹ per second.
    pub(super) fn hold_against(&mut self, fma_gflops: f64) {
        self.ceilings.fma_gflops = fma_gflops;
        let Ceilings { copy_gbs, units_gflops, .. } = self.ceilings;
        for row in self.kernels.iter_mut().chain(&mut self.candidates).chain(&mut self.layers) {
            // Products on matrix units have their own ceiling.
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
pub struct NetworkRow {
    /// Channels of the first block.
    pub chans: usize,
    /// The number of patches of 30 × 30 pixels per batch.
    pub batch: usize,
    /// The time of a batch.
    #[serde(flatten)]
    pub time: Measured,
    /// Patches per second.
    pub patches_per_second: f64,
    /// The arithmetic of convolutions and their gradients, 10⁹ per second.
    pub gflops: f64,
    /// The share of that rate in the ceiling of multiply-adds.
    pub share_of_ceiling: f64,
    /// Device memory held, MiB.
    pub memory_mib: f64,
    /// The time of each part, the longest first; empty without the device's own clock.
    pub parts: Vec<Part>,
}

/// A part of a network's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The stage: convolution, data gradient, norm and activation, …
    pub stage: String,
    /// The kernel.
    #[serde(default)]
    pub kernel: String,
    /// The time of its dispatches, ms.
    pub ms: f64,
    /// The share of that time in the time of all dispatches.
    pub share_of_time: f64,
    /// Arithmetic, 10⁹ per second.
    pub gflops: f64,
}

/// An inversion of one slice, from upload to maps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceRow {
    /// The method of inversion.
    pub method: String,
    /// Rows and columns of the image.
    pub side: usize,
    /// The number of pixels inside the mask.
    pub inside: usize,
    /// The stride of the patches, in pixels, if the method uses patches.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stride: Option<usize>,
    /// The time of the first run with the making of kernels and buffers, ms. A driver's own cache of kernels on disk
    /// shortens it.
    pub cold_ms: f64,
    /// The time of the later runs.
    #[serde(flatten)]
    pub time: Measured,
    /// Device memory held, MiB.
    pub memory_mib: f64,
}

impl BenchReport {
    /// Reads a report from JSON.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read or is not a report.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        serde_json::from_str(&text).map_err(|e| Error::file(path, format!("is not a bench report ({e})")))
    }

    /// The median share of the ceiling of kernel `name` over the reference shapes; `None` without such rows.
    pub fn median_share(&self, name: &str) -> Option<f64> {
        let mut shares: Vec<f64> =
            self.kernels.iter().filter(|row| row.kernel == name).map(|row| row.share_of_ceiling).collect();
        shares.sort_by(f64::total_cmp);
        let n = shares.len();
        (n > 0).then(|| (shares[(n - 1) / 2] + shares[n / 2]) / 2.0)
    }
}
