//! The part of UID SEARCH that clients use.

use super::{
    session::{Answer, Refusal, Session},
    syntax::{Arguments, Token, among, set},
};

impl Session {
    pub(super) fn search(&mut self, arguments: &mut Arguments<'_>) -> Answer {
        let folder = self.opened()?;
        let bad = || Refusal::bad("Command Argument Error. 11");
        let mut is_extended = false;
        if arguments.0.first() == Some(&Token::Word("RETURN".to_owned())) {
            self.offered("ESEARCH")?;
            is_extended = true;
            arguments.next();
            arguments.list().ok_or_else(bad)?;
        }
        let user = self.user();
        let mailbox = user.mailbox();
        let it = &mailbox.folders[&folder];
        let mut found: Vec<u32> = it.uids.messages.keys().copied().collect();
        while let Some(key) = arguments.word() {
            match key.as_str() {
                "ALL" => {}
                "UID" => {
                    let wanted = arguments.string().ok_or_else(bad)?;
                    found = among(&wanted, found.into_iter()).ok_or_else(bad)?;
                }
                "DELETED" | "UNDELETED" => found.retain(|uid| {
                    let is_deleted =
                        mailbox.kept(&folder, *uid).is_some_and(|(_, it)| it.flags.contains("\\Deleted"));
                    is_deleted == (key == "DELETED")
                }),
                _ => return Err(bad()),
            }
        }
        drop(mailbox);
        if is_extended {
            let all = if found.is_empty() { String::new() } else { format!(" ALL {}", set(&found)) };
            self.say(&format!("* ESEARCH UID{all}"));
        } else {
            let numbers: Vec<String> = found.iter().map(u32::to_string).collect();
            self.say(format!("* SEARCH {}", numbers.join(" ")).trim_end());
        }
        Ok("done".to_owned())
    }
}
