//! Where the folders of a user go: a look at both ends, which changes nothing.

use mailhaul_engine::{Error, FolderPlan, FolderRules, Mailbox, plan_mailbox};
use mailhaul_migration::MigrationUser;
use mailhaul_store::Store;

use super::{access::route::Destination, service_context::Workplace};

impl Workplace {
    /// What the next pass over the user's mailbox would do with each folder, and why. The ledger is read beside whoever
    /// writes it.
    pub(crate) async fn folder_plan(&self, user: &MigrationUser) -> Result<Vec<FolderPlan>, Error> {
        let route = self.route(user).await?;
        let from = self.source(user, &route).await?;
        let rules = &route.options.folders;
        match self.destination(user, &route).await? {
            Destination::Imap(to) => Box::pin(self.look(from, *to, &route.keys, rules)).await,
            Destination::Archive(to) => Box::pin(self.look(from, to, &route.keys, rules)).await,
        }
    }

    async fn look(
        &self,
        mut source: impl Mailbox,
        mut target: impl Mailbox,
        (source_key, target_key): &(String, String),
        rules: &FolderRules,
    ) -> Result<Vec<FolderPlan>, Error> {
        // This store writes, and so would take the mailbox's lock; one that only reads needs none.
        let Some(store) = Store::open_read_only(&self.data).await? else {
            return Err(Error::ledger("the database is gone"));
        };
        let ledger = store.mailbox(source_key, target_key).await?;
        let plans = plan_mailbox(&mut source, &mut target, &ledger, rules).await;
        tokio::join!(source.close(), target.close());
        plans
    }
}
