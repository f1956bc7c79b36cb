//! Cmdlets of the language: they select, sort, count, convert and show values.

mod bind;
mod clixml;
mod convert;
mod help;
mod html;
mod select;
mod show;
mod sort;
mod table;

pub(crate) use bind::{BoundArguments, CmdletArgument, Column, block, following, parameter};
pub(crate) use clixml::{from_clixml, to_clixml};
pub(crate) use convert::{CsvOptions, from_csv, objects, to_json};
pub use help::{CmdletHelp, cmdlet_help, cmdlet_helps};
pub(crate) use html::{HtmlPage, to_html};
pub(crate) use select::{Cells, expanded, pick, window};
pub(crate) use show::{TableStyle, format_list, format_table};
pub(crate) use sort::{group_name, measure, sorted};
pub(crate) use table::{Cmdlet, CmdletKind, DELEGATED, common, find, names};
