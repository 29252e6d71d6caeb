//! A network without scaling or masking, on batches of images of one size.

use super::network::{Channels, Network, NetworkMode};
use super::weights::Weights;
use crate::device::Buffer;
use crate::error::{Error, Result};
use crate::kernel::form::Chooser;
use crate::kernel::nn::pack;
use crate::plan::{Buf, Plan, Recorder, Spec};
use crate::size::Size;
use crate::tape::{Leaves, Lowering, Tape};
use crate::tensor::{Shape, Tensor};

/// A network compiled for images of one size.
pub struct Forward {
    plan: Plan,
    inputs: Vec<Images>,
    output: Images,
    batch: usize,
}

/// A buffer of images `[n, c, h, w]`, and the number of values of one image.
type Images = (Buf, usize);

impl Forward {
    /// Compiles the network of `weights` for `batch` images of `size` at once. The batch is halved until it fits the
    /// device. `progress` receives the number of compiled kernels and the total.
    ///
    /// # Errors
    /// [`Error::Data`] if the images are too small for the network or too large for the device, [`Error::OutOfMemory`]
    /// if not even one fits its memory.
    pub fn new<N: Network>(
        chooser: &Chooser,
        weights: &Weights<N>,
        size: Size,
        batch: usize,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let device = chooser.pipelines().device();
        let caps = device.caps();
        let mut batch = batch.max(1);
        loop {
            let (rec, inputs, output) = Self::record(chooser, weights, Shape::images(batch, size, 0), None)?;
            let [all, largest] = rec.memory();
            if largest <= caps.max_binding() || batch == 1 {
                let room = device.check_memory(&format!("{batch} images of {size} pixels"), all);
                match room.and_then(|()| Plan::compile(rec, chooser.pipelines(), progress)) {
                    Err(Error::OutOfMemory { .. }) if batch > 1 => {}
                    plan => return Ok(Self { plan: plan?, inputs, output, batch }),
                }
            }
            batch = batch.div_ceil(2);
        }
    }

    /// The specialisations that [`Forward::new`] would run, to qualify them; nothing is compiled.
    ///
    /// # Errors
    /// Those of [`Forward::new`].
    pub fn specs<N: Network>(
        chooser: &Chooser,
        weights: &Weights<N>,
        size: Size,
        batch: usize,
    ) -> Result<Vec<Spec>> {
        Ok(Self::record(chooser, weights, Shape::images(batch.max(1), size, 0), None)?.0.specs())
    }

    /// Compiles the network for a host's own buffers of f32: one of `inputs` for each input `[batch, in, h, w]`, and
    /// `output` for `[batch, out, h, w]`. [`Forward::encode`] then records it into the host's encoder.
    ///
    /// # Errors
    /// Those of [`Forward::new`], and [`Error::Usage`] if the network has another number of inputs, or if a buffer is
    /// too small or has no `STORAGE`.
    pub fn embedded<N: Network>(
        chooser: &Chooser,
        weights: &Weights<N>,
        size: Size,
        batch: usize,
        inputs: &[Buffer],
        output: Buffer,
    ) -> Result<Self> {
        let wanted = weights.network.channels().inputs.len();
        if inputs.len() != wanted {
            return Err(Error::Usage(format!(
                "inputs of the network: {wanted}; buffers that the host lends for them: {}",
                inputs.len()
            )));
        }
        let shape = Shape::images(batch.max(1), size, 0);
        let (rec, inputs, output) = Self::record(chooser, weights, shape, Some((inputs, output)))?;
        let plan = Plan::compile(rec, chooser.pipelines(), &|_, _| {})?;
        Ok(Self { plan, inputs, output, batch: shape.n })
    }

    /// Records the whole network into `encoder`. Submits, maps and polls nothing. `self` must live until `encoder` is
    /// submitted.
    ///
    /// # Errors
    /// [`Error::Usage`] on the processor, which has no encoders.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        self.plan.encode(encoder)
    }

    fn record<N: Network>(
        chooser: &Chooser,
        weights: &Weights<N>,
        shape: Shape,
        host: Option<(&[Buffer], Buffer)>,
    ) -> Result<(Recorder, Vec<Images>, Images)> {
        let network = &weights.network;
        let mut tape = Tape::new();
        let registered = network.layout().register(&mut tape);
        let Channels { inputs, .. } = network.channels();
        let inputs: Vec<_> = inputs.into_iter().map(|c| tape.input(Shape { c, ..shape })).collect();
        let output = network.forward(&mut tape, &registered, &inputs, NetworkMode::Infer)?;
        let mut rec = Recorder::new();
        let leaves = Leaves {
            parameters: rec.constant("parameters", &weights.parameters),
            state: rec.constant("state", &weights.state),
            step: rec.constant("step", &[0u32; 8]),
        };
        let (from, to) = host.map_or((&[][..], None), |(inputs, output)| (inputs, Some(output)));
        rec.stage("data movement");
        let (mut given, mut images) = (Vec::new(), Vec::new());
        for (i, var) in inputs.into_iter().enumerate() {
            let own = tape.shape(var);
            let buf = match from.get(i) {
                Some(buffer) => rec.external::<f32>("network input", own.len(), buffer.clone())?,
                None => rec.input::<f32>("network input", own.len()),
            };
            let packed = Tensor::scratch(&mut rec, "images", own);
            pack::pack(&mut rec, buf, packed);
            given.push((var, packed));
            images.push((buf, own.len() / own.n));
        }
        let own = tape.shape(output);
        let result = match to {
            Some(buffer) => rec.external::<f32>("network output", own.len(), buffer)?,
            None => rec.output::<f32>("network output", own.len()),
        };
        let lowering = Lowering::new(&tape, &mut rec, chooser, leaves, &given, &[(output, None)])?;
        rec.stage("data movement");
        pack::unpack(&mut rec, lowering.tensor(output), result);
        Ok((rec, images, (result, own.len() / own.n)))
    }

    /// Number of images computed at once.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The plan: to time.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Bytes of device memory held.
    pub fn memory(&self) -> u64 {
        self.plan.memory()
    }

    /// Computes the output `[n, out, h, w]` for `images` `[n, in, h, w]`, whose channels are those of all inputs, one
    /// input after the other. `progress` receives the number of finished images after each batch.
    ///
    /// # Errors
    /// [`Error::Usage`] if `images` is not a whole number of images, and all errors of the device.
    pub fn run(&self, images: &[f32], progress: &dyn Fn(usize)) -> Result<Vec<f32>> {
        let own: usize = self.inputs.iter().map(|(_, len)| len).sum();
        let (output, out) = self.output;
        if !images.len().is_multiple_of(own) {
            return Err(Error::Usage(format!(
                "{} values are no whole number of images of {own} values",
                images.len()
            )));
        }
        let mut results = Vec::with_capacity(images.len() / own * out);
        for batch in images.chunks(own * self.batch) {
            // A short last batch leaves images of the previous one in the buffer. Their results are dropped.
            let mut first = 0;
            for (buf, len) in &self.inputs {
                let channels = batch.chunks(own).flat_map(|image| &image[first..first + len]);
                self.plan.write(*buf, &channels.copied().collect::<Vec<_>>())?;
                first += len;
            }
            self.plan.run()?;
            let mut result: Vec<f32> = self.plan.read(output)?;
            result.truncate(batch.len() / own * out);
            results.extend(result);
            progress(results.len() / out);
        }
        Ok(results)
    }
}
