//! Report 60: all folders have the same UIDVALIDITY.

use mailhaul_testkit::fake::when;

use crate::support::Field;

#[tokio::test(flavor = "multi_thread")]
async fn case_60_one_uidvalidity_for_all_folders() {
    let field = Field::of_25().await;
    for server in [&field.source, &field.target] {
        server.lie(when("").edit(|replies| {
            for number in 1001..1003 {
                for word in ["UIDVALIDITY", "APPENDUID", "COPYUID"] {
                    let told = format!("{word} {number}");
                    replies.change(&told, &told, &format!("{word} 1000"));
                }
            }
        }));
    }
    field.keeps_promises(&[]).ends_with(0).copied(25);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}
