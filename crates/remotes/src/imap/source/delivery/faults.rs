//! Finds the message behind a refusal or a broken connection.

use std::collections::BTreeSet;

use mailhaul_imap::{self as imap, FetchStream};
use mailhaul_mail::{Retry, Scope, Uid};

use super::{Blame, BodyUse, Delivery, DeliveryError};
use crate::imap::{
    culprits::is_break,
    source::{fetch_throttling, in_order::Batch},
};

/// Maximum cost of breaks in a row, before the folder is left. A silence costs its waiting time.
const MOST_COST: u32 = 60;
const COST_OF_BREAK: u32 = 1;
const COST_OF_SILENCE: u32 = 4;
/// The wait for the answer is half as long.
const COST_OF_SHORT_SILENCE: u32 = 2;

impl Delivery {
    /// Handles a throttle reply to the last request: tests if the server gives another message. If it does,
    /// the reply means the message `alone`. Otherwise it means the server.
    pub(crate) async fn handle_throttle_reply(
        &mut self,
        stream: &mut FetchStream<'_>,
        alone: Option<Uid>,
    ) -> Result<(), DeliveryError> {
        let Some(error) = self.throttle_replies.take() else { return Ok(()) };
        let Some(good) = self.throttle_replies.good() else {
            return self.throttle_replies.postpone(error, alone).map_err(DeliveryError::Wire);
        };
        if !self.comes(stream, good).await? {
            return Err(fetch_throttling::as_server_reply(error).into());
        }
        if let Some(uid) = alone {
            let words = self.excuses.remove(&uid).unwrap_or(error.message);
            self.withheld.insert(uid, words);
        }
        Ok(())
    }

    /// The same at the end, if no wanted message arrived that proves anything. `others` are messages of the
    /// folder with their sizes.
    pub(crate) async fn handle_open_replies(
        &mut self,
        stream: &mut FetchStream<'_>,
        others: &[(Uid, u64)],
    ) -> Result<(), DeliveryError> {
        let refused = self.throttle_replies.open();
        let others = others.iter().filter(|(uid, _)| !refused.contains(uid));
        let comes = match others.min_by_key(|(_, octets)| *octets) {
            Some((uid, _)) => self.comes(stream, *uid).await?,
            // The folder has no other message. Other commands are answered, and the next pass requests it
            // again.
            None => refused.len() == 1,
        };
        match self.throttle_replies.close() {
            Some(error) if !comes => Err(fetch_throttling::as_server_reply(error).into()),
            _ => Ok(()),
        }
    }

    pub(crate) fn open_replies(&self) -> &BTreeSet<Uid> {
        self.throttle_replies.open()
    }

    /// True if the server gives this message now. It is not passed on.
    async fn comes(&mut self, stream: &mut FetchStream<'_>, uid: Uid) -> Result<bool, DeliveryError> {
        (self.body_use, self.alone, self.came) = (BodyUse::Probe(uid), Some(uid), false);
        self.run(stream, vec![Batch::single(uid)], 1).await?;
        self.alone = None;
        _ = self.throttle_replies.take();
        Ok(std::mem::take(&mut self.came))
    }

    /// Handles a broken connection, which a message may have caused.
    pub(crate) fn blame(&mut self, error: imap::Error) -> Blame {
        let culprit = self.culprit();
        self.bodies.forget();
        let is_half_sent = self.passing.take().is_some_and(|it| !it.is_dry);
        let Some(uid) = culprit.filter(|uid| is_break(&error) && !self.delivered.contains(uid)) else {
            return Blame::Unknown(error);
        };
        self.suspects.insert(uid);
        self.cost += match error.kind {
            imap::ErrorKind::Timeout if self.has_silent_messages() => COST_OF_SHORT_SILENCE,
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
            let words = "the server breaks the connection at each of several messages";
            let error = error.context(words);
            return Blame::Unknown(imap::Error { scope: Scope::Folder, retry: Retry::Never, ..error });
        }
        Blame::Message
    }

    /// True if the server did not answer for several messages of the folder. Each further one gets a
    /// shorter wait, once. The next pass tries them again.
    pub(crate) fn has_silent_messages(&self) -> bool {
        self.culprits.are_many_silent(&self.folder)
    }

    /// The message at which the connection broke: the one that was arriving, or the next one.
    fn culprit(&self) -> Option<Uid> {
        // Every answer belongs to the only request.
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
