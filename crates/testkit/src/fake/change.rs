//! UID STORE, UID COPY, UID MOVE, UID EXPUNGE.

use mailhaul_mail::Flags;

use super::{
    session::{Answer, Refusal, Session},
    syntax::{Arguments, among, set},
};

impl Session {
    /// Returns the selected folder, which must be writable, and the existing UIDs of the set.
    fn writable_uids(&self, arguments: &mut Arguments<'_>) -> Result<(String, Vec<u32>), Refusal> {
        let folder = self.opened()?;
        if self.open.as_ref().is_some_and(|it| it.is_read_only) {
            let user = self.user();
            self.server
                .violation(&user.name, format!("wants to change {folder}, which it selected with EXAMINE"));
            return Err(Refusal::no("[READ-ONLY] folder"));
        }
        let uids = arguments.string().ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?;
        let user = self.user();
        let mailbox = user.mailbox();
        let found = among(&uids, mailbox.folders[&folder].uids.messages.keys().copied());
        Ok((folder, found.ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?))
    }

    pub(super) fn store(&mut self, arguments: &mut Arguments<'_>) -> Answer {
        let (folder, uids) = self.writable_uids(arguments)?;
        let item_and_flags = arguments.word().zip(arguments.list());
        let (item, names) = item_and_flags.ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?;
        let personality = &self.server.personality;
        let listed: Flags = names.iter().map(String::as_str).filter(|it| personality.keeps(it)).collect();
        let user = self.user();
        let mut mailbox = user.mailbox();
        for uid in uids {
            let Some(had) = mailbox.kept(&folder, uid).map(|(_, it)| it.flags.clone()) else { continue };
            let flags: Flags = match item.as_str() {
                "+FLAGS.SILENT" => had.iter().chain(listed.iter()).collect(),
                "-FLAGS.SILENT" => had.without(&listed),
                "FLAGS.SILENT" => listed.clone(),
                _ => return Err(Refusal::bad("Command Argument Error. 11")),
            };
            let is_expunged = personality.has_labels && flags.contains("\\Deleted");
            if is_expunged {
                // Gmail removes the label at once.
                mailbox.remove(&folder, uid);
            } else if flags != had {
                mailbox.set_flags(&folder, uid, flags);
            }
        }
        Ok("STORE completed.".to_owned())
    }

    pub(super) fn copy(&mut self, arguments: &mut Arguments<'_>, is_move: bool) -> Answer {
        let (folder, uids) = self.writable_uids(arguments)?;
        let name = arguments.string().ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?;
        let to = self.selectable(&name).map_err(|_| Refusal::no("[TRYCREATE] No such folder"))?;
        let user = self.user();
        let mut mailbox = user.mailbox();
        let copies: Vec<u32> = uids.iter().map(|uid| mailbox.copy(&folder, *uid, &to)).collect();
        if is_move {
            for uid in &uids {
                mailbox.remove(&folder, *uid);
            }
        }
        let validity = mailbox.folders[&to].uids.uid_validity;
        drop(mailbox);
        if uids.is_empty() {
            return Ok("done".to_owned());
        }
        let code = format!("[COPYUID {validity} {} {}]", set(&uids), set(&copies));
        if is_move {
            self.say(&format!("* OK {code} moved"));
            return Ok("done".to_owned());
        }
        Ok(format!("{code} done"))
    }

    pub(super) fn expunge(&mut self, arguments: &mut Arguments<'_>) -> Answer {
        let (folder, uids) = self.writable_uids(arguments)?;
        let user = self.user();
        let mut mailbox = user.mailbox();
        for uid in uids {
            if mailbox.kept(&folder, uid).is_some_and(|(_, it)| it.flags.contains("\\Deleted")) {
                mailbox.remove(&folder, uid);
            }
        }
        Ok("done".to_owned())
    }
}
