//! Cmdlets of the language: they select, sort, count and show values.

mod bind;
mod convert;
mod select;
mod show;
mod sort;
mod table;

pub(crate) use bind::{ArgumentValue, BoundArguments, CmdletArgument, following, parameter};
pub(crate) use convert::{export_csv, to_csv, to_json};
pub(crate) use select::select_object;
pub(crate) use show::{format_list, format_table};
pub(crate) use sort::{group_object, measure_object, sort_object};
pub(crate) use table::{Cmdlet, CmdletKind, DELEGATED, find, names};
