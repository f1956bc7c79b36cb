//! Rows 50 to 68: sessions that end, servers that ask for patience.

use std::time::Duration;

use crate::{
    memory::{MemoryLedger, Remote},
    scene::pass,
};

/// What the target holds.
fn bodies(target: &Remote) -> Vec<String> {
    let contents = target.contents().into_values();
    contents.flat_map(|messages| messages.into_iter().map(|(body, ..)| body)).collect()
}

#[tokio::test]
async fn a_suggested_backoff_is_waited_for_and_nothing_is_fetched_twice() {
    let target = Remote::default();
    let passed = pass("q50-microsoft-365-throttled.txt", &target, &MemoryLedger::default()).await;
    assert_eq!((passed.report.error.as_ref(), passed.copied()), (None, 2));
    assert_eq!(passed.waits, [Duration::from_millis(299_961)]);
    assert_eq!(bodies(&target), ["Subject: one\r\n\r\n1", "Subject: two\r\n\r\n2"]);
}
