//! Folder plan of a user. It reads both mailboxes and changes nothing.

use mailhaul_engine::{Error, FolderPlan, Mailbox, plan_mailbox};
use mailhaul_migration::MigrationUser;

use super::{
    access::destination::{Destination, Route},
    service_context::ServiceContext,
};

impl ServiceContext {
    /// Plans each folder as the next pass would, with the reason. A pass may run at the same time.
    pub(crate) async fn folder_plan(&self, user: &MigrationUser) -> Result<Vec<FolderPlan>, Error> {
        let route = self.route(user).await?;
        let from = self.source(user, &route).await?;
        match self.destination(user, &route).await? {
            Destination::Imap(to) => Box::pin(self.plan(from, *to, &route)).await,
            Destination::Archive(to) => Box::pin(self.plan(from, to, &route)).await,
        }
    }

    async fn plan(
        &self,
        mut source: impl Mailbox,
        mut target: impl Mailbox,
        route: &Route,
    ) -> Result<Vec<FolderPlan>, Error> {
        // A reader needs no lock on the mailbox, which a pass may hold.
        let Some(store) = self.store.reader().await? else {
            return Err(Error::ledger("the database does not exist"));
        };
        let ledger = store.ledgers().mailbox(&route.keys.0, &route.keys.1).await?;
        let plans = plan_mailbox(&mut source, &mut target, &ledger, &route.options.folders).await;
        tokio::join!(source.close(), target.close());
        plans
    }
}
