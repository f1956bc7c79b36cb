//! Is the source mailbox the one of the last pass? A sign-in may open another mailbox behind the same name: its mail would be
//! mixed into the target, and the copies of the first one removed.

use mailhaul_mail::{Retry, Scope, Uid};

use crate::{
    error::{Error, ErrorKind, Side},
    folder_plan::FolderPlan,
    pass::{Pass, Patience},
    ports::{Clock, Ledger, Progress, Source, Target},
    record::Copied,
    settle::pair_records,
    survey::Survey,
};

/// Folders whose messages are compared, where the numbers of all folders are new.
const MOST_COMPARED: usize = 3;

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// An error where the numbers of all folders are other ones than in the last pass (UIDVALIDITY), and no message of
    /// theirs is known.
    pub(crate) async fn check_identity(&mut self, survey: &Survey) -> Result<(), Error> {
        let known = |plan: &&FolderPlan| {
            let record = survey.records.get(&plan.source).filter(|it| it.cursor.is_some());
            record.zip(plan.status).map(|(then, now)| then.uid_validity == now.uid_validity)
        };
        let told: Vec<(&FolderPlan, bool)> =
            survey.plans.iter().filter_map(|it| Some((it, known(&it)?))).collect();
        let has_inbox = told.iter().any(|(it, _)| it.source.is_inbox());
        if !has_inbox || told.iter().any(|(_, is_same)| *is_same) {
            return Ok(());
        }
        let mut patience = Patience::default();
        loop {
            match self.knows_a_message(told.iter().map(|(plan, _)| *plan)).await {
                Ok(true) => return Ok(()),
                Ok(false) => break,
                Err(error) => self.recover_from(error, &mut patience).await?,
            }
        }
        let words = format!(
            "source {}: this is another mailbox than in the last pass: UIDVALIDITY of all {} folders changed, and no message \
             is known; nothing was changed. Check the user name; to migrate this mailbox, begin anew without what is \
             remembered of the other one",
            self.source.describe(),
            told.len()
        );
        let error = Error::new(Scope::Mailbox, Retry::Never, ErrorKind::Refused, words);
        Err(error.at(Side::Source))
    }

    /// True if a message of one of these folders was copied before, or no message ever was.
    async fn knows_a_message(&mut self, folders: impl Iterator<Item = &FolderPlan>) -> Result<bool, Error> {
        let mut compared = 0;
        for plan in folders {
            let Some(state) = self.ledger.folder(&plan.source).await? else { continue };
            let copied: Vec<(Uid, Copied)> = state.done().map(|(uid, it)| (uid, it.clone())).collect();
            if copied.is_empty() {
                continue;
            }
            let scan = self.source.scan(&plan.source, None).await?;
            let pairs =
                pair_records(self.source, &plan.source, &scan.messages, &copied, None::<(&mut S, _)>).await?;
            compared += 1;
            if !pairs.is_empty() {
                return Ok(true);
            }
            if compared == MOST_COMPARED {
                return Ok(false);
            }
        }
        Ok(compared == 0)
    }
}
