//! Test-MigrationBatch: what New-MigrationBatch would say about a file, and nothing is made.

use mailhaul_operations::FailureKind::{Conflict, Invalid, NotFound};
use serde_json::{Value, json};

use super::support::{Desk, base64, csv};

async fn test(desk: &Desk, file: &str, more: Value) -> Value {
    let mut request = json!({ "SourceEndpoint": "Old", "CSVData": file });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    desk.one("Test-MigrationBatch", request).await
}

#[tokio::test]
async fn a_file_that_is_accepted() {
    let desk = Desk::with_endpoint().await;
    desk.batch("First", &["b"], json!({})).await;
    let file = "Emailaddress;UserName;Password;Note\r\na@x.example;a;secret-a;\r\nB@example.org;b;secret-b;\r\n\
                c@X.example;c;secret-c;\r\na@x.example;a;secret-a;\r\n;;;\r\n";
    let more = json!({ "AllowUnknownColumnsInCsv": true, "Name": "Second" });
    let shown = test(&desk, &base64(file), more).await;
    assert_eq!(
        shown,
        json!({
            "IsValid": true,
            "Message": "The CSV file is accepted: 2 users",
            "RowCount": 4,
            "UserCount": 2,
            "LeftOutCount": 2,
            "Columns": ["EmailAddress", "UserName", "Password"],
            "Domains": { "x.example": 2 },
            "Warnings": [
                "The cells are separated by semicolons, not by commas; the file is read so",
                "Row 1, column 4: the column name \"Note\" is unknown; the column is ignored",
                "Row 5: the EmailAddress is already in row 2; row 5 is left out",
                "Row 6 has no values; it is ignored",
                "Row 3: the EmailAddress is in the batch \"First\" already; row 3 is left out",
            ],
            "ErrorCount": 0,
            "Errors": [],
        })
    );
    let batches = desk.call("Get-MigrationBatch", json!({})).await.unwrap();
    assert_eq!(batches.len(), 1, "nothing is made");
}

#[tokio::test]
async fn a_file_is_checked_before_its_endpoints_are_chosen() {
    let desk = Desk::with_endpoint().await;
    desk.batch("First", &["b"], json!({})).await;
    let alone = async |file: &str| {
        let request = json!({ "CSVData": base64(file), "Name": "Second" });
        desk.one("Test-MigrationBatch", request).await
    };
    let shown = alone("EmailAddress\na@x.example\nb@example.org\n").await;
    assert_eq!(
        (&shown["IsValid"], &shown["UserCount"], &shown["LeftOutCount"]),
        (&json!(true), &json!(1), &json!(1))
    );
    let shown = alone("EmailAddress\na b@x.example\n").await;
    assert_eq!((&shown["IsValid"], &shown["Errors"][0]["Row"]), (&json!(false), &json!(2)));
}

#[tokio::test]
async fn every_error_has_its_place_rule_and_proposal() {
    let desk = Desk::with_endpoint().await;
    let file = "EmailAddress,UserName,Pasword\na@x.example,a,hunter2\nhunter2,b,p\nc@x.example,c\n";
    let shown = test(&desk, &base64(file), json!({})).await;
    assert_eq!(
        (&shown["IsValid"], &shown["ErrorCount"], &shown["UserCount"]),
        (&json!(false), &json!(3), &json!(1))
    );
    assert_eq!(shown["Message"], "The CSV file is refused: 3 errors");
    assert_eq!(
        shown["Errors"],
        json!([
            {
                "Row": 1, "Column": 3, "ColumnName": null, "Code": "UnknownColumn",
                "Message": "the column name \"Pasword\" is unknown", "Proposal": "did you mean \"Password\"?",
            },
            {
                "Row": 3, "Column": 1, "ColumnName": "EmailAddress", "Code": "Address",
                "Message": "the value is no e-mail address, because it has no @",
                "Proposal": "write the whole address, as in terry@contoso.com; a login without @ belongs in \
                             TargetUserName",
            },
            {
                "Row": 4, "Column": null, "ColumnName": null, "Code": "CellCount",
                "Message": "wrong number of columns (expected: 3, found: 2)",
                "Proposal": "a comma follows each value but the last, also an empty one",
            },
        ])
    );
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
    let nothing = test(&desk, &base64(""), json!({})).await;
    assert_eq!(
        (&nothing["Errors"][0]["Row"], &nothing["Errors"][0]["Code"]),
        (&Value::Null, &json!("Empty"))
    );
}

#[tokio::test]
async fn the_endpoints_and_other_batches_are_tested_too() {
    let desk = Desk::with_endpoint().await;
    let target = json!({ "Name": "New", "RemoteServer": "imap.example.org", "SkipVerification": true });
    desk.one("New-MigrationEndpoint", target).await;
    let shown = test(&desk, &csv(&["a"]), json!({ "TargetEndpoint": "New" })).await;
    assert_eq!(shown["Errors"][0]["Code"], "NoTargetPassword", "{shown}");
    let shown = test(&desk, &csv(&["a"]), json!({ "TargetEndpoint": "Archive" })).await;
    assert_eq!(shown["IsValid"], true, "{shown}");
    desk.batch("First", &["a"], json!({})).await;
    let shown = test(&desk, &csv(&["a"]), json!({})).await;
    assert_eq!((&shown["IsValid"], &shown["Errors"][0]["Code"]), (&json!(false), &json!("NoUsersLeft")));
    for (more, kind, words) in [
        (json!({ "SourceEndpoint": "None" }), NotFound, "\"None\" could not be found"),
        (json!({ "Name": "first" }), Conflict, "\"first\" already exists"),
        (json!({ "Name": "x".repeat(65) }), Invalid, "at most 64 characters"),
        (json!({ "CSVData": "%" }), Invalid, "CSVData must be base64 text"),
    ] {
        let mut request = json!({ "SourceEndpoint": "Old", "CSVData": csv(&["b"]) });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.refused("Test-MigrationBatch", request, kind, words).await;
    }
}

#[tokio::test]
async fn the_number_of_errors_is_bounded() {
    let desk = Desk::with_endpoint().await;
    let file = format!("EmailAddress,UserName,Password\n{}", ",,\n,u,p\n".repeat(20_000));
    let shown = test(&desk, &base64(&file), json!({})).await;
    assert_eq!((&shown["RowCount"], &shown["ErrorCount"]), (&json!(20_000), &json!(20_000)));
    assert_eq!(shown["Errors"].as_array().unwrap().len(), 1000);
}
