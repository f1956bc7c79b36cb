//! Remarks for the operator on a source folder whose messages are about to be copied. Pure.

use std::time::Duration;

use crate::{folder::Scan, message_plan::MessagePlan};

/// Tolerated difference of clocks. Dates of arrival beyond it are in the future.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_hours(24);

/// Returns the remarks, each a sentence. `now` is the time since 1970.
pub(crate) fn remarks(scan: &Scan, plan: &MessagePlan, now: Duration) -> Vec<String> {
    let latest = i64::try_from((now + MAX_CLOCK_DIFFERENCE).as_secs()).unwrap_or(i64::MAX);
    let (mut by_header, mut undated, mut ahead) = (0, 0, 0);
    for message in &plan.copy {
        by_header += u64::from(scan.dated_by_header.contains(message.uid));
        undated += u64::from(message.internal_date.is_none());
        ahead += u64::from(message.internal_date.is_some_and(|it| it.unix_seconds() > latest));
    }
    let counted = [
        (by_header, "without a readable date of arrival; copied with the date of their header"),
        (undated, "without any readable date; the target server dates the copies"),
        (ahead, "with a date of arrival in the future; copied with it"),
        (
            plan.unseen,
            "whose flags the source server does not show; the copies keep the flags that they have",
        ),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let told = counted.map(|(count, what)| {
        let messages = if count == 1 { "message" } else { "messages" };
        format!("{count} {messages} {what}")
    });
    scan.notes.iter().cloned().chain(told).collect()
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::{InternalDate, Uid, UidSet, UidValidity};

    use super::*;
    use crate::folder::{FolderStatus, MessageInfo, Present};

    #[test]
    fn dates_are_counted_of_what_is_copied() {
        let uid = |number| Uid::new(number).unwrap();
        let message = |number, seconds: Option<i64>| MessageInfo {
            uid: uid(number),
            flags: "".split_whitespace().collect(),
            internal_date: seconds.and_then(|it| InternalDate::new(it, 0)),
            size: 1,
        };
        let status = FolderStatus {
            messages: 4,
            uid_validity: UidValidity::new(1).unwrap(),
            uid_next: None,
            highest_modseq: None,
        };
        let mut scan = Scan::whole(status, Vec::new(), Present::AllBut(UidSet::new()));
        scan.dated_by_header = [1, 2, 9].map(uid).into_iter().collect();
        scan.notes = vec!["first".to_owned()];
        let copy = vec![message(1, Some(5)), message(2, Some(5)), message(3, None), message(4, Some(90_000))];
        let plan = MessagePlan { copy, ..MessagePlan::default() };
        assert_eq!(
            remarks(&scan, &plan, Duration::from_mins(50)),
            [
                "first",
                "2 messages without a readable date of arrival; copied with the date of their header",
                "1 message without any readable date; the target server dates the copies",
                "1 message with a date of arrival in the future; copied with it",
            ]
        );
    }
}
