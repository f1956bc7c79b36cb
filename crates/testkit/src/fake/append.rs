//! APPEND, of one message or of several.

use mailhaul_mail::{Flags, InternalDate};

use super::{
    lie::Effect,
    personality::Verdict,
    session::{Answer, Refusal, Session},
    store::Mailbox,
    syntax::{Arguments, Token, set},
};

/// A message in an APPEND command.
struct IncomingMessage {
    octets: Vec<u8>,
    flags: Flags,
    date: InternalDate,
}

impl Session {
    pub(super) fn append(&mut self, arguments: &mut Arguments<'_>) -> Answer {
        let bad = || Refusal::bad("Command Argument Error. 11");
        let name = arguments.string().ok_or_else(bad)?;
        let folder = self.selectable(&name).map_err(|_| Refusal::no("[TRYCREATE] No such folder"))?;
        let mut incoming = Vec::new();
        while !arguments.0.is_empty() {
            incoming.push(self.incoming(arguments).ok_or_else(bad)?);
        }
        if incoming.len() != 1 {
            self.offered("MULTIAPPEND")?;
        }
        for message in &incoming {
            self.admit_message(message)?;
        }
        let (user, personality) = (self.user(), &self.server.personality);
        for _ in &incoming {
            user.meter().note("appended");
        }
        let mut mailbox = user.mailbox();
        let uids: Vec<u32> = incoming
            .into_iter()
            .map(|it| {
                let Some(octets) = self.stored(&mut mailbox, &folder, &it) else {
                    return mailbox.folders[&folder].uids.uid_next;
                };
                let is_expunged = personality.has_labels && it.flags.contains("\\Deleted");
                let uid = mailbox.add(&folder, (personality.rewrite)(octets), it.flags, it.date);
                if is_expunged {
                    // Gmail removes the label at once.
                    mailbox.remove(&folder, uid);
                }
                uid
            })
            .collect();
        let validity = mailbox.folders[&folder].uids.uid_validity;
        Ok(if personality.has("UIDPLUS") {
            format!("[APPENDUID {validity} {}] APPEND completed.", set(&uids))
        } else {
            "APPEND completed.".to_owned()
        })
    }

    /// Returns the messages to store in place of this one.
    ///
    /// A lie may store no message, or more than one.
    fn stored(&self, mailbox: &mut Mailbox, folder: &str, message: &IncomingMessage) -> Option<Vec<u8>> {
        let mut store = self.lies.iter().filter_map(|lie| match &lie.effect {
            Effect::Store(store) => Some(store(&message.octets)),
            _ => None,
        });
        let Some(mut stored) = store.next() else { return Some(message.octets.clone()) };
        let last = stored.pop();
        for octets in stored {
            mailbox.add(folder, octets, message.flags.clone(), message.date);
        }
        last
    }

    fn incoming(&self, arguments: &mut Arguments<'_>) -> Option<IncomingMessage> {
        let personality = &self.server.personality;
        let flags = match arguments.0.first()? {
            Token::Open => arguments.list()?,
            _ => Vec::new(),
        };
        let kept = flags.iter().map(String::as_str).filter(|flag| {
            personality.keeps(flag)
                && personality.append_loses.is_none_or(|lost| !lost.eq_ignore_ascii_case(flag))
        });
        let flags: Flags = kept.collect();
        let mut date = InternalDate::new(0, 0)?;
        if let Some(Token::Quoted(text)) = arguments.0.first() {
            date = InternalDate::parse(std::str::from_utf8(text).ok()?)?;
            arguments.next();
        }
        match arguments.next()? {
            Token::Literal(octets) => Some(IncomingMessage { octets: octets.clone(), flags, date }),
            _ => None,
        }
    }

    /// Returns an error if the message may not be appended now.
    fn admit_message(&self, message: &IncomingMessage) -> Result<(), Refusal> {
        let (user, personality) = (self.user(), &self.server.personality);
        self.note_use_while_away();
        user.clock.pass(personality.limits.append_time);
        match (personality.judge)(&message.octets) {
            Verdict::Take => {}
            Verdict::Refuse(words) => {
                user.meter().note("refused");
                return Err(Refusal::Says(words.to_owned()));
            }
            Verdict::HangUp(words) => {
                user.meter().note("bye");
                return Err(Refusal::HangsUp(words.to_owned()));
            }
        }
        let now = user.clock.now();
        if let Err(backoff) = user.meter().append(personality.limits.throttle, now) {
            let milliseconds = backoff.as_millis();
            let words =
                format!("BAD Request is throttled. Suggested Backoff Time: {milliseconds} milliseconds");
            return Err(Refusal::AndLeaves(words, "* BYE Connection closed. 14"));
        }
        let octets = message.octets.len() as u64;
        if !user.meter().upload(octets, &personality.limits, now) {
            let words = "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)";
            return Err(Refusal::AndLeaves(words.to_owned(), "* BYE Session expired"));
        }
        Ok(())
    }
}
