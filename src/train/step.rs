//! One step of training as one plan: forward, loss, gradients, optimiser; and the loss alone, for validation.

use crate::error::{Error, Result};
use crate::gpu::{Gpu, Pooled};
use crate::kernel::form::{Chooser, Question};
use crate::kernel::learning::adam;
use crate::kernel::nn::concatenate;
use crate::nn::{Mode, Unet, Weights};
use crate::plan::{Buf, Plan, Recorder, Spec};
use crate::tape::{Leaves, Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// What a network learns, on the device.
pub struct Learned {
    gpu: Gpu,
    unet: Unet,
    /// Parameters, their gradients, Adam's two moments.
    buffers: [Pooled; 4],
    state: Pooled,
    step: Pooled,
}

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The factor λ of the mean total variation beside the mean square error.
    pub total_variation: f32,
    /// Whether each patch comes with a mask, outside of which nothing counts.
    pub masked: bool,
}

/// The losses of one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// Mean square error + λ · total variation, (kPa)².
    pub total: f32,
    /// The mean square error, (kPa)².
    pub mse: f32,
    /// The mean total variation, kPa a pixel.
    pub total_variation: f32,
    /// The norm of all gradients together; 0 in validation.
    pub gradient_norm: f32,
}

impl Learned {
    /// Uploads `weights`, with moments of 0.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when the device has no room.
    pub fn new(gpu: &Gpu, weights: &Weights) -> Result<Self> {
        let layout = weights.unet.layout();
        let storage =
            wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let take = |label: &str, len: usize| gpu.pool().take(gpu, label, 4 * len.max(4) as u64, storage);
        let len = layout.parameters_len();
        gpu.check_memory("the parameters and their moments", 16 * len as u64)?;
        let learned = Self {
            gpu: gpu.clone(),
            unet: weights.unet.clone(),
            buffers: [
                take("parameters", len)?,
                take("gradients", len)?,
                take("first moments", len)?,
                take("second moments", len)?,
            ],
            state: take("running statistics", layout.state_len())?,
            step: take("step", size_of::<adam::Step>() / 4)?,
        };
        learned.upload(weights, [&vec![0.0; len], &vec![0.0; len]])?;
        Ok(learned)
    }

    /// Puts `weights` and Adam's `moments` in the place of what there was.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn upload(&self, weights: &Weights, moments: [&[f32]; 2]) -> Result<()> {
        self.gpu.scoped("uploading weights", || {
            let write = |buffer: &wgpu::Buffer, data: &[f32]| {
                self.gpu.queue().write_buffer(buffer, 0, bytemuck::cast_slice(data));
            };
            write(&self.buffers[0], &weights.parameters);
            write(&self.buffers[2], moments[0]);
            write(&self.buffers[3], moments[1]);
            write(&self.state, &weights.state);
        })
    }

    /// Reads the weights back, with no metadata.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn weights(&self) -> Result<Weights> {
        let layout = self.unet.layout();
        let mut state = self.gpu.read(&self.state)?;
        state.truncate(layout.state_len());
        Ok(Weights {
            unet: self.unet.clone(),
            parameters: self.gpu.read(&self.buffers[0])?,
            state,
            metadata: Default::default(),
        })
    }

    /// Reads the gradients of the last step back, laid out as the parameters.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn gradients(&self) -> Result<Vec<f32>> {
        self.gpu.read(&self.buffers[1])
    }

    /// Reads Adam's moments back, laid out as the parameters.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn moments(&self) -> Result<[Vec<f32>; 2]> {
        Ok([self.gpu.read(&self.buffers[2])?, self.gpu.read(&self.buffers[3])?])
    }

    /// Bytes of device memory held.
    pub fn memory(&self) -> u64 {
        self.buffers.iter().chain([&self.state, &self.step]).map(|b| b.size()).sum()
    }

    fn external(&self, rec: &mut Recorder, label: &'static str, buffer: &Pooled) -> Result<Buf> {
        rec.external::<u8>(label, buffer.size() as usize, (**buffer).clone())
    }

    fn leaves(&self, rec: &mut Recorder) -> Result<Leaves> {
        Ok(Leaves {
            parameters: self.external(rec, "parameters", &self.buffers[0])?,
            state: self.external(rec, "running statistics", &self.state)?,
            step: self.external(rec, "step", &self.step)?,
        })
    }
}

/// The variables of the network with its losses on a tape.
struct Taped {
    tape: Tape,
    input: Var,
    target: Var,
    mask: Option<Var>,
    output: Var,
    /// Total, mean square error, total variation.
    losses: [Var; 3],
    parameters: Vec<Var>,
}

impl Taped {
    fn new(unet: &Unet, [n, h, w]: [usize; 3], objective: Objective, mode: Mode) -> Result<Self> {
        let mut tape = Tape::new();
        let registered = unet.layout().register(&mut tape);
        let image = |c| Shape::new(n, h, w, c);
        let input = tape.input(image(unet.settings().in_channels));
        let target = tape.input(image(unet.settings().out_channels));
        let mask = objective.masked.then(|| tape.input(image(1)));
        let output = unet.forward(&mut tape, &registered, input, mode)?;
        let mse = tape.mse(output, target, mask)?;
        let total_variation = tape.total_variation(output, mask)?;
        // With no weight on it the total variation is measured all the same, but needs no gradient.
        let terms = [(mse, 1.0), (total_variation, objective.total_variation)];
        let total = tape.combine(if objective.total_variation == 0.0 { &terms[..1] } else { &terms })?;
        let losses = [total, mse, total_variation];
        Ok(Self { tape, input, target, mask, output, losses, parameters: registered.parameters })
    }

    /// A buffer for the losses, and what is to be computed: the parts of the loss, which go there, and the output.
    fn want(&self, rec: &mut Recorder) -> (Buf, Vec<(Var, Option<Tensor>)>) {
        let losses = rec.output::<[f32; 4]>("losses", 4);
        let [total, mse, variation] = self.losses;
        (
            losses,
            vec![
                (total, None),
                (mse, Some(slot(losses, 1))),
                (variation, Some(slot(losses, 2))),
                (self.output, None),
            ],
        )
    }

    /// Copies the total there too: it is computed from the parts, and no dispatch can read and write one buffer.
    fn total(&self, rec: &mut Recorder, lowering: &Lowering, losses: Buf) {
        concatenate::record_extract(rec, lowering.tensor(self.losses[0]), 0, slot(losses, 0));
    }

    fn inputs(&self, lowering: &Lowering) -> Inputs {
        let buf = |var| lowering.input(var).expect("the losses read every input");
        Inputs { input: buf(self.input), target: buf(self.target), mask: self.mask.map(buf) }
    }
}

/// The buffers a batch is written to.
struct Inputs {
    input: Buf,
    target: Buf,
    mask: Option<Buf>,
}

impl Inputs {
    fn write(&self, plan: &Plan, input: &[f32], target: &[f32], mask: &[f32]) -> Result<()> {
        plan.write(self.input, input)?;
        plan.write(self.target, target)?;
        self.mask.map_or(Ok(()), |buf| plan.write(buf, mask))
    }
}

/// A step of training, compiled.
pub struct TrainStep {
    plan: Plan,
    inputs: Inputs,
    output: Buf,
    losses: Buf,
    step: wgpu::Buffer,
    gpu: Gpu,
    betas: [f32; 2],
}

impl TrainStep {
    /// Compiles a step on batches of `[n, h, w]`. `progress` is told how many kernels of how many are compiled.
    ///
    /// # Errors
    /// [`Error::Usage`] when the images are too small for the pools, [`Error::OutOfMemory`] when it does not fit.
    pub fn new(
        chooser: &Chooser,
        learned: &Learned,
        size: [usize; 3],
        objective: Objective,
        optimiser: adam::Settings,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let (rec, inputs, output, losses) = Self::record(chooser, learned, size, objective, optimiser)?;
        let plan = Plan::compile(rec, chooser.pipelines(), progress)?;
        let step = (*learned.step).clone();
        Ok(Self { plan, inputs, output, losses, step, gpu: learned.gpu.clone(), betas: optimiser.betas })
    }

    /// Bytes of device memory that [`TrainStep::new`] will take, beside what is [`Learned`], and those of its largest
    /// buffer; nothing is allocated.
    ///
    /// # Errors
    /// As of [`TrainStep::new`].
    pub fn memory_needed(
        chooser: &Chooser,
        learned: &Learned,
        size: [usize; 3],
        objective: Objective,
    ) -> Result<[u64; 2]> {
        Ok(Self::record(chooser, learned, size, objective, Default::default())?.0.memory())
    }

    /// The specialisations that [`TrainStep::new`] would run, to qualify them; nothing is compiled.
    ///
    /// # Errors
    /// As [`TrainStep::new`].
    pub fn specs(
        chooser: &Chooser,
        learned: &Learned,
        size: [usize; 3],
        objective: Objective,
    ) -> Result<Vec<Spec>> {
        Ok(Self::record(chooser, learned, size, objective, Default::default())?.0.specs())
    }

    /// The questions that a chooser answers for a step, to tune.
    ///
    /// # Errors
    /// As [`TrainStep::new`].
    pub fn questions(unet: &Unet, size: [usize; 3], objective: Objective) -> Result<Vec<Question>> {
        let mut taped = Taped::new(unet, size, objective, Mode::Train)?;
        taped.tape.gradients(taped.losses[0], &taped.parameters)?;
        Ok(taped.tape.questions())
    }

    fn record(
        chooser: &Chooser,
        learned: &Learned,
        size: [usize; 3],
        objective: Objective,
        optimiser: adam::Settings,
    ) -> Result<(Recorder, Inputs, Buf, Buf)> {
        let mut taped = Taped::new(&learned.unet, size, objective, Mode::Train)?;
        let gradients = taped.tape.gradients(taped.losses[0], &taped.parameters)?;
        let mut rec = Recorder::new();
        let leaves = learned.leaves(&mut rec)?;
        let flat = learned.external(&mut rec, "gradients", &learned.buffers[1])?;
        let layout = learned.unet.layout();
        let (losses, mut wanted) = taped.want(&mut rec);
        for (entry, gradient) in layout.parameters.iter().zip(gradients) {
            let gradient = gradient
                .ok_or_else(|| Error::Usage(format!("the loss does not depend on '{}'", entry.name)))?;
            wanted.push((gradient, Some(Tensor::span(flat, entry.first, entry.shape()))));
        }
        let lowering = Lowering::new(&taped.tape, &mut rec, chooser, leaves, &[], &wanted)?;
        taped.total(&mut rec, &lowering, losses);
        let norm = slot(losses, 3);
        rec.stage("optimiser");
        adam::record_norm(&mut rec, flat, layout.parameters_len(), norm);
        let first = learned.external(&mut rec, "first moments", &learned.buffers[2])?;
        let second = learned.external(&mut rec, "second moments", &learned.buffers[3])?;
        let state = adam::State {
            parameters: leaves.parameters,
            gradients: flat,
            moments: [first, second],
            len: layout.parameters_len(),
        };
        adam::record(&mut rec, leaves.step, state, norm, optimiser);
        let output = lowering.tensor(taped.output).buf;
        rec.keep(output);
        Ok((rec, taped.inputs(&lowering), output, losses))
    }

    /// One step on `input` `[n, 2, h, w]`, `target` and `mask` `[n, 1, h, w]` (no mask where the objective has none).
    /// `step` counts from 1.
    ///
    /// # Errors
    /// [`Error::Usage`] for data of another size, and whatever the device reports.
    pub fn run(
        &self,
        [input, target, mask]: [&[f32]; 3],
        seed: u32,
        step: u32,
        learning_rate: f32,
    ) -> Result<Losses> {
        self.inputs.write(&self.plan, input, target, mask)?;
        self.submit(seed, step, learning_rate)?;
        Losses::read(&self.plan, self.losses)
    }

    /// Once more on the batch that was last given, without waiting: for benches.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn submit(&self, seed: u32, step: u32, learning_rate: f32) -> Result<()> {
        self.gpu.write(&self.step, &[adam::Step::new(seed, step, learning_rate, self.betas)])?;
        self.plan.run()
    }

    /// What the network made of the last batch, `[n, h, w, 1]` with channels padded to 4.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn output(&self) -> Result<Vec<f32>> {
        self.plan.read(self.output)
    }

    /// Bytes of device memory held, beside what is [`Learned`].
    pub fn memory(&self) -> u64 {
        self.plan.memory()
    }

    /// The plan: to time, on the batch that was last given.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Fills all that the step computes with NaN: what reads something never written then shows.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn poison(&self) -> Result<()> {
        self.plan.poison()
    }

    /// Floating-point operations of one step.
    pub fn flops(&self) -> f64 {
        self.plan.timings().map(|t| t.cost.flops).sum()
    }
}

impl Losses {
    fn read(plan: &Plan, losses: Buf) -> Result<Self> {
        let values: Vec<f32> = plan.read(losses)?;
        let [total, mse, total_variation, gradient_norm] = [0, 4, 8, 12].map(|i| values[i]);
        Ok(Self { total, mse, total_variation, gradient_norm })
    }
}

/// Number `i` of a buffer of losses.
fn slot(losses: Buf, i: usize) -> Tensor {
    Tensor::span(losses, 4 * i, Shape::SCALAR)
}

/// The loss of a network as it is used, on batches of one size.
pub struct Validation {
    plan: Plan,
    inputs: Inputs,
    losses: Buf,
}

impl Validation {
    /// Compiles the losses of what is `learned` on batches of `[n, h, w]`.
    ///
    /// # Errors
    /// As of [`TrainStep::new`].
    pub fn new(
        chooser: &Chooser,
        learned: &Learned,
        size: [usize; 3],
        objective: Objective,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let (rec, inputs, losses) = Self::record(chooser, learned, size, objective)?;
        Ok(Self { plan: Plan::compile(rec, chooser.pipelines(), progress)?, inputs, losses })
    }

    /// Bytes of device memory that [`Validation::new`] will take, as of [`TrainStep::memory_needed`].
    ///
    /// # Errors
    /// As of [`TrainStep::new`].
    pub fn memory_needed(
        chooser: &Chooser,
        learned: &Learned,
        size: [usize; 3],
        objective: Objective,
    ) -> Result<u64> {
        Ok(Self::record(chooser, learned, size, objective)?.0.memory()[0])
    }

    /// The specialisations that [`Validation::new`] would run, to qualify them; nothing is compiled.
    ///
    /// # Errors
    /// As [`TrainStep::new`].
    pub fn specs(
        chooser: &Chooser,
        learned: &Learned,
        size: [usize; 3],
        objective: Objective,
    ) -> Result<Vec<Spec>> {
        Ok(Self::record(chooser, learned, size, objective)?.0.specs())
    }

    fn record(
        chooser: &Chooser,
        learned: &Learned,
        size: [usize; 3],
        objective: Objective,
    ) -> Result<(Recorder, Inputs, Buf)> {
        let taped = Taped::new(&learned.unet, size, objective, Mode::Infer)?;
        let mut rec = Recorder::new();
        let leaves = learned.leaves(&mut rec)?;
        let (losses, wanted) = taped.want(&mut rec);
        let lowering = Lowering::new(&taped.tape, &mut rec, chooser, leaves, &[], &wanted)?;
        taped.total(&mut rec, &lowering, losses);
        let inputs = taped.inputs(&lowering);
        Ok((rec, inputs, losses))
    }

    /// The losses of a batch, as [`TrainStep::run`] takes it.
    ///
    /// # Errors
    /// As of [`TrainStep::run`].
    pub fn run(&self, [input, target, mask]: [&[f32]; 3]) -> Result<Losses> {
        self.inputs.write(&self.plan, input, target, mask)?;
        self.plan.run()?;
        Ok(Losses { gradient_norm: 0.0, ..Losses::read(&self.plan, self.losses)? })
    }
}
