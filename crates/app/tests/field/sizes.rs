//! Report 61: invalid sizes.

use mailhaul_testkit::fake::when;

use crate::support::{Field, message};

async fn tells(sizes: &'static [&str]) {
    let field = Field::usual().await;
    field.give("INBOX", (1..=9).map(message));
    field.source.lie(when("UID FETCH *RFC822.SIZE").edit(move |replies| {
        for (uid, size) in (2..).zip(sizes) {
            replies.change(&format!("(UID {uid} "), "RFC822.SIZE 139", &format!("RFC822.SIZE {size}"));
        }
    }));
    field.keeps_promises(&[]).ends_with(0).copied(9);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_61_sizes_that_are_no_numbers() {
    tells(&["3.45027e+06", "-1", "5000000000", "NIL", "\"139\""]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_61_the_largest_number_of_64_bits() {
    tells(&["18446744073709551615", "18446744073709551615"]).await;
}
