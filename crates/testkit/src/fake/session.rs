//! One session: its user, its selected folder, and the commands.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::net::TcpStream;

use super::{
    connection::{Consent, IncompleteCommand, State, Wire, settle},
    lie::{CommandText, Effect, Lie},
    personality::Personality,
    replies::{Flow, Replies, wire_lines},
    server::{Server, User},
    syntax::{Arguments, Raw, Token, set},
};

/// Maximum length of an endless answer.
const MAX_ENDLESS_LENGTH: usize = 64 << 20;

/// The end of a command: word and text, without its tag.
pub(super) type Answer = Result<String, Refusal>;

/// The failure of a command.
pub(super) enum Refusal {
    /// `NO ...` or `BAD ...`.
    Says(String),
    /// The same, and then the connection is closed with this text.
    AndLeaves(String, &'static str),
    /// No answer: the connection is closed with this text.
    HangsUp(String),
    /// The connection breaks without an answer.
    BreaksOff,
}

impl Refusal {
    pub(super) fn no(text: impl Into<String>) -> Self {
        Self::Says(format!("NO {}", text.into()))
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::Says(format!("BAD {}", text.into()))
    }
}

/// The selected folder.
pub(super) struct SelectedFolder {
    pub(super) name: String,
    pub(super) is_read_only: bool,
    /// The UIDs as the client knows them: its sequence numbers.
    pub(super) uids: Vec<u32>,
    /// The last reported state: UIDNEXT, and the number of expunged messages.
    pub(super) reported: (u32, usize),
}

pub(super) struct Session {
    pub(super) server: Arc<Server>,
    pub(super) user: Option<Arc<User>>,
    /// Expiry of the token.
    pub(super) expires: Option<Duration>,
    pub(super) open: Option<SelectedFolder>,
    pub(super) enabled: BTreeSet<String>,
    pub(super) out: Vec<u8>,
    pub(super) bodies: u32,
    errors: u32,
    /// Successful commands since the login.
    commands: u32,
    /// The number of the connection, from 1.
    connection: u64,
    /// The lies about the current command.
    pub(super) lies: Vec<Arc<Lie>>,
}

/// Serves one connection to its end.
pub(super) async fn serve(server: Arc<Server>, stream: TcpStream) {
    let mut wire = Wire::new(stream);
    let connection = server.connections.fetch_add(1, Ordering::SeqCst) + 1;
    let mut session = Session {
        server,
        user: None,
        expires: None,
        open: None,
        enabled: BTreeSet::new(),
        out: Vec::new(),
        bodies: 0,
        errors: 0,
        commands: 0,
        connection,
        lies: Vec::new(),
    };
    let Personality { before_login, greeting, .. } = &session.server.personality;
    let greeting = format!("* OK [CAPABILITY {before_login}] {greeting}");
    session.lies = session.about("GREETING", &[], 0);
    session.say(&greeting);
    let mut flow = session.send("*", Flow::On, &mut wire).await;
    while flow == Some(Flow::On) {
        flow = session.turn(&mut wire).await;
    }
    wire.end(flow.unwrap_or(Flow::HangUp)).await;
}

impl Session {
    /// Returns the lies about this command.
    fn about(&self, line: &str, octets: &[u8], length: u64) -> Vec<Arc<Lie>> {
        self.server.lies.about(&self.heard(&line.replace('"', ""), octets, length))
    }

    fn heard<'a>(&'a self, line: &'a str, octets: &'a [u8], length: u64) -> CommandText<'a> {
        let folder = self.open.as_ref().map(|it| it.name.as_str());
        CommandText {
            line,
            octets,
            length,
            folder,
            enabled: &self.enabled,
            connection: self.connection,
            is_logged_in: self.user.is_some(),
        }
    }

    /// Sends the answer as the lies change it.
    async fn send(&mut self, tag: &str, flow: Flow, wire: &mut Wire) -> Option<Flow> {
        let out = std::mem::take(&mut self.out);
        let lies = std::mem::take(&mut self.lies);
        if lies.is_empty() {
            wire.send(&out).await?;
            return Some(flow);
        }
        let mut replies = Replies::new(tag, &out, flow);
        for lie in &lies {
            if let Effect::Edit(edit) = &lie.effect {
                edit(&mut replies);
            }
        }
        wire.send(&replies.lines.concat()).await?;
        if replies.flow == Flow::Endless {
            repeat_endlessly(replies.lines.last()?, wire).await?;
        }
        Some(replies.flow)
    }

    /// Sends these lines, which are a lie.
    async fn lie(&mut self, tag: &str, lines: &str, flow: Flow, wire: &mut Wire) -> Option<Flow> {
        self.out.extend(wire_lines(tag, lines).concat());
        self.send(tag, flow, wire).await
    }

    /// Handles one command; `None` if the client has disconnected.
    async fn turn(&mut self, wire: &mut Wire) -> Option<Flow> {
        let mut raw = match wire.command(|text, length, is_free| self.consent(text, length, is_free)).await? {
            Ok(raw) => raw,
            Err(IncompleteCommand::Refused(answer)) => {
                let flow = self.fail(&answer);
                return self.send("*", flow, wire).await;
            }
            Err(IncompleteCommand::Lied(tag, lie)) => {
                let Effect::Literal { lines, flow, .. } = &lie.effect else { return None };
                return self.lie(&tag, lines, *flow, wire).await;
            }
        };
        let (tag, line) = raw.line();
        self.server.commands.lock().unwrap().push(line.clone());
        let octets = raw.octets();
        self.lies = self.about(&line, &octets, octets.len() as u64);
        for lie in self.lies.clone() {
            match &lie.effect {
                Effect::Answer(lines, flow) => return self.lie(&tag, lines, *flow, wire).await,
                Effect::Hear(from, to) => raw.change(from, to),
                _ => {}
            }
        }
        self.run(raw, wire).await
    }

    /// Runs the command, and answers it.
    async fn run(&mut self, raw: Raw, wire: &mut Wire) -> Option<Flow> {
        let Some(tokens) = raw.tokens() else {
            wire.send(b"* BYE what is that?\r\n").await?;
            return Some(Flow::HangUp);
        };
        let mut arguments = Arguments(&tokens);
        let (tag, name) = (arguments.string()?, arguments.word().unwrap_or_default());
        if self.has_expired() {
            wire.send(b"* BYE Session invalidated - AccessTokenExpired\r\n").await?;
            return Some(Flow::HangUp);
        }
        let answer = match name.as_str() {
            "LOGIN" | "AUTHENTICATE" => {
                let answer = self.log_in(&name, &mut arguments, wire).await?;
                if answer.is_ok()
                    && let Some(user) = &self.user
                {
                    settle(&user.peers, &wire.peer).await;
                }
                answer
            }
            "LOGOUT" => {
                wire.send(format!("* BYE goodbye\r\n{tag} OK done\r\n").as_bytes()).await?;
                return Some(Flow::HangUp);
            }
            _ => self.command(&name, &mut arguments),
        };
        // A refusal is sent: it may request a delay.
        if answer.is_ok() && self.breaks() {
            return Some(Flow::HangUp);
        }
        let flow = match answer {
            Ok(text) => {
                self.report_changes();
                self.say(&format!("{tag} OK {text}"));
                Flow::On
            }
            Err(Refusal::Says(text)) => {
                self.report_changes();
                self.fail(&format!("{tag} {text}"))
            }
            Err(Refusal::AndLeaves(text, words)) => {
                self.say(&format!("{tag} {text}"));
                self.say(words);
                Flow::HangUp
            }
            Err(Refusal::HangsUp(words)) => {
                self.say(&format!("* {words}"));
                Flow::HangUp
            }
            Err(Refusal::BreaksOff) => Flow::HangUp,
        };
        self.send(&tag, flow, wire).await
    }

    pub(super) fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// Counts a refusal, and ends the session after too many.
    fn fail(&mut self, answer: &str) -> Flow {
        self.say(answer);
        self.errors += 1;
        let Some(user) = &self.user else { return Flow::On };
        user.meter().note("errors");
        if self.server.personality.limits.errors.is_some_and(|most| self.errors >= most) {
            user.meter().note("bye");
            self.server.violation(&user.name, format!("made {} errors in a session", self.errors));
            self.say("* BYE Connection closed. 14");
            return Flow::HangUp;
        }
        Flow::On
    }

    /// True if the connection breaks now, before the answer.
    fn breaks(&mut self) -> bool {
        let Some(user) = &self.user else { return false };
        self.commands += 1;
        let breaks =
            self.server.personality.limits.commands_per_connection.is_some_and(|most| self.commands >= most);
        if breaks {
            user.meter().note("broken");
        }
        breaks
    }

    /// Records a violation if the client uses a spent budget.
    pub(super) fn note_use_while_away(&self) {
        let user = self.user();
        if user.meter().should_be_away(user.clock.now()) {
            self.server.violation(&user.name, "continues on another connection, long after it had to wait");
        }
    }

    fn has_expired(&self) -> bool {
        let Some(user) = &self.user else { return false };
        let has_expired = self.expires.is_some_and(|it| user.clock.now() >= it);
        if has_expired {
            user.meter().note("expired");
        }
        has_expired
    }

    /// Decides about an announced literal. `text` is the beginning of its command.
    fn consent(&self, text: &[u8], length: u64, is_free: bool) -> Consent {
        let line = String::from_utf8_lossy(text);
        let (tag, line) = line.split_once(' ').unwrap_or((&line, ""));
        let unquoted = line.replace('"', "");
        if let Some(lie) = self.server.lies.about_literal(&self.heard(&unquoted, &[], length)) {
            return Consent::Lied(tag.to_owned(), lie);
        }
        let personality = &self.server.personality;
        let mut words = text.split(|it| *it == b' ').map(String::from_utf8_lossy);
        let tag = words.next().unwrap_or_default();
        let most_free = match () {
            () if personality.has("LITERAL+") => u64::MAX,
            () if personality.has("LITERAL-") => 4096,
            () => 0,
        };
        if is_free && length > most_free {
            let who = self.user.as_ref().map_or("no user", |it| &it.name);
            self.server.violation(who, format!("sends a literal of {length} bytes without a request"));
        }
        match personality.largest {
            Some((most, words)) if length > most => {
                if personality.has(&format!("APPENDLIMIT={most}")) {
                    let who = self.user.as_ref().map_or("no user", |it| &it.name);
                    self.server.violation(who, format!("sends {length} bytes, more than APPENDLIMIT"));
                }
                Consent::Refused(format!("{tag} {words}"))
            }
            _ => Consent::Given,
        }
    }

    fn command(&mut self, name: &str, arguments: &mut Arguments<'_>) -> Answer {
        if let Some(user) = &self.user {
            user.mailbox().arrive(user.clock.now());
        }
        match name {
            "CAPABILITY" => {
                let personality = &self.server.personality;
                let words =
                    if self.user.is_some() { personality.after_login } else { personality.before_login };
                self.say(&format!("* CAPABILITY {words}"));
                Ok("done".to_owned())
            }
            "NOOP" | "CHECK" => Ok("done".to_owned()),
            "ID" => {
                self.offered("ID")?;
                self.say(&format!("* ID ({})", self.server.personality.id));
                self.enabled.insert("ID".to_owned());
                Ok("done".to_owned())
            }
            _ if self.user.as_ref().is_some_and(|it| it.is_shut.load(Ordering::SeqCst)) => {
                Err(Refusal::bad("User is authenticated but not connected."))
            }
            _ if self.user.is_none() => Err(Refusal::bad("Command received in Invalid state")),
            "NAMESPACE" => {
                self.offered("NAMESPACE")?;
                self.say(&format!("* NAMESPACE ((\"\" \"{}\")) NIL NIL", self.server.personality.delimiter));
                Ok("done".to_owned())
            }
            "ENABLE" => self.enable(arguments),
            "LIST" | "LSUB" => self.list(name, arguments),
            "STATUS" => self.status(arguments),
            "CREATE" => self.create(arguments),
            "SUBSCRIBE" | "UNSUBSCRIBE" => self.subscribe(name == "SUBSCRIBE", arguments),
            "SELECT" | "EXAMINE" => self.select(name == "EXAMINE", arguments),
            "UNSELECT" | "CLOSE" => {
                self.open = None;
                Ok("done".to_owned())
            }
            "APPEND" => self.append(arguments),
            "UID" => match arguments.word().unwrap_or_default().as_str() {
                "FETCH" => self.fetch(arguments),
                "SEARCH" => self.search(arguments),
                "STORE" => self.store(arguments),
                "COPY" => self.copy(arguments, false),
                "MOVE" => {
                    self.offered("MOVE")?;
                    self.copy(arguments, true)
                }
                "EXPUNGE" => {
                    self.offered("UIDPLUS")?;
                    self.expunge(arguments)
                }
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }

    /// Returns an error for an extension that was not offered.
    pub(super) fn offered(&self, extension: &str) -> Result<(), Refusal> {
        if self.server.personality.has(extension) {
            return Ok(());
        }
        self.server.violation(&self.user().name, format!("uses {extension}, which was not offered"));
        Err(Refusal::bad("Command Argument Error. 11"))
    }

    /// The user, who must be logged in.
    pub(super) fn user(&self) -> Arc<User> {
        self.user.clone().expect("a user is logged in")
    }

    pub(super) fn folder(&self, name: &str) -> Result<String, Refusal> {
        let found = self.user().mailbox().resolve(name);
        found.ok_or_else(|| Refusal::no(format!("[NONEXISTENT] {name} doesn't exist.")))
    }

    pub(super) fn opened(&self) -> Result<String, Refusal> {
        let open = self.open.as_ref().map(|it| it.name.clone());
        open.ok_or_else(|| Refusal::bad("Command received in Invalid state"))
    }

    fn enable(&mut self, arguments: &Arguments<'_>) -> Answer {
        self.offered("ENABLE")?;
        let words = arguments.0.iter().filter_map(|it| match it {
            Token::Word(word) => Some(word.to_ascii_uppercase()),
            _ => None,
        });
        let wanted: Vec<String> = words.filter(|it| self.server.personality.has(it)).collect();
        self.say(format!("* ENABLED {}", wanted.join(" ")).trim_end());
        self.enabled.extend(wanted);
        Ok("done".to_owned())
    }

    /// Sends the changes of the selected folder since the last report.
    fn report_changes(&mut self) {
        let (Some(user), Some(open)) = (&self.user, &mut self.open) else { return };
        let there: Vec<u32> = {
            let mailbox = user.mailbox();
            let Some(folder) = mailbox.folders.get(&open.name) else { return };
            let now = (folder.uids.uid_next, folder.uids.removals());
            let (first_new, expunged) = std::mem::replace(&mut open.reported, now);
            if expunged == now.1 {
                // No changes, or only new messages.
                let before = open.uids.len();
                open.uids.extend(folder.uids.messages.range(first_new..).map(|(uid, _)| *uid));
                let exists = open.uids.len();
                drop(mailbox);
                if exists > before {
                    self.say(&format!("* {exists} EXISTS"));
                }
                return;
            }
            folder.uids.messages.keys().copied().collect()
        };
        let gone: Vec<u32> =
            open.uids.iter().copied().filter(|it| there.binary_search(it).is_err()).collect();
        let mut lines = Vec::new();
        if self.enabled.contains("QRESYNC") && !gone.is_empty() {
            lines.push(format!("* VANISHED {}", set(&gone)));
        } else {
            for uid in &gone {
                let number = open.uids.iter().position(|it| it == uid).unwrap() + 1;
                open.uids.remove(number - 1);
                lines.push(format!("* {number} EXPUNGE"));
            }
        }
        lines.push(format!("* {} EXISTS", there.len()));
        open.uids = there;
        for line in &lines {
            self.say(line);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(user) = &self.user {
            user.peers.lock().unwrap().retain(|it| it.state() != State::Over);
        }
    }
}

/// Repeats a response until the client disconnects.
async fn repeat_endlessly(response: &[u8], wire: &mut Wire) -> Option<()> {
    let some = response.repeat(1 + (64 << 10) / response.len().max(1));
    for _ in 0..=MAX_ENDLESS_LENGTH / some.len() {
        wire.send(&some).await?;
    }
    Some(())
}

fn unknown() -> Refusal {
    Refusal::bad("Command Error. 10")
}
