//! Report 21: the login is good, and the mailbox cannot be reached for a moment (Microsoft 365).

use mailhaul_testkit::fake::{Fake, when};

use crate::support::Field;

const WELCOME: &str = "t OK [Error=\"Microsoft.Exchange.Data.Storage.WrongServerException:Cross Server access is not \
     allowed for mailbox 1111\" AuthResultFromPopImapEnd=0 Proxy=BL0PR01MB4321.prod.exchangelabs.com:1993:SSL \
     Service=Imap4] AUTHENTICATE completed.";
const COMMANDS: &str =
    "CAPABILITY | ID | ENABLE | NAMESPACE | LIST | LSUB | STATUS | SELECT | EXAMINE | CREATE | NOOP";

fn is_not_connected(server: &Fake, connections: u64) {
    server
        .lie(when("AUTHENTICATE | LOGIN").connections(1..=connections).edit(|replies| replies.end(WELCOME)));
    let refusal = "t BAD User is authenticated but not connected.";
    server.lie(when(COMMANDS).logged_in().connections(1..=connections).answer(refusal));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_21_for_ever_is_an_error_with_the_reason() {
    let field = Field::of_5().await;
    is_not_connected(&field.source, u64::MAX);
    let run = field.keeps_promises(&[1, 2, 3, 4, 5]);
    run.ends_with(20).says(&["User is authenticated but not connected."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_21_the_error_of_the_welcome_is_shown() {
    let field = Field::of_5().await;
    is_not_connected(&field.source, u64::MAX);
    field.keeps_promises(&[1, 2, 3, 4, 5]).ends_with(20).says(&["WrongServerException"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_21_the_next_login_to_the_source_works() {
    let field = Field::of_5().await;
    is_not_connected(&field.source, 1);
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_21_the_next_login_to_the_target_works() {
    let field = Field::of_5().await;
    is_not_connected(&field.target, 1);
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}
