//! `palpate doctor`: what there is to compute on, and what would be used.

use super::{AdapterOption, json, phrase, print};
use palpate::Processor;
use palpate::lowlevel::device::{AdapterChoice, Chosen, Device, adapters, kind};
use palpate::lowlevel::kernel::form::{Form, Product};
use palpate::{Error, Result};
use serde::Serialize;

/// Show the adapters, what they can do and which one would be used
///
/// Example: palpate doctor --adapter nvidia
#[derive(clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    adapter: AdapterOption,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Findings {
    palpate: &'static str,
    adapters: Vec<Found>,
    /// Index of the one that would be used.
    used: Option<usize>,
    why: String,
}

#[derive(Default, Serialize)]
struct Found {
    name: String,
    kind: String,
    backend: String,
    driver: String,
    /// What it can do beyond WebGPU's defaults; `None` where it does not give a device.
    tiers: Option<Vec<String>>,
    timestamps: bool,
    max_buffer_mib: u64,
    max_workgroup_threads: u32,
    workgroup_memory_kib: u32,
    /// Threads of its smallest subgroup.
    subgroup: u32,
    /// How a convolution of 64 channels would be computed.
    convolution: Option<String>,
    problem: Option<String>,
    /// The error behind `problem`.
    #[serde(skip)]
    error: Option<Error>,
}

impl Doctor {
    pub fn run(self) -> Result<()> {
        let infos: Vec<_> = adapters().into_iter().map(|found| found.info).collect();
        let mut found: Vec<Found> = (0..infos.len()).map(|i| Found::examine(i, &infos[i])).collect();
        let choice = self.adapter.choice();
        // The same rule that opens a device decides here, so that the two cannot differ.
        let chosen = palpate::lowlevel::device::choose(&choice);
        let how = match &chosen {
            Ok(Chosen::Processor(how)) => *how,
            _ => Processor::default(),
        };
        let threads = self.adapter.threads.map(usize::from);
        found.push(Found::processor(Processor { threads: how.threads.or(threads), ..how }));
        let (used, problem) = match chosen {
            Ok(Chosen::Gpu(chosen)) => (Some(chosen.index), None),
            Ok(Chosen::Processor(_)) => (Some(found.len() - 1), None),
            Err(error) => (None, Some(error)),
        };
        let why = match (&choice, &problem) {
            (_, Some(error)) => phrase(error),
            (AdapterChoice::Best, _) if used == Some(found.len() - 1) => {
                "there is no GPU; a software driver is used only by name".into()
            }
            (AdapterChoice::Best, _) => "the most capable GPU there is: discrete, integrated, virtual".into(),
            _ => "asked for with --adapter".into(),
        };
        let findings = Findings { palpate: env!("CARGO_PKG_VERSION"), adapters: found, used, why };
        print(&if self.json { json(&findings)? } else { findings.text() })?;
        match problem {
            Some(error) => Err(error),
            None => findings.usable(),
        }
    }
}

impl Found {
    fn examine(index: usize, info: &palpate::wgpu::AdapterInfo) -> Self {
        let mut found = Self {
            name: info.name.clone(),
            kind: kind(info.device_type).into(),
            backend: format!("{:?}", info.backend),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
            ..Self::default()
        };
        found.add(Device::open_with_units(&AdapterChoice::Index(index)));
        found
    }

    fn processor(how: Processor) -> Self {
        let mut found = Self { name: Processor::name(), kind: "processor".into(), ..Self::default() };
        let device = Device::processor(how);
        if let Ok(device) = &device {
            found.driver = device.caps().info.driver_info.clone();
        }
        found.add(device);
        found
    }

    /// Adds the abilities of the device, or the reason why there is none.
    fn add(&mut self, device: Result<Device>) {
        match device {
            Ok(device) => {
                let caps = device.caps();
                self.tiers = Some(caps.tiers().iter().map(ToString::to_string).collect());
                self.timestamps = caps.timestamps();
                self.subgroup = caps.info.subgroup_min_size;
                let form = Form::candidates(caps, Product::LARGE).first().copied();
                self.convolution = form.map(|form| form.described_on(caps));
                self.max_buffer_mib = caps.max_binding() >> 20;
                self.max_workgroup_threads = caps.limits.max_compute_invocations_per_workgroup;
                self.workgroup_memory_kib = caps.limits.max_compute_workgroup_storage_size >> 10;
            }
            Err(error) => {
                self.problem = Some(error.to_string());
                self.error = Some(error);
            }
        }
    }
}

impl Findings {
    /// The chosen adapter gives a device.
    fn usable(mut self) -> Result<()> {
        match self.used.and_then(|i| self.adapters[i].error.take()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("palpate {}\n", self.palpate);
        for (i, a) in self.adapters.iter().enumerate() {
            let mark = if self.used == Some(i) { "  <- used" } else { "" };
            if a.backend.is_empty() {
                text += &format!("\ncpu: {}{mark}\n   {}, {}\n", a.name, a.kind, a.driver);
                if let Some(problem) = &a.problem {
                    text += &format!("   cannot be used: {problem}\n");
                }
                continue;
            }
            text += &format!("\n{i}: {}{mark}\n", a.name);
            text += &format!("   {} through {}, driver {}\n", a.kind, a.backend, a.driver);
            if let Some(problem) = &a.problem {
                text += &format!("   cannot be used: {problem}\n");
                continue;
            }
            text += &format!("   tiers: {}\n", a.tiers.as_deref().unwrap_or_default().join(", "));
            text += &format!(
                "   limits: {} MiB a buffer, {} threads and {} KiB a workgroup; timestamps: {}\n",
                a.max_buffer_mib,
                a.max_workgroup_threads,
                a.workgroup_memory_kib,
                if a.timestamps { "yes" } else { "no" }
            );
            let form = a.convolution.as_deref().unwrap_or_default();
            text += &format!("   subgroups of {} at least; convolutions: {form}\n", a.subgroup);
        }
        if let Some(i) = self.used {
            text += &format!("\nUsed: {} ({}).\n", self.adapters[i].name, self.why);
        }
        text
    }
}
