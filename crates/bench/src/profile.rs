//! The mail of the benchmarks, the same in each run.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result};
use mailhaul_testkit::Mailmaker;

/// Folders of a typical mailbox, with their shares of the messages in percent.
const FOLDERS: [(&str, u64); 10] = [
    ("INBOX", 45),
    ("Sent", 20),
    ("Archive/2019", 6),
    ("Archive/2020", 6),
    ("Archive/2021", 5),
    ("Projekte/Größe & Maße", 5),
    ("Клиенты/Счета", 4),
    ("日本語/請求書", 3),
    ("Trash", 4),
    ("Drafts", 2),
];

/// The contents of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// 2,000 messages as in real mailboxes, in 10 folders.
    Small,
    /// 50,000 messages of 4 KiB in two folders.
    Many,
    /// 40 messages of 21 MB.
    Big,
    /// 50 messages of some KB: one of a thousand mailboxes.
    Fleet,
    /// This number of messages of 600 bytes in one folder.
    Long(u32),
    /// This number of messages of 4 KiB, as later arrivals in `Many`. The second number makes them different.
    New(u32, u64),
}

/// One message with its properties.
pub(crate) struct Item {
    pub(crate) folder: String,
    pub(crate) flags: String,
    pub(crate) date: String,
    pub(crate) octets: Vec<u8>,
}

impl Profile {
    /// The user of the source with this mail.
    pub(crate) fn user(self) -> String {
        match self {
            Self::Small => "small".to_owned(),
            Self::Many => "many".to_owned(),
            Self::Big => "big".to_owned(),
            Self::Fleet => "fleet".to_owned(),
            Self::Long(messages) => format!("long{messages}"),
            Self::New(messages, round) => format!("new{messages}.{round}"),
        }
    }

    fn messages(self) -> u32 {
        match self {
            Self::Small => 2_000,
            Self::Many => 50_000,
            Self::Big => 40,
            Self::Fleet => 50,
            Self::Long(messages) | Self::New(messages, _) => messages,
        }
    }

    fn seed(self) -> u64 {
        match self {
            Self::Small => 1,
            Self::Many => 2,
            Self::Big => 3,
            Self::Fleet => 4,
            Self::Long(_) => 5,
            Self::New(_, round) => 100 + round,
        }
    }

    fn folder_and_size(self, number: u32, maker: &mut Mailmaker) -> (&'static str, usize) {
        match self {
            Self::Small => (folder(maker), natural_size(maker)),
            Self::Many | Self::New(..) => (if number % 5 < 4 { "INBOX" } else { "Archive/2020" }, 4096),
            Self::Big => ("INBOX", 20 << 20),
            Self::Fleet => (folder(maker), 1_000 + usize::try_from(maker.number(6_000)).unwrap_or(0)),
            Self::Long(_) => ("INBOX", 600),
        }
    }

    /// Writes the corpus into a file, sorted by folder.
    pub(crate) fn write(self, path: &Path) -> Result<()> {
        let mut maker = Mailmaker::new(self.seed());
        let mut plan: Vec<(&str, usize)> =
            (0..self.messages()).map(|number| self.folder_and_size(number, &mut maker)).collect();
        plan.sort_by_key(|(folder, _)| *folder);
        let file = File::create(path).with_context(|| path.display().to_string())?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        for (folder, size) in &plan {
            let (message, flags, date) = maker.item(*size);
            writeln!(file, "{folder}\t{flags}\t{date}\t{}", message.len())?;
            file.write_all(&message)?;
        }
        file.flush()?;
        Ok(())
    }
}

/// Reads a corpus.
pub(crate) fn read(path: &Path) -> Result<Vec<Item>> {
    let mut file =
        BufReader::with_capacity(1 << 20, File::open(path).with_context(|| path.display().to_string())?);
    let mut items = Vec::new();
    let mut line = String::new();
    while file.read_line(&mut line)? > 0 {
        let mut fields = line.trim_end_matches('\n').split('\t');
        let mut field = || fields.next().map(str::to_owned).context("the corpus is cut short");
        let (folder, flags, date) = (field()?, field()?, field()?);
        let mut octets = vec![0; field()?.parse()?];
        file.read_exact(&mut octets)?;
        items.push(Item { folder, flags, date, octets });
        line.clear();
    }
    Ok(items)
}

fn folder(maker: &mut Mailmaker) -> &'static str {
    let mut share = maker.number(100);
    for (folder, part) in FOLDERS {
        if share < part {
            return folder;
        }
        share -= part;
    }
    FOLDERS[0].0
}

/// Log-normal: the median at 10 KB, one message in twenty above 170 KB.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "sizes of messages are small numbers"
)]
fn natural_size(maker: &mut Mailmaker) -> usize {
    let uniform: u64 = (0..12).map(|_| maker.number(1_000_000)).sum();
    let normal = uniform as f64 / 1e6 - 6.0;
    ((10_000.0 * (1.72 * normal).exp()) as usize).clamp(900, 8_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_is_the_same_each_time_and_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (directory.path().join("one"), directory.path().join("other"));
        Profile::Small.write(&one).unwrap();
        Profile::Small.write(&other).unwrap();
        let (one, other) = (read(&one).unwrap(), read(&other).unwrap());
        assert!(one.iter().zip(&other).all(|(a, b)| a.octets == b.octets && a.flags == b.flags));
        let octets: u64 = one.iter().map(|it| it.octets.len() as u64).sum();
        assert_eq!((one.len(), other.len()), (2000, 2000));
        assert!((60_000_000..110_000_000).contains(&octets), "{octets}");
        let mut sizes: Vec<usize> = one.iter().map(|it| it.octets.len()).collect();
        sizes.sort_unstable();
        assert!((9_000..11_500).contains(&sizes[1000]), "{}", sizes[1000]);
    }
}
