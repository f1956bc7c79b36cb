//! Time zones, and dates without a zone.

use jiff::{Timestamp, tz::TimeZone};
use mailhaul_operations::{Change, DateTime, Failure};

/// Windows names of time zones with their IANA names.
///
/// These are the usual ones of about 140. For the others the error asks for the IANA name.
const WINDOWS: [(&str, &str); 40] = [
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Canada Central Standard Time", "America/Regina"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Standard Time", "America/Chicago"),
    ("China Standard Time", "Asia/Shanghai"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Eastern Standard Time", "America/New_York"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Mountain Standard Time", "America/Denver"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Europe Standard Time", "Europe/Berlin"),
];

/// Returns the zone of this IANA or Windows name; UTC for `None`.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone, Failure> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    let windows = WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name.trim()));
    let iana = windows.map_or(name.trim(), |(_, iana)| iana);
    // Exchange's dates without a zone are in "UTC", whatever its case.
    if iana.eq_ignore_ascii_case("UTC") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(iana).map_err(|_| {
        Failure::invalid(format_args!("TimeZone: there is no time zone \"{name}\""))
            .with_advice("Use an IANA name, for example Europe/Berlin or America/Los_Angeles.")
    })
}

/// Returns the time of the date; a date without a zone is in this zone. The failure names the parameter.
pub(crate) fn moment(parameter: &str, date: DateTime, zone: &TimeZone) -> Result<Timestamp, Failure> {
    date.at(zone)
        .map_err(|failure| Failure { message: format!("{parameter}: {}", failure.message), ..failure })
}

/// Returns the time of a changed date, which may be cleared.
pub(crate) fn change(
    parameter: &str,
    date: Change<DateTime>,
    zone: &TimeZone,
) -> Result<Change<Timestamp>, Failure> {
    date.try_map(|date| moment(parameter, date, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_table_is_a_zone() {
        for (windows, iana) in WINDOWS {
            assert_eq!(zone(Some(windows)).unwrap(), TimeZone::get(iana).unwrap());
        }
        assert_eq!(zone(Some("utc")).unwrap(), TimeZone::UTC);
        assert!(zone(Some("Middle Earth")).unwrap_err().message.contains("Middle Earth"));
    }

    #[test]
    fn a_date_without_a_zone_is_in_the_batchs_zone() {
        let zone = zone(Some("Pacific Standard Time")).unwrap();
        let date = "2026-07-01T08:00".parse().unwrap();
        assert_eq!(moment("StartAfter", date, &zone).unwrap().to_string(), "2026-07-01T15:00:00Z");
    }
}
