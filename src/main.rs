//! The `palpate` program.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::say(format_args!("error: {}", cli::phrase(&error)));
            ExitCode::from(cli::exit_code(&error))
        }
    }
}
