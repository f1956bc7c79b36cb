//! Operations of an administrator, described once.
//!
//! An [`Operation`] is a request, an answer, and `run`. [`Operations`] lists them all. From this
//! list come the command line (`mailhaul batch new`), the cmdlets (`New-MigrationBatch`), the HTTP
//! interface with its `OpenAPI` document, help, manual pages, completions and a PowerShell module.
//! This crate knows none of the operations.

mod bind;
mod caller;
mod check;
mod client;
mod command_line;
mod entry;
mod failure;
mod generate;
mod http;
mod invoke;
mod kind;
mod operation;
mod operations;
mod output;
mod parameter;
mod schema;
mod serve;
mod steps;
mod values;
mod verb;

pub use bind::{Bound, Form, Refusal, World, arguments, check_parameter_name, cmdlet, options};
pub use clap_complete::Shell;

pub use caller::{Caller, Gate, Peer, Record, Role};
pub use client::{Client, Pages};
pub use entry::Entry;
pub use failure::{Failure, FailureKind, FailurePlace, ForeignChange};
pub use generate::{ManPage, completions, man_pages};
pub use http::{Limits, Service, attachment};
pub use invoke::invoke;
pub use kind::{AllowedValue, Kind};
pub use operation::{Answer, ManyOutcome, Noun, Operation};
pub use operations::Operations;
pub use output::{Output, render};
pub use parameter::Parameter;
pub use serve::{Server, UnixSocket};
pub use steps::{StepUse, Steps};
pub use values::{Bytes, Change, Continuation, Credential, DateTime, SecretText, TimeSpan};
pub use verb::Verb;
