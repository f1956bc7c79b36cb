//! Many mailboxes, so many at once.

use mailhaul_engine::{Error, ErrorKind, Slots};
use mailhaul_mail::{Retry, Scope};
use tokio::task::JoinSet;

/// Does the work of all items. Each starts in its turn, when a place is free. Returns the results in the order of the items.
/// Work that panicked is an error of its item alone.
pub(crate) async fn at_once<I, T, W>(
    items: impl IntoIterator<Item = I>,
    places: &Slots,
    mut work: impl FnMut(I) -> W,
) -> Vec<Result<T, Error>>
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut done = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        done.push(Err(panicked()));
        let place = places.take().await;
        let work = work(item);
        tasks.spawn(async move {
            let outcome = work.await;
            drop(place);
            (index, outcome)
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Ok((index, outcome)) = ended {
            done[index] = Ok(outcome);
        }
    }
    done
}

fn panicked() -> Error {
    let words = "the program made a mistake in this mailbox and left it; the others were not concerned";
    Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Internal, words)
}
