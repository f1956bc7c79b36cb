//! Report 17: the target answers a message in a way that spoils the connection, each time.

use mailhaul_testkit::fake::when;

use crate::support::Field;

/// The answer has the tag of no command.
#[tokio::test(flavor = "multi_thread")]
async fn case_17_the_target_garbles_the_tag() {
    let field = Field::of_5().await;
    field.target.lie(when("APPEND").holding("Number 002").answer("zz NO [CANNOT] cannot"));
    field.keeps_promises(&[2]).ends_with(10).copied(4);
    field.keeps_promises(&[2]).ends_with(10).copied(0);
}
