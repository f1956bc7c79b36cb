//! Where the folders of a user go: a look at both ends, which changes nothing.

use mailhaul_engine::{Error, FolderPlan, FolderRules, Mailbox, plan_mailbox};
use mailhaul_migration::MigrationUser;
use mailhaul_remotes::MaildirMailbox;
use mailhaul_store::Store;

use super::{
    account,
    pass_options::pass_options,
    worker::{Workplace, misconfigured},
};

impl Workplace {
    /// What the next pass over the user's mailbox would do with each folder, and why. The ledger is read beside whoever
    /// writes it.
    pub(crate) async fn folder_plan(&self, user: &MigrationUser) -> Result<Vec<FolderPlan>, Error> {
        let batch = self.store.batch_by_guid(user.batch).await?;
        let rules = pass_options(&batch.settings).map_err(misconfigured)?.folders;
        let source = self.store.endpoint_by_guid(batch.source_endpoint).await?;
        let from = self.source(user, &source, &batch.settings).await?;
        let source_key = account::ledger_key(&source, &user.user_name, user.user_root.as_deref());
        let Some(target) = batch.target_endpoint else {
            let (root, key) = self.archive(user);
            let to = MaildirMailbox::new(root, user.email_address.clone());
            return Box::pin(self.look(from, to, (&source_key, &key), &rules)).await;
        };
        let target = self.store.endpoint_by_guid(target).await?;
        let to = self.target(user, &target).await?;
        let target_key = account::ledger_key(&target, &user.target_user_name, None);
        Box::pin(self.look(from, to, (&source_key, &target_key), &rules)).await
    }

    async fn look(
        &self,
        mut source: impl Mailbox,
        mut target: impl Mailbox,
        (source_key, target_key): (&str, &str),
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
