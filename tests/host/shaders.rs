//! Every kernel in every specialisation, without any adapter: it assembles, parses, validates at
//! WebGPU's default limits, binds what the host binds, has parameters where the host puts them, and
//! translates to every target naga can express it in.

use palpate::lowlevel::kernel::kernels;
use palpate::lowlevel::plan::Spec;
use palpate::lowlevel::shader::{Access, Shader, Target};

tests![
    names_and_specialisations_are_unique_and_files_are_all_in_the_table,
    all_run_at_webgpus_default_limits,
    bindings_and_parameters_are_the_hosts,
    all_translate_to_every_target,
];

fn shaders() -> Vec<(Spec, Shader)> {
    let specs = kernels().flat_map(|kernel| kernel.specs());
    specs
        .map(|spec| {
            let shader = spec.shader().unwrap_or_else(|e| panic!("{e}"));
            (spec, shader)
        })
        .collect()
}

fn names_and_specialisations_are_unique_and_files_are_all_in_the_table() {
    let mut labels: Vec<_> = shaders().into_iter().map(|(spec, _)| spec.label()).collect();
    let count = labels.len();
    labels.sort();
    labels.dedup();
    assert_eq!(labels.len(), count);

    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let families = std::fs::read_dir(folder).expect("kernels/").map(|entry| entry.expect("entry").path());
    for family in families.filter(|path| path.is_dir() && !path.ends_with("lib")) {
        for entry in std::fs::read_dir(&family).expect("a family") {
            let path = entry.expect("entry").path();
            if path.extension().is_some_and(|e| e == "wgsl") {
                let stem = path.file_stem().expect("stem").to_string_lossy().into_owned();
                assert!(kernels().any(|k| k.name() == stem), "{} has no row", path.display());
            }
        }
    }
}

fn all_run_at_webgpus_default_limits() {
    for (spec, shader) in shaders() {
        let over = shader.over_default_limits();
        assert!(over.is_empty(), "{}: {over:?}", spec.label());
    }
}

fn bindings_and_parameters_are_the_hosts() {
    for (spec, shader) in shaders() {
        let (label, kernel) = (spec.label(), spec.kernel());
        let uniform = std::iter::once(("p".to_string(), Access::Uniform));
        let others = kernel.bindings().iter().map(|b| (b.name.to_string(), b.access));
        let host: Vec<_> = uniform.chain(others).collect();
        assert_eq!(shader.bindings(), host, "{label}");
        let (fields, size) = shader.params().unwrap_or_else(|| panic!("{label} has no parameters"));
        assert_eq!(fields, (kernel.params().fields)(), "{label}");
        assert_eq!(size, kernel.params().size, "{label}");
    }
}

fn all_translate_to_every_target() {
    for (spec, shader) in shaders() {
        for target in Target::ALL {
            match (shader.translate(target), target.expresses(spec.features())) {
                (Ok(text), true) => assert!(text.len() > 200, "{} in {target:?} is empty", spec.label()),
                (Err(error), true) => panic!("{error}"),
                (Ok(_), false) => panic!("{} can be had in {target:?} after all", spec.label()),
                (Err(_), false) => {}
            }
        }
    }
}
