//! A plan on the processor: native forms of kernels, and what a dispatch hands to them.

use super::params::Params;
use super::record::{Bound, Dispatch, Extent, Resource, TextureNode};
use super::{Buffers, Spec};
use crate::device::{Buffer, Device, Texture, foreign};
use crate::error::{Error, Result};
use crate::processor::{Memory, Reading, Team, Writing};
use crate::shader::Access;

/// The native form of a kernel. It computes what the shader computes, in all workgroups of one dispatch.
pub(crate) type Native = fn(&mut Call);

/// The largest number of bindings of a kernel.
const MOST_BINDINGS: usize = 10;

/// One dispatch on the processor. Bindings are numbered from 0, in the order of the kernel's row.
pub(crate) struct Call<'a> {
    spec: &'a Spec,
    params: &'a [u8],
    team: &'a Team,
    read: [&'a [u8]; MOST_BINDINGS],
    written: [&'a mut [u8]; MOST_BINDINGS],
    texture_width: usize,
}

impl<'a> Call<'a> {
    /// The uniform parameters.
    pub fn params<P: Params>(&self) -> P {
        P::of(self.params)
    }

    /// The value of a constant of the specialisation.
    ///
    /// # Panics
    /// If there is no such constant, because a form that misspells it cannot run.
    pub fn constant(&self, name: &str) -> u32 {
        self.spec.constant(name).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The threads that compute.
    pub fn team(&self) -> &'a Team {
        self.team
    }

    /// The values of a binding that is only read, as far as the dispatch stated.
    pub fn read<T: bytemuck::Pod>(&self, binding: usize) -> &'a [T] {
        // An empty slice of bytes need not be aligned.
        if self.read[binding].is_empty() { &[] } else { bytemuck::cast_slice(self.read[binding]) }
    }

    /// The values of a binding that is written, as far as the dispatch stated; for a texture its texels of four bytes.
    /// A second call for the same binding returns nothing.
    pub fn write<T: bytemuck::Pod>(&mut self, binding: usize) -> &'a mut [T] {
        let bytes = std::mem::take(&mut self.written[binding]);
        if bytes.is_empty() { &mut [] } else { bytemuck::cast_slice_mut(bytes) }
    }

    /// The texels from one row to the next of the texture that is bound; 0 if there is none.
    pub fn texture_width(&self) -> usize {
        self.texture_width
    }
}

/// The parts of a plan on the processor besides its buffers.
pub(super) struct OnProcessor {
    /// The texels of each texture, and how many there are in a row.
    textures: Vec<(Memory, usize)>,
}

impl OnProcessor {
    pub fn new(dispatches: &[Dispatch], buffers: &Buffers, textures: Vec<TextureNode>) -> Result<Self> {
        for Dispatch { spec, bound, .. } in dispatches {
            if spec.native().is_none() || spec.kernel.bindings.len() > MOST_BINDINGS {
                return Err(Error::kernel(spec.label(), "has no form for the processor; use a GPU"));
            }
            for buf in bound.iter().filter_map(|bound| bound.buffer()) {
                on_processor(buffers.slot(buf))?;
            }
        }
        let texture = |node: TextureNode| {
            let [width, height] = node.size().map(|n| n as usize);
            let memory = match node {
                TextureNode::Owned { .. } => Memory::zeroed(4 * width * height)?,
                TextureNode::External(Texture::Memory(memory, _)) => memory,
                TextureNode::External(Texture::Gpu(_)) => return Err(foreign()),
            };
            Ok((memory, width))
        };
        let made = Self { textures: textures.into_iter().map(texture).collect::<Result<_>>()? };
        dispatches.iter().try_for_each(|dispatch| made.check(dispatch, buffers))?;
        Ok(made)
    }

    /// Refuses a dispatch that binds the memory of its texture as a buffer too: it would wait for itself.
    pub fn check(&self, Dispatch { spec, bound, .. }: &Dispatch, buffers: &Buffers) -> Result<()> {
        let name = |i: usize| spec.kernel.bindings[i].name;
        for (i, own) in bound.iter().enumerate() {
            let Resource::Texture(tex) = own.resource else { continue };
            let texels = self.texture(tex.0);
            let same = |other: &Bound| other.buffer().and_then(|buf| buffers.slot(buf).memory()) == texels;
            if let Some(j) = bound.iter().position(|other| other.buffer().is_some() && same(other)) {
                return Err(Error::Usage(format!(
                    "kernel {}: '{}' and '{}' are one piece of memory, and the kernel writes to it; use two",
                    spec.label(),
                    name(j),
                    name(i)
                )));
            }
        }
        Ok(())
    }

    /// The texels of texture `tex`.
    pub fn texture(&self, tex: usize) -> Option<&Memory> {
        self.textures.get(tex).map(|(memory, _)| memory)
    }

    /// Runs one dispatch.
    pub fn run(&self, device: &Device, dispatch: &Dispatch, buffers: &Buffers) -> Result<()> {
        let Dispatch { spec, params, bound, gate, .. } = dispatch;
        let (Some(team), Some(native)) = (device.team(), spec.native()) else { return Err(foreign()) };
        let mut groups = dispatch.groups;
        if let Some((arguments, first)) = gate {
            let pages = on_processor(buffers.slot(*arguments))?.reading();
            groups.copy_from_slice(&bytemuck::cast_slice(&pages)[*first..first + 3]);
        }
        if groups.contains(&0) {
            return Ok(());
        }
        let memory = |i: usize| match bound[i].resource {
            Resource::Buffer(buf) => on_processor(buffers.slot(buf)),
            Resource::Texture(tex) => Ok(&self.textures[tex.0].0),
        };
        let bytes = |i: usize| match bound[i].extent {
            Extent::Bytes(bytes) => bytes as usize,
            Extent::Texels(_) => memory(i).map_or(0, Memory::size),
        };
        // Memory is locked in the order of its addresses, so that two plans on two threads never wait for each other. What
        // several bindings read is locked once, by the first of them.
        let mut order: [usize; MOST_BINDINGS] = std::array::from_fn(|i| i);
        let order = &mut order[..bound.len()];
        order.sort_unstable_by_key(|&i| memory(i).map_or(0, Memory::address));
        let mut readings: [Option<Reading>; MOST_BINDINGS] = Default::default();
        let mut writings: [Option<Writing>; MOST_BINDINGS] = Default::default();
        let mut first = [0; MOST_BINDINGS];
        for &mut i in order {
            let own = memory(i)?;
            first[i] = i;
            if spec.kernel.bindings[i].access != Access::Read {
                writings[i] = Some(own.writing());
            } else if bytes(i) > 0 {
                let mut before = (0..bound.len()).filter(|&j| readings[j].is_some());
                match before.find(|&j| memory(j).is_ok_and(|other| other == own)) {
                    Some(j) => first[i] = j,
                    None => readings[i] = Some(own.reading()),
                }
            }
        }
        let mut read: [&[u8]; MOST_BINDINGS] = [&[]; MOST_BINDINGS];
        for (i, read) in read.iter_mut().enumerate().take(bound.len()) {
            if let Some(reading) = &readings[first[i]] {
                *read = &reading[..bytes(i)];
            }
        }
        let mut written: [&mut [u8]; MOST_BINDINGS] = Default::default();
        for (i, (written, writing)) in written.iter_mut().zip(&mut writings).enumerate() {
            if let Some(writing) = writing {
                *written = &mut writing[..bytes(i)];
            }
        }
        let width = |bound: &Bound| match bound.resource {
            Resource::Buffer(_) => None,
            Resource::Texture(tex) => Some(self.textures[tex.0].1),
        };
        let texture_width = bound.iter().find_map(width).unwrap_or(0);
        native(&mut Call { spec, params, team, read, written, texture_width });
        Ok(())
    }
}

fn on_processor(buffer: &Buffer) -> Result<&Memory> {
    buffer.memory().ok_or_else(foreign)
}
