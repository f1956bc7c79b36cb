//! Scenario 4: lists that are longer than the screen.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_scrolled_sorted_and_searched() {
    let mut world = World::new(1).await;
    let mut csv = "EmailAddress,UserName,Password,TargetUserName,TargetPassword\n".to_owned();
    for number in 0..1500 {
        // Neither the order of creation nor that of the addresses is that of the numbers.
        let person = number * 7 % 1500;
        csv.push_str(&format!("person{person}@contoso.edu,person{person},x,person{person},x\n"));
    }
    let csv = world.service.write("large.csv", &csv);
    let new = ["New-MigrationBatch", "-Name", "Large", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    world.service.expect(&[&new[..], &["-CSVData", &csv]].concat());
    let token = world.token("ada", "Operator");
    world.play("rows", &json!({ "token": token }));
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_rows_are_judged_made_and_shown() {
    // A large file takes minutes on a busy machine: `make test-long` has 50,000 rows.
    let rows: u64 = if std::env::var_os("MAILHAUL_EXTENT").is_some() { 50_000 } else { 5_000 };
    let mut world = World::new(1).await;
    let token = world.token("ada", "Operator");
    world.play("large", &json!({ "token": token, "rows": rows }));
    let batch = world.service.batch("Large");
    assert_eq!((&batch["Status"], &batch["TotalCount"]), (&json!("Created"), &json!(rows - rows / 250 + 1)));
}
