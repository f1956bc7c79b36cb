//! `make bench`: compares mailhaul with other programs and with the limit of the servers, and writes the
//! reports.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that shows figures")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod check;
mod floor;
mod process;
mod profile;
mod report;
mod results;
mod servers;
mod suite;
mod tool;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum as _};

use crate::{
    floor::Floor,
    results::Results,
    suite::{Part, Suite},
};

#[derive(Parser)]
enum Bench {
    /// Measures, and writes the results as JSON
    Run {
        /// The program mailhaul
        #[arg(long)]
        mailhaul: PathBuf,
        /// Parts to measure [default: all]
        #[arg(long, value_enum)]
        profile: Vec<Part>,
        /// Only workloads with this text in their names, such as "20 ms"
        #[arg(long, default_value = "")]
        only: String,
        /// Number of rounds
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// File of the results
        #[arg(long)]
        out: PathBuf,
    },
    /// Turns results into a Markdown page
    Report {
        /// Results of a run
        results: PathBuf,
        /// File of the page
        page: PathBuf,
    },
    /// Shows the changes between two runs
    Compare {
        /// Results of the earlier run
        old: PathBuf,
        /// Results of the later run
        new: PathBuf,
    },
    /// Reads and writes at the limit of the servers; prints the seconds
    #[command(hide = true)]
    Floor(Floor),
    /// Runs a program, and prints its time and memory as JSON
    #[command(hide = true)]
    Launch {
        /// The program and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        program: Vec<String>,
    },
}

fn main() -> Result<()> {
    match Bench::parse() {
        Bench::Run { mailhaul, profile, only, rounds, out } => {
            let parts = if profile.is_empty() { Part::value_variants().to_vec() } else { profile };
            let mut suite = Suite::start(&mailhaul, only, rounds.max(1), &out)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            for part in parts {
                runtime.block_on(suite.measure(part))?;
            }
            report_progress(&format!("the results are in {}", out.display()));
        }
        Bench::Report { results, page } => {
            fs::write(&page, report::markdown(&Results::read(&results)?)?)
                .with_context(|| page.display().to_string())?;
        }
        Bench::Compare { old, new } => {
            print!("{}", report::compared(&Results::read(&old)?, &Results::read(&new)?)?);
        }
        Bench::Floor(floor) => println!("{}", floor::run(&floor)?),
        Bench::Launch { program } => print!("{}", process::launch(&program)?),
    }
    Ok(())
}

/// Prints progress.
pub(crate) fn report_progress(words: &str) {
    println!("{words}");
}
