//! Report 25: options that name missing folders.

use crate::{shared_folders::with_a_shared_folder, support::Field};

#[tokio::test(flavor = "multi_thread")]
async fn case_25_folders_that_are_there_are_taken() {
    let field = Field::of_25().await;
    field.run(&["--include-folder", "Archive"]).ends_with(0).copied(10);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_an_included_folder_that_is_not_there_is_wrong_input() {
    let field = Field::of_25().await;
    field.run(&["--include-folder", "Snet"]).ends_with(2).says(&["Snet"]);
    assert!(field.target.commands().iter().all(|it| !it.starts_with("APPEND")));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_a_mapped_folder_that_is_not_there_is_told() {
    let field = Field::of_25().await;
    field.keeps_promises_with(&[], &["--map", "Snet=Foo"]).copied(25).says(&["Snet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_an_excluded_folder_that_is_not_there_is_told() {
    let field = Field::of_25().await;
    field.keeps_promises_with(&[], &["--exclude-folder", "Snet"]).copied(25).says(&["Snet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_a_shared_folder_that_is_mapped_is_copied() {
    let field = with_a_shared_folder().await;
    let map = ["--map", "shared/ann.beebe/Team=Team"];
    field.keeps_promises_with(&[], &map).ends_with(0).copied(28);
    field.keeps_promises_with(&[], &map).ends_with(0).copied(0);
}
