//! The losses of batches, and the buffer on the device in which they wait to be read.

use super::objective::Objective;
use crate::device::{Device, Pooled};
use crate::error::{Error, Result};
use crate::plan::{Buf, Plan};
use crate::tensor::{Shape, Tensor};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Maximum number of steps whose losses stay on the device.
pub const MOST_UNREAD: usize = 64;

/// The losses of one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Losses {
    /// The sum of the parts, each times its factor.
    pub total: f32,
    /// The parts, in the order of the objective.
    pub parts: Vec<f32>,
    /// The norm of all gradients together; 0 in validation.
    pub gradient_norm: f32,
}

impl Losses {
    /// `values` are the slots of a batch.
    fn of(values: &[f32]) -> Self {
        let slots: Vec<f32> = values.iter().step_by(SLOT).copied().collect();
        let last = slots.len() - 1;
        Self { total: slots[0], parts: slots[1..last].into(), gradient_norm: slots[last] }
    }

    /// Reports whether no value is NaN or infinite.
    pub fn is_finite(&self) -> bool {
        let Self { total, parts, gradient_norm } = self;
        [total, gradient_norm].into_iter().chain(parts).all(|v| v.is_finite())
    }
}

/// Number of f32 of a scalar on the device.
pub(super) const SLOT: usize = 4;

/// Scalar `i` of a buffer of losses: the total, the parts, then the norm of the gradients.
pub(super) fn slot(losses: Buf, i: usize) -> Tensor {
    Tensor::span(losses, SLOT * i, Shape::SCALAR)
}

/// The losses of batches that were submitted and not read yet. Each submission copies its losses here, so the host need
/// not wait for it.
pub(super) struct Unread {
    device: Device,
    buffer: Pooled,
    /// Number of f32 of one batch.
    each: usize,
    count: AtomicUsize,
}

impl Unread {
    pub fn new(device: &Device, objective: &impl Objective) -> Result<Self> {
        let each = SLOT * slots(objective);
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let buffer = device.pool().take(device, "unread losses", (4 * each * MOST_UNREAD) as u64, usage)?;
        Ok(Self { device: device.clone(), buffer, each, count: AtomicUsize::new(0) })
    }

    /// The bytes of the buffer.
    pub fn bytes(&self) -> u64 {
        self.buffer.size()
    }

    /// The number of unread batches.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Copies the losses that `plan` is about to compute.
    pub fn push(&self, plan: &Plan, losses: Buf) -> Result<()> {
        let at = self.count();
        let from = plan.buffer(losses).filter(|_| at < MOST_UNREAD).ok_or_else(|| {
            Error::Usage(format!(
                "the losses of {MOST_UNREAD} batches are unread; read them before the next batch"
            ))
        })?;
        let bytes = 4 * self.each as u64;
        self.device.copy(from, bytes, &self.buffer, at as u64 * bytes)?;
        self.count.store(at + 1, Ordering::Relaxed);
        Ok(())
    }

    /// Waits for the device and returns the losses in the order of the batches.
    pub fn take(&self) -> Result<Vec<Losses>> {
        let count = self.count.swap(0, Ordering::Relaxed);
        if count == 0 {
            return Ok(Vec::new());
        }
        let values: Vec<f32> = self.device.read(&self.buffer)?;
        Ok(values.chunks_exact(self.each).take(count).map(Losses::of).collect())
    }

    pub fn last(&self) -> Result<Losses> {
        self.take()?.pop().ok_or_else(|| Error::Usage("no batch was submitted".into()))
    }
}

/// Number of scalars of a batch: the total, the parts, the norm of the gradients.
pub(super) fn slots(objective: &impl Objective) -> usize {
    objective.parts().len() + 2
}
