//! Flags as letters of a file name, and the file `dovecot-keywords`, which assigns letters to a folder's
//! keywords.

use mailhaul_imap::is_flag;
use mailhaul_mail::{Flags, SystemFlag};

/// The file, in the folder's directory. Each line is a number, a blank, and the keyword whose letter has
/// that number.
pub(super) const FILE: &str = "dovecot-keywords";

const SYSTEM: [(u8, SystemFlag); 5] = [
    (b'D', SystemFlag::Draft),
    (b'F', SystemFlag::Flagged),
    (b'R', SystemFlag::Answered),
    (b'S', SystemFlag::Seen),
    (b'T', SystemFlag::Deleted),
];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keywords {
    /// By their letters, from `a` on. Gaps in the file stay gaps, because messages may have their letters.
    names: Vec<Option<String>>,
}

impl Keywords {
    /// Reads the file. Lines without meaning are skipped.
    pub(super) fn parse(text: &str) -> Self {
        let mut keywords = Self::default();
        for line in text.lines() {
            if let Some((number, name)) = line.split_once(' ')
                && let Ok(number) = number.parse::<usize>()
                && number < 26
            {
                keywords.names.resize(keywords.names.len().max(number + 1), None);
                keywords.names[number] = Some(name.to_owned());
            }
        }
        keywords
    }

    /// The content of the file.
    pub(super) fn print(&self) -> String {
        let names = self.names.iter().enumerate();
        names.filter_map(|(number, name)| Some(format!("{number} {}\n", name.as_ref()?))).collect()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|it| it.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(name)))
    }

    /// The letter of a keyword; a new one if it has none. `None` if no letter is free, or a line of the
    /// file cannot hold the keyword.
    fn letter(&mut self, name: &str) -> Option<u8> {
        let number = self.position(name).unwrap_or(self.names.len());
        if number == self.names.len() {
            if number == 26 || name.starts_with('\\') || !is_flag(name) {
                return None;
            }
            self.names.push(Some(name.to_owned()));
        }
        letter(number)
    }

    /// The letters of the flags that have one.
    pub(super) fn known(&self, flags: &Flags) -> Vec<u8> {
        let known = flags.keywords().filter_map(|it| letter(self.position(it)?));
        system(flags).chain(known).collect()
    }

    /// The flags as letters, and the flags that are lost.
    pub(super) fn letters(&mut self, flags: &Flags) -> (Vec<u8>, Flags) {
        let mut letters: Vec<u8> = system(flags).collect();
        let mut lost = Flags::new();
        for keyword in flags.keywords() {
            match self.letter(keyword) {
                Some(letter) => letters.push(letter),
                None => lost.insert(keyword),
            }
        }
        (letters, lost)
    }

    /// The flags of these letters. Letters without meaning are skipped.
    pub(super) fn flags(&self, letters: &[u8]) -> Flags {
        let mut flags = Flags::new();
        for letter in letters {
            if let Some((_, flag)) = SYSTEM.iter().find(|(it, _)| it == letter) {
                flags.insert(flag.name());
            } else if let Some(number) = letter.checked_sub(b'a')
                && let Some(Some(name)) = self.names.get(usize::from(number))
            {
                flags.insert(name);
            }
        }
        flags
    }
}

fn letter(number: usize) -> Option<u8> {
    u8::try_from(number).ok().filter(|number| *number < 26).map(|number| b'a' + number)
}

fn system(flags: &Flags) -> impl Iterator<Item = u8> + '_ {
    SYSTEM.iter().filter(|(_, flag)| flags.has(*flag)).map(|(letter, _)| *letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(names: &str) -> Flags {
        names.split_whitespace().collect()
    }

    #[test]
    fn keywords_have_letters_that_stay() {
        let text = "0 $Forwarded\n1 Projekt\n3 x\n";
        let mut keywords = Keywords::parse(text);
        assert_eq!(keywords.print(), text);
        assert_eq!(keywords.flags(b"FSabcdzP"), flags("\\Flagged \\Seen $Forwarded Projekt x"));
        let (letters, lost) =
            keywords.letters(&flags("\\Answered \\Draft \\Deleted projekt New \\Forwarded"));
        assert_eq!((letters.as_slice(), lost), (&b"DRTeb"[..], flags("\\Forwarded")));
        assert_eq!(keywords.print(), format!("{text}4 New\n"));
    }

    #[test]
    fn the_twenty_seventh_keyword_is_lost() {
        let mut keywords = Keywords::default();
        let many: Vec<String> = (0..28).map(|number| format!("k{number:02}")).collect();
        let (letters, lost) = keywords.letters(&many.iter().map(String::as_str).collect());
        assert_eq!(letters, (b'a'..=b'z').collect::<Vec<u8>>());
        assert_eq!(lost, flags("k26 k27"));
        assert_eq!(Keywords::parse(&keywords.print()), keywords);
    }
}
