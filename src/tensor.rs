//! Tensors of networks on the device: channels-last f32, four channels per vec4f.

use crate::plan::{Bound, Buf, Place, Recorder};
use crate::size::Size;

/// The shape of `n` images of `h` rows and `w` columns with `c` channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The number of images.
    pub n: usize,
    /// The number of rows.
    pub h: usize,
    /// The number of columns.
    pub w: usize,
    /// The number of channels, without padding.
    pub c: usize,
}

impl Shape {
    /// The shape `[n, h, w, c]`.
    pub const fn new(n: usize, h: usize, w: usize, c: usize) -> Self {
        Self { n, h, w, c }
    }

    /// The shape of `n` images of this size with `c` channels.
    pub const fn images(n: usize, size: Size, c: usize) -> Self {
        Self::new(n, size.ny, size.nx, c)
    }

    /// The size of an image.
    pub const fn size(self) -> Size {
        Size::new(self.w, self.h)
    }

    /// The shape of a single number.
    pub const SCALAR: Self = Self::new(1, 1, 1, 1);

    /// The number of pixels of all images.
    pub const fn pixels(self) -> usize {
        self.n * self.h * self.w
    }

    /// The number of vec4f of one pixel: the channels are padded to a multiple of four.
    pub const fn quads(self) -> usize {
        self.c.div_ceil(4)
    }

    /// The number of f32, with padding, of such a tensor in its own buffer.
    pub const fn floats(self) -> usize {
        4 * self.pixels() * self.quads()
    }

    /// Reports whether channels `first` to `first + c - 1` fill whole quads, or end with the last channel.
    pub const fn separate(self, first: usize, c: usize) -> bool {
        let end = first + c;
        first.is_multiple_of(4) && (end == self.c || end < self.c && end.is_multiple_of(4))
    }

    /// The number of values, without padding.
    pub const fn len(self) -> usize {
        self.pixels() * self.c
    }

    /// Reports whether there are no values.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "[{}, {}, {}, {}]", self.n, self.h, self.w, self.c)
    }
}

/// A tensor in a buffer of a plan. Quad `q` of pixel `p` is element `first + p * pitch + q` of the buffer as an array
/// of vec4f. Channels from `shape.c` to the next multiple of four hold zeros. A window of another tensor's channels has
/// that tensor's pitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    pub(crate) buf: Buf,
    pub(crate) shape: Shape,
    /// The index of the first pixel's first quad, in vec4f.
    pub(crate) first: u32,
    /// The distance from one pixel to the next, in vec4f.
    pub(crate) pitch: u32,
}

impl Tensor {
    /// The buffer.
    pub fn buf(self) -> Buf {
        self.buf
    }

    /// The shape.
    pub fn shape(self) -> Shape {
        self.shape
    }

    /// The index of the first pixel's first quad, and the distance from one pixel to the next, in vec4f.
    pub fn first_and_pitch(self) -> [usize; 2] {
        [self.first as usize, self.pitch as usize]
    }

    /// The position in the buffer, as the shaders expect it.
    pub(crate) fn place(self) -> Place {
        Place { first: self.first, pitch: self.pitch }
    }

    /// The extent of the buffer that holds the tensor, for a binding.
    pub fn bound(self) -> Bound {
        let pixels = self.shape.pixels();
        let end = self.first as usize + pixels.saturating_sub(1) * self.pitch as usize + self.shape.quads();
        self.buf.first::<[f32; 4]>(if pixels == 0 { 0 } else { end })
    }

    /// A tensor that starts at the beginning of `buf`.
    pub fn whole(buf: Buf, shape: Shape) -> Self {
        Self { buf, shape, first: 0, pitch: shape.quads() as u32 }
    }

    /// A tensor that starts at f32 number `first`, a multiple of 4, of a larger buffer.
    pub fn span(buf: Buf, first: usize, shape: Shape) -> Self {
        Self { first: (first / 4) as u32, ..Self::whole(buf, shape) }
    }

    /// A tensor in a new scratch buffer.
    pub fn scratch(rec: &mut Recorder, label: &'static str, shape: Shape) -> Self {
        Self::whole(rec.scratch::<f32>(label, shape.floats()), shape)
    }

    /// A window on `c` channels from channel `first` on; `None` if these do not fill whole quads.
    pub fn window(self, first: usize, c: usize) -> Option<Self> {
        let shape = Shape { c, ..self.shape };
        self.shape.separate(first, c).then(|| Self { shape, first: self.first + (first / 4) as u32, ..self })
    }
}
