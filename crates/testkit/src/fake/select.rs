//! SELECT and EXAMINE.

use super::session::{Answer, Refusal, SelectedFolder, Session};
use super::syntax::Arguments;

impl Session {
    pub(super) fn select(&mut self, is_read_only: bool, arguments: &mut Arguments<'_>) -> Answer {
        self.open = None;
        let name = arguments.string().ok_or_else(|| Refusal::bad("Command Argument Error. 11"))?;
        if !arguments.0.is_empty() {
            self.offered("CONDSTORE")?;
        }
        let folder = self.selectable(&name)?;
        let personality = &self.server.personality;
        let user = self.user();
        let mailbox = user.mailbox();
        let it = &mailbox.folders[&folder];
        let flags = personality.permanent_flags.replace(" \\*", "");
        let permanent = if is_read_only { "" } else { personality.permanent_flags };
        let mut lines = vec![
            format!("* FLAGS ({flags})"),
            format!("* OK [PERMANENTFLAGS ({permanent})] permitted"),
            format!("* {} EXISTS", it.uids.messages.len()),
            "* 0 RECENT".to_owned(),
            format!("* OK [UIDVALIDITY {}] valid", it.uids.uid_validity),
            format!("* OK [UIDNEXT {}] next", it.uids.uid_next),
        ];
        if personality.has("CONDSTORE") {
            lines.push(format!("* OK [HIGHESTMODSEQ {}] highest", it.uids.modseq));
        }
        let uids = it.uids.messages.keys().copied().collect();
        let reported = (it.uids.uid_next, it.uids.removals());
        drop(mailbox);
        for line in &lines {
            self.say(line);
        }
        self.open = Some(SelectedFolder { name: folder, is_read_only, uids, reported });
        Ok(if is_read_only { "[READ-ONLY] open" } else { "[READ-WRITE] open" }.to_owned())
    }
}
