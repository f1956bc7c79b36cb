//! UID FETCH.

use super::{
    session::{Answer, Refusal, Session},
    store::{Entry, StoredMessage},
    syntax::{Arguments, among, quoted, set},
};

/// The requested items of one message.
struct FetchRequest<'a> {
    items: &'a [String],
    folder: &'a str,
    tells_modseq: bool,
}

impl Session {
    pub(super) fn fetch(&mut self, arguments: &mut Arguments<'_>) -> Answer {
        let folder = self.opened()?;
        let bad = || Refusal::bad("Command Argument Error. 11");
        let uids = arguments.string().ok_or_else(bad)?;
        let items = arguments.list().ok_or_else(bad)?;
        let modifiers = arguments.list().unwrap_or_default();
        let since: Option<u64> = match modifiers.as_slice() {
            [] => None,
            [word, number, ..] if word == "CHANGEDSINCE" => {
                self.offered("CONDSTORE")?;
                Some(number.parse().map_err(|_| bad())?)
            }
            _ => return Err(bad()),
        };
        if items.iter().any(|it| it.starts_with("X-GM-")) {
            self.offered("X-GM-EXT-1")?;
        }
        let user = self.user();
        let found: Vec<(u32, Entry)> = {
            let mailbox = user.mailbox();
            let it = &mailbox.folders[&folder];
            let chosen = among(&uids, it.uids.messages.keys().copied()).ok_or_else(bad)?;
            let entries = chosen.into_iter().filter_map(|uid| Some((uid, it.entry(uid)?)));
            entries
                .filter(|(uid, _)| since.is_none_or(|since| it.uids.has_changed_since(*uid, since)))
                .collect()
        };
        if modifiers.iter().any(|it| it == "VANISHED") {
            self.offered("QRESYNC")?;
            let since = since.unwrap_or(0);
            let mailbox = user.mailbox();
            let gone: Vec<u32> = mailbox.folders[&folder].uids.vanished_since(since).collect();
            drop(mailbox);
            if !gone.is_empty() {
                self.say(&format!("* VANISHED (EARLIER) {}", set(&gone)));
            }
        }
        let request = FetchRequest { items: &items, folder: &folder, tells_modseq: since.is_some() };
        for (uid, entry) in found {
            self.fetch_one(&request, uid, entry)?;
        }
        let limits = &self.server.personality.limits;
        let is_slowed = limits.mention_throttling_after.is_some_and(|it| self.bodies > it);
        Ok(if is_slowed { "Success [THROTTLED]" } else { "Success" }.to_owned())
    }

    fn fetch_one(&mut self, request: &FetchRequest<'_>, uid: u32, entry: Entry) -> Result<(), Refusal> {
        let user = self.user();
        let personality = &self.server.personality;
        let (kept, labels) = {
            let mailbox = user.mailbox();
            let Some((_, kept)) = mailbox.kept(request.folder, uid) else { return Ok(()) };
            (kept.clone(), mailbox.labels(entry.message, request.folder))
        };
        let number =
            self.open.as_ref().and_then(|it| it.uids.binary_search(&uid).ok()).map_or(1, |it| it + 1);
        let mut line = format!("* {number} FETCH (UID {uid}").into_bytes();
        if request.tells_modseq {
            line.extend_from_slice(format!(" MODSEQ ({})", entry.modseq).as_bytes());
        }
        let mut has_body = false;
        for item in request.items {
            let StoredMessage { octets, flags, date } = &kept;
            let item_text = match item.to_ascii_uppercase().as_str() {
                "UID" => continue,
                "FLAGS" => format!(" FLAGS ({flags})").into_bytes(),
                "INTERNALDATE" => format!(" INTERNALDATE \"{date}\"").into_bytes(),
                "RFC822.SIZE" => format!(" RFC822.SIZE {}", (personality.size)(octets.len())).into_bytes(),
                "X-GM-MSGID" => format!(" X-GM-MSGID {}", entry.message).into_bytes(),
                "X-GM-THRID" => format!(" X-GM-THRID {}", entry.message).into_bytes(),
                "X-GM-LABELS" => {
                    let labels: Vec<String> = labels.iter().map(|it| quoted(it)).collect();
                    format!(" X-GM-LABELS ({})", labels.join(" ")).into_bytes()
                }
                "BODY.PEEK[]" | "BODY[]" => {
                    has_body = true;
                    literal("BODY[]", octets)
                }
                "RFC822" => {
                    has_body = true;
                    literal("RFC822", octets)
                }
                "BODY.PEEK[HEADER]" => literal("BODY[HEADER]", octets.split_at(header_length(octets)).0),
                other => {
                    let fields =
                        other.strip_prefix("BODY.PEEK[HEADER.FIELDS (").and_then(|it| it.strip_suffix(")]"));
                    match (fields, part_of(octets, other)) {
                        (Some(fields), _) => {
                            literal(&format!("BODY[HEADER.FIELDS ({fields})]"), &header(octets, fields))
                        }
                        (None, Some((origin, part))) => literal(&format!("BODY[]<{origin}>"), part),
                        (None, None) => return Err(Refusal::bad("Command Argument Error. 11")),
                    }
                }
            };
            line.extend_from_slice(&item_text);
        }
        if has_body {
            self.count_body(&kept, &line)?;
        }
        line.extend_from_slice(b")\r\n");
        self.out.extend_from_slice(&line);
        Ok(())
    }

    /// Counts a body, and ends the connection at the limit.
    fn count_body(&mut self, kept: &StoredMessage, line: &[u8]) -> Result<(), Refusal> {
        let (user, limits) = (self.user(), &self.server.personality.limits);
        self.note_use_while_away();
        user.clock.pass(limits.fetch_time);
        if !user.meter().download(kept.octets.len() as u64, limits, user.clock.now()) {
            let words = "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)";
            return Err(Refusal::AndLeaves(words.to_owned(), "* BYE Session expired"));
        }
        self.bodies += 1;
        if limits.bodies_per_connection.is_some_and(|most| self.bodies > most) {
            user.meter().note("bye");
            // In the middle of the message: the following bytes are not part of it.
            let half = line.len() - kept.octets.len() / 2;
            self.out.extend_from_slice(&line[..half]);
            return Err(Refusal::BreaksOff);
        }
        Ok(())
    }
}

/// Returns the part of the message that `BODY.PEEK[]<origin.length>` requests.
fn part_of<'a>(octets: &'a [u8], item: &str) -> Option<(usize, &'a [u8])> {
    let (origin, length) = item.strip_prefix("BODY.PEEK[]<")?.strip_suffix('>')?.split_once('.')?;
    let (origin, length): (usize, usize) = (origin.parse().ok()?, length.parse().ok()?);
    let rest = octets.get(origin..).unwrap_or_default();
    Some((origin, &rest[..rest.len().min(length)]))
}

fn literal(name: &str, octets: &[u8]) -> Vec<u8> {
    [format!(" {name} {{{}}}\r\n", octets.len()).as_bytes(), octets].concat()
}

/// Length of the header with the empty line, in bytes.
fn header_length(octets: &[u8]) -> usize {
    octets.windows(4).position(|it| it == b"\r\n\r\n").map_or(octets.len(), |it| it + 4)
}

/// Returns the header fields of these names, and the empty line.
fn header(octets: &[u8], names: &str) -> Vec<u8> {
    let mut found = Vec::new();
    let mut is_wanted = false;
    for line in octets.split_inclusive(|it| *it == b'\n') {
        if line == b"\r\n" {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|it| *it == b':').next().unwrap_or_default();
            is_wanted = names.split(' ').any(|it| it.as_bytes().eq_ignore_ascii_case(name));
        }
        if is_wanted {
            found.extend_from_slice(line);
        }
    }
    found.extend_from_slice(b"\r\n");
    found
}
