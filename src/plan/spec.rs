//! A kernel from the plan's side: a row of the table, one specialisation of it, and the cost of a dispatch.

use super::native::Native;
use super::params::{Params, params};
use crate::device::Caps;
use crate::error::{Error, Result};
use crate::shader::{self, Access, Binding, ParamsLayout, Shader};

/// One row of the table of kernels. Only this crate makes rows, because shaders are compiled without run-time checks.
pub struct Kernel {
    /// The name of the kernel: the stem of its files, and its label.
    pub(crate) name: &'static str,
    /// The WGSL before assembly, without the declarations of parameters and bindings.
    pub(crate) source: &'static str,
    /// Bindings 1, 2, … of group 0; binding 0 holds the uniform parameters.
    pub(crate) bindings: &'static [Binding],
    /// The memory layout of the parameters.
    pub(crate) params: ParamsLayout,
    /// Returns every specialisation.
    pub(crate) specs: fn() -> Vec<Spec>,
    /// The form for the processor. Kernels that exist for GPUs' sake have none.
    pub(crate) native: Option<Native>,
}

impl Kernel {
    /// A custom kernel outside of the table. `source` is WGSL for the assembler. The kernel has one parameter, `words`
    /// of vec4u, and the bindings 1, 2, … in order.
    ///
    /// # Safety
    /// Shaders are compiled without run-time checks. In every recorded specialisation, the shader must stay within the
    /// extents that its dispatches state, must not divide by zero, and must end.
    pub const unsafe fn custom(
        name: &'static str,
        source: &'static str,
        bindings: &'static [Binding],
    ) -> Self {
        Self { name, source, bindings, params: Words::LAYOUT, specs: Vec::new, native: None }
    }

    /// A specialisation of a custom kernel.
    ///
    /// # Safety
    /// The conditions of [`Kernel::custom`], with these constants.
    pub unsafe fn custom_spec(&'static self, constants: &[(&'static str, u32)]) -> Spec {
        Spec::new(self, constants)
    }

    /// The name of the kernel: the stem of its files, and its label.
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

/// A binding that is read. `element` is the WGSL type of one element.
pub(crate) const fn read(name: &'static str, element: &'static str) -> Binding {
    Binding { name, access: Access::Read, element }
}

/// A binding that is read and written.
pub(crate) const fn write(name: &'static str, element: &'static str) -> Binding {
    Binding { name, access: Access::ReadWrite, element }
}

/// A texture that is written.
pub(crate) const fn texture(name: &'static str) -> Binding {
    Binding { name, access: Access::Texture, element: "texture_storage_2d<rgba8unorm, write>" }
}

params! {
    /// The parameters of a custom kernel.
    pub(super) struct Words { words: [u32; 4] }
}

/// One specialisation of a kernel: the constants it is assembled with and the features it needs.
#[derive(Clone)]
pub struct Spec {
    /// The row of the table.
    pub(crate) kernel: &'static Kernel,
    /// The constants in front of the source.
    pub(crate) constants: Vec<(&'static str, u32)>,
    /// The features beyond WebGPU's defaults.
    pub(crate) features: wgpu::Features,
    /// The number of neighbouring threads that must belong to one subgroup; 0 if there is no such condition.
    pub(crate) lanes: u32,
    /// True if the specialisation is a way to compute that pays on GPUs and drivers only. Another one of the same kernel
    /// then serves the processor.
    pub(crate) for_shaders: bool,
}

impl Spec {
    /// `kernel` with `constants`, for WebGPU's defaults.
    pub(crate) fn new(kernel: &'static Kernel, constants: &[(&'static str, u32)]) -> Self {
        Self {
            kernel,
            constants: constants.to_vec(),
            features: wgpu::Features::empty(),
            lanes: 0,
            for_shaders: false,
        }
    }

    /// The same specialisation with another source, to imitate a driver that compiles it wrongly.
    ///
    /// # Safety
    /// The conditions of [`Kernel::custom`].
    pub unsafe fn with_source(&self, source: &'static str) -> Self {
        let Kernel { name, bindings, params, specs, native, .. } = *self.kernel;
        let kernel = Kernel { name, source, bindings, params, specs, native };
        Self { kernel: Box::leak(Box::new(kernel)), ..self.clone() }
    }

    /// The row of the table.
    pub fn kernel(&self) -> &'static Kernel {
        self.kernel
    }

    /// The features beyond WebGPU's defaults.
    pub fn features(&self) -> wgpu::Features {
        self.features
    }

    /// The number of neighbouring threads that must belong to one subgroup; 0 if there is no such condition.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Reports whether a device has the features and the subgroup size that the specialisation needs. The processor
    /// runs every kernel that has a native form.
    pub fn runs_on(&self, caps: &Caps) -> bool {
        if caps.native() {
            return self.native().is_some();
        }
        caps.features.contains(self.features) && (self.lanes == 0 || caps.subgroups_hold(self.lanes))
    }

    /// The form for the processor, if it has one.
    pub(crate) fn native(&self) -> Option<Native> {
        self.kernel.native.filter(|_| !self.for_shaders)
    }

    /// The name in errors, timings and GPU debuggers, for example `fft RADIX=8`.
    pub fn label(&self) -> String {
        let constants = self.constants.iter().map(|(name, value)| format!(" {name}={value}"));
        std::iter::once(self.kernel.name.to_string()).chain(constants).collect()
    }

    /// The assembled WGSL, with its declarations.
    ///
    /// # Errors
    /// [`Error::Kernel`] if it does not assemble.
    pub fn source(&self) -> Result<String> {
        let Kernel { name, source, bindings, params, .. } = self.kernel;
        let body = shader::assemble(name, source, &self.constants)?;
        // naga requires these features to be enabled first.
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
    /// [`Error::Kernel`] if the specialisation has no such constant.
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

/// The cost of one dispatch, for rooflines: its arithmetic, and the bytes that move if every input is read once and
/// every output is written once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Floating-point operations.
    pub flops: f64,
    /// Bytes.
    pub bytes: f64,
}

impl Cost {
    /// The cost of `n` elements with `flops` operations and `bytes` bytes each.
    pub fn each(n: usize, flops: usize, bytes: usize) -> Self {
        Self { flops: (n * flops) as f64, bytes: (n * bytes) as f64 }
    }
}
