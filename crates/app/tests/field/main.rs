//! The program between servers with the faults of public reports. Each test is one report, by its number.
//!
//! In every case: the target has no message that the source has not, and none twice. At most the faulty
//! message is missing. A missing message is named, and the exit code is not 0.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

// Bodies from the source.
mod bodies;
mod literal_large;
mod literal_small;
mod placeholder;
mod poison;
mod source_hangs_up;
mod xeams;

// Messages for the target.
mod flood;
mod full;
mod keyword;
mod not_stored;
mod other_bytes;
mod reset;
mod too_many;
mod try_create;
mod untagged_bad;
mod uploads;

// Lists of messages.
mod blanks;
mod dates;
mod message_limit;
mod scan;
mod sizes;
mod uid_next;
mod uid_only;

// Numbers.
mod big_numbers;
mod same_numbers;
mod uid_reused;

// Folders.
mod bridge;
mod cannot_open;
mod escapes;
mod mirror;
mod names;
mod no_match;
mod shared_folders;
mod subscriptions;
mod view;

// Logins.
mod echo;
mod netease;
mod not_connected;

// Files.
mod csv;

mod support;
