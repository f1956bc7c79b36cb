//! Report 56: a keyword that the target does not understand (iCloud).

use mailhaul_mail::Flags;
use mailhaul_testkit::fake::when;

use crate::support::{Field, USER};

#[tokio::test(flavor = "multi_thread")]
async fn case_56_a_keyword_that_is_refused_is_left_out() {
    let field = Field::of_5().await;
    field.source.with(USER, |mailbox| {
        mailbox.set_flags("INBOX", 2, ["\\Seen", "domain.com"].into_iter().collect::<Flags>());
    });
    field.target.lie(when("APPEND INBOX (*domain.com").answer("t BAD Parse Error"));
    field.keeps_promises(&[]).copied(5).says(&["domain.com"]);
    field.keeps_promises(&[]).copied(0);
}
