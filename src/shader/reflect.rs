//! naga's view of an assembled shader, without any adapter: its validity at WebGPU's default limits, its bindings, the
//! memory layout of its parameters, and its translation to other languages.

use super::{Access, ParamsField};
use crate::error::{Error, Result};
use naga::back::{glsl, hlsl, msl, spv};
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// A parsed and validated shader.
pub struct Shader {
    /// naga's syntax tree.
    pub module: naga::Module,
    /// naga's results of the validation.
    pub info: naga::valid::ModuleInfo,
    label: String,
}

/// A language that naga writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// SPIR-V, for Vulkan.
    Spirv,
    /// The Metal Shading Language.
    Msl,
    /// HLSL, for Direct3D 12.
    Hlsl,
    /// GLSL, for OpenGL ES 3.1.
    Glsl,
}

impl Target {
    /// All languages.
    pub const ALL: [Self; 4] = [Self::Spirv, Self::Msl, Self::Hlsl, Self::Glsl];

    /// The file name extension of this language.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Spirv => "spv",
            Self::Msl => "metal",
            Self::Hlsl => "hlsl",
            Self::Glsl => "comp",
        }
    }

    /// Reports whether naga can write shaders with these features in this language. GLSL ES has no 64-bit and no 16-bit
    /// numbers. naga writes matrix units for Vulkan and Metal only.
    pub fn expresses(self, features: wgpu::Features) -> bool {
        let units = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
        let lacking = match self {
            Self::Spirv | Self::Msl => wgpu::Features::empty(),
            Self::Hlsl => units,
            Self::Glsl => units | wgpu::Features::SHADER_INT64 | wgpu::Features::SHADER_F16,
        };
        !features.intersects(lacking)
    }
}

impl Shader {
    /// Parses and validates `source` with no more capabilities than `features` imply. Errors name `label`.
    ///
    /// # Errors
    /// [`Error::Kernel`] with naga's own message and the position in the source.
    pub fn new(label: String, source: &str, features: wgpu::Features) -> Result<Self> {
        let module = naga::front::wgsl::parse_str(source)
            .map_err(|e| Error::kernel(&label, e.emit_to_string(source)))?;
        let info = Validator::new(ValidationFlags::all(), capabilities(features))
            .validate(&module)
            .map_err(|e| Error::kernel(&label, e.emit_to_string(source)))?;
        Ok(Self { module, info, label })
    }

    /// The WebGPU default limits that the shader exceeds, as messages; empty if there are none.
    pub fn over_default_limits(&self) -> Vec<String> {
        let limits = wgpu::Limits::default();
        let size = self.workgroup_size();
        let variables = || self.module.global_variables.iter().map(|(_, v)| v);
        let bytes = |v: &naga::GlobalVariable| self.module.types[v.ty].inner.size(self.module.to_ctx());
        let workgroup: u32 =
            variables().filter(|v| v.space == naga::AddressSpace::WorkGroup).map(bytes).sum();
        let storage = variables().filter(|v| matches!(v.space, naga::AddressSpace::Storage { .. })).count();
        let found = [
            ("threads of a workgroup", size.iter().product(), limits.max_compute_invocations_per_workgroup),
            ("workgroup size x", size[0], limits.max_compute_workgroup_size_x),
            ("workgroup size y", size[1], limits.max_compute_workgroup_size_y),
            ("workgroup size z", size[2], limits.max_compute_workgroup_size_z),
            ("bytes of workgroup memory", workgroup, limits.max_compute_workgroup_storage_size),
            ("storage buffers", storage as u32, limits.max_storage_buffers_per_shader_stage),
        ];
        let over = found.into_iter().filter(|(_, is, most)| is > most);
        over.map(|(what, is, most)| format!("{what}: {is}, allowed {most}")).collect()
    }

    /// The shader's bindings of group 0 in order: name and access.
    pub fn bindings(&self) -> Vec<(String, Access)> {
        let mut found: Vec<_> = self
            .module
            .global_variables
            .iter()
            .filter_map(|(_, v)| v.binding.as_ref().map(|b| (b.group, b.binding, v)))
            .collect();
        found.sort_by_key(|(group, binding, _)| (*group, *binding));
        let kind = |v: &naga::GlobalVariable| match v.space {
            naga::AddressSpace::Uniform => Access::Uniform,
            naga::AddressSpace::Storage { access } if access.contains(naga::StorageAccess::STORE) => {
                Access::ReadWrite
            }
            naga::AddressSpace::Storage { .. } => Access::Read,
            _ => Access::Texture,
        };
        found.iter().map(|(_, _, v)| (v.name.clone().unwrap_or_default(), kind(v))).collect()
    }

    /// The fields and the size in bytes of the uniform parameters, as the shader sees them; `None` if there are none.
    pub fn params(&self) -> Option<(Vec<ParamsField>, usize)> {
        let mut uniforms = self.module.global_variables.iter().map(|(_, v)| v);
        let uniform = uniforms.find(|v| v.space == naga::AddressSpace::Uniform)?;
        let naga::TypeInner::Struct { members, span } = &self.module.types[uniform.ty].inner else {
            return None;
        };
        let field = |m: &naga::StructMember| ParamsField {
            name: m.name.clone().unwrap_or_default(),
            offset: m.offset as usize,
            wgsl: self.type_name(m.ty),
        };
        Some((members.iter().map(field).collect(), *span as usize))
    }

    fn type_name(&self, ty: naga::Handle<naga::Type>) -> String {
        let scalar = |s: naga::Scalar| match s.kind {
            naga::ScalarKind::Float => format!("f{}", 8 * s.width),
            naga::ScalarKind::Uint => format!("u{}", 8 * s.width),
            _ => format!("i{}", 8 * s.width),
        };
        match &self.module.types[ty].inner {
            naga::TypeInner::Scalar(s) => scalar(*s),
            naga::TypeInner::Vector { size, scalar: s } => format!("vec{}<{}>", *size as u32, scalar(*s)),
            naga::TypeInner::Array { base, size: naga::ArraySize::Constant(n), .. } => {
                format!("array<{}, {n}>", self.type_name(*base))
            }
            other => format!("{other:?}"),
        }
    }

    /// The threads of one workgroup along x, y and z.
    pub fn workgroup_size(&self) -> [u32; 3] {
        self.entry().workgroup_size
    }

    fn entry(&self) -> &naga::EntryPoint {
        &self.module.entry_points[0]
    }

    /// Translates the shader to `target`, as bytes (text except for SPIR-V).
    ///
    /// # Errors
    /// [`Error::Kernel`] with naga's message, if naga cannot express the shader in that language.
    pub fn translate(&self, target: Target) -> Result<Vec<u8>> {
        let fail = |e: &dyn std::fmt::Display| Error::kernel(&self.label, format!("{target:?}: {e}"));
        let constants = Default::default();
        let (module, info) =
            naga::back::pipeline_constants::process_overrides(&self.module, &self.info, None, &constants)
                .map_err(|e| fail(&e))?;
        let mut text = String::new();
        match target {
            Target::Spirv => {
                // 1.3 is the version of Vulkan 1.1, and the first one with subgroups.
                let options = spv::Options { lang_version: (1, 3), ..Default::default() };
                let words = spv::write_vec(&module, &info, &options, None).map_err(|e| fail(&e))?;
                return Ok(bytemuck::cast_slice(&words).to_vec());
            }
            Target::Msl => {
                let options =
                    msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
                text =
                    msl::write_string(&module, &info, &options, &Default::default()).map_err(|e| fail(&e))?.0;
            }
            Target::Hlsl => {
                let options = hlsl::Options {
                    shader_model: hlsl::ShaderModel::V6_0,
                    fake_missing_bindings: true,
                    ..Default::default()
                };
                let pipeline = Default::default();
                hlsl::Writer::new(&mut text, &options, &pipeline)
                    .write(&module, &info, None)
                    .map_err(|e| fail(&e))?;
            }
            Target::Glsl => {
                let options = glsl::Options {
                    version: glsl::Version::Embedded { version: 310, is_webgl: false },
                    ..Default::default()
                };
                let pipeline = glsl::PipelineOptions {
                    shader_stage: naga::ShaderStage::Compute,
                    entry_point: self.entry().name.clone(),
                    multiview: None,
                };
                let policies = naga::proc::BoundsCheckPolicies::default();
                glsl::Writer::new(&mut text, &module, &info, &options, &pipeline, policies)
                    .and_then(|mut writer| writer.write().map(drop))
                    .map_err(|e| fail(&e))?;
            }
        }
        Ok(text.into_bytes())
    }
}

fn capabilities(features: wgpu::Features) -> Capabilities {
    let each = [
        (wgpu::Features::SUBGROUP, Capabilities::SUBGROUP),
        (wgpu::Features::SHADER_F16, Capabilities::SHADER_FLOAT16),
        (wgpu::Features::SHADER_INT64, Capabilities::SHADER_INT64),
        (wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, Capabilities::COOPERATIVE_MATRIX),
    ];
    each.iter()
        .filter(|(feature, _)| features.contains(*feature))
        .map(|(_, capability)| *capability)
        .collect()
}
