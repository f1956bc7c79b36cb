//! Lanes: pairs of connections that carry folders side by side.
//!
//! A folder costs some round trips in which nothing is sent, and a server does the work of one connection on one processor:
//! other lanes carry other folders meanwhile. The first lane is the mailbox's own and patient; a further one that meets a refusal or a
//! broken connection gives its folder back and ends, because most servers take few connections of one user.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use mailhaul_mail::Scope;
use parking_lot::Mutex;

use crate::{
    error::{Error, ErrorKind},
    pass::{Pass, Patience},
    places::Place,
    ports::{Clock, Event, Ledger, Progress, Source, Target},
    work::{Origin, Work},
};

/// Lanes of one mailbox to servers far away: Exchange Online and Gmail take more connections, and some servers few.
const FAR_LANES: usize = 4;
/// Lanes of a mailbox that is alone: two keep two processors of the server busy. Beside other mailboxes, which do that
/// already, a further lane to a server that is near makes all of them slower.
const ALONE_LANES: usize = 2;
/// A server within so short a round trip is near.
pub(crate) const NEAR: Duration = Duration::from_millis(4);

/// Folders that share a target folder: one after the other in one lane.
type Group<'w> = VecDeque<&'w mut Work>;

/// What the lanes share.
struct Queue<'w> {
    waiting: Mutex<VecDeque<Group<'w>>>,
    /// To wait once is enough: what was on the wire for any folder arrives meanwhile.
    is_quiet: AtomicBool,
    /// Words of the target's last refusal, and how often they came in a row: a full mailbox refuses in every folder.
    alike: Mutex<(String, u32)>,
    /// The first lane has given up.
    is_over: AtomicBool,
}

impl<'w> Queue<'w> {
    fn of(works: &'w mut [Work]) -> Self {
        let mut groups: VecDeque<Group<'w>> = VecDeque::new();
        for work in works.iter_mut().filter(|it| !it.has_failed()) {
            match groups.iter_mut().find(|group| group.iter().any(|it| it.target == work.target)) {
                Some(group) => group.push_back(work),
                None => groups.push_back(VecDeque::from([work])),
            }
        }
        Self {
            waiting: Mutex::new(groups),
            is_quiet: AtomicBool::new(false),
            alike: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    fn with<R>(&self, change: impl FnOnce(&mut VecDeque<Group<'w>>) -> R) -> R {
        change(&mut self.waiting.lock())
    }

    fn next(&self) -> Option<Group<'w>> {
        self.with(VecDeque::pop_front)
    }
}

/// How many lanes are worth their connections.
fn lanes(round_trip: Option<Duration>, is_alone: bool, groups: usize) -> usize {
    let most = match round_trip {
        Some(it) if it >= NEAR => FAR_LANES,
        _ if is_alone => ALONE_LANES,
        _ => 1,
    };
    groups.clamp(1, most)
}

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Connects both servers and a second lane before changes are known, if an operator waits for this mailbox alone. The
    /// service does not: its passes repeat, and an unchanged mailbox must cost the target nothing.
    pub(crate) async fn connect_early(&mut self) -> Result<(), Error> {
        if !self.limits.is_last {
            return Ok(());
        }
        let folders = self.ledger.folders().await?.len();
        // The first pass lists both servers anyway.
        if folders > 0 {
            let has_room = self.limits.most_lanes > 1 && self.places.spare().is_some();
            let further = usize::from(folders > 1 && has_room);
            self.source.connect_ahead(further);
            self.target.connect_ahead(further);
        }
        Ok(())
    }

    /// Connects the lanes of folders that changed, while the folders are scanned. Returns the places of the further lanes.
    pub(crate) fn connect_lanes_ahead(&mut self, works: &[Work]) -> Vec<Place> {
        let known = works.iter().filter(|work| work.origin == Origin::Known).count();
        if known == 0 {
            return Vec::new();
        }
        let wanted = self.most_lanes(known, self.places.is_alone());
        let places: Vec<Place> = (1..wanted).map_while(|_| self.places.spare()).collect();
        self.source.connect_ahead(places.len());
        self.target.connect_ahead(places.len());
        places
    }

    /// How many lanes are worth their connections, for as many groups of folders.
    fn most_lanes(&self, groups: usize, is_alone: bool) -> usize {
        let round_trip = self.source.round_trip().max(self.target.round_trip());
        lanes(round_trip, is_alone, groups).min(self.limits.most_lanes)
    }

    /// Carries all folders that have not failed. `places` are those of further lanes, which may be connected.
    pub(crate) async fn carry_all(
        &mut self,
        works: &mut [Work],
        mut places: Vec<Place>,
    ) -> Result<(), Error> {
        // A move writes into the records of two folders.
        let any_moves = works.iter().any(|it| !it.moves.is_empty());
        let queue = Queue::of(works);
        let is_alone = self.places.taken() <= 1 + places.len();
        let wanted = if any_moves { 1 } else { self.most_lanes(queue.with(|it| it.len()), is_alone) };
        if places.len() >= wanted {
            places.truncate(wanted - 1);
            self.source.connect_ahead(places.len());
            self.target.connect_ahead(places.len());
        }
        let further = (places.len() + 1..wanted).map_while(|_| self.places.spare());
        places.extend(further);
        let mut others: Vec<(S, T)> =
            places.iter().map(|_| (self.source.another(), self.target.another())).collect();
        let (ledger, progress, clock) = (self.ledger, self.progress, self.clock);
        let (budget, places, stop, options) = (self.budget, self.places, self.stop, self.options);
        let limits = self.limits;
        let further = join_all(others.iter_mut().map(|(source, target)| {
            let mut lane =
                Pass { source, target, ledger, progress, clock, budget, places, stop, limits, options };
            let queue = &queue;
            async move {
                lane.drive_further(queue).await;
                lane.end().await;
            }
        }));
        let (first, _) = futures_util::join!(self.drive_first(&queue), further);
        first?;
        // What a further lane gave back when the first one had nothing more to do.
        self.drive_first(&queue).await
    }

    /// Ends both connections. Waits for the servers if other connections may follow.
    async fn end(&mut self) {
        if self.limits.is_last {
            futures_util::join!(self.source.leave(), self.target.leave());
        } else {
            futures_util::join!(self.source.close(), self.target.close());
        }
    }

    async fn drive_first(&mut self, queue: &Queue<'_>) -> Result<(), Error> {
        while let Some(mut group) = queue.next() {
            while let Some(work) = group.pop_front() {
                let carried = self.carry_patiently(work, queue).await;
                if carried.is_err() {
                    queue.is_over.store(true, Ordering::SeqCst);
                    return carried;
                }
            }
        }
        Ok(())
    }

    async fn drive_further(&mut self, queue: &Queue<'_>) {
        while !queue.is_over.load(Ordering::SeqCst)
            && !self.stop.is_cancelled()
            && let Some(mut group) = queue.next()
        {
            while let Some(work) = group.pop_front() {
                if let Err(error) = self.carry_once(work, queue).await {
                    // Whatever it was: if it lasts, the first lane meets it too.
                    if error.kind != ErrorKind::Interrupted {
                        self.progress.event(Event::LaneEnded { error: &error });
                    }
                    group.push_front(work);
                    queue.with(|it| it.push_front(group));
                    return;
                }
            }
        }
    }

    async fn carry_patiently(&mut self, work: &mut Work, queue: &Queue<'_>) -> Result<(), Error> {
        let mut patience = Patience::default();
        loop {
            if self.stop.is_cancelled() {
                return Err(Error::interrupted());
            }
            let before = work.gained();
            let Err(error) = self.carry_once(work, queue).await else { return Ok(()) };
            if work.gained() > before {
                patience.renew();
            }
            if let Err(error) = self.recover_from(error, &mut patience).await {
                work.fail(error.clone());
                return Err(error);
            }
        }
    }

    /// An error that concerns the folder alone is the folder's; others come back.
    async fn carry_once(&mut self, work: &mut Work, queue: &Queue<'_>) -> Result<(), Error> {
        work.is_quiet |= queue.is_quiet.load(Ordering::SeqCst);
        work.refusals.follow(&queue.alike.lock());
        let carried = self.carry(work).await;
        queue.alike.lock().clone_from(work.refusals.alike());
        queue.is_quiet.fetch_or(work.is_quiet, Ordering::SeqCst);
        match carried {
            Err(error) if error.kind == ErrorKind::Renumbered && work.looks_again() => {
                Err(Error { scope: Scope::Session, ..error })
            }
            Err(error) if error.scope <= Scope::Folder => {
                self.progress.event(Event::FolderFailed { folder: work.source(), error: &error });
                work.fail(error);
                Ok(())
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_lanes_are_for_servers_far_away_and_for_mailboxes_alone() {
        let far = Some(Duration::from_millis(20));
        assert_eq!((lanes(far, false, 10), lanes(far, true, 2), lanes(far, true, 0)), (FAR_LANES, 2, 1));
        let near = Some(Duration::from_micros(300));
        assert_eq!(
            (lanes(near, true, 10), lanes(near, false, 10), lanes(None, false, 10)),
            (ALONE_LANES, 1, 1)
        );
    }
}
