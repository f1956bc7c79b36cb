//! The file `subscriptions`: the subscribed folders.
//!
//! Dovecot's second version begins with `V`, TAB, `2` and an empty line, and has a TAB between levels. The
//! first version has only lines. Names are spelled as the directories are.

use mailhaul_mail::FolderPath;

use super::names;

/// The file, in the root.
pub(super) const FILE: &str = "subscriptions";

const HEAD: &[u8] = b"V\t2\n\n";

/// The file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscriptions {
    is_second_version: bool,
    lines: Vec<Vec<u8>>,
}

impl Subscriptions {
    /// Reads the file; `None` if it does not exist.
    pub(super) fn parse(file: Option<&[u8]>) -> Self {
        let file = file.unwrap_or(HEAD);
        let (is_second_version, lines) = match file.strip_prefix(HEAD) {
            Some(lines) => (true, lines),
            None => (false, file),
        };
        let lines = lines.split(|it| *it == b'\n').filter(|it| !it.is_empty()).map(<[u8]>::to_vec).collect();
        Self { is_second_version, lines }
    }

    /// The content of the file.
    pub(super) fn print(&self) -> Vec<u8> {
        let mut octets = if self.is_second_version { HEAD.to_vec() } else { Vec::new() };
        for line in &self.lines {
            octets.extend_from_slice(line);
            octets.push(b'\n');
        }
        octets
    }

    pub(super) fn has(&self, folder: &FolderPath) -> bool {
        self.lines.contains(&self.line(folder))
    }

    /// False if the folder is already there.
    pub(super) fn add(&mut self, folder: &FolderPath) -> bool {
        let is_new = !self.has(folder);
        if is_new {
            self.lines.push(self.line(folder));
        }
        is_new
    }

    fn line(&self, folder: &FolderPath) -> Vec<u8> {
        if folder.is_inbox() {
            return b"INBOX".to_vec();
        }
        let name = names::directory(folder);
        let name = name.strip_prefix('.').unwrap_or(&name);
        if self.is_second_version { name.replace('.', "\t").into_bytes() } else { name.as_bytes().to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_kept_as_they_are() {
        let (inbox, deep) = (FolderPath::inbox(), FolderPath::parse("a.b/c d"));
        for (before, after) in [
            (None, "V\t2\n\na\\2eb\tc d\nINBOX\n"),
            (
                Some("V\t2\n\nGel&APY-scht\t&ZeVnLIqe-\n"),
                "V\t2\n\nGel&APY-scht\t&ZeVnLIqe-\na\\2eb\tc d\nINBOX\n",
            ),
            (Some("Sent.2020\n"), "Sent.2020\na\\2eb.c d\nINBOX\n"),
        ] {
            let mut subscriptions = Subscriptions::parse(before.map(str::as_bytes));
            assert!(!subscriptions.has(&deep) && subscriptions.add(&deep));
            assert!(subscriptions.add(&inbox) && !subscriptions.add(&deep));
            assert!(subscriptions.has(&deep) && subscriptions.has(&inbox));
            assert_eq!(String::from_utf8(subscriptions.print()).unwrap(), after);
        }
        assert!(Subscriptions::parse(Some(b"Sent.2020\n")).has(&FolderPath::parse("Sent/2020")));
    }
}
