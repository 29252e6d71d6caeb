//! Where a network's tensors lie on the device: channels-last f32, four channels to a vec4f.

use crate::plan::{Bound, Buf, Place, Recorder};

/// `n` images of `h` rows and `w` columns with `c` channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Images.
    pub n: usize,
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
    /// Channels, without padding.
    pub c: usize,
}

impl Shape {
    /// `[n, h, w, c]`.
    pub const fn new(n: usize, h: usize, w: usize, c: usize) -> Self {
        Self { n, h, w, c }
    }

    /// One number.
    pub const SCALAR: Self = Self::new(1, 1, 1, 1);

    /// Pixels of all images.
    pub const fn pixels(self) -> usize {
        self.n * self.h * self.w
    }

    /// vec4f of one pixel: the channels padded to a multiple of four.
    pub const fn quads(self) -> usize {
        self.c.div_ceil(4)
    }

    /// f32 in a buffer of its own.
    pub const fn floats(self) -> usize {
        4 * self.pixels() * self.quads()
    }

    /// Whether channels `first` to `first + c - 1` have quads of their own, with zeros after them if anything.
    pub const fn separate(self, first: usize, c: usize) -> bool {
        let end = first + c;
        first.is_multiple_of(4) && (end == self.c || end < self.c && end.is_multiple_of(4))
    }

    /// Values, without padding.
    pub const fn len(self) -> usize {
        self.pixels() * self.c
    }

    /// Whether there is no value at all.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "[{}, {}, {}, {}]", self.n, self.h, self.w, self.c)
    }
}

/// A tensor in a buffer of a plan. Quad `q` of pixel `p` is element `first + p * pitch + q` of the buffer as an
/// array of vec4f; channels from `shape.c` to the next multiple of four hold zeros. A window of another
/// tensor's channels has that tensor's pitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    pub(crate) buf: Buf,
    pub(crate) shape: Shape,
    /// Where the first pixel starts, in vec4f.
    pub(crate) first: u32,
    /// From one pixel to the next, in vec4f.
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

    /// The first quad of the first pixel in the buffer, and the distance from one pixel to the next, in vec4f.
    pub fn first_and_pitch(self) -> [usize; 2] {
        [self.first as usize, self.pitch as usize]
    }

    /// The position in the buffer, as shaders take it.
    pub(crate) fn place(self) -> Place {
        Place { first: self.first, pitch: self.pitch }
    }

    /// The extent of the buffer that holds the tensor, to bind.
    pub fn bound(self) -> Bound {
        let pixels = self.shape.pixels();
        let end = self.first as usize + pixels.saturating_sub(1) * self.pitch as usize + self.shape.quads();
        self.buf.first::<[f32; 4]>(if pixels == 0 { 0 } else { end })
    }

    /// All of `buf`.
    pub fn whole(buf: Buf, shape: Shape) -> Self {
        Self { buf, shape, first: 0, pitch: shape.quads() as u32 }
    }

    /// What starts with f32 number `first`, a multiple of 4, of a buffer that holds more.
    pub fn span(buf: Buf, first: usize, shape: Shape) -> Self {
        Self { first: (first / 4) as u32, ..Self::whole(buf, shape) }
    }

    /// A new scratch buffer.
    pub fn scratch(rec: &mut Recorder, label: &'static str, shape: Shape) -> Self {
        Self::whole(rec.scratch::<f32>(label, shape.floats()), shape)
    }

    /// `c` channels from channel `first` on, where they have quads of their own.
    pub fn window(self, first: usize, c: usize) -> Option<Self> {
        let shape = Shape { c, ..self.shape };
        self.shape.separate(first, c).then(|| Self { shape, first: self.first + (first / 4) as u32, ..self })
    }
}
