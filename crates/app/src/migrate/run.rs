//! Runs the passes of all mailboxes in parallel.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mailhaul_engine::{
    Budget, Clock as _, Error, Mailbox as _, PassLimits, PassOptions, Report, Side, Slots, Throttle, Usage,
};
use mailhaul_mail::{CurrentPermit, Scope};
use mailhaul_migration::Rates;
use mailhaul_remotes::{Account, ImapMailbox, LabelRules};
use mailhaul_store::Store;
use tokio_util::sync::CancellationToken;

use super::{mailboxes::MailboxPair, own_permit::keep_permit, parallel::run_parallel};
use crate::{
    one_pass::{BUDGET, OnePass, SystemClock},
    output::ui::Ui,
    service::limits::configured::{of_endpoint, of_mailbox},
};

/// Result of one mailbox.
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) row: Option<usize>,
    pub(crate) report: Report,
    pub(crate) elapsed: Duration,
}

/// Parts that all mailboxes of a run share.
#[derive(Clone)]
pub(crate) struct MigrationRun {
    pub(crate) store: Store,
    pub(crate) options: Arc<PassOptions>,
    pub(crate) rates: Rates,
    pub(crate) stop: CancellationToken,
    pub(crate) ui: Ui,
    budget: Budget,
    places: Slots,
    /// Limits of the run as a whole.
    throttle: Throttle,
    /// Permit to write to the targets.
    permit: CurrentPermit,
    /// True if the run has one mailbox.
    is_last: bool,
}

impl MigrationRun {
    pub(crate) fn new(
        store: Store,
        options: PassOptions,
        concurrency: usize,
        rates: Rates,
        stop: CancellationToken,
        ui: Ui,
    ) -> Self {
        Self {
            store,
            options: Arc::new(options),
            rates,
            stop,
            ui,
            budget: Budget::new(BUDGET),
            places: Slots::new(concurrency),
            throttle: Throttle::new("this run", Scope::Endpoint, of_endpoint(rates), Usage::default()),
            permit: keep_permit(),
            is_last: false,
        }
    }

    /// Migrates the mailboxes, and returns their outcomes in the same order.
    pub(crate) async fn run_all(mut self, mailboxes: Vec<MailboxPair>) -> Vec<Outcome> {
        self.is_last = mailboxes.len() == 1;
        let labels: Vec<(String, Option<usize>)> =
            mailboxes.iter().map(|mailbox| (mailbox.name.clone(), mailbox.row)).collect();
        let ended = run_parallel(mailboxes, &self.places, |mailbox| {
            let run = self.clone();
            async move {
                let started = Instant::now();
                let report = if run.stop.is_cancelled() {
                    failed(Error::interrupted())
                } else {
                    Box::pin(run.run_one(mailbox)).await
                };
                (report, started.elapsed())
            }
        })
        .await;
        labels
            .into_iter()
            .zip(ended)
            .map(|((name, row), ended)| {
                let (report, elapsed) = ended.unwrap_or_else(|error| (failed(error), Duration::ZERO));
                Outcome { name, row, report, elapsed }
            })
            .collect()
    }

    async fn run_one(&self, mailbox: MailboxPair) -> Report {
        let ledger = match self.store.ledgers().mailbox(&mailbox.source_key, &mailbox.target_key).await {
            Ok(ledger) => ledger,
            Err(error) => return failed(error.into()),
        };
        let progress = self.ui.mailbox(&mailbox.name);
        // Each message is read and written once, so the throttle of the run counts the source alone.
        let throttles = vec![(Side::Source, self.throttle.clone())];
        let mut limits = PassLimits { throttles, is_last: self.is_last, ..PassLimits::default() };
        let labels = LabelRules { folders: self.options.folders.clone(), ..LabelRules::default() };
        let source = limited(mailbox.source, self.rates, &mut limits).with_labels(labels);
        let target = limited(mailbox.target, self.rates, &mut limits).permitted_by(self.permit.clone());
        let (source, target) = (source.stopped_by(self.stop.clone()), target.stopped_by(self.stop.clone()));
        let pass = OnePass {
            progress: &progress,
            budget: &self.budget,
            places: &self.places,
            stop: &self.stop,
            limits: &limits,
            options: &self.options,
        };
        Box::pin(pass.run(source, target, &ledger)).await
    }
}

fn failed(error: Error) -> Report {
    Report { folders: Vec::new(), error: Some(error) }
}

/// Opens the account with a throttle. The limits of its server profile apply once it is detected.
fn limited(account: Account, rates: Rates, limits: &mut PassLimits) -> ImapMailbox {
    let side = account.side;
    let mailbox = ImapMailbox::new(account);
    let no_rates = mailhaul_engine::RateLimits::default();
    let throttle = Throttle::new(mailbox.describe(), Scope::Mailbox, no_rates, Usage::default());
    limits.throttles.push((side, throttle.clone()));
    mailbox.with_profile_listener(Arc::new(move |profile| {
        throttle.set_rates(SystemClock.now(), of_mailbox(rates, profile.limits, side));
    }))
}
