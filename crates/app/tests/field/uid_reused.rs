//! Report 09: UIDs belong to other messages, and UIDVALIDITY stays (Proton Mail Bridge, servers restored from a backup).

use mailhaul_mail::Flags;

use crate::support::{Field, SMALL, USER, arrival, sized};

#[tokio::test(flavor = "multi_thread")]
async fn case_09_uids_that_moved_are_not_taken_for_what_they_were() {
    let field = Field::usual().await;
    field.give("INBOX", (1..=4).map(|number| sized(number, SMALL)));
    field.keeps_promises(&[]).ends_with(0).copied(4);
    field.source.with(USER, |mailbox| {
        mailbox.restart("INBOX");
        for number in 2..=6 {
            let octets = sized(number, if number == 5 { 154 } else { SMALL });
            let day = if number >= 5 { 1440 } else { 0 };
            let minutes = i64::try_from(number).unwrap() - 1 + day;
            mailbox.add("INBOX", octets, Flags::new(), arrival(minutes));
        }
    });
    field.keeps_promises(&[]).ends_with(0).copied(2);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}
