//! The learned values of a network on the device.

use crate::device::{Device, Pooled};
use crate::error::Result;
use crate::kernel::learning::adam;
use crate::nn::{Network, Unet, Weights};
use crate::plan::{Buf, Recorder};
use crate::tape::Leaves;

/// A network's parameters and state on the device, with the optimiser's moments.
pub struct Learned<N = Unet> {
    pub(super) device: Device,
    pub(super) network: N,
    /// Parameters, their gradients, Adam's two moments.
    pub(super) buffers: [Pooled; 4],
    state: Pooled,
    pub(super) step: Pooled,
}

impl<N: Network> Learned<N> {
    /// Uploads `weights`, with moments of 0.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory) if the device has no room.
    pub fn new(device: &Device, weights: &Weights<N>) -> Result<Self> {
        let layout = weights.network.layout();
        let storage =
            wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let take =
            |label: &str, len: usize| device.pool().take(device, label, 4 * len.max(4) as u64, storage);
        let len = layout.parameters_len();
        device.check_memory("the parameters and their moments", 16 * len as u64)?;
        let learned = Self {
            device: device.clone(),
            network: weights.network.clone(),
            buffers: [
                take("parameters", len)?,
                take("gradients", len)?,
                take("first moments", len)?,
                take("second moments", len)?,
            ],
            state: take("running statistics", layout.state_len())?,
            step: take("step", size_of::<adam::StepValues>() / 4)?,
        };
        learned.upload(weights, [&vec![0.0; len], &vec![0.0; len]])?;
        Ok(learned)
    }

    /// Replaces parameters, state and Adam's `moments`.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn upload(&self, weights: &Weights<N>, moments: [&[f32]; 2]) -> Result<()> {
        self.device.write(&self.buffers[0], &weights.parameters)?;
        self.device.write(&self.buffers[2], moments[0])?;
        self.device.write(&self.buffers[3], moments[1])?;
        self.device.write(&self.state, &weights.state)
    }

    /// Reads the weights, without metadata.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn weights(&self) -> Result<Weights<N>> {
        let layout = self.network.layout();
        let mut state = self.device.read(&self.state)?;
        state.truncate(layout.state_len());
        Ok(Weights {
            network: self.network.clone(),
            parameters: self.device.read(&self.buffers[0])?,
            state,
            metadata: Default::default(),
        })
    }

    /// Reads the gradients of the last step, in the layout of the parameters.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn gradients(&self) -> Result<Vec<f32>> {
        self.device.read(&self.buffers[1])
    }

    /// Reads Adam's moments, in the layout of the parameters.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn moments(&self) -> Result<[Vec<f32>; 2]> {
        Ok([self.device.read(&self.buffers[2])?, self.device.read(&self.buffers[3])?])
    }

    /// Bytes of device memory held.
    pub fn memory(&self) -> u64 {
        self.buffers.iter().chain([&self.state, &self.step]).map(|b| b.size()).sum()
    }

    pub(super) fn external(&self, rec: &mut Recorder, label: &'static str, buffer: &Pooled) -> Result<Buf> {
        rec.external::<u8>(label, buffer.size() as usize, (**buffer).clone())
    }

    pub(super) fn leaves(&self, rec: &mut Recorder) -> Result<Leaves> {
        Ok(Leaves {
            parameters: self.external(rec, "parameters", &self.buffers[0])?,
            state: self.external(rec, "running statistics", &self.state)?,
            step: self.external(rec, "step", &self.step)?,
        })
    }
}
