//! `mailhaul database check`.

use std::{os::unix::net::UnixStream, path::Path};

use mailhaul_store::{Home, Inspection, Relocation, ServerFacts, StoreError, inspect};

use super::sizes;
use crate::{data_directory, exit::Exit, output::text};

/// Offset of clocks from which a warning is printed, in milliseconds.
const MAX_CLOCK_OFFSET: i64 = 2_000;

/// Looks at the database, and prints what it found. `directory` has the socket of a service on a file.
pub(super) async fn run(home: &Home, directory: &Path) -> Result<Exit, StoreError> {
    let found = inspect(home).await?;
    let services = match home {
        Home::Server(_) => found.services.clone(),
        Home::Directory(_) => {
            let is_alive = UnixStream::connect(data_directory::socket(directory)).is_ok();
            is_alive.then(|| "the service of this directory".to_owned()).into_iter().collect()
        }
    };
    facts(&found, &services).into_iter().for_each(text::print);
    if !found.tables.is_empty() {
        text::print_page(format_args!("\n{}\n", sizes::page(&found.tables)));
    }
    let errors = errors(&found);
    for line in &errors {
        text::print(format_args!("error: {line}"));
    }
    let (warnings, notes) = remarks(&found);
    for line in &warnings {
        text::print(format_args!("warning: {line}"));
    }
    for line in &notes {
        text::print(format_args!("note: {line}"));
    }
    Ok(if errors.is_empty() { Exit::Synced } else { Exit::Damaged })
}

/// Describes the database.
fn facts(found: &Inspection, services: &[String]) -> Vec<String> {
    let mut lines = vec![found.place.clone()];
    let schema = found.schema.map_or_else(|| "none yet".to_owned(), |schema| schema.to_string());
    lines.push(format!("schema: {schema} (this program knows {})", found.known_schema));
    match &found.server {
        Some(facts) => {
            lines.push(format!("server: PostgreSQL {}", facts.version));
            lines.push(format!("clock of the server: {}", clock_words(facts)));
        }
        None if found.damage.is_empty() => lines.push("integrity: the file is undamaged".to_owned()),
        None => {}
    }
    if found.schema == Some(found.known_schema) && found.missing.is_empty() && found.damage.is_empty() {
        lines.push("catalogue: complete".to_owned());
    }
    let names = if services.is_empty() { String::new() } else { format!(" ({})", services.join(", ")) };
    lines.push(format!("living services: {}{names}", services.len()));
    lines
}

fn clock_words(facts: &ServerFacts) -> String {
    let (offset, error) = (facts.clock_offset, facts.clock_error);
    match offset {
        offset if offset.abs() <= error => format!("as this machine's (to {error} ms)"),
        offset if offset > 0 => format!("{offset} ms ahead (to {error} ms)"),
        offset => format!("{} ms behind (to {error} ms)", offset.abs()),
    }
}

/// Describes faults for which the service does not start, or loses data.
fn errors(found: &Inspection) -> Vec<String> {
    let mut errors: Vec<String> =
        found.damage.iter().map(|words| format!("the file is damaged: {words}")).collect();
    errors.extend(found.missing.iter().map(|name| format!("the {name} is missing")));
    if let Some(schema) = found.schema.filter(|schema| *schema > found.known_schema) {
        errors.push(format!("schema {schema} is of a newer mailhaul; update this program"));
    }
    errors
}

/// Returns warnings and notes.
fn remarks(found: &Inspection) -> (Vec<String>, Vec<String>) {
    let (mut warnings, mut notes) = (Vec::new(), Vec::new());
    match &found.relocation {
        Some(Relocation::Moved(to)) => warnings.push(format!("the data was moved to {to}: continue there")),
        Some(Relocation::Filling(from)) => warnings.push(format!(
            "an unfinished copy of {from}: run `mailhaul database copy` again, which continues it"
        )),
        None => {}
    }
    match found.schema {
        None => notes.push("the first start of the service makes the schema".to_owned()),
        Some(schema) if schema < found.known_schema => {
            notes.push("the next start of the service brings the schema up to date".to_owned());
        }
        Some(_) => {}
    }
    if let Some(facts) = &found.server {
        of_server(facts, &mut warnings, &mut notes);
    }
    (warnings, notes)
}

fn of_server(facts: &ServerFacts, warnings: &mut Vec<String>, notes: &mut Vec<String>) {
    if !facts.has_fsync {
        warnings.push("fsync is off: a crash of the server's machine can destroy the database".to_owned());
    }
    if !facts.has_full_page_writes {
        warnings.push("full_page_writes is off: a crash of the server's machine can damage pages".to_owned());
    }
    if facts.synchronous_commit == "off" {
        warnings.push(
            "synchronous_commit is off: after a crash of the server the ledger lacks its last moments, and messages are searched \
             on the target"
                .to_owned(),
        );
    }
    if facts.clock_offset.abs() > MAX_CLOCK_OFFSET + facts.clock_error {
        warnings.push(
            "the clocks of the server and of this machine differ by more than 2 s; synchronise both"
                .to_owned(),
        );
    }
    if facts.synchronous_standbys.is_empty() {
        notes.push(
            "no synchronous standby (synchronous_standby_names): a promoted standby can lack the last moments of the ledger"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ServerFacts {
        ServerFacts {
            version: "15.14".to_owned(),
            has_fsync: true,
            has_full_page_writes: true,
            synchronous_commit: "on".to_owned(),
            synchronous_standbys: "one".to_owned(),
            clock_offset: 0,
            clock_error: 1,
        }
    }

    /// The first words of warnings and notes.
    fn of(facts: &ServerFacts) -> String {
        let (mut warnings, mut notes) = (Vec::new(), Vec::new());
        of_server(facts, &mut warnings, &mut notes);
        let words = |line: String| line.split(' ').take(3).collect::<Vec<_>>().join(" ");
        warnings.into_iter().chain(notes).map(words).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn each_setting_that_hurts_is_named() {
        assert_eq!(of(&facts()), "");
        for (changed, words) in [
            (ServerFacts { has_fsync: false, ..facts() }, "fsync is off:"),
            (ServerFacts { has_full_page_writes: false, ..facts() }, "full_page_writes is off:"),
            (ServerFacts { synchronous_commit: "off".to_owned(), ..facts() }, "synchronous_commit is off:"),
            (ServerFacts { synchronous_standbys: String::new(), ..facts() }, "no synchronous standby"),
            (ServerFacts { clock_offset: -2_100, ..facts() }, "the clocks of"),
            (ServerFacts { clock_offset: 2_100, clock_error: 200, ..facts() }, ""),
        ] {
            assert_eq!(of(&changed), words);
        }
    }

    #[test]
    fn the_offset_is_said_in_words() {
        for (clock_offset, words) in
            [(0, "as this machine's (to 1 ms)"), (5, "5 ms ahead (to 1 ms)"), (-5, "5 ms behind (to 1 ms)")]
        {
            assert_eq!(clock_words(&ServerFacts { clock_offset, ..facts() }), words);
        }
    }
}
