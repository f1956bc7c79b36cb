//! Replaces missing dates of arrival by those of the message's header.

use std::collections::BTreeMap;

use mail_parser::{DateTime, MessageParser};
use mailhaul_engine::MessageInfo;
use mailhaul_imap::{self as imap, Selected};
use mailhaul_mail::{InternalDate, Uid, UidSet};

use crate::imap::scan::halving::fetch_in_halves;

const ITEMS: &str = "(UID BODY.PEEK[HEADER.FIELDS (DATE RECEIVED)])";

/// Sets the date of each message whose date of arrival is missing, unreadable, or before 1970. Returns the
/// messages with a date from their header.
///
/// Costs nothing if all dates are usable.
pub(crate) async fn complete(
    selected: &mut Selected<'_>,
    messages: &mut [MessageInfo],
) -> Result<UidSet, imap::Error> {
    let undated = undated(messages);
    if undated.is_empty() {
        return Ok(undated);
    }
    let mut dates: BTreeMap<Uid, InternalDate> = BTreeMap::new();
    let asked = fetch_in_halves(selected, undated.clone(), ITEMS, |fetch| {
        let header = fetch.sections.iter().find_map(|it| fetch.inline(&it.spec));
        if let (Some(uid), Some(header)) = (fetch.uid, header) {
            dates.extend(date_of(header).map(|date| (uid, date)));
        }
        fetch.uid.is_some() && header.is_some()
    });
    // A refused message keeps no date: its body is refused too, or the copy gets the target's date.
    drop(asked.await?);
    for message in messages.iter_mut().filter(|it| undated.contains(it.uid)) {
        message.internal_date = dates.get(&message.uid).copied();
    }
    Ok(dates.into_keys().collect())
}

/// Messages without a usable date of arrival.
pub(crate) fn undated(messages: &[MessageInfo]) -> UidSet {
    messages.iter().filter(|it| !is_usable(it.internal_date)).map(|it| it.uid).collect()
}

/// Servers store earlier dates as dates of this century, or refuse them.
fn is_usable(date: Option<InternalDate>) -> bool {
    date.is_some_and(|it| it.unix_seconds() >= 0)
}

/// The date of the `Date` field, else that of the newest `Received` field, which is the first one.
fn date_of(header: &[u8]) -> Option<InternalDate> {
    let message = MessageParser::default().parse_headers(header)?;
    let sent = message.date().and_then(internal_date);
    sent.or_else(|| message.received_all().find_map(|it| internal_date(it.date.as_ref()?)))
}

fn internal_date(date: &DateTime) -> Option<InternalDate> {
    let minutes = i16::from(date.tz_hour) * 60 + i16::from(date.tz_minute);
    let minutes = if date.tz_before_gmt { -minutes } else { minutes };
    let date = if date.is_valid() { InternalDate::new(date.to_timestamp(), minutes) } else { None };
    date.filter(|it| is_usable(Some(*it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_field_comes_before_the_newest_received_field() {
        let received = "Received: from a by b; Fri, 02 Feb 2024 10:00:00 -0500\r\n\
                        Received: from c by a; Thu, 01 Feb 2024 10:00:00 +0000\r\n";
        for (first, date) in [
            ("Date: Thu, 01 Feb 2024 09:05:00 +0130\r\n", Some(" 1-Feb-2024 09:05:00 +0130")),
            ("Date: yesterday\r\n", Some(" 2-Feb-2024 10:00:00 -0500")),
            ("Date: Mon, 01 Jan 1601 00:00:00 +0000\r\n", Some(" 2-Feb-2024 10:00:00 -0500")),
            ("", Some(" 2-Feb-2024 10:00:00 -0500")),
        ] {
            let header = format!("{first}{received}\r\n");
            assert_eq!(date_of(header.as_bytes()).map(|it| it.to_string()).as_deref(), date, "{first}");
        }
        assert_eq!(date_of(b"Received: from a by b\r\n\r\n"), None);
        assert_eq!(date_of(b"\r\n"), None);
    }
}
