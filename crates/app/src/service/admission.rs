//! Admission: the number of users that may start now, by the limits of all endpoints. Pure.
//!
//! The limit of the source's connection slots is missing here: passes free them at any time, so the
//! scheduler takes the slots themselves.

use std::collections::HashMap;

use mailhaul_migration::{Endpoint, Guid, Limit};
use mailhaul_store::{ChecksUnderWay, ClaimLimits, PassKind, RunningPasses, WaitingPasses};

/// Endpoint that is not parked.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenEndpoint<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// Maximum number of mailboxes, as learned from the server's refusals.
    pub(super) learned_limit: u64,
}

/// Users that may start between two endpoints.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start<'a> {
    pub(super) source: &'a Endpoint,
    /// `None` is the archive.
    pub(super) target: Option<Guid>,
    /// Maximum number of users.
    pub(super) limit: u64,
    /// The limits, for a claim beside those of other nodes.
    pub(super) limits: ClaimLimits,
}

/// Active users of one turn, and the limits on them.
#[derive(Debug)]
pub(super) struct Admission<'a> {
    /// Limit of the configuration on all users.
    max_users: Limit,
    open: HashMap<Guid, OpenEndpoint<'a>>,
    users: u64,
    users_by_target: HashMap<Guid, u64>,
    /// Users in incremental and final passes.
    later_passes_by_source: HashMap<Guid, u64>,
}

impl<'a> Admission<'a> {
    pub(super) fn new(
        max_users: Limit,
        open: impl IntoIterator<Item = OpenEndpoint<'a>>,
        running: &[RunningPasses],
        checks: &[ChecksUnderWay],
    ) -> Self {
        let mut admission = Self {
            max_users,
            open: open.into_iter().map(|open| (open.endpoint.guid, open)).collect(),
            users: 0,
            users_by_target: HashMap::new(),
            later_passes_by_source: HashMap::new(),
        };
        for pass in running {
            let RunningPasses { source_endpoint, target_endpoint, kind, users } = *pass;
            admission.count_passes(WaitingPasses { source_endpoint, target_endpoint, kind }, users);
        }
        for check in checks {
            admission.count_checks(check.target_endpoint, check.users);
        }
        admission
    }

    /// Returns how many of these passes may start; `None` if an endpoint is parked.
    pub(super) fn passes(&self, pass: WaitingPasses) -> Option<Start<'a>> {
        let start = self.checks(pass.source_endpoint, pass.target_endpoint)?;
        let later = self.later_passes_by_source.get(&pass.source_endpoint).copied().unwrap_or_default();
        let of_kind = match pass.kind {
            PassKind::First => u64::MAX,
            PassKind::Final | PassKind::Incremental => {
                remaining(start.source.max_concurrent_incremental_syncs, later)
            }
        };
        Some(Start { limit: start.limit.min(of_kind), ..start })
    }

    /// Returns how many checks may start; `None` if an endpoint is parked.
    pub(super) fn checks(&self, source: Guid, target: Option<Guid>) -> Option<Start<'a>> {
        let source = self.open.get(&source)?.endpoint;
        let (of_target, at_target) = match target {
            Some(target) => {
                let target = self.open.get(&target)?;
                (self.remaining_at_target(target), max_at_target(target))
            }
            None => (u64::MAX, None),
        };
        let limits = ClaimLimits {
            users: number(self.max_users),
            at_target,
            later_at_source: number(source.max_concurrent_incremental_syncs),
        };
        Some(Start { source, target, limit: remaining(self.max_users, self.users).min(of_target), limits })
    }

    /// Counts users whose pass has started.
    pub(super) fn count_passes(&mut self, pass: WaitingPasses, users: u64) {
        self.count_checks(pass.target_endpoint, users);
        if pass.kind != PassKind::First {
            *self.later_passes_by_source.entry(pass.source_endpoint).or_default() += users;
        }
    }

    /// Counts users whose check has started.
    pub(super) fn count_checks(&mut self, target: Option<Guid>, users: u64) {
        self.users += users;
        if let Some(target) = target {
            *self.users_by_target.entry(target).or_default() += users;
        }
    }

    fn remaining_at_target(&self, target: &OpenEndpoint<'_>) -> u64 {
        let users = self.users_by_target.get(&target.endpoint.guid).copied().unwrap_or_default();
        let by_setting = remaining(target.endpoint.max_concurrent_migrations, users);
        by_setting.min(target.learned_limit.saturating_sub(users))
    }
}

/// Returns the limit on the users at a target, by its setting and its refusals.
fn max_at_target(target: &OpenEndpoint<'_>) -> Option<u32> {
    let learned = u32::try_from(target.learned_limit).ok();
    [number(target.endpoint.max_concurrent_migrations), learned].into_iter().flatten().min()
}

fn number(limit: Limit) -> Option<u32> {
    match limit {
        Limit::At(max) => Some(max),
        Limit::Unlimited => None,
    }
}

fn remaining(limit: Limit, users: u64) -> u64 {
    match limit {
        Limit::At(max) => u64::from(max).saturating_sub(users),
        Limit::Unlimited => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::access::account::tests::endpoint;

    const SOURCE: Guid = Guid::from_u128(1);
    const TARGET: Guid = Guid::from_u128(2);

    fn source(max_later: u32) -> Endpoint {
        let max_concurrent_incremental_syncs = Limit::At(max_later);
        Endpoint { guid: SOURCE, max_concurrent_incremental_syncs, ..endpoint() }
    }

    fn target(max: Limit) -> Endpoint {
        Endpoint { guid: TARGET, max_concurrent_migrations: max, ..endpoint() }
    }

    fn open(endpoint: &Endpoint, learned_limit: u64) -> OpenEndpoint<'_> {
        OpenEndpoint { endpoint, learned_limit }
    }

    fn waiting(kind: PassKind, target_endpoint: Option<Guid>) -> WaitingPasses {
        WaitingPasses { source_endpoint: SOURCE, target_endpoint, kind }
    }

    fn running(kind: PassKind, users: u64) -> RunningPasses {
        RunningPasses { source_endpoint: SOURCE, target_endpoint: Some(TARGET), kind, users }
    }

    #[test]
    fn the_smallest_limit_counts() {
        use Limit::{At, Unlimited};
        use PassKind::{Final, First, Incremental};
        // All users, later passes of the source, users at the target, learned at the target; kind; expected.
        let table = [
            (Unlimited, 5, Unlimited, u64::MAX, First, u64::MAX - 13),
            (Unlimited, 5, Unlimited, u64::MAX, Incremental, 3),
            (Unlimited, 5, Unlimited, u64::MAX, Final, 3),
            (Unlimited, 1, Unlimited, u64::MAX, Final, 0),
            (At(20), 5, Unlimited, u64::MAX, First, 7),
            (At(14), 5, Unlimited, u64::MAX, Final, 1),
            (At(3), 5, Unlimited, u64::MAX, First, 0),
            (Unlimited, 5, At(15), u64::MAX, First, 2),
            (Unlimited, 5, At(15), 14, First, 1),
            (Unlimited, 5, At(15), 4, First, 0),
            (At(16), 6, At(16), 15, Incremental, 2),
        ];
        for (max_users, max_later, max_target, learned, kind, expected) in table {
            let (source, target) = (source(max_later), target(max_target));
            let checks =
                [ChecksUnderWay { source_endpoint: SOURCE, target_endpoint: Some(TARGET), users: 1 }];
            let running = [running(First, 10), running(Incremental, 2)];
            let open = [open(&source, u64::MAX), open(&target, learned)];
            let admission = Admission::new(max_users, open, &running, &checks);
            let start = admission.passes(waiting(kind, Some(TARGET))).unwrap();
            assert_eq!(
                (start.source.guid, start.target, start.limit),
                (SOURCE, Some(TARGET), expected),
                "{max_users:?} {max_later} {max_target:?} {learned} {kind:?}"
            );
        }
    }

    #[test]
    fn users_that_start_count_at_once() {
        let (source, target) = (source(5), target(Limit::At(4)));
        let open = [open(&source, u64::MAX), open(&target, u64::MAX)];
        let mut admission = Admission::new(Limit::At(10), open, &[], &[]);
        let limit = |admission: &Admission<'_>, kind, target| {
            admission.passes(waiting(kind, target)).map(|start| start.limit)
        };
        admission.count_passes(waiting(PassKind::Final, None), 3);
        assert_eq!(limit(&admission, PassKind::Incremental, None), Some(2));
        assert_eq!(limit(&admission, PassKind::First, None), Some(7));
        admission.count_passes(waiting(PassKind::First, Some(TARGET)), 1);
        admission.count_checks(Some(TARGET), 2);
        assert_eq!(limit(&admission, PassKind::First, Some(TARGET)), Some(1));
        assert_eq!(limit(&admission, PassKind::First, None), Some(4));
        assert_eq!(admission.checks(SOURCE, Some(TARGET)).unwrap().limit, 1);
    }

    #[test]
    fn a_parked_endpoint_starts_nothing() {
        let (source, target) = (source(5), target(Limit::Unlimited));
        let only = |endpoint| Admission::new(Limit::Unlimited, [open(endpoint, u64::MAX)], &[], &[]);
        assert!(only(&target).passes(waiting(PassKind::First, Some(TARGET))).is_none());
        assert!(only(&source).passes(waiting(PassKind::First, Some(TARGET))).is_none());
        assert!(only(&source).checks(SOURCE, Some(TARGET)).is_none());
        assert!(only(&source).checks(SOURCE, None).is_some());
    }
}
