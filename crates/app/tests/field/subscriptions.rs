//! Subscriptions of the source are added; none is removed.

use crate::support::{Field, USER};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_stays_subscribed_on_the_target_alone_is_named() {
    let field = Field::of_25().await;
    field.source.with(USER, |mailbox| mailbox.subscribe("Archive", true));
    field.target.with(USER, |mailbox| {
        for folder in ["Archive", "Zeta", "Foreign"] {
            mailbox.create(folder);
            mailbox.subscribe(folder, true);
        }
    });
    let words = "subscribed on the target but not on the source: Zeta; mailhaul does not unsubscribe";
    field.keeps_promises(&[]).ends_with(0).says(&[words]);
    // Without new messages the target is not listed.
    field.keeps_promises(&[]).ends_with(0).says_nothing_of(&["subscribed"]);
}
