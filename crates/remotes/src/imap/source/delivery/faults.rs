//! What a refusal or a broken connection says of the message that was asked for.

use std::collections::BTreeSet;

use mailhaul_imap::{self as imap, FetchStream};
use mailhaul_mail::{Retry, Scope, Uid};

use super::{Aim, Blame, Delivery, DeliveryError};
use crate::imap::{
    culprits::is_break,
    source::{in_order::Batch, pleas},
};

/// What breaks at messages in a row may cost before the folder is left. A silent server costs the time that it was waited for.
const MOST_COST: u32 = 60;
const COST_OF_BREAK: u32 = 1;
const COST_OF_SILENCE: u32 = 4;
/// Of a silence that is waited for half as long.
const COST_OF_SHORT_SILENCE: u32 = 2;

impl Delivery {
    /// The server may have refused what was asked for last with words of patience: then it is seen whether it gives other
    /// messages. If it does, `alone` is the one that it means; else the error is the server's.
    pub(crate) async fn weigh_pleas(
        &mut self,
        stream: &mut FetchStream<'_>,
        alone: Option<Uid>,
    ) -> Result<(), DeliveryError> {
        let Some(error) = self.pleas.take() else { return Ok(()) };
        let Some(good) = self.pleas.good() else {
            return self.pleas.postpone(error, alone).map_err(DeliveryError::Wire);
        };
        if !self.comes(stream, good).await? {
            return Err(pleas::of_the_server(error).into());
        }
        if let Some(uid) = alone {
            let words = self.excuses.remove(&uid).unwrap_or(error.message);
            self.withheld.insert(uid, words);
        }
        Ok(())
    }

    /// The same at the end, where no wanted message came that could prove anything. `others` are messages of the folder with
    /// their sizes.
    pub(crate) async fn weigh_open_pleas(
        &mut self,
        stream: &mut FetchStream<'_>,
        others: &[(Uid, u64)],
    ) -> Result<(), DeliveryError> {
        let refused = self.pleas.open();
        let others = others.iter().filter(|(uid, _)| !refused.contains(uid));
        let comes = match others.min_by_key(|(_, octets)| *octets) {
            Some((uid, _)) => self.comes(stream, *uid).await?,
            // There is nothing else in the folder: other commands are answered, and the next pass asks again.
            None => refused.len() == 1,
        };
        match self.pleas.close() {
            Some(error) if !comes => Err(pleas::of_the_server(error).into()),
            _ => Ok(()),
        }
    }

    pub(crate) fn open_pleas(&self) -> &BTreeSet<Uid> {
        self.pleas.open()
    }

    /// True where the server gives this message now; it is not passed on.
    async fn comes(&mut self, stream: &mut FetchStream<'_>, uid: Uid) -> Result<bool, DeliveryError> {
        (self.aim, self.alone, self.came) = (Aim::Probe(uid), Some(uid), false);
        self.run(stream, vec![Batch::single(uid)], 1).await?;
        self.alone = None;
        _ = self.pleas.take();
        Ok(std::mem::take(&mut self.came))
    }

    /// The connection may have broken because of a message.
    pub(crate) fn blame(&mut self, error: imap::Error) -> Blame {
        let culprit = self.culprit();
        self.bodies.forget();
        let is_half_sent = self.passing.take().is_some_and(|it| !it.is_dry);
        let Some(uid) = culprit.filter(|uid| is_break(&error) && !self.delivered.contains(uid)) else {
            return Blame::Unknown(error);
        };
        self.suspects.insert(uid);
        self.cost += match error.kind {
            imap::ErrorKind::Timeout if self.is_impatient() => COST_OF_SHORT_SILENCE,
            imap::ErrorKind::Timeout => COST_OF_SILENCE,
            _ => COST_OF_BREAK,
        };
        if let Some(verdict) = self.culprits.broke(&self.folder, uid, &error, self.alone == Some(uid)) {
            self.withheld.insert(uid, verdict);
            self.judge.forget(uid);
            self.is_wary = true;
        }
        if is_half_sent || self.alone != Some(uid) {
            return Blame::Unknown(error);
        }
        if self.cost > MOST_COST {
            let words = "the server breaks the connection at one message after the other";
            let error = error.context(words);
            return Blame::Unknown(imap::Error { scope: Scope::Folder, retry: Retry::Never, ..error });
        }
        Blame::Message
    }

    /// True where the folder has several messages at which the server fell silent: for each further one it is waited for a
    /// shorter time, and once. They are tried again in the next pass.
    pub(crate) fn is_impatient(&self) -> bool {
        self.culprits.are_many_silent(&self.folder)
    }

    /// The message during which the connection broke: the one that came by, or the next one that was to come.
    fn culprit(&self) -> Option<Uid> {
        // Whatever comes is the answer to the question for it.
        if self.alone.is_some() {
            return self.alone;
        }
        if let Some(passing) = &self.passing {
            return Some(passing.uid);
        }
        let batch = self.bodies.first_open()?;
        let lacking = || batch.uids.iter().filter(|uid| !self.delivered.contains(uid));
        let last = self.last.filter(|uid| batch.uids.contains(*uid));
        lacking().find(|uid| last.is_none_or(|last| *uid > last)).or_else(|| lacking().next())
    }
}
