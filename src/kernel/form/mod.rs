//! Forms: the ways to compute a convolution or its weight gradient, and the order in which a device should try them.

mod choices;
mod chooser;

pub use choices::{Answer, Of, Question, Tuning, Work};
pub use chooser::Chooser;

use crate::device::Caps;
use crate::kernel::nn::convolve::CONVOLVE;
use crate::plan::{Kernel, Spec};
use serde::{Deserialize, Serialize};

/// A way to compute a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum Form {
    /// For software adapters: many accumulators per thread, and values shared among this number of lanes (4 or 8).
    Register(u32),
    /// The same with loads of 64 bits, for software adapters, which load number by number.
    Wide(u32),
    /// For GPUs: tiles in workgroup memory, of this many times 64 pixels by this many times 64 channels.
    Tiled([u32; 2]),
    /// Winograd's F(2 × 2, 3 × 3) with its products in this [`Inner`] form. It computes 3 × 3 convolutions only and
    /// takes much memory.
    Winograd(Inner),
    /// On matrix units, with factors in half precision. It computes forward passes only, and only on request.
    Half(Units),
}

/// Matrix units: teams of 32 threads multiply matrices of `side` × `side`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Units {
    /// Rows and columns of a unit: 16 on Vulkan, 8 on Metal.
    pub side: u32,
    /// True if plain threads do the work in the same precision. This is slow, and serves to test devices without units.
    pub imitated: bool,
}

impl Units {
    /// Every kind of unit.
    pub const ALL: [Self; 4] = [
        Self { side: 16, imitated: false },
        Self { side: 8, imitated: false },
        Self { side: 16, imitated: true },
        Self { side: 8, imitated: true },
    ];
}

/// The size of the matrix product behind a convolution or a weight gradient, which decides on the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// The pixels of a convolution, or the input channels of a weight gradient.
    pub rows: usize,
    /// Output channels.
    pub columns: usize,
    /// True if the sum is long enough to be split among processors.
    pub split: bool,
}

impl Product {
    /// A convolution of many pixels (2¹⁷) to 64 channels.
    pub const LARGE: Self = Self { rows: 1 << 17, columns: 64, split: false };
}

/// The form of the products in Winograd's algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inner {
    /// [`Form::Wide`] of 8 lanes.
    Wide,
    /// [`Form::Register`] of 8 lanes.
    Register,
    /// [`Form::Tiled`] of 128 pixels by 128 channels.
    Tiled,
}

impl Inner {
    /// The form of the products.
    pub const fn form(self) -> Form {
        match self {
            Self::Wide => Form::Wide(8),
            Self::Register => Form::Register(8),
            Self::Tiled => Form::Tiled([2, 2]),
        }
    }
}

impl Form {
    /// Every form in full precision.
    pub const ALL: [Self; 10] = [
        Self::Wide(8),
        Self::Wide(4),
        Self::Register(8),
        Self::Register(4),
        Self::Tiled([2, 2]),
        Self::Tiled([2, 1]),
        Self::Tiled([1, 1]),
        Self::Winograd(Inner::Wide),
        Self::Winograd(Inner::Register),
        Self::Winograd(Inner::Tiled),
    ];

    /// The form whose dispatches the processor computes, in a way of its own.
    pub(crate) const NATIVE: Self = Self::Wide(8);

    /// The form itself, or the form of the products for Winograd's algorithm.
    pub const fn direct(self) -> Self {
        match self {
            Self::Winograd(inner) => inner.form(),
            form => form,
        }
    }

    /// The forms of a single dispatch, which compute any geometry and also weight gradients.
    pub(crate) fn all_direct() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|form| !matches!(form, Self::Winograd(_)))
    }

    /// The forms that a device can run for a `product`, the most promising first.
    ///
    /// On software adapters, 16 channels fill a team of four lanes and leave half of eight lanes idle. On GPUs, large
    /// tiles read less memory, if there are enough channels to fill them and enough pixels for more tiles than
    /// processors. Winograd's algorithm comes after the direct forms of its kind, because only a measurement can tell
    /// whether it is faster (`docs/measurements.md`).
    pub fn candidates(caps: &Caps, product: Product) -> Vec<Self> {
        let Product { rows, columns, split } = product;
        let mut forms = Self::ALL.to_vec();
        let ill_suited = |form: &Self| match *form {
            Self::Register(lanes) | Self::Wide(lanes) => (lanes == 4) != (columns <= 16),
            Self::Tiled([loads, quads]) => {
                let [tall, broad] = [64 * loads as usize, 64 * quads as usize];
                let idle = broad > columns.next_multiple_of(64) || tall > rows.next_multiple_of(64);
                let tiles = rows.div_ceil(tall) * columns.div_ceil(broad);
                idle || (!split && tiles < 256 && loads > 1)
            }
            Self::Winograd(_) | Self::Half(_) => false,
        };
        // Forms of the adapter's kind come first, and among them those with loads of 64 bits. Ties keep the order of
        // ALL.
        forms.sort_by_key(|form| {
            let other = form.tiled() == caps.software();
            let transformed = matches!(form, Self::Winograd(_));
            (other, transformed, matches!(form, Self::Register(_)), ill_suited(form))
        });
        // The processor has one form. It uses Winograd's algorithm within a dispatch where that pays: in several
        // dispatches, the transforms move more memory than the products save.
        forms.retain(|form| {
            form.spec(&CONVOLVE, &[]).runs_on(caps) && (!caps.native() || *form == Self::NATIVE)
        });
        forms
    }

    /// The half-precision forms that the device may support. Only a trial shows whether the device has units of this
    /// size and runs subgroups of 32.
    pub fn in_half(caps: &Caps) -> Vec<Self> {
        if !(caps.info.subgroup_min_size..=caps.info.subgroup_max_size).contains(&32) {
            return Vec::new();
        }
        let mut forms: Vec<_> =
            Units::ALL.into_iter().filter(|units| !units.imitated).map(Self::Half).collect();
        forms.retain(|form| form.spec(&CONVOLVE, &[]).runs_on(caps));
        forms
    }

    /// Reports whether the form computes in tiles in workgroup memory.
    fn tiled(self) -> bool {
        matches!(self, Self::Tiled(_) | Self::Winograd(Inner::Tiled))
    }

    /// The [`Form::candidates`] of the same kind as the first one. Tuning measures these.
    pub fn rivals(caps: &Caps, product: Product) -> Vec<Self> {
        let mut forms = Self::candidates(caps, product);
        let first = forms.first().is_some_and(|form| form.tiled());
        forms.retain(|form| form.tiled() == first);
        forms
    }

    pub(crate) fn spec(self, kernel: &'static Kernel, constants: &[(&'static str, u32)]) -> Spec {
        let own: &[(&'static str, u32)] = match self {
            Self::Winograd(inner) => return inner.form().spec(kernel, constants),
            Self::Register(lanes) => &[("TILED", 0), ("LANES", lanes), ("WIDE", 0)],
            Self::Wide(lanes) => &[("TILED", 0), ("LANES", lanes), ("WIDE", 1)],
            Self::Tiled([loads, quads]) => &[("TILED", 1), ("LOADS", loads), ("QUADS", quads), ("WIDE", 0)],
            Self::Half(Units { side, imitated }) => {
                &[("SIDE", side), ("IMITATED", imitated as u32), ("WIDE", 0)]
            }
        };
        let features = match self {
            Self::Register(_) => wgpu::Features::SUBGROUP,
            Self::Wide(_) => wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64,
            Self::Tiled(_) | Self::Winograd(_) => wgpu::Features::empty(),
            Self::Half(Units { imitated: true, .. }) => wgpu::Features::SHADER_F16,
            Self::Half(_) => {
                wgpu::Features::SHADER_F16
                    | wgpu::Features::SUBGROUP
                    | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX
            }
        };
        let lanes = self.lanes().unwrap_or_default();
        Spec {
            features,
            lanes,
            for_shaders: self != Self::NATIVE,
            ..Spec::new(kernel, &[own, constants].concat())
        }
    }

    #[cfg(feature = "proof")]
    pub(crate) fn of(spec: &Spec) -> Self {
        let value = |name| spec.constant(name).unwrap_or_default();
        match [value("TILED"), value("WIDE")] {
            [1, _] => Self::Tiled(["LOADS", "QUADS"].map(value)),
            [_, 1] => Self::Wide(value("LANES")),
            _ => Self::Register(value("LANES")),
        }
    }

    /// The pixels and the quads of channels that one workgroup computes.
    pub(crate) fn tile(self) -> [usize; 2] {
        match self {
            Self::Register(lanes) | Self::Wide(lanes) => [32, lanes as usize],
            Self::Tiled([loads, quads]) => [64 * loads as usize, 16 * quads as usize],
            Self::Winograd(inner) => inner.form().tile(),
            Self::Half(_) => [128, 16],
        }
    }

    /// A description for people of a form on a device. On the processor there is one.
    pub fn described_on(self, caps: &Caps) -> String {
        if caps.native() { format!("in registers, {}", caps.info.driver_info) } else { self.described() }
    }

    /// A description for people, for example `tiles of 64 pixels by 64 channels in workgroup memory`.
    pub fn described(self) -> String {
        match self {
            Self::Register(lanes) => format!("in registers, shared among {lanes} lanes"),
            Self::Wide(lanes) => format!("in registers, shared among {lanes} lanes, loads of 64 bits"),
            Self::Tiled([loads, quads]) => {
                format!("tiles of {} pixels by {} channels in workgroup memory", 64 * loads, 64 * quads)
            }
            Self::Winograd(inner) => format!("Winograd, {}", inner.form().described()),
            Self::Half(Units { side, imitated }) => {
                let how = if imitated { ", imitated" } else { "" };
                format!("in half precision on matrix units of {side} by {side}{how}")
            }
        }
    }

    /// The number of lanes that share values, if any do.
    pub(crate) fn lanes(self) -> Option<u32> {
        match self {
            Self::Register(lanes) | Self::Wide(lanes) => Some(lanes),
            Self::Tiled(_) | Self::Half(_) => None,
            Self::Winograd(inner) => inner.form().lanes(),
        }
    }
}

impl std::fmt::Display for Form {
    /// Writes the form's name: `wide 8`, `register 4`, `tiles 128 x 64`.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Register(lanes) => write!(f, "register {lanes}"),
            Self::Wide(lanes) => write!(f, "wide {lanes}"),
            Self::Tiled([loads, quads]) => write!(f, "tiles {} x {}", 64 * loads, 64 * quads),
            Self::Winograd(inner) => write!(f, "winograd, {}", inner.form()),
            Self::Half(Units { side, imitated }) => {
                write!(f, "half, {}units of {side}", if *imitated { "imitated " } else { "" })
            }
        }
    }
}

impl From<Form> for String {
    fn from(form: Form) -> Self {
        form.to_string()
    }
}

impl TryFrom<String> for Form {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|form| form.to_string() == name);
        found.ok_or_else(|| format!("'{name}' is not a form of a convolution"))
    }
}
