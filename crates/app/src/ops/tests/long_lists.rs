//! The largest list of users that a file may have.

use std::{collections::HashSet, fmt::Write as _};

use mailhaul_operations::FailureKind::Invalid;
use serde_json::json;

use super::support::{Desk, base64};

fn rows(many: u32) -> String {
    let mut text = String::from("EmailAddress,UserName,Password\r\n");
    for number in 0..many {
        write!(text, "user{number}@example.org,user{number},secret\r\n").unwrap();
    }
    base64(&text)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_users_are_taken_and_read_page_by_page() {
    let desk = Desk::with_endpoint().await;
    let one_more = json!({ "Name": "B", "SourceEndpoint": "Old", "CSVData": rows(50_001) });
    desk.refused(
        "New-MigrationBatch",
        one_more,
        Invalid,
        "more than 50,000 rows; split it into smaller files",
    )
    .await;
    let shown = desk.batch("B", &[], json!({ "CSVData": rows(50_000) })).await;
    assert_eq!(shown["TotalCount"], 50_000);

    assert_eq!(desk.call("Get-MigrationUser", json!({})).await.unwrap().len(), 1000);
    let entry = desk.operations.entry("Get-MigrationUser").unwrap();
    for (size, total, largest) in
        [(json!("unlimited"), 50_000, 1000), (json!(2500), 2500, 1000), (json!(7), 7, 7)]
    {
        let request = json!({ "BatchId": "B", "StatusSummary": "Stopped", "ResultSize": size });
        let mut pages = desk.client.pages(entry, request).unwrap();
        let mut seen = HashSet::new();
        while let Some(page) = pages.next().await.unwrap() {
            assert!(page.len() <= largest, "{size}: {}", page.len());
            for user in page {
                assert!(seen.insert(user["Identity"].as_str().unwrap().to_owned()), "{user} came twice");
            }
        }
        assert_eq!(seen.len(), total, "{size}");
    }

    let parts = desk.call("Export-MigrationReport", json!({ "Identity": "B" })).await.unwrap();
    let text: String = parts.iter().map(|it| it["Content"].as_str().unwrap()).collect();
    assert_eq!(text.lines().count(), 50_001);
    assert_eq!(text.matches("EmailAddress").count(), 1, "one header for all parts");
}
