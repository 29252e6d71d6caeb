//! Every kernel in every specialisation, without any adapter: it assembles, parses, validates at
//! WebGPU's default limits, binds what the host binds, has parameters where the host puts them, and
//! translates to every target naga can express it in.

use palpate::kernel::TABLE;
use palpate::kernel::reflect::{Shader, Target};

/// What naga cannot express: (part of a specialisation's label, target, part of its message). Empty is best.
///
/// GLSL ES has no numbers of 64 bits; whatever runs it has the same kernels without WIDE.
const EXCEPTIONS: &[(&str, Target, &str)] = &[("WIDE=1", Target::Glsl, "unsupported width")];

fn shaders() -> Vec<(String, &'static palpate::kernel::Kernel, Shader)> {
    let specs = TABLE.iter().flat_map(|kernel| (kernel.specs)());
    specs
        .map(|spec| (spec.label(), spec.kernel, Shader::new(&spec).unwrap_or_else(|e| panic!("{e}"))))
        .collect()
}

#[test]
fn names_and_specialisations_are_unique_and_files_are_all_in_the_table() {
    let mut labels: Vec<_> = shaders().into_iter().map(|(label, ..)| label).collect();
    let count = labels.len();
    labels.sort();
    labels.dedup();
    assert_eq!(labels.len(), count);

    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    for entry in std::fs::read_dir(folder).expect("kernels/") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|e| e == "wgsl") {
            let stem = path.file_stem().expect("stem").to_string_lossy().into_owned();
            assert!(TABLE.iter().any(|k| k.name == stem), "kernels/{stem}.wgsl has no row");
        }
    }
}

#[test]
fn all_run_at_webgpus_default_limits() {
    for (label, _, shader) in shaders() {
        assert!(shader.over_default_limits().is_empty(), "{label}: {:?}", shader.over_default_limits());
    }
}

#[test]
fn bindings_and_parameters_are_the_hosts() {
    for (label, kernel, shader) in shaders() {
        let host: Vec<_> = kernel.bindings.iter().map(|b| (b.name.to_string(), b.access)).collect();
        assert_eq!(shader.bindings(), host, "{label}");
        let (fields, size) = shader.params().unwrap_or_else(|| panic!("{label} has no parameters"));
        assert_eq!(fields, (kernel.params.fields)(), "{label}");
        assert_eq!(size, kernel.params.size, "{label}");
    }
}

#[test]
fn all_translate_to_every_target() {
    for (label, _, shader) in shaders() {
        for target in Target::ALL {
            let exception = EXCEPTIONS.iter().find(|(part, t, _)| label.contains(part) && *t == target);
            match (shader.translate(target), exception) {
                (Ok(text), None) => assert!(text.len() > 200, "{label} in {target:?} is empty"),
                (Err(error), Some((_, _, part))) => {
                    assert!(error.to_string().contains(part), "{label}: the exception now reads {error}");
                }
                (Err(error), None) => panic!("{error}"),
                (Ok(_), Some(_)) => panic!("{label} translates to {target:?}: take it out of EXCEPTIONS"),
            }
        }
    }
}
