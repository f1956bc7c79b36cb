//! Uploading to Gmail by its API (`users.messages.import`) and not by APPEND, whose octets of a day are few: 500 MB.
//!
//! All else stays IMAP's business: folders, scans, flags, moves, deletions. So the ledger has a UID for each message here too:
//! the API answers with the message's X-GM-MSGID, and IMAP tells under which UID it is.
//!
//! | file | one idea |
//! |---|---|
//! | `route` | which messages go by APPEND all the same |
//! | `split` | the feed, for whose turn it is |
//! | `labels` | the labels that a folder and flags mean |
//! | `answer` | what an answer means |
//! | `client` | one request: its token, patience in place |
//! | `upload` | a message: whole, or in chunks that can be gone on with |
//! | `arrival` | UIDs of what was uploaded |
//! | `../target` | all of it together |
//!
//! **What becomes of dates.** The API takes none. A message gets the moment of its Date field, to the second and without its
//! zone. Where that lies more than ten minutes from when the message arrived on the source, or where there is no such field,
//! the message goes by APPEND, which keeps the date; unless it is too large for that, because a message with another date is
//! better than none. What goes by APPEND counts for IMAP's budget of the day, which the server enforces.
//!
//! **What else goes by APPEND:** drafts, which the API refuses to import. Flags other than `\Seen` and `\Flagged`, which are
//! labels, are set afterwards by STORE.
//!
//! **Once and not twice.** A large upload whose answer is lost is asked for by its address before anything is sent again. Of a
//! small one nobody can ask: then the connection counts as broken, and the engine looks for the message over IMAP, by its octets.
//!
//! **Limits.** 25 units for each message, of 15,000 that a user has in a minute. Google says that there are octets of a day
//! here too, as many as IMAP's and counted apart, and that they are met in exceptional cases only; whoever meets them is told until
//! when to wait (429), and the pass waits so long.

pub(crate) mod answer;
pub(crate) mod arrival;
pub(crate) mod client;
pub(crate) mod labels;
pub(crate) mod route;
pub(crate) mod split;
pub(crate) mod upload;

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use mailhaul_engine::Folder;
use mailhaul_mail::{FolderPath, Reach, SpecialUse};
use mailhaul_oauth::{TokenUrl, check_url, http_client};
use reqwest::{Client, Url};
use tokio::sync::RwLock;

use self::labels::Label;

/// Octets of the largest message that `users.messages.import` takes: the larger of the two figures that are told (150 MB, and 50
/// MiB in Google's discovery document). Between them the server is asked, and says so (413).
pub(crate) const LARGEST: u64 = 157_286_400;

/// So long one request may take, its body included.
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits.
pub type Pause = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Where Gmail's API is, for all mailboxes of a domain.
#[derive(Clone)]
pub struct GmailApi {
    base: Url,
    client: Client,
    pause: Pause,
    reach: Reach,
}

impl GmailApi {
    /// At this address: `https://gmail.googleapis.com`, or another one for tests. Access tokens go there, so that it must
    /// begin with `https`, except on this machine.
    ///
    /// # Errors
    /// With words, where it is no such address, or where TLS cannot be set up.
    pub fn new(base: &str) -> Result<Self, String> {
        Self::reaching(base, Reach::Anywhere)
    }

    /// The same, of which connections go only where they may.
    ///
    /// # Errors
    /// Also where the address may not be reached.
    pub fn reaching(base: &str, reach: Reach) -> Result<Self, String> {
        let base = safe(base)?;
        check_url(&base, reach)?;
        let client = http_client(reach, PATIENCE)?;
        let pause: Pause = Arc::new(|wait| Box::pin(tokio::time::sleep(wait)));
        Ok(Self { base, client, pause, reach })
    }

    /// The same, waiting in somebody else's time.
    #[must_use]
    pub fn pausing(self, pause: Pause) -> Self {
        Self { pause, ..self }
    }
}

impl fmt::Debug for GmailApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GmailApi").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// An address to which access tokens may go.
fn safe(text: &str) -> Result<Url, String> {
    let checked = TokenUrl::parse(text)?;
    Url::parse(checked.as_str()).map_err(|error| error.to_string())
}

/// What one mailbox's connections know of uploading; all of them share most of it.
#[derive(Clone)]
pub(crate) struct Uploads {
    api: GmailApi,
    /// What folders are for; `None` where nobody listed them.
    pub(crate) uses: Option<BTreeMap<FolderPath, SpecialUse>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    labels: Mutex<Vec<Label>>,
    /// How often all had to pause. Held to be read by each request, and to be written by who pauses.
    pauses: RwLock<u64>,
}

impl Uploads {
    pub(crate) fn new(api: GmailApi) -> Self {
        Self { api, uses: None, shared: Arc::default() }
    }

    /// These are the target's folders.
    pub(crate) fn learn(&mut self, folders: &[Folder]) {
        let uses = folders.iter().filter_map(|it| Some((it.path.clone(), it.special_use?)));
        self.uses = Some(uses.collect());
    }

    pub(crate) fn special_use(&self, folder: &FolderPath) -> Option<SpecialUse> {
        self.uses.as_ref().and_then(|it| it.get(folder).copied())
    }

    /// Octets of the largest message that the folder takes; `None` where messages go there by APPEND.
    pub(crate) fn largest(&self, folder: &FolderPath) -> Option<u64> {
        (self.special_use(folder) != Some(SpecialUse::Drafts)).then_some(LARGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_over_tls_or_stay_on_this_machine() {
        assert!(GmailApi::new("https://gmail.googleapis.com").is_ok());
        assert!(GmailApi::new("http://127.0.0.1:1").is_ok());
        for wrong in ["http://gmail.example.org", "gmail.googleapis.com", "ftp://localhost"] {
            assert!(GmailApi::new(wrong).is_err(), "{wrong}");
        }
    }
}
