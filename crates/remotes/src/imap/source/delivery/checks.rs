//! Checks a message with another size than reported.

use mailhaul_imap::{
    FetchEvent, FetchStream,
    response::{Fetch, Status},
};
use mailhaul_mail::{FINGERPRINT_FIELDS, Scope, Uid};

use super::{BodyUse, Delivery, DeliveryError, broken};
use crate::imap::source::{
    examination::{Examination, Facts},
    in_order::Batch,
};

/// Number of checks before a message is skipped.
const CHECKS: u32 = 2;
/// Number of bytes requested behind the end of a message.
const BEHIND: u32 = 8;

impl Delivery {
    /// Reads a doubtful message alone, and passes it on if no fact contradicts it.
    pub(super) async fn verify(
        &mut self,
        stream: &mut FetchStream<'_>,
        uid: Uid,
    ) -> Result<(), DeliveryError> {
        let claimed = self.claimed_size(uid);
        for attempt in 0..CHECKS {
            let is_short = attempt > 0 && self.judge.is_short(uid, claimed);
            self.read_otherwise = if is_short { Some(uid) } else { None };
            let Some(seen) = self.examine(stream, uid).await? else { break };
            let is_asked = seen.length() != claimed && self.judge.is_as_before(uid, &seen);
            let facts = if is_asked { self.facts(stream, uid, &seen).await? } else { Facts::default() };
            match self.judge.check(uid, claimed, &seen, &facts) {
                Ok(()) => {
                    self.body_use = BodyUse::Deliver;
                    match seen.body() {
                        Some(body) => self.take(uid, body).await?,
                        None => self.run(stream, vec![Batch::single(uid)], 1).await?,
                    }
                    self.ask_others_again();
                    break;
                }
                Err(words) => _ = self.excuses.insert(uid, words),
            }
        }
        self.read_otherwise = None;
        self.judge.forget(uid);
        Ok(())
    }

    /// Requests the doubtful messages together, once the sizes are known to be estimates. Most of them can
    /// be accepted then.
    fn ask_others_again(&mut self) {
        let sizes = self.judge.sizes();
        if sizes.are_unknown() || sizes.are_exact() {
            return;
        }
        for uid in self.judge.take_doubts() {
            self.asked.remove(&uid);
        }
        self.first = 0;
    }

    /// Reads the message without passing it on. `None` if it does not arrive.
    async fn examine(
        &mut self,
        stream: &mut FetchStream<'_>,
        uid: Uid,
    ) -> Result<Option<Examination>, DeliveryError> {
        (self.body_use, self.came, self.examined) = (BodyUse::Examine(uid), false, Examination::default());
        self.run(stream, vec![Batch::single(uid)], 1).await?;
        let examined = std::mem::take(&mut self.examined);
        Ok(std::mem::take(&mut self.came).then_some(examined))
    }

    /// Requests the header alone, and bytes behind the end.
    async fn facts(
        &mut self,
        stream: &mut FetchStream<'_>,
        uid: Uid,
        seen: &Examination,
    ) -> Result<Facts, DeliveryError> {
        let mut facts = Facts::default();
        let fields = FINGERPRINT_FIELDS.join(" ");
        let items = format!("(UID BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS ({fields})])");
        for fetch in ask(stream, uid, &items).await?.unwrap_or_default() {
            let headers = fetch.sections.iter().filter(|it| it.spec.starts_with("HEADER"));
            facts.headers.extend(headers.filter_map(|it| fetch.inline(&it.spec)).map(|it| it.to_vec()));
        }
        if let Ok(end) = u32::try_from(seen.length())
            && self.judge.sizes().may_ask_behind()
        {
            let items = format!("(UID BODY.PEEK[]<{end}.{BEHIND}>)");
            if let Some(answers) = ask(stream, uid, &items).await? {
                self.judge.sizes().asked_behind();
                let behind = answers.iter().filter_map(|it| it.inline_from("", Some(end)));
                facts.behind = behind.map(bytes::Bytes::len).max().unwrap_or(0);
            }
        }
        Ok(facts)
    }
}

/// Requests small items of one message, with nothing else in flight. `None` if the server refuses them.
async fn ask(
    stream: &mut FetchStream<'_>,
    uid: Uid,
    items: &str,
) -> Result<Option<Vec<Fetch>>, DeliveryError> {
    let command = stream.send(&[uid].into_iter().collect(), items)?;
    let mut answers = Vec::new();
    while let Some(event) = stream.next().await? {
        match event {
            FetchEvent::Message(fetch) if fetch.uid.is_none_or(|it| it == uid) => answers.push(*fetch),
            FetchEvent::Broken(fetch) => return Err(broken(fetch.uid.or(Some(uid))).into()),
            FetchEvent::Completed { command: done, status } if done == command => {
                if status.status == Status::Ok {
                    return Ok(Some(answers));
                }
                let error = mailhaul_imap::Error::refused("UID FETCH", &status);
                let is_wider = error.scope >= Scope::Session && !error.may_mean_one_message();
                return if is_wider { Err(error.into()) } else { Ok(None) };
            }
            _ => {}
        }
    }
    Ok(Some(answers))
}
