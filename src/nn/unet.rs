//! The U-Net of the DIME family (Iftikhar, Ahmad, Kolipaka 2025, after Ronneberger et al. 2015): encoding blocks with
//! pooling, a bottleneck, decoding blocks with skip connections. A block is two 3 × 3 convolutions without bias, each
//! followed by norm, Leaky ReLU and dropout.

use super::layout::{Entry, Layout, Registered};
use crate::error::{Error, Result};
use crate::gpu::Caps;
use crate::kernel::nn::convolve::Geometry;
use crate::kernel::nn::norm::Per;
use crate::kernel::nn::pool::Pooling;
use crate::kernel::nn::upsample::Upsampling;
use crate::tape::{Tape, Var};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// The Leaky ReLU's slope below zero.
const SLOPE: f32 = 0.2;

/// Parameters of a network at most: with as many, they fill the largest buffer there is.
const MOST_LEARNED: usize = 1 << 30;

/// Which norm follows each convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// Over each image, without scale and shift: the authors' code.
    Instance,
    /// Over the batch, with scale, shift and running statistics: the paper.
    Batch,
}

impl std::fmt::Display for Norm {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Instance { "instance" } else { "batch" })
    }
}

/// How a decoding block doubles rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Up {
    /// A transposed 2 × 2 convolution to half the channels, norm and Leaky ReLU.
    Transpose,
    /// Bilinear interpolation, all channels kept.
    Bilinear,
    /// Bilinear interpolation, then a convolution of `side` × `side` (1 or 3) to half the channels, norm and Leaky ReLU.
    /// It is number `index` (0 or 1) of its block's layers in the state dictionary.
    BilinearConvolution {
        /// Rows and columns of the weights.
        side: u8,
        /// Its number among the layers.
        index: u8,
    },
}

impl std::fmt::Display for Up {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Transpose { "transpose" } else { "bilinear" })
    }
}

impl Up {
    /// Its convolution: the number among the block's layers, and what it brings together.
    fn convolution(self) -> Option<(usize, Geometry)> {
        match self {
            Up::Transpose => Some((0, Geometry::Up)),
            Up::Bilinear => None,
            Up::BilinearConvolution { side: 1, index } => Some((index.into(), Geometry::One)),
            Up::BilinearConvolution { index, .. } => Some((index.into(), Geometry::Three)),
        }
    }
}

/// What a U-Net is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnetSettings {
    /// Channels in: the real and the imaginary part.
    pub in_channels: usize,
    /// Channels out: the shear modulus.
    pub out_channels: usize,
    /// Channels of the first block; each pool doubles them.
    pub chans: usize,
    /// How often images are halved.
    pub pools: usize,
    /// Norm.
    pub norm: Norm,
    /// Pooling.
    pub pooling: Pooling,
    /// Upsampling.
    pub up: Up,
    /// Rate of the dropout of channels after each Leaky ReLU of a block, in training.
    pub dropout: f32,
}

impl Default for UnetSettings {
    fn default() -> Self {
        Self {
            in_channels: 2,
            out_channels: 1,
            chans: 64,
            pools: 3,
            norm: Norm::Instance,
            pooling: Pooling::Max,
            up: Up::Transpose,
            dropout: 0.0,
        }
    }
}

impl std::fmt::Display for UnetSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { chans, pools, norm, pooling, up, .. } = self;
        let plural = if *pools == 1 { "" } else { "s" };
        write!(f, "U-Net of {chans} channels, {pools} {pooling} pool{plural}, {up} up, {norm} norm")
    }
}

/// Whether a network learns or is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics, running ones updated, dropout.
    Train,
    /// Running statistics, no dropout.
    Infer,
}

/// A U-Net: its settings and where its parameters lie.
#[derive(Clone, Debug)]
pub struct Unet {
    settings: UnetSettings,
    layout: Layout,
}

impl Unet {
    /// A U-Net of `settings`.
    ///
    /// # Errors
    /// [`Error::Usage`] for settings without channels, without pools or with more of either than could be.
    pub fn new(settings: UnetSettings) -> Result<Self> {
        let UnetSettings { in_channels, out_channels, chans, pools, dropout, .. } = settings;
        let could_be = [in_channels, out_channels, chans].iter().all(|c| (1..=1024).contains(c));
        if !could_be || !(1..=8).contains(&pools) {
            return Err(Error::Usage(format!(
                "a U-Net has 1 to 1024 channels in ({in_channels}), out ({out_channels}) and in its first block \
                 ({chans}), and 1 to 8 pools ({pools})"
            )));
        }
        if !(0.0..1.0).contains(&dropout) {
            return Err(Error::Usage(format!("a dropout rate is from 0 to below 1, not {dropout}")));
        }
        let layout = Self::lay_out(&settings);
        if layout.learned() > MOST_LEARNED {
            return Err(Error::Usage(format!(
                "a U-Net of {chans} channels and {pools} pools has {} parameters, and {MOST_LEARNED} is the most; \
                 choose fewer channels or pools",
                layout.learned()
            )));
        }
        Ok(Self { settings, layout })
    }

    /// Refuses a network whose parameters no buffer of a device can hold: before they are made up or allocated.
    ///
    /// # Errors
    /// [`Error::Data`] that says how large a buffer would be wanted.
    pub fn check_device(&self, caps: &Caps) -> Result<()> {
        let [bytes, most] = [4 * self.layout.parameters_len() as u64, caps.max_binding()];
        if bytes <= most {
            return Ok(());
        }
        Err(Error::Data(format!(
            "a {} has {} parameters, which want a buffer of {} MiB, where {} allows {}; choose fewer --chans or --pools",
            self.settings,
            self.layout.learned(),
            bytes >> 20,
            caps.info.name,
            most >> 20
        )))
    }

    /// What it is made of.
    pub fn settings(&self) -> &UnetSettings {
        &self.settings
    }

    /// Its parameters: names, shapes, places.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn lay_out(settings: &UnetSettings) -> Layout {
        let UnetSettings { in_channels, out_channels, chans, pools, norm, up, .. } = *settings;
        let mut layout = Layout::default();
        let unit = |layout: &mut Layout, name: &str, index: usize, geometry, ci, co| {
            layout.weights(&format!("{name}.layers.{index}.weight"), geometry, ci, co);
            if norm == Norm::Batch {
                layout.norm(&format!("{name}.layers.{}", index + 1), co);
            }
        };
        let block = |layout: &mut Layout, name: &str, ci, co| {
            unit(layout, name, 0, Geometry::Three, ci, co);
            unit(layout, name, 4, Geometry::Three, co, co);
        };
        for i in 0..pools {
            let ci = if i == 0 { in_channels } else { chans << (i - 1) };
            block(&mut layout, &format!("down_sample_layers.{i}"), ci, chans << i);
        }
        block(&mut layout, "conv", chans << (pools - 1), chans << pools);
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

    /// Refuses images of `h` × `w` pixels that are too small for the pools.
    ///
    /// # Errors
    /// [`Error::Data`] with the least size.
    pub fn check_size(&self, [h, w]: [usize; 2]) -> Result<()> {
        let UnetSettings { pools, norm, .. } = self.settings;
        let bottom = (h >> pools) * (w >> pools);
        if bottom > 1 || (bottom == 1 && norm == Norm::Batch) {
            return Ok(());
        }
        let least = 1 << pools;
        let (other, why) = match norm {
            Norm::Batch => (least, ""),
            Norm::Instance => (2 * least, ", as instance norm takes the mean over more than one pixel"),
        };
        Err(Error::Data(format!(
            "images of {h} × {w} pixels are too small for a U-Net of {pools} pools: {least} × {other} is the least{why}"
        )))
    }

    pub(super) fn up_conv(i: usize, pools: usize) -> String {
        if i + 1 == pools { format!("up_conv.{i}.0") } else { format!("up_conv.{i}") }
    }

    /// Puts the network on `tape` for `input` `[n, h, w, in_channels]`. `parameters` and `state` are what
    /// [`Layout::register`] put there. Returns `[n, h, w, out_channels]`.
    ///
    /// # Errors
    /// [`Error::Data`] when the images are too small for the pools, [`Error::Usage`] when `input` has other channels.
    pub fn forward(&self, tape: &mut Tape, registered: &Registered, input: Var, mode: Mode) -> Result<Var> {
        let settings = &self.settings;
        let Shape { h, w, .. } = tape.shape(input);
        self.check_size([h, w])?;
        let pools = settings.pools;
        let mut walk = Walk { settings, layout: &self.layout, registered, tape, mode, site: 0 };
        let mut skips = Vec::new();
        let mut x = input;
        for i in 0..pools {
            x = walk.block(&format!("down_sample_layers.{i}"), x)?;
            skips.push(x);
            x = walk.tape.pool(x, settings.pooling)?;
        }
        x = walk.block("conv", x)?;
        for (i, skip) in skips.into_iter().rev().enumerate() {
            if settings.up != Up::Transpose {
                x = walk.tape.upsample(x, Upsampling::Bilinear);
            }
            if let Some((index, geometry)) = settings.up.convolution() {
                x = walk.unit(&format!("up_transpose_conv.{i}"), index, geometry, x)?;
            }
            let Shape { h, w, .. } = walk.tape.shape(skip);
            x = walk.tape.pad(x, [h, w])?;
            x = walk.tape.concatenate([x, skip])?;
            x = walk.block(&Self::up_conv(i, pools), x)?;
        }
        let last = format!("up_conv.{}.1", pools - 1);
        let bias = Some(walk.parameter(&format!("{last}.bias")));
        let weights = walk.parameter(&format!("{last}.weight"));
        walk.tape.convolve(x, weights, bias, Geometry::One)
    }
}

/// A walk through the network, tape in hand.
struct Walk<'a> {
    settings: &'a UnetSettings,
    layout: &'a Layout,
    registered: &'a Registered,
    tape: &'a mut Tape,
    mode: Mode,
    /// How many dropouts there have been.
    site: u32,
}

impl Walk<'_> {
    fn parameter(&self, name: &str) -> Var {
        self.registered.parameters[Entry::position(&self.layout.parameters, name)]
    }

    fn block(&mut self, name: &str, x: Var) -> Result<Var> {
        let mut x = x;
        for index in [0, 4] {
            x = self.unit(name, index, Geometry::Three, x)?;
            if self.mode == Mode::Train {
                x = self.tape.dropout(x, self.settings.dropout, self.site)?;
                self.site += 1;
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
            Norm::Instance => (self.tape.statistics(x, Per::Image, None)?, None),
            Norm::Batch => {
                let affine = ["weight", "bias"].map(|part| self.parameter(&format!("{norm}.{part}")));
                let running = self.registered.state[Entry::position(&self.layout.state, &norm)];
                let statistics = match self.mode {
                    Mode::Train => self.tape.statistics(x, Per::Batch, Some(running))?,
                    Mode::Infer => self.tape.running_statistics(running),
                };
                (statistics, Some(affine))
            }
        };
        self.tape.norm(x, statistics, affine, SLOPE)
    }
}
