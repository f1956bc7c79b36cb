//! LIST, LSUB, STATUS, CREATE, SUBSCRIBE.

use super::{
    octets::matches,
    session::{Answer, Refusal, Session},
    store::Folder,
    syntax::{Arguments, Token, quoted},
};

/// The return options of LIST.
#[derive(Default)]
struct ReturnOptions {
    /// Items of STATUS.
    status: Vec<String>,
}

impl Session {
    pub(super) fn list(&mut self, name: &str, arguments: &mut Arguments<'_>) -> Answer {
        let strings = arguments.string().zip(arguments.string());
        let (_, pattern) = strings.ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?;
        let returned = self.return_options(arguments)?;
        let delimiter = self.server.personality.delimiter;
        if pattern.is_empty() {
            self.say(&format!("* {name} (\\Noselect) \"{delimiter}\" \"\""));
            return Ok("done".to_owned());
        }
        let user = self.user();
        let mailbox = user.mailbox();
        let mut lines = Vec::new();
        for (folder, it) in mailbox.folders.iter().filter(|(folder, _)| matches(&pattern, folder, delimiter))
        {
            let mut attributes = it.attributes.to_owned();
            if name == "LSUB" && !it.is_subscribed {
                continue;
            }
            if returned.is_some() && it.is_subscribed {
                attributes.push_str(" \\Subscribed");
            }
            let below = format!("{folder}{delimiter}");
            let has_children = mailbox.folders.keys().any(|it| it.starts_with(&below));
            attributes.push_str(if has_children { " \\HasChildren" } else { " \\HasNoChildren" });
            lines.push(format!("* {name} ({}) \"{delimiter}\" {}", attributes.trim(), quoted(folder)));
            if let Some(ReturnOptions { status }) = &returned
                && !status.is_empty()
                && !it.attributes.contains("\\Noselect")
            {
                lines.push(format!("* STATUS {} ({})", quoted(folder), status_of(it, status)));
            }
        }
        drop(mailbox);
        for line in &lines {
            self.say(line);
        }
        Ok("done".to_owned())
    }

    /// Reads the return options; `None` without RETURN.
    fn return_options(&self, arguments: &mut Arguments<'_>) -> Result<Option<ReturnOptions>, Refusal> {
        let bad = || Refusal::bad("Command Argument Error. 11");
        let Some(word) = arguments.word() else { return Ok(None) };
        if word != "RETURN" || arguments.next() != Some(&Token::Open) {
            return Err(bad());
        }
        self.offered("LIST-EXTENDED")?;
        let mut returned = ReturnOptions::default();
        loop {
            match arguments.next().ok_or_else(bad)? {
                Token::Close => return Ok(Some(returned)),
                Token::Word(word) if word == "STATUS" => {
                    self.offered("LIST-STATUS")?;
                    returned.status = arguments.list().ok_or_else(bad)?;
                    self.check_items(returned.status.iter())?;
                }
                Token::Word(word) if word == "SPECIAL-USE" => self.offered("SPECIAL-USE")?,
                _ => {}
            }
        }
    }

    fn check_items<'a>(&self, mut items: impl Iterator<Item = &'a String>) -> Result<(), Refusal> {
        if items.any(|it| it == "HIGHESTMODSEQ") { self.offered("CONDSTORE") } else { Ok(()) }
    }

    pub(super) fn status(&mut self, arguments: &mut Arguments<'_>) -> Answer {
        let name_and_items = arguments.string().zip(arguments.list());
        let (name, items) = name_and_items.ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?;
        self.check_items(items.iter())?;
        let folder = self.selectable(&name)?;
        let user = self.user();
        let numbers = status_of(&user.mailbox().folders[&folder], &items);
        self.say(&format!("* STATUS {} ({numbers})", quoted(&name)));
        Ok("done".to_owned())
    }

    /// Returns the name of a folder that can be selected.
    pub(super) fn selectable(&self, name: &str) -> Result<String, Refusal> {
        let folder = self.folder(name)?;
        let is_container = self.user().mailbox().folders[&folder].attributes.contains("\\Noselect");
        if is_container {
            return Err(Refusal::no(format!("[NONEXISTENT] Unknown Mailbox: {name} (Failure)")));
        }
        Ok(folder)
    }

    pub(super) fn create(&mut self, arguments: &mut Arguments<'_>) -> Answer {
        let name = arguments.string().ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?;
        let delimiter = self.server.personality.delimiter;
        let name = name.trim_end_matches(delimiter);
        if self.folder(name).is_ok() {
            return Err(Refusal::no("[ALREADYEXISTS] Mailbox already exists."));
        }
        if let Some(refusal) = (self.server.personality.refuses_name)(name) {
            return Err(Refusal::Says(refusal.to_owned()));
        }
        let user = self.user();
        let mut mailbox = user.mailbox();
        for (end, _) in name.match_indices(delimiter) {
            mailbox.create(&name[..end]);
        }
        mailbox.create(name);
        Ok("done".to_owned())
    }

    pub(super) fn subscribe(&mut self, is_subscribed: bool, arguments: &mut Arguments<'_>) -> Answer {
        let name = arguments.string().ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?;
        let folder = self.folder(&name)?;
        self.user().mailbox().subscribe(&folder, is_subscribed);
        Ok("done".to_owned())
    }
}

fn status_of(folder: &Folder, items: &[String]) -> String {
    let numbers = items.iter().filter_map(|item| {
        let number = match item.as_str() {
            "MESSAGES" => folder.uids.messages.len() as u64,
            "UIDNEXT" => u64::from(folder.uids.uid_next),
            "UIDVALIDITY" => u64::from(folder.uids.uid_validity),
            "HIGHESTMODSEQ" => folder.uids.modseq,
            _ => return None,
        };
        Some(format!("{item} {number}"))
    });
    numbers.collect::<Vec<String>>().join(" ")
}
