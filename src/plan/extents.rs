//! The check that no dispatch touches more of a resource than exists.

use super::Recorder;
#[cfg(feature = "proof")]
use super::record::Role;
use super::record::{Dispatch, Extent, Resource, TextureNode};
use crate::error::{Error, Result};

impl Recorder {
    /// Shortens every buffer to the extent that its dispatches touch, to prove that they touch no more. Buffers without
    /// dispatches stay unchanged.
    #[cfg(feature = "proof")]
    pub fn shorten_to_extents(&mut self) {
        let mut most = vec![0; self.nodes.len()];
        for bound in self.dispatches.iter().flat_map(|d| &d.bound) {
            if let (Resource::Buffer(buf), Extent::Bytes(bytes)) = (bound.resource, bound.extent) {
                most[buf.0] = most[buf.0].max(bytes);
            }
        }
        for (node, len) in self.nodes.iter_mut().zip(most).filter(|(_, len)| *len > 0) {
            node.len = len;
            // A binding holds a whole number of words, and at least one vec4f.
            node.bytes = len.next_multiple_of(4).max(16);
            if let Role::Constant(bytes) = &mut node.role {
                bytes.resize(node.bytes as usize, 0);
            }
        }
    }

    /// Makes one buffer at a time one word shorter than a dispatch touches, for each binding of each dispatch. Returns
    /// the resulting errors, with `None` if the recording would be accepted.
    #[cfg(feature = "proof")]
    pub fn shortened(&mut self) -> Vec<(String, Option<Error>)> {
        let mut outcomes = Vec::new();
        for d in 0..self.dispatches.len() {
            for (b, binding) in self.dispatches[d].spec.kernel.bindings.iter().enumerate() {
                let bound = self.dispatches[d].bound[b];
                let (Resource::Buffer(buf), Extent::Bytes(bytes)) = (bound.resource, bound.extent) else {
                    continue;
                };
                if bytes == 0 {
                    continue;
                }
                let len = std::mem::replace(&mut self.nodes[buf.0].len, bytes - 4);
                let what = format!("{} '{}'", self.dispatches[d].spec.label(), binding.name);
                outcomes.push((what, self.check().err()));
                self.nodes[buf.0].len = len;
            }
        }
        outcomes
    }

    /// Checks that no dispatch touches more of a resource than exists.
    ///
    /// # Errors
    /// [`Error::Kernel`] with the kernel, the binding and both sizes.
    pub(super) fn check(&self) -> Result<()> {
        for Dispatch { spec, bound, .. } in &self.dispatches {
            let bindings = spec.kernel.bindings;
            if bound.len() != bindings.len() {
                let what = format!("binds {} resources, recorded with {}", bindings.len(), bound.len());
                return Err(Error::kernel(spec.label(), what));
            }
            for (binding, bound) in bindings.iter().zip(bound) {
                let refuse = |label: &str, need: String, have: String| {
                    let name = binding.name;
                    let what = format!("binding '{name}' touches {need} of '{label}', which has {have}");
                    Err(Error::kernel(spec.label(), what))
                };
                match (bound.resource, bound.extent) {
                    (Resource::Buffer(buf), Extent::Bytes(need)) => match self.nodes.get(buf.0) {
                        Some(node) if need <= node.len => {}
                        Some(node) => {
                            return refuse(
                                node.label,
                                format!("{need} bytes"),
                                format!("{} bytes", node.len),
                            );
                        }
                        None => {
                            return refuse("another plan", format!("{need} bytes"), "no such buffer".into());
                        }
                    },
                    (Resource::Texture(tex), Extent::Texels([w, h])) => match self.textures.get(tex.0) {
                        Some(node) if node.size()[0] >= w && node.size()[1] >= h => {}
                        node => {
                            let [have_w, have_h] = node.map_or([0, 0], TextureNode::size);
                            let have = format!("{have_w} × {have_h}");
                            return refuse("a texture", format!("{w} × {h} texels"), have);
                        }
                    },
                    _ => return Err(Error::kernel(spec.label(), "confuses a buffer and a texture")),
                }
            }
        }
        Ok(())
    }
}
