//! Report 25: options that name folders that are not there.

use crate::support::Field;

#[tokio::test(flavor = "multi_thread")]
async fn case_25_folders_that_are_there_are_taken() {
    let field = Field::of_25().await;
    field.run(&["--include-folder", "Archive"]).ends_with(0).copied(10);
}
