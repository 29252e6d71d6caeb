//! Tests of which some need a device: those take it as a parameter, and are ignored where there is none.

#[macro_use]
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../common/mod.rs"]
mod common;
#[path = "../files/mod.rs"]
mod files;

mod accuracy;
mod authors;
mod bad_input;
mod bench;
mod cli;
mod demo;
mod device;
mod dicom;
mod dime;
mod dime_data;
mod doubts;
mod embed;
mod exams;
mod fft;
mod forward;
mod fusion;
mod gradients;
mod half;
mod images;
mod inputs;
mod kernels;
mod lent;
mod mlp;
mod mmdi;
mod phantom_data;
mod pictures;
mod plan;
mod processor;
mod real_data;
mod simulate;
mod soundness;
mod surroundings;
mod told;
mod train;
mod training;
mod truth;
mod tuning;

fn main() -> std::process::ExitCode {
    let modules = [
        accuracy::tests(),
        bad_input::tests(),
        bench::tests(),
        cli::tests(),
        demo::tests(),
        device::tests(),
        dime::tests(),
        dime_data::tests(),
        doubts::tests(),
        embed::tests(),
        exams::tests(),
        fft::tests(),
        forward::tests(),
        fusion::tests(),
        gradients::tests(),
        gradients::network::tests(),
        gradients::tape::tests(),
        half::tests(),
        images::tests(),
        inputs::tests(),
        kernels::tests(),
        lent::tests(),
        mlp::tests(),
        mmdi::tests(),
        phantom_data::tests(),
        pictures::tests(),
        plan::tests(),
        processor::tests(),
        real_data::tests(),
        simulate::tests(),
        soundness::tests(),
        surroundings::tests(),
        train::tests(),
        training::tests(),
        truth::tests(),
        tuning::tests(),
    ];
    let long = [
        "soundness::buffers_of_the_stated_extents_give_the_same_bits_with_checks_and_without",
        "kernels::every_kernel_agrees_with_its_oracle",
    ];
    harness::run(modules, &long)
}
