//! Job of a worker: one user's pass between its two mailboxes.

use std::{sync::Arc, time::Duration};

use mailhaul_engine::{Error, PassLimits, Report, Slots};
use mailhaul_mail::{CurrentPermit, Retry};
use mailhaul_migration::MigrationUser;
use mailhaul_remotes::Side;
use mailhaul_store::{ClaimedUser, Lease, MailboxLedger, PassKind, StoreError};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::{
    one_pass::OnePass,
    service::{
        access::{
            account,
            destination::{Destination, Route},
        },
        limits::meter::{Meter, MeteredMailbox},
        progress::{ProgressUpdate, UserProgress},
        service_context::ServiceContext,
        workers::Worker,
    },
};

/// Wait before the next attempt at a mailbox that another process is migrating.
const LOCKED_WAIT: Duration = Duration::from_secs(10);

/// Meters of both mailboxes. The pass fills the list; the monitor reads it.
pub(super) type Meters = Arc<Mutex<Vec<Arc<Meter>>>>;

/// One claimed user, with the worker that migrates it.
#[derive(Clone)]
pub(crate) struct WorkerJob {
    pub(crate) context: ServiceContext,
    pub(crate) user: MigrationUser,
    pub(crate) kind: PassKind,
    pub(crate) lease: Lease,
    pub(crate) worker: Worker,
    /// Connection slots of the source, for further connection pairs.
    places: Slots,
}

impl WorkerJob {
    pub(crate) fn new(context: ServiceContext, claimed: ClaimedUser, worker: Worker, places: Slots) -> Self {
        let ClaimedUser { user, kind, lease } = claimed;
        // Incremental and final passes are short and have their own limit, so they get no further pairs.
        let places = if kind == PassKind::First { places } else { Slots::new(0) };
        Self { context, user, kind, lease, worker, places }
    }

    /// Prepares both mailboxes and the ledger, and runs the pass.
    pub(super) async fn pass(
        &self,
        meters: &Meters,
        updates: mpsc::UnboundedSender<ProgressUpdate>,
    ) -> Result<Report, Error> {
        let (context, worker) = (&self.context, &self.worker);
        let route = context.route(&self.user).await?;
        let from = context.source(&self.user, &route).await?;
        let from = from.counting_scans(worker.tally.scanned()).stopped_by(worker.stop.clone());
        let progress = UserProgress { tally: &worker.tally, updates };
        let mut limits = PassLimits { is_resumed: true, ..PassLimits::default() };
        self.start_meters(&route, meters, &mut limits).await?;
        let pass = OnePass {
            progress: &progress,
            budget: &context.budget,
            places: &self.places,
            stop: &worker.stop,
            limits: &limits,
            options: &route.options,
        };
        let to = context.destination(&self.user, &route).await?;
        let ledger = self.ledger(&route).await?;
        Ok(match to {
            Destination::Imap(to) => {
                let permit = CurrentPermit::from(worker.permit.clone());
                let to = to.counting_scans(worker.tally.scanned()).stopped_by(worker.stop.clone());
                let to = to.permitted_by(permit);
                Box::pin(pass.run(from, to, &ledger)).await
            }
            Destination::Archive(to) => {
                let to = to.permitted_by(worker.permit.clone());
                Box::pin(pass.run(from, to, &ledger)).await
            }
        })
    }

    /// Starts the meters of both mailboxes, and adds their limits.
    async fn start_meters(
        &self,
        route: &Route,
        meters: &Meters,
        limits: &mut PassLimits,
    ) -> Result<(), StoreError> {
        let user = &self.user;
        let source = MeteredMailbox {
            endpoint: &route.source,
            side: Side::Source,
            user: user.guid,
            name: account::mailbox(&user.user_name, user.user_root.as_deref()),
        };
        let target = route.target.as_ref().map(|endpoint| MeteredMailbox {
            endpoint,
            side: Side::Target,
            user: user.guid,
            name: account::mailbox(&user.target_user_name, None),
        });
        let mut started = Vec::new();
        for mailbox in [Some(source), target].into_iter().flatten() {
            started.extend(self.context.start_meter(mailbox, limits).await?.map(Arc::new));
        }
        *meters.lock() = started;
        Ok(())
    }

    /// Opens the ledger of this pair of mailboxes. A ledger that another process holds is retried later.
    async fn ledger(&self, route: &Route) -> Result<MailboxLedger, Error> {
        let (source, target) = &route.keys;
        let ledger = self.context.store.ledgers().leased_mailbox(source, target, &self.lease).await;
        ledger.map_err(|error| match error {
            StoreError::Locked { .. } => {
                Error { retry: Retry::After(Some(LOCKED_WAIT)), ..Error::from(error) }
            }
            other => other.into(),
        })
    }
}
