//! Places that are taken: in all, at each target, and by later passes of each source. Pure.

use std::collections::HashMap;

use mailhaul_migration::{Endpoint, Guid, Limit, MigrationConfig};
use mailhaul_store::{ChecksUnderWay, PassKind, RunningPasses, WaitingPasses};

/// Users under way.
#[derive(Debug, Default)]
pub(super) struct Load {
    all: u64,
    at_target: HashMap<Guid, u64>,
    later: HashMap<Guid, u64>,
}

impl Load {
    pub(super) fn new(running: &[RunningPasses], checks: &[ChecksUnderWay]) -> Self {
        let mut load = Self::default();
        for pass in running {
            let RunningPasses { source_endpoint, target_endpoint, kind, users } = *pass;
            load.add_passes(WaitingPasses { source_endpoint, target_endpoint, kind }, users);
        }
        for check in checks {
            load.add_checks(check.target_endpoint, check.users);
        }
        load
    }

    /// Users whose pass has begun.
    pub(super) fn add_passes(&mut self, pass: WaitingPasses, users: u64) {
        self.add_checks(pass.target_endpoint, users);
        if pass.kind != PassKind::First {
            *self.later.entry(pass.source_endpoint).or_default() += users;
        }
    }

    /// Users whose check has begun.
    pub(super) fn add_checks(&mut self, target: Option<Guid>, users: u64) {
        self.all += users;
        if let Some(target) = target {
            *self.at_target.entry(target).or_default() += users;
        }
    }

    /// Users at the target.
    pub(super) fn at_target(&self, target: Guid) -> u64 {
        self.at_target.get(&target).copied().unwrap_or_default()
    }

    /// Places that the configuration leaves.
    pub(super) fn left(&self, config: &MigrationConfig) -> u64 {
        left(config.max_concurrent_migrations, self.all)
    }

    /// Places that the source leaves to this sort of pass, beside those that all passes share.
    pub(super) fn left_for(&self, kind: PassKind, source: &Endpoint) -> u64 {
        match kind {
            PassKind::First => u64::MAX,
            PassKind::Final | PassKind::Incremental => {
                let taken = self.later.get(&source.guid).copied().unwrap_or_default();
                left(source.max_concurrent_incremental_syncs, taken)
            }
        }
    }
}

/// Places that a limit leaves.
pub(super) fn left(limit: Limit, taken: u64) -> u64 {
    match limit {
        Limit::At(most) => u64::from(most).saturating_sub(taken),
        Limit::Unlimited => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::account::tests::endpoint, *};

    #[test]
    fn passes_and_checks_take_places_and_first_passes_no_later_ones() {
        let source = Endpoint { max_concurrent_incremental_syncs: Limit::At(5), ..endpoint() };
        let (source_endpoint, target_endpoint) = (source.guid, Some(Guid::new_v4()));
        let running = |kind, users| RunningPasses { source_endpoint, target_endpoint, kind, users };
        let checks = [ChecksUnderWay { source_endpoint, target_endpoint, users: 1 }];
        let running = [running(PassKind::First, 10), running(PassKind::Incremental, 2)];
        let mut load = Load::new(&running, &checks);
        load.add_passes(WaitingPasses { source_endpoint, target_endpoint: None, kind: PassKind::Final }, 1);
        let config =
            MigrationConfig { max_concurrent_migrations: Limit::At(15), ..MigrationConfig::default() };
        assert_eq!((load.left(&config), load.at_target(target_endpoint.unwrap())), (1, 13));
        assert_eq!(load.left_for(PassKind::Final, &source), 2);
        assert_eq!(load.left_for(PassKind::First, &source), u64::MAX);
    }
}
