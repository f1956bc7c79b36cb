//! Runs work on mailboxes in parallel, within the limit on connection pairs.

use mailhaul_engine::{Error, ErrorKind, Slots};
use mailhaul_mail::{Retry, Scope};
use tokio::task::JoinSet;

/// Runs the work of all items, and returns the results in the order of the items.
///
/// An item starts in its turn, when a place is free. If its work panics, its result is an error;
/// other items are not affected.
pub(crate) async fn run_parallel<I, T, W>(
    items: impl IntoIterator<Item = I>,
    places: &Slots,
    mut work: impl FnMut(I) -> W,
) -> Vec<Result<T, Error>>
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut results = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        results.push(Err(panicked()));
        let place = places.take().await;
        let work = work(item);
        tasks.spawn(async move {
            let result = work.await;
            drop(place);
            (index, result)
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Ok((index, result)) = ended {
            results[index] = Ok(result);
        }
    }
    results
}

fn panicked() -> Error {
    let words = "internal error in this mailbox; other mailboxes are not affected";
    Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Internal, words)
}
