//! The declarations in front of every kernel: the struct of its parameters and its bindings. They are generated from
//! the host's description, so that the two sides cannot differ.

use super::{Access, Binding, ParamsLayout};

/// Writes the WGSL of `params` and `bindings`: `p` is binding 0, and the others follow in order.
pub fn declare(params: &ParamsLayout, bindings: &[Binding]) -> String {
    let mut out = String::from("struct Params {\n");
    for field in (params.fields)() {
        out += &format!("    {}: {},\n", field.name, field.wgsl);
    }
    out += "}\n\n@group(0) @binding(0) var<uniform> p: Params;\n";
    for (i, Binding { name, access, element }) in bindings.iter().enumerate() {
        let (space, ty) = match access {
            Access::Uniform => ("<uniform>", (*element).to_string()),
            Access::Read => ("<storage, read>", format!("array<{element}>")),
            Access::ReadWrite => ("<storage, read_write>", format!("array<{element}>")),
            Access::Texture => ("", (*element).to_string()),
        };
        out += &format!("@group(0) @binding({}) var{space} {name}: {ty};\n", i + 1);
    }
    out
}
