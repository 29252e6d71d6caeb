//! `palpate shaders`: the kernels, as they are and in other languages.

use super::{print, say};
use palpate::Result;
use palpate::lowlevel::io::OutputSet;
use palpate::lowlevel::kernel::kernels;
use palpate::lowlevel::plan::Spec;
use palpate::lowlevel::shader::Target;
use std::path::PathBuf;

/// List the kernels, or write them out as WGSL, SPIR-V, MSL, HLSL and GLSL
///
/// Example: palpate shaders emit --language msl -o shaders
#[derive(clap::Args)]
pub struct Shaders {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Every kernel and specialisation with its workgroup, bindings and features
    ///
    /// Example: palpate shaders list
    List,
    /// Write every kernel in every specialisation to files
    ///
    /// Example: palpate shaders emit --language msl,hlsl -o shaders
    Emit {
        /// Languages to write; all of them when not given
        #[arg(long, value_enum, value_delimiter = ',')]
        language: Vec<Language>,
        /// Folder to write to
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Overwrite files that exist
        #[arg(long)]
        force: bool,
    },
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Language {
    Wgsl,
    Spirv,
    Msl,
    Hlsl,
    Glsl,
}

impl Language {
    fn target(self) -> Option<Target> {
        match self {
            Self::Wgsl => None,
            Self::Spirv => Some(Target::Spirv),
            Self::Msl => Some(Target::Msl),
            Self::Hlsl => Some(Target::Hlsl),
            Self::Glsl => Some(Target::Glsl),
        }
    }

    fn extension(self) -> &'static str {
        self.target().map_or("wgsl", Target::extension)
    }

    fn write(self, spec: &Spec) -> Result<Vec<u8>> {
        match self.target() {
            None => Ok(spec.source()?.into_bytes()),
            Some(target) => spec.shader()?.translate(target),
        }
    }
}

impl Shaders {
    pub fn run(self) -> Result<()> {
        let specs: Vec<Spec> = kernels().flat_map(|kernel| kernel.specs()).collect();
        match self.command {
            Command::List => list(&specs),
            Command::Emit { language, output, force } => {
                let all = [Language::Wgsl, Language::Spirv, Language::Msl, Language::Hlsl, Language::Glsl];
                let asked = all.into_iter().filter(|l| language.is_empty() || language.contains(l));
                emit(&specs, &asked.collect::<Vec<_>>(), output, force)
            }
        }
    }
}

fn list(specs: &[Spec]) -> Result<()> {
    let width = specs.iter().map(|spec| spec.label().len()).max().unwrap_or(0);
    let wide = specs.iter().map(|spec| needs(spec).len()).max().unwrap_or(0);
    let mut text = format!("{:<width$} {:>9}  {:<wide$} bindings\n", "kernel", "workgroup", "features");
    for spec in specs {
        let shader = spec.shader()?;
        let size = shader.workgroup_size().map(|n| n.to_string()).join("x");
        let bindings: Vec<_> = shader.bindings().into_iter().map(|(name, _)| name).collect();
        let features = needs(spec);
        text += &format!("{:<width$} {size:>9}  {features:<wide$} {}\n", spec.label(), bindings.join(" "));
    }
    print(&text)
}

fn emit(specs: &[Spec], languages: &[Language], output: PathBuf, force: bool) -> Result<()> {
    let mut set = OutputSet::new(output, force)?;
    // A label is a name, then constants: `fft RADIX=8` becomes `fft_RADIX-8`.
    let name = |spec: &Spec, language: Language| {
        format!("{}.{}", spec.label().replace(' ', "_").replace('=', "-"), language.extension())
    };
    let all = specs.iter().flat_map(|spec| languages.iter().map(move |&l| (spec, l)));
    let (files, left_out): (Vec<_>, Vec<_>) =
        all.partition(|(spec, l)| l.target().is_none_or(|target| target.expresses(spec.features())));
    if !left_out.is_empty() {
        say(format_args!(
            "{} files are left out: GLSL ES has no numbers of 64 or 16 bits, and neither it nor HLSL has matrix units",
            left_out.len()
        ));
    }
    set.check_free(&files.iter().map(|(spec, l)| name(spec, *l)).collect::<Vec<_>>())?;
    for (spec, language) in &files {
        set.add_bytes(&name(spec, *language), &language.write(spec)?)?;
    }
    let written = set.commit()?;
    print(&format!("{} files written\n", written.len()))
}

/// The features beyond WebGPU's defaults that `spec` needs, in a word or two.
fn needs(spec: &Spec) -> String {
    let mut names: Vec<_> = spec.features().iter_names().map(|(name, _)| name.to_lowercase()).collect();
    if spec.lanes() > 0 {
        names.push(format!("of {}", spec.lanes()));
    }
    if names.is_empty() { "none".into() } else { names.join(" ") }
}
