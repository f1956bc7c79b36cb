//! Batch settings of New- and Set-MigrationBatch, and their checks.

use std::{collections::BTreeMap, time::Duration};

use jiff::tz::TimeZone;
use mailhaul_engine::{FolderMapping, FolderPattern};
use mailhaul_mail::repair::{Repair, Repairs};
use mailhaul_migration::{BatchSettings, MAX_NAME, MIN_SYNC_INTERVAL, content_filter, read_folder_map};
use mailhaul_operations::{Bytes, Failure, TimeSpan};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{ops::shared::failures, time_zones::zone};

/// Checks the name of a batch.
pub(crate) fn name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    match name.chars().count() {
        0 => Err(Failure::invalid("Name must not be empty")),
        1..=MAX_NAME => Ok(name.to_owned()),
        many => {
            Err(Failure::invalid(format_args!("Name must have at most {MAX_NAME} characters; it has {many}")))
        }
    }
}

/// Parses folder patterns.
pub(crate) fn folders(parameter: &str, folders: Vec<String>) -> Result<Vec<String>, Failure> {
    for folder in &folders {
        FolderPattern::parse(folder).map_err(|error| {
            Failure::invalid(format_args!("{parameter}: {error}")).with_advice(
                "Write Name for a folder, Name/* for it and all its subfolders, #Inbox# for a well-known one, \\#Name# for one whose \
                 name contains these characters.",
            )
        })?;
    }
    Ok(folders)
}

/// Merges the folder map of the CSV file with the entries of `FolderMap`.
pub(crate) fn folder_map(
    map: BTreeMap<String, String>,
    file: Option<&Bytes>,
) -> Result<Vec<(String, String)>, Failure> {
    const ADVICE: &str =
        "Write for example @{\"Sent\" = \"Sent Items\"}; Name/* includes all subfolders, - leaves it out.";
    let invalid = |words: String| Failure::invalid(format_args!("FolderMap: {words}")).with_advice(ADVICE);
    let mut joined = match file {
        Some(file) => {
            read_folder_map(file).map_err(|error| Failure::invalid(format_args!("FolderMapData: {error}")))?
        }
        None => Vec::new(),
    };
    if map.values().any(String::is_empty) {
        return Err(invalid("a folder name must not be empty".to_owned()));
    }
    joined.extend(map);
    let parsed: Result<Vec<FolderMapping>, String> =
        joined.iter().map(|(from, to)| FolderMapping::parse(from, to)).collect();
    if let Some(twice) = FolderMapping::repeated(&parsed.map_err(invalid)?) {
        return Err(invalid(format!("\"{twice}\" occurs twice")));
    }
    Ok(joined)
}

/// Edit that may be made to a message that the target refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum RepairChoice {
    /// Removes NUL bytes.
    NulBytes,
    /// Replaces lone CR and LF by CRLF.
    BareNewlines,
    /// Folds or re-encodes lines that are longer than the target accepts.
    LongLines,
    /// Corrects invalid header lines.
    InvalidHeaders,
    /// Appends CRLF to a message that does not end in CRLF.
    MissingFinalNewline,
    /// All of these.
    All,
}

pub(crate) fn repairs(chosen: &[RepairChoice]) -> Repairs {
    let meant = |choice: &RepairChoice| match choice {
        RepairChoice::NulBytes => Some(Repair::NulBytes),
        RepairChoice::BareNewlines => Some(Repair::BareNewlines),
        RepairChoice::LongLines => Some(Repair::LongLines),
        RepairChoice::InvalidHeaders => Some(Repair::InvalidHeaders),
        RepairChoice::MissingFinalNewline => Some(Repair::MissingFinalNewline),
        RepairChoice::All => None,
    };
    let some: Option<Repairs> = chosen.iter().map(meant).collect();
    some.unwrap_or_else(Repairs::all)
}

/// Checks the interval between incremental syncs.
pub(crate) fn sync_interval(interval: TimeSpan) -> Result<Duration, Failure> {
    if interval.0 >= MIN_SYNC_INTERVAL {
        return Ok(interval.0);
    }
    Err(Failure::invalid(format_args!(
        "SyncInterval must be at least {}; it is {interval}",
        TimeSpan(MIN_SYNC_INTERVAL)
    ))
    .with_advice("To turn incremental syncs off, give -AllowIncrementalSyncs $false."))
}

/// Refuses settings that contradict each other, and filters that cannot be parsed.
pub(crate) fn check(settings: &BatchSettings, language: Option<&str>) -> Result<(), Failure> {
    let zone = zone(settings.time_zone.as_deref())?;
    check_filter(settings.content_filter.as_deref(), language, &zone)?;
    if let (Some(start), Some(complete)) = (settings.start_after, settings.complete_after)
        && complete < start
    {
        return Err(Failure::invalid(format_args!(
            "CompleteAfter ({complete}) must not be before StartAfter ({start})"
        )));
    }
    Ok(())
}

fn check_filter(filter: Option<&str>, language: Option<&str>, zone: &TimeZone) -> Result<(), Failure> {
    let Some(filter) = filter else {
        return match language {
            Some(_) => Err(Failure::invalid("ContentFilterLanguage needs ContentFilter")),
            None => Ok(()),
        };
    };
    // 4/3/2024 means another day in another language, and the mistake would go unnoticed.
    if language.is_some_and(|it| !it.eq_ignore_ascii_case("en-US")) && filter.contains('/') {
        return Err(Failure::invalid("ContentFilter: dates with slashes are always read as month/day/year")
            .with_advice("Write dates as 2024-12-31, which every ContentFilterLanguage reads alike."));
    }
    content_filter(filter, zone).map(drop).map_err(failures::filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(filter: &str, language: Option<&str>) -> Result<(), Failure> {
        let settings = BatchSettings { content_filter: Some(filter.to_owned()), ..BatchSettings::default() };
        check(&settings, language)
    }

    #[test]
    fn a_date_means_one_day_in_every_language() {
        assert!(filtered("Received -ge '3/4/2024'", None).is_ok());
        assert!(filtered("Received -ge '3/4/2024'", Some("en-us")).is_ok());
        assert!(filtered("Received -ge '2024-03-04'", Some("de-DE")).is_ok());
        assert!(filtered("Received -ge '3/4/2024'", Some("de-DE")).unwrap_err().message.contains("slashes"));
    }

    #[test]
    fn a_map_is_joined_of_a_file_and_of_names() {
        let file = |text: &str| Bytes::new(text);
        let map = |from: &str, to: &str| BTreeMap::from([(from.to_owned(), to.to_owned())]);
        let rows = file("Source,Target\nA/*,B\nC,\n");
        let joined = folder_map(map("A", "Z"), Some(&rows)).unwrap();
        let joined: Vec<(&str, &str)> =
            joined.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        assert_eq!(joined, [("A/*", "B"), ("C", "-"), ("A", "Z")]);
        let wrong = |map, rows: &Bytes| folder_map(map, Some(rows)).unwrap_err().message;
        assert_eq!(wrong(map("C", "D"), &rows), "FolderMap: \"C\" occurs twice");
        assert!(wrong(map("C", ""), &rows).contains("must not be empty"));
        assert_eq!(
            wrong(BTreeMap::new(), &file("Source,Target\n,x\n")),
            "FolderMapData: Row 2, column 1 (Source): a folder's name must not be empty"
        );
    }

    #[test]
    fn names_have_up_to_64_characters() {
        assert_eq!(name(&" ü".repeat(32)).unwrap().chars().count(), 63);
        assert!(name(&"ü".repeat(64)).is_ok());
        assert!(name(&"ü".repeat(65)).unwrap_err().message.contains("at most 64"));
        assert!(name(" ").is_err());
    }

    #[test]
    fn repairs_are_those_that_were_named_or_all() {
        assert_eq!(repairs(&[]), Repairs::default());
        let named = repairs(&[RepairChoice::LongLines, RepairChoice::NulBytes, RepairChoice::LongLines]);
        assert_eq!(named.to_string(), "NulBytes,LongLines");
        assert_eq!(repairs(&[RepairChoice::NulBytes, RepairChoice::All]), Repairs::all());
    }
}
