//! The processor: its instruction sets, its threads, and its memory. This module knows no plans and no kernels. All of
//! the crate's `unsafe` for the processor is here, with the argument why each use is sound.

mod instructions;
mod memory;
mod share;
mod simd;
mod team;

pub use instructions::Instructions;
pub(crate) use instructions::Present;
pub use memory::Memory;
pub(crate) use memory::{Reading, Writing};
pub(crate) use simd::{Edge, NOWHERE, Outer, Panel, Side, Strip, Tap, Tile, Transform, chains};
pub use team::Team;

/// How to compute on the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Processor {
    /// The number of threads; `None` for all that the machine offers.
    pub threads: Option<usize>,
    /// The instruction set; `None` for the widest that the machine has.
    pub instructions: Option<Instructions>,
}

impl Processor {
    /// The number of threads.
    pub fn threads(self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
    }

    /// The instruction set; `None` if the machine does not have the one asked for.
    pub fn instructions(self) -> Option<Instructions> {
        self.instructions.map_or_else(|| Some(Instructions::best()), |own| own.exist().then_some(own))
    }

    /// The processor's own name, as far as the system tells it.
    pub fn name() -> String {
        // Linux alone has this file; elsewhere the architecture is all that is known.
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        model.map_or_else(|| format!("{} processor", std::env::consts::ARCH), |(_, name)| name.trim().into())
    }
}
