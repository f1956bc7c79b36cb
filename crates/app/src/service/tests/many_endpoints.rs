//! The work of a turn, counted.

use mailhaul_store::NewSecret;

use super::*;

/// Reads of the database in one turn with this many endpoints, each with a batch that has nothing to do yet.
async fn reads_of_a_turn(endpoints: usize) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::new(directory.path(), 1, 1).await;
    let store = &site.context.store;
    let later = Timestamp::now().checked_add(Duration::from_hours(24)).unwrap();
    for number in 0..endpoints {
        let name = format!("E{number}");
        let endpoint = Endpoint { guid: Guid::new_v4(), name: name.clone(), ..site.endpoint.clone() };
        let endpoint = store.endpoints().insert(endpoint, None).await.unwrap();
        let batch = Batch {
            guid: Guid::new_v4(),
            name,
            source_endpoint: endpoint.guid,
            target_endpoint: None,
            archive: None,
            intent: BatchIntent::Run,
            settings: BatchSettings { start_after: Some(later), ..BatchSettings::default() },
            submitted_by: "test".into(),
            validation_warnings: Vec::new(),
            created: Timestamp::now(),
            started: Some(Timestamp::now()),
        };
        store.batches().insert(batch, vec![row_of(&format!("u{number}"), 2)]).await.unwrap();
    }
    let lock = store.lock_service().unwrap();
    let mut scheduler = Scheduler::new(site.context.service_context(), lock, super::node());
    // The first turn reads what every endpoint has used of its rates.
    scheduler.turn().await.unwrap();
    let before = store.reads();
    scheduler.turn().await.unwrap();
    let reads = store.reads() - before;
    // The endpoints are read again after a change alone.
    store
        .endpoints()
        .update(site.endpoint.guid, NewSecret::Keep, |endpoint| endpoint.port = 2)
        .await
        .unwrap();
    let before = store.reads();
    scheduler.turn().await.unwrap();
    assert_eq!(store.reads() - before, reads + 1);
    reads
}

#[tokio::test]
async fn a_turn_reads_as_often_for_many_endpoints_as_for_few() {
    let (few, many) = (reads_of_a_turn(3).await, reads_of_a_turn(150).await);
    assert_eq!(few, many);
    assert!(few < 12, "{few}");
}
