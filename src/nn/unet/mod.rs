//! The U-Net of the DIME family (Iftikhar, Ahmad, Kolipaka 2025, after Ronneberger et al. 2015): encoding blocks with
//! pooling, a bottleneck, decoding blocks with skip connections. A block is two 3 × 3 convolutions without bias, each
//! followed by norm, Leaky ReLU and dropout. Coarser views of a patch's surroundings may go through an encoder of their
//! own.

mod infer;

use super::layout::{LayoutEntry, ParameterLayout, Registered};
use super::network::{Channels, Network, NetworkMode};
use crate::error::{Error, Result};
use crate::kernel::nn::convolve::Geometry;
use crate::kernel::nn::norm::Per;
use crate::kernel::nn::pool::Pooling;
use crate::kernel::nn::upsample::Upsampling;
use crate::size::Size;
use crate::tape::{Tape, Var};
use infer::{DROPOUT, PATCH, POOL, SURROUNDINGS, UP};
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The Leaky ReLU's slope below zero.
const SLOPE: f32 = 0.2;

/// Maximum number of views of the surroundings.
const MOST_VIEWS: usize = 8;

/// Maximum number of parameters: with this many, they fill the largest buffer of any device.
const MOST_LEARNED: usize = 1 << 30;

/// The norm after each convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NormKind {
    /// Over each image, without scale and shift (the authors' code).
    Instance,
    /// Over the batch, with scale, shift and running statistics (the paper).
    Batch,
}

impl std::fmt::Display for NormKind {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Instance { "instance" } else { "batch" })
    }
}

/// The upsampling at the start of a decoding block, by 2 in rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Up {
    /// A transposed 2 × 2 convolution to half the channels, norm and Leaky ReLU.
    Transpose,
    /// Bilinear interpolation, all channels kept.
    Bilinear,
    /// Bilinear interpolation, then a convolution of `side` × `side` (1 or 3) to half the channels, norm and Leaky
    /// ReLU.
    /// `index` (0 or 1) is its index among the block's layers in the state dictionary.
    BilinearConvolution {
        /// Rows and columns of the weights.
        side: u8,
        /// The index among the layers.
        index: u8,
    },
}

impl std::fmt::Display for Up {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Transpose { "transpose" } else { "bilinear" })
    }
}

impl Up {
    /// The convolution: its index among the block's layers, and its geometry.
    fn convolution(self) -> Option<(usize, Geometry)> {
        match self {
            Up::Transpose => Some((0, Geometry::Up)),
            Up::Bilinear => None,
            Up::BilinearConvolution { side: 1, index } => Some((index.into(), Geometry::One)),
            Up::BilinearConvolution { index, .. } => Some((index.into(), Geometry::Three)),
        }
    }
}

/// The settings of a U-Net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnetSettings {
    /// Channels in: the real and the imaginary part.
    pub in_channels: usize,
    /// Channels out: the shear modulus.
    pub out_channels: usize,
    /// Channels of the first block; each pool doubles them.
    pub chans: usize,
    /// Number of pools. Each halves the image.
    pub pools: usize,
    /// Norm.
    pub norm: NormKind,
    /// Pooling.
    pub pooling: Pooling,
    /// Upsampling.
    pub up: Up,
    /// Rate of the dropout of channels after each Leaky ReLU of a block, in training only.
    pub dropout: f32,
    /// Number of coarser views of a patch's surroundings, 0 if the network sees only the patch. All views together are
    /// a second input `[n, h, w, surroundings · in_channels]`, of the size of the patch. An encoder of its own reads it,
    /// like that of the patch. The features of both are concatenated before the bottleneck.
    #[serde(default)]
    pub surroundings: usize,
}

impl UnetSettings {
    /// The encoders: the names of their blocks, and the channels of their inputs. The patch comes first.
    fn encoders(&self) -> Vec<(&'static str, usize)> {
        let views = (self.surroundings > 0).then_some((SURROUNDINGS, self.surroundings * self.in_channels));
        [(PATCH, self.in_channels)].into_iter().chain(views).collect()
    }
}

impl Default for UnetSettings {
    fn default() -> Self {
        Self {
            in_channels: 2,
            out_channels: 1,
            chans: 64,
            pools: 3,
            norm: NormKind::Instance,
            pooling: Pooling::Max,
            up: Up::Transpose,
            dropout: 0.0,
            surroundings: 0,
        }
    }
}

impl std::fmt::Display for UnetSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { chans, pools, norm, pooling, up, surroundings, .. } = self;
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let s = plural(*pools);
        write!(f, "U-Net of {chans} channels, {pools} {pooling} pool{s}, {up} up, {norm} norm")?;
        match *surroundings {
            0 => Ok(()),
            views => write!(f, ", {views} view{} of the surroundings", plural(views)),
        }
    }
}

/// A U-Net.
#[derive(Clone, Debug)]
pub struct Unet {
    settings: UnetSettings,
    layout: ParameterLayout,
}

impl Network for Unet {
    type Settings = UnetSettings;

    /// # Errors
    /// [`Error::Setting`] if a number of channels, pools or views, or the dropout rate, is out of range.
    /// [`Error::Usage`] if there are too many parameters.
    fn new(settings: UnetSettings) -> Result<Self> {
        let UnetSettings { in_channels, out_channels, chans, pools, dropout, surroundings, .. } = settings;
        let channels = [("in_channels", in_channels), ("out_channels", out_channels), ("chans", chans)];
        if let Some((name, value)) = channels.into_iter().find(|(_, c)| !(1..=1024).contains(c)) {
            return Err(Error::setting(name, value, "it must be from 1 to 1024 channels"));
        }
        if !(1..=8).contains(&pools) {
            return Err(Error::setting("pools", pools, "it must be from 1 to 8 pools"));
        }
        if surroundings > MOST_VIEWS {
            let range = "it must be from 0 to 8 views of the surroundings";
            return Err(Error::setting("surroundings", surroundings, range));
        }
        if !(0.0..1.0).contains(&dropout) {
            return Err(Error::setting("dropout", dropout, "it must be a rate from 0 to below 1"));
        }
        let layout = Self::lay_out(&settings);
        if layout.learned() > MOST_LEARNED {
            return Err(Error::Usage(format!(
                "a U-Net of {chans} channels and {pools} pools has {} parameters, but the maximum is {MOST_LEARNED}; \
                 choose fewer channels or pools",
                layout.learned()
            )));
        }
        Ok(Self { settings, layout })
    }

    fn settings(&self) -> &UnetSettings {
        &self.settings
    }

    fn layout(&self) -> &ParameterLayout {
        &self.layout
    }

    fn describe(&self) -> String {
        self.settings.to_string()
    }

    fn channels(&self) -> Channels {
        let inputs = self.settings.encoders().into_iter().map(|(_, channels)| channels).collect();
        Channels { inputs, output: self.settings.out_channels }
    }

    /// Checks that something is left of the image after the pools.
    fn check_size(&self, size: Size) -> Result<()> {
        let UnetSettings { pools, norm, .. } = self.settings;
        let bottom = (size.ny >> pools) * (size.nx >> pools);
        if bottom > 1 || (bottom == 1 && norm == NormKind::Batch) {
            return Ok(());
        }
        let least = 1 << pools;
        let (other, why) = match norm {
            NormKind::Batch => (least, ""),
            NormKind::Instance => (2 * least, ", as instance norm needs more than one pixel for a mean"),
        };
        Err(Error::Data(format!(
            "images of {size} pixels are too small for a U-Net of {pools} pools: {least} × {other} is the minimum{why}"
        )))
    }

    fn forward(
        &self,
        tape: &mut Tape,
        registered: &Registered,
        inputs: &[Var],
        mode: NetworkMode,
    ) -> Result<Var> {
        self.check_inputs(tape, inputs)?;
        let mut builder = self.builder(registered, tape, mode);
        let (patch, skips) = builder.encode(PATCH, inputs[0])?;
        let around = match inputs.get(1) {
            Some(views) => Some(builder.encode(SURROUNDINGS, *views)?.0),
            None => None,
        };
        builder.decode(patch, around, &skips)
    }

    /// Reads channels, pools, norm and views from the tensors, and the rest from the metadata.
    fn read_settings(
        tensors: &SafeTensors,
        metadata: &mut BTreeMap<String, String>,
    ) -> Result<UnetSettings, String> {
        infer::infer(tensors, metadata)
    }

    fn settings_metadata(&self) -> Result<BTreeMap<String, String>> {
        let UnetSettings { pooling, up, dropout, .. } = self.settings;
        let own = [(POOL, pooling.to_string()), (UP, up.to_string()), (DROPOUT, dropout.to_string())];
        Ok(own.map(|(key, value)| (key.to_string(), value)).into())
    }

    /// The authors' interpolating module has transposed convolutions that it does not use.
    fn ignores(&self, name: &str) -> bool {
        self.settings.up == Up::Bilinear && name.starts_with("up_transpose_conv.")
    }
}

impl Unet {
    /// Puts the network on `tape` twice, for one patch with each of `surroundings`, and returns both outputs. The patch is
    /// encoded once.
    ///
    /// # Errors
    /// Those of [`Network::forward`].
    pub fn forward_twice(
        &self,
        tape: &mut Tape,
        registered: &Registered,
        patch: Var,
        surroundings: [Var; 2],
        mode: NetworkMode,
    ) -> Result<[Var; 2]> {
        for views in surroundings {
            self.check_inputs(tape, &[patch, views])?;
        }
        let mut builder = self.builder(registered, tape, mode);
        let (patch, skips) = builder.encode(PATCH, patch)?;
        let mut output = |views: Var| {
            let (around, _) = builder.encode(SURROUNDINGS, views)?;
            builder.decode(patch, Some(around), &skips)
        };
        let [first, second] = surroundings.map(&mut output);
        Ok([first?, second?])
    }

    fn check_inputs(&self, tape: &Tape, inputs: &[Var]) -> Result<()> {
        let wanted = self.channels().inputs;
        let given: Vec<_> = inputs.iter().map(|input| tape.shape(*input).c).collect();
        if given != wanted {
            return Err(Error::Usage(format!(
                "this U-Net takes inputs of {wanted:?} channels, but the inputs have {given:?}"
            )));
        }
        self.check_size(tape.shape(inputs[0]).size())
    }

    fn builder<'a>(
        &'a self,
        registered: &'a Registered,
        tape: &'a mut Tape,
        mode: NetworkMode,
    ) -> Builder<'a> {
        Builder { settings: &self.settings, layout: &self.layout, registered, tape, mode, dropouts: 0 }
    }

    fn lay_out(settings: &UnetSettings) -> ParameterLayout {
        let UnetSettings { out_channels, chans, pools, norm, up, .. } = *settings;
        let mut layout = ParameterLayout::default();
        let unit = |layout: &mut ParameterLayout, name: &str, index: usize, geometry, ci, co| {
            layout.weights(&format!("{name}.layers.{index}.weight"), geometry, ci, co);
            if norm == NormKind::Batch {
                layout.norm(&format!("{name}.layers.{}", index + 1), co);
            }
        };
        let block = |layout: &mut ParameterLayout, name: &str, ci, co| {
            unit(layout, name, 0, Geometry::Three, ci, co);
            unit(layout, name, 4, Geometry::Three, co, co);
        };
        let encoders = settings.encoders();
        for (name, channels) in &encoders {
            for i in 0..pools {
                let ci = if i == 0 { *channels } else { chans << (i - 1) };
                block(&mut layout, &format!("{name}.{i}"), ci, chans << i);
            }
        }
        block(&mut layout, "conv", encoders.len() * (chans << (pools - 1)), chans << pools);
        for i in 0..pools {
            let co = chans << (pools - 1 - i);
            if let Some((index, geometry)) = up.convolution() {
                unit(&mut layout, &format!("up_transpose_conv.{i}"), index, geometry, 2 * co, co);
            }
            let ci = if up == Up::Bilinear { 3 * co } else { 2 * co };
            block(&mut layout, &Self::up_conv(i, pools), ci, co);
        }
        layout.weights(&format!("up_conv.{}.1.weight", pools - 1), Geometry::One, chans, out_channels);
        layout.vector(&format!("up_conv.{}.1.bias", pools - 1), out_channels);
        layout
    }

    fn up_conv(i: usize, pools: usize) -> String {
        if i + 1 == pools { format!("up_conv.{i}.0") } else { format!("up_conv.{i}") }
    }
}

/// Puts the parts of a U-Net on a tape.
struct Builder<'a> {
    settings: &'a UnetSettings,
    layout: &'a ParameterLayout,
    registered: &'a Registered,
    tape: &'a mut Tape,
    mode: NetworkMode,
    /// Number of dropouts so far.
    dropouts: u32,
}

impl Builder<'_> {
    fn parameter(&self, name: &str) -> Var {
        self.registered.parameters[LayoutEntry::position(&self.layout.parameters, name)]
    }

    /// Blocks and pools. Returns the features, and the results of the blocks.
    fn encode(&mut self, name: &str, input: Var) -> Result<(Var, Vec<Var>)> {
        let (mut x, mut skips) = (input, Vec::new());
        for i in 0..self.settings.pools {
            x = self.block(&format!("{name}.{i}"), x)?;
            skips.push(x);
            x = self.tape.pool(x, self.settings.pooling)?;
        }
        Ok((x, skips))
    }

    /// The bottleneck, the upsampling and the last convolution, from the features of the encoders and from the results of
    /// the blocks of the patch's.
    fn decode(&mut self, patch: Var, surroundings: Option<Var>, skips: &[Var]) -> Result<Var> {
        let (pools, up) = (self.settings.pools, self.settings.up);
        let mut x = match surroundings {
            Some(surroundings) => self.tape.concatenate([patch, surroundings])?,
            None => patch,
        };
        x = self.block("conv", x)?;
        for (i, skip) in skips.iter().rev().enumerate() {
            if up != Up::Transpose {
                x = self.tape.upsample(x, Upsampling::Bilinear);
            }
            if let Some((index, geometry)) = up.convolution() {
                x = self.unit(&format!("up_transpose_conv.{i}"), index, geometry, x)?;
            }
            x = self.tape.pad(x, self.tape.shape(*skip).size())?;
            x = self.tape.concatenate([x, *skip])?;
            x = self.block(&Unet::up_conv(i, pools), x)?;
        }
        let last = format!("up_conv.{}.1", pools - 1);
        let bias = Some(self.parameter(&format!("{last}.bias")));
        let weights = self.parameter(&format!("{last}.weight"));
        self.tape.convolve(x, weights, bias, Geometry::One)
    }

    fn block(&mut self, name: &str, x: Var) -> Result<Var> {
        let mut x = x;
        for index in [0, 4] {
            x = self.unit(name, index, Geometry::Three, x)?;
            if self.mode == NetworkMode::Train {
                x = self.tape.dropout(x, self.settings.dropout, self.dropouts)?;
                self.dropouts += 1;
            }
        }
        Ok(x)
    }

    /// Convolution, norm, Leaky ReLU.
    fn unit(&mut self, name: &str, index: usize, geometry: Geometry, x: Var) -> Result<Var> {
        let weights = self.parameter(&format!("{name}.layers.{index}.weight"));
        let x = self.tape.convolve(x, weights, None, geometry)?;
        let norm = format!("{name}.layers.{}", index + 1);
        let (statistics, affine) = match self.settings.norm {
            NormKind::Instance => (self.tape.statistics(x, Per::Image, None)?, None),
            NormKind::Batch => {
                let affine = ["weight", "bias"].map(|part| self.parameter(&format!("{norm}.{part}")));
                let running = self.registered.state[LayoutEntry::position(&self.layout.state, &norm)];
                let statistics = match self.mode {
                    NetworkMode::Train => self.tape.statistics(x, Per::Batch, Some(running))?,
                    NetworkMode::Infer => self.tape.running_statistics(running),
                };
                (statistics, Some(affine))
            }
        };
        self.tape.norm(x, statistics, affine, SLOPE)
    }
}
