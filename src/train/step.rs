//! One step of training as one plan: forward pass, loss, gradients, optimiser. The loss alone is a second plan, for
//! validation.

use super::learned::Learned;
use super::losses::{Losses, SLOT, Unread, slot, slots};
use super::objective::Objective;
use crate::device::{Buffer, Device};
use crate::error::{Error, Result};
use crate::kernel::form::{Chooser, Question};
use crate::kernel::learning::adam::{self, AdamBuffers, AdamSettings};
use crate::kernel::nn::concatenate;
use crate::nn::{Channels, Network, NetworkMode};
use crate::plan::{Buf, Plan, Recorder, Spec};
use crate::size::Size;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// The variables of a network with its losses on a tape.
struct Taped {
    tape: Tape,
    /// Those of the network, then those of the objective.
    inputs: Vec<Var>,
    output: Var,
    total: Var,
    parts: Vec<Var>,
    parameters: Vec<Var>,
}

impl Taped {
    fn new(
        network: &impl Network,
        (n, image): (usize, Size),
        objective: &impl Objective,
        mode: NetworkMode,
    ) -> Result<Self> {
        let mut tape = Tape::new();
        let registered = network.layout().register(&mut tape);
        let Channels { inputs, output } = network.channels();
        let mut input = |shape| tape.input(shape);
        let images = |c| Shape::images(n, image, c);
        let own: Vec<_> = inputs.into_iter().map(images).map(&mut input).collect();
        let targets: Vec<_> = objective.inputs(images(output)).into_iter().map(&mut input).collect();
        let output = network.forward(&mut tape, &registered, &own, mode)?;
        let parts = objective.record(&mut tape, output, &targets)?;
        let factors = objective.parts();
        if parts.len() != factors.len() {
            let what = format!("an objective of {} parts put {} on the tape", factors.len(), parts.len());
            return Err(Error::Usage(what));
        }
        let terms = parts.iter().zip(&factors).map(|(var, part)| (*var, part.factor));
        let terms: Vec<_> = terms.filter(|(_, factor)| *factor != 0.0).collect();
        let total = tape.combine(&terms)?;
        let inputs = [own, targets].concat();
        Ok(Self { tape, inputs, output, total, parts, parameters: registered.parameters })
    }

    /// A buffer for the losses, and the variables to compute: the parts of the loss, in that buffer, and the output.
    fn want(&self, rec: &mut Recorder) -> (Buf, Vec<(Var, Option<Tensor>)>) {
        let losses = rec.output::<[f32; SLOT]>("losses", self.parts.len() + 2);
        let parts = self.parts.iter().enumerate().map(|(i, part)| (*part, Some(slot(losses, i + 1))));
        let all = [(self.total, None)].into_iter().chain(parts).chain([(self.output, None)]);
        (losses, all.collect())
    }

    /// Copies the total into that buffer. It is computed from the parts, and no dispatch can read and write one buffer.
    fn total(&self, rec: &mut Recorder, lowering: &Lowering, losses: Buf) {
        concatenate::record_extract(rec, lowering.tensor(self.total), 0, slot(losses, 0));
    }

    fn inputs(&self, lowering: &Lowering) -> Result<Inputs> {
        let buf = |(i, var): (usize, &Var)| {
            let buf = lowering.input(*var).ok_or_else(|| {
                Error::Usage(format!("network and objective do not use input number {i} of a batch"))
            })?;
            Ok((buf, self.tape.shape(*var).len()))
        };
        Ok(Inputs(self.inputs.iter().enumerate().map(buf).collect::<Result<_>>()?))
    }
}

/// The buffers of a batch and their numbers of values: the network's inputs, then those of the objective.
struct Inputs(Vec<(Buf, usize)>);

impl Inputs {
    fn write(&self, plan: &Plan, batch: &[&[f32]]) -> Result<()> {
        if batch.len() != self.0.len() {
            return Err(Error::Usage(format!("a batch has {} arrays, not {}", self.0.len(), batch.len())));
        }
        for (i, ((buf, len), array)) in self.0.iter().zip(batch).enumerate() {
            if array.len() != *len {
                let what = format!("array {i} of a batch has {} values, not {len}", array.len());
                return Err(Error::Usage(what));
            }
            plan.write(*buf, array)?;
        }
        Ok(())
    }
}

/// A compiled step of training.
pub struct TrainStep {
    plan: Plan,
    inputs: Inputs,
    output: Buf,
    losses: Buf,
    unread: Unread,
    step: Buffer,
    device: Device,
    betas: [f32; 2],
}

impl TrainStep {
    /// Compiles a step on batches of `size`: the number of images and their size. `progress` receives the number of
    /// compiled kernels and the total.
    ///
    /// # Errors
    /// The network's error for images that are too small, and [`Error::OutOfMemory`] if the step does not fit the
    /// device.
    pub fn new(
        chooser: &Chooser,
        learned: &Learned<impl Network>,
        size: (usize, Size),
        objective: &impl Objective,
        optimiser: AdamSettings,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let (rec, inputs, output, losses) = Self::record(chooser, learned, size, objective, optimiser)?;
        let plan = Plan::compile(rec, chooser.pipelines(), progress)?;
        let device = learned.device.clone();
        let unread = Unread::new(&device, objective)?;
        let step = (*learned.step).clone();
        Ok(Self { plan, inputs, output, losses, unread, step, device, betas: optimiser.betas })
    }

    /// Bytes of device memory that [`TrainStep::new`] will take in addition to [`Learned`], and those of its largest
    /// buffer. Nothing is allocated.
    ///
    /// # Errors
    /// Those of [`TrainStep::new`].
    pub fn memory_needed(
        chooser: &Chooser,
        learned: &Learned<impl Network>,
        size: (usize, Size),
        objective: &impl Objective,
    ) -> Result<[u64; 2]> {
        Ok(Self::record(chooser, learned, size, objective, Default::default())?.0.memory())
    }

    /// The specialisations that [`TrainStep::new`] would run, to qualify them. Nothing is compiled.
    ///
    /// # Errors
    /// Those of [`TrainStep::new`].
    pub fn specs(
        chooser: &Chooser,
        learned: &Learned<impl Network>,
        size: (usize, Size),
        objective: &impl Objective,
    ) -> Result<Vec<Spec>> {
        Ok(Self::record(chooser, learned, size, objective, Default::default())?.0.specs())
    }

    /// The questions that a chooser answers for a step, to tune.
    ///
    /// # Errors
    /// Those of [`TrainStep::new`].
    pub fn questions(
        network: &impl Network,
        size: (usize, Size),
        objective: &impl Objective,
    ) -> Result<Vec<Question>> {
        let mut taped = Taped::new(network, size, objective, NetworkMode::Train)?;
        taped.tape.gradients(taped.total, &taped.parameters)?;
        Ok(taped.tape.questions())
    }

    fn record(
        chooser: &Chooser,
        learned: &Learned<impl Network>,
        size: (usize, Size),
        objective: &impl Objective,
        optimiser: AdamSettings,
    ) -> Result<(Recorder, Inputs, Buf, Buf)> {
        let mut taped = Taped::new(&learned.network, size, objective, NetworkMode::Train)?;
        let gradients = taped.tape.gradients(taped.total, &taped.parameters)?;
        let mut rec = Recorder::new();
        let leaves = learned.leaves(&mut rec)?;
        let flat = learned.external(&mut rec, "gradients", &learned.buffers[1])?;
        let layout = learned.network.layout();
        let (losses, mut wanted) = taped.want(&mut rec);
        for (entry, gradient) in layout.parameters.iter().zip(gradients) {
            let gradient = gradient
                .ok_or_else(|| Error::Usage(format!("the loss does not depend on '{}'", entry.name)))?;
            wanted.push((gradient, Some(Tensor::span(flat, entry.first, entry.shape()))));
        }
        let lowering = Lowering::new(&taped.tape, &mut rec, chooser, leaves, &[], &wanted)?;
        taped.total(&mut rec, &lowering, losses);
        let norm = slot(losses, slots(objective) - 1);
        rec.stage("optimiser");
        adam::record_norm(&mut rec, flat, layout.parameters_len(), norm);
        let first = learned.external(&mut rec, "first moments", &learned.buffers[2])?;
        let second = learned.external(&mut rec, "second moments", &learned.buffers[3])?;
        let state = AdamBuffers {
            parameters: leaves.parameters,
            gradients: flat,
            moments: [first, second],
            len: layout.parameters_len(),
        };
        adam::record(&mut rec, leaves.step, state, norm, optimiser);
        let output = lowering.tensor(taped.output).buf;
        rec.keep(output);
        Ok((rec, taped.inputs(&lowering)?, output, losses))
    }

    /// Runs one step on `batch` and waits for its losses. `batch` holds the network's inputs, then those of the
    /// objective, each `[n, channels, h, w]`. `step` counts from 1. Unread losses of earlier steps are dropped.
    ///
    /// # Errors
    /// [`Error::Usage`] for arrays of another size or number, and all errors of the device.
    pub fn run(&self, batch: &[&[f32]], seed: u32, step: u32, learning_rate: f32) -> Result<Losses> {
        self.start(batch, seed, step, learning_rate)?;
        self.unread.last()
    }

    /// Like [`TrainStep::run`], without waiting: [`TrainStep::losses`] returns the losses later.
    ///
    /// # Errors
    /// Those of [`TrainStep::run`], and [`Error::Usage`] if [`MOST_UNREAD`](super::MOST_UNREAD) steps are unread.
    pub fn start(&self, batch: &[&[f32]], seed: u32, step: u32, learning_rate: f32) -> Result<()> {
        self.inputs.write(&self.plan, batch)?;
        self.submit(seed, step, learning_rate)?;
        self.unread.push(&self.plan, self.losses)
    }

    /// Number of started steps whose losses are unread.
    pub fn unread(&self) -> usize {
        self.unread.count()
    }

    /// Waits for the device, and returns the losses of all steps started since the last call.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn losses(&self) -> Result<Vec<Losses>> {
        self.unread.take()
    }

    /// Runs a step again on the last batch, without waiting and without keeping its losses: for benchmarks.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn submit(&self, seed: u32, step: u32, learning_rate: f32) -> Result<()> {
        self.device.write(&self.step, &[adam::StepValues::new(seed, step, learning_rate, self.betas)])?;
        self.plan.run()
    }

    /// The network's output for the last batch, `[n, h, w, c]` with channels padded to a multiple of 4.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn output(&self) -> Result<Vec<f32>> {
        self.plan.read(self.output)
    }

    /// Bytes of device memory held in addition to [`Learned`].
    pub fn memory(&self) -> u64 {
        self.plan.memory() + self.unread.bytes()
    }

    /// The plan, to time it on the last batch.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Fills everything that the step computes with NaN, so that a read of something never written shows.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn poison(&self) -> Result<()> {
        self.plan.poison()
    }

    /// Floating-point operations of one step.
    pub fn flops(&self) -> f64 {
        self.plan.timings().map(|t| t.cost.flops).sum()
    }
}

/// The compiled loss of a network in use, on batches of one size.
pub struct Validation {
    plan: Plan,
    inputs: Inputs,
    losses: Buf,
    unread: Unread,
}

impl Validation {
    /// Compiles the losses of `learned` on batches of `size`: the number of images and their size.
    ///
    /// # Errors
    /// Those of [`TrainStep::new`].
    pub fn new(
        chooser: &Chooser,
        learned: &Learned<impl Network>,
        size: (usize, Size),
        objective: &impl Objective,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let (rec, inputs, losses) = Self::record(chooser, learned, size, objective)?;
        let plan = Plan::compile(rec, chooser.pipelines(), progress)?;
        Ok(Self { plan, inputs, losses, unread: Unread::new(&learned.device, objective)? })
    }

    /// Bytes of device memory that [`Validation::new`] will take. Nothing is allocated.
    ///
    /// # Errors
    /// Those of [`TrainStep::new`].
    pub fn memory_needed(
        chooser: &Chooser,
        learned: &Learned<impl Network>,
        size: (usize, Size),
        objective: &impl Objective,
    ) -> Result<u64> {
        Ok(Self::record(chooser, learned, size, objective)?.0.memory()[0])
    }

    /// The specialisations that [`Validation::new`] would run, to qualify them. Nothing is compiled.
    ///
    /// # Errors
    /// Those of [`TrainStep::new`].
    pub fn specs(
        chooser: &Chooser,
        learned: &Learned<impl Network>,
        size: (usize, Size),
        objective: &impl Objective,
    ) -> Result<Vec<Spec>> {
        Ok(Self::record(chooser, learned, size, objective)?.0.specs())
    }

    fn record(
        chooser: &Chooser,
        learned: &Learned<impl Network>,
        size: (usize, Size),
        objective: &impl Objective,
    ) -> Result<(Recorder, Inputs, Buf)> {
        let taped = Taped::new(&learned.network, size, objective, NetworkMode::Infer)?;
        let mut rec = Recorder::new();
        let leaves = learned.leaves(&mut rec)?;
        let (losses, wanted) = taped.want(&mut rec);
        let lowering = Lowering::new(&taped.tape, &mut rec, chooser, leaves, &[], &wanted)?;
        taped.total(&mut rec, &lowering, losses);
        let inputs = taped.inputs(&lowering)?;
        Ok((rec, inputs, losses))
    }

    /// Computes the losses of `batch`, which is that of [`TrainStep::run`], without waiting.
    ///
    /// # Errors
    /// Those of [`TrainStep::start`].
    pub fn start(&self, batch: &[&[f32]]) -> Result<()> {
        self.inputs.write(&self.plan, batch)?;
        self.plan.run()?;
        self.unread.push(&self.plan, self.losses)
    }

    /// Number of started batches whose losses are unread.
    pub fn unread(&self) -> usize {
        self.unread.count()
    }

    /// Waits for the device, and returns the losses of all batches started since the last call.
    ///
    /// # Errors
    /// All errors of the device.
    pub fn losses(&self) -> Result<Vec<Losses>> {
        let all = self.unread.take()?;
        // Nothing writes the last slot in validation.
        Ok(all.into_iter().map(|losses| Losses { gradient_norm: 0.0, ..losses }).collect())
    }

    /// Computes the losses of `batch` and waits for them.
    ///
    /// # Errors
    /// Those of [`Validation::start`].
    pub fn run(&self, batch: &[&[f32]]) -> Result<Losses> {
        self.start(batch)?;
        Ok(Losses { gradient_norm: 0.0, ..self.unread.last()? })
    }
}
