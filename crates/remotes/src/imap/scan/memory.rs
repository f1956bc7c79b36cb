//! Memory limit for all concurrent scans of the process.

use std::sync::atomic::{AtomicUsize, Ordering};

use mailhaul_imap::{self as imap, response::Fetch};
use mailhaul_mail::{Flags, Retry, Scope};

/// Limit in bytes, as counted by [`memory`]. The largest folder fits.
const MOST: usize = 640 << 20;
/// Bytes taken from the shared memory at a time.
const PART: usize = 1 << 20;
/// Bytes per answer without keywords, and per keyword without its name.
const ANSWER: usize = 112;
const KEYWORD: usize = 32;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Memory that one scan has taken. Dropping it returns the memory.
#[derive(Debug, Default)]
pub(crate) struct ScanMemory {
    taken: usize,
    used: usize,
}

impl ScanMemory {
    /// Takes memory for an answer.
    ///
    /// # Errors
    /// All memory is in use by other scans: the mailbox waits until they end.
    pub(crate) fn keep(&mut self, fetch: &Fetch) -> Result<(), imap::Error> {
        self.used += memory(fetch);
        while self.used > self.taken {
            if TAKEN.fetch_add(PART, Ordering::Relaxed) + PART > MOST {
                TAKEN.fetch_sub(PART, Ordering::Relaxed);
                let words = format!("the scans of all mailboxes need more than {} MiB at once", MOST >> 20);
                let error = imap::Error::session(imap::ErrorKind::Busy, words);
                return Err(imap::Error { scope: Scope::Mailbox, retry: Retry::After(None), ..error });
            }
            self.taken += PART;
        }
        Ok(())
    }
}

impl Drop for ScanMemory {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

fn memory(fetch: &Fetch) -> usize {
    let keywords = fetch.flags.iter().flat_map(Flags::keywords).map(|word| word.len() + KEYWORD);
    ANSWER + keywords.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scans_share_one_bound() {
        let keyword = "k".repeat(8 << 20);
        let fetch = Fetch { flags: Some([keyword.as_str()].into_iter().collect()), ..Fetch::default() };
        let mut scans: Vec<ScanMemory> = Vec::new();
        let error = loop {
            let mut scan = ScanMemory::default();
            let kept = (0..4).try_for_each(|_| scan.keep(&fetch));
            scans.push(scan);
            if let Err(error) = kept {
                break error;
            }
        };
        assert_eq!((error.scope, error.retry), (Scope::Mailbox, Retry::After(None)));
        assert!((18..=20).contains(&scans.len()), "{}", scans.len());
        scans.truncate(10);
        ScanMemory::default().keep(&fetch).unwrap();
    }
}
