//! Tests that need no device.

#[macro_use]
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../common/mod.rs"]
mod common;
#[path = "../files/mod.rs"]
mod files;

mod bad_input;
mod compare;
mod evaluate;
mod layers;
mod oracles;
mod shaders;
mod simulate;
mod waves;

fn main() -> std::process::ExitCode {
    let modules = [
        bad_input::tests(),
        compare::tests(),
        evaluate::tests(),
        layers::tests(),
        oracles::tests(),
        shaders::tests(),
        simulate::tests(),
        waves::tests(),
    ];
    harness::run(modules, &[])
}
