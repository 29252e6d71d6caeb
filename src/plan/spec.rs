//! A kernel as the plan sees it: a row of the table, one specialisation of it, and the cost of a dispatch.

use super::params::{Params, params};
use crate::error::{Error, Result};
use crate::gpu::Caps;
use crate::shader::{self, Access, Binding, ParamsLayout, Shader};

/// One row of the table of kernels. Only this crate can make rows: their shaders are compiled without run-time checks.
pub struct Kernel {
    /// The stem of its files, and its label.
    pub(crate) name: &'static str,
    /// The WGSL before assembly, without the declarations of parameters and bindings.
    pub(crate) source: &'static str,
    /// Bindings 1, 2, … of group 0; binding 0 holds the uniform parameters.
    pub(crate) bindings: &'static [Binding],
    /// The memory layout of the parameters.
    pub(crate) params: ParamsLayout,
    /// Returns every specialisation.
    pub(crate) specs: fn() -> Vec<Spec>,
}

impl Kernel {
    /// A kernel of one's own, outside of the table: `source` as the assembler takes it, with the parameter `p.words` of vec4u,
    /// and the bindings 1, 2, … in order.
    ///
    /// # Safety
    /// Shaders are compiled without run-time checks. In every specialisation that is recorded, the shader must stay within
    /// the extents that its dispatches state, must not divide by zero, and must end.
    pub const unsafe fn custom(
        name: &'static str,
        source: &'static str,
        bindings: &'static [Binding],
    ) -> Self {
        Self { name, source, bindings, params: Words::LAYOUT, specs: Vec::new }
    }

    /// A specialisation of a kernel of one's own.
    ///
    /// # Safety
    /// As [`Kernel::custom`], with these constants.
    pub unsafe fn custom_spec(&'static self, constants: &[(&'static str, u32)]) -> Spec {
        Spec::new(self, constants)
    }

    /// The stem of its files, and its label.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The WGSL before assembly.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Bindings 1, 2, … of group 0.
    pub fn bindings(&self) -> &'static [Binding] {
        self.bindings
    }

    /// The memory layout of the parameters, binding 0.
    pub fn params(&self) -> ParamsLayout {
        self.params
    }

    /// Every specialisation.
    pub fn specs(&self) -> Vec<Spec> {
        (self.specs)()
    }
}

/// A binding that is read: `element` is the WGSL type of one element.
pub(crate) const fn read(name: &'static str, element: &'static str) -> Binding {
    Binding { name, access: Access::Read, element }
}

/// A binding that is written.
pub(crate) const fn write(name: &'static str, element: &'static str) -> Binding {
    Binding { name, access: Access::ReadWrite, element }
}

/// A texture that is written.
pub(crate) const fn texture(name: &'static str) -> Binding {
    Binding { name, access: Access::Texture, element: "texture_storage_2d<rgba8unorm, write>" }
}

params! {
    /// The parameters of a kernel of one's own.
    pub(super) struct Words { words: [u32; 4] }
}

/// One specialisation of a kernel: the constants it is assembled with and the features it needs.
#[derive(Clone)]
pub struct Spec {
    /// The row.
    pub(crate) kernel: &'static Kernel,
    /// Constants in front of the source.
    pub(crate) constants: Vec<(&'static str, u32)>,
    /// Features beyond WebGPU's defaults.
    pub(crate) features: wgpu::Features,
    /// The number of neighbouring threads that must belong to one subgroup; 0 for no such need.
    pub(crate) lanes: u32,
}

impl Spec {
    /// `kernel` with `constants`, on WebGPU's defaults.
    pub(crate) fn new(kernel: &'static Kernel, constants: &[(&'static str, u32)]) -> Self {
        Self { kernel, constants: constants.to_vec(), features: wgpu::Features::empty(), lanes: 0 }
    }

    /// The same specialisation with another source, to imitate a driver that compiles it wrongly.
    ///
    /// # Safety
    /// As [`Kernel::custom`].
    pub unsafe fn with_source(&self, source: &'static str) -> Self {
        let Kernel { name, bindings, params, specs, .. } = *self.kernel;
        Self { kernel: Box::leak(Box::new(Kernel { name, source, bindings, params, specs })), ..self.clone() }
    }

    /// The row of the table.
    pub fn kernel(&self) -> &'static Kernel {
        self.kernel
    }

    /// Features beyond WebGPU's defaults.
    pub fn features(&self) -> wgpu::Features {
        self.features
    }

    /// The number of neighbouring threads that must belong to one subgroup; 0 for no such need.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Reports whether a device has the features and the subgroup size that it needs.
    pub fn runs_on(&self, caps: &Caps) -> bool {
        caps.features.contains(self.features) && (self.lanes == 0 || caps.subgroups_hold(self.lanes))
    }

    /// Its name in errors, timings and GPU debuggers, such as `fft RADIX=8`.
    pub fn label(&self) -> String {
        let constants = self.constants.iter().map(|(name, value)| format!(" {name}={value}"));
        std::iter::once(self.kernel.name.to_string()).chain(constants).collect()
    }

    /// The assembled WGSL, with its declarations.
    ///
    /// # Errors
    /// [`Error::Kernel`] when it does not assemble.
    pub fn source(&self) -> Result<String> {
        let Kernel { name, source, bindings, params, .. } = self.kernel;
        let body = shader::assemble(name, source, &self.constants)?;
        // naga must be told of these features first.
        let extensions = [
            (wgpu::Features::SHADER_F16, "enable f16;\n"),
            (wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, "enable wgpu_cooperative_matrix;\n"),
        ];
        let mut out = String::new();
        for (feature, line) in extensions {
            if self.features.contains(feature) {
                out += line;
            }
        }
        Ok(out + &shader::declare(params, bindings) + &body)
    }

    /// The assembled shader, parsed and validated by naga.
    ///
    /// # Errors
    /// [`Error::Kernel`] with naga's message.
    pub fn shader(&self) -> Result<Shader> {
        Shader::new(self.label(), &self.source()?, self.features)
    }

    /// The value of constant `name`.
    ///
    /// # Errors
    /// [`Error::Kernel`] when the specialisation has no such constant.
    pub fn constant(&self, name: &str) -> Result<u32> {
        let found = self.constants.iter().find(|(n, _)| *n == name);
        found.map(|c| c.1).ok_or_else(|| Error::kernel(self.label(), format!("has no constant '{name}'")))
    }
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.kernel.name == other.kernel.name && self.constants == other.constants
    }
}
impl Eq for Spec {}
impl std::hash::Hash for Spec {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.kernel.name, &self.constants).hash(state);
    }
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.label())
    }
}

/// The cost of one dispatch, for rooflines: its arithmetic, and the bytes that move if every input is read once and every
/// output written once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Floating-point operations.
    pub flops: f64,
    /// Bytes.
    pub bytes: f64,
}

impl Cost {
    /// `flops` and `bytes` for each of `n` elements.
    pub fn each(n: usize, flops: usize, bytes: usize) -> Self {
        Self { flops: (n * flops) as f64, bytes: (n * bytes) as f64 }
    }
}
