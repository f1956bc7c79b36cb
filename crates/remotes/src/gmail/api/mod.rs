//! Uploads to Gmail by its API (`users.messages.import`). APPEND is limited to 500 MB per day.
//!
//! All else uses IMAP: folders, scans, flags, moves, deletions. The ledger needs a UID for each message:
//! the API answers with X-GM-MSGID, and IMAP finds the UID of that message.
//!
//! | file | one idea |
//! |---|---|
//! | `route` | messages that go by APPEND |
//! | `split` | the feed, divided between API and APPEND |
//! | `labels` | labels for a folder and for flags |
//! | `answer` | the meaning of an answer |
//! | `client` | one request: its token, short delays |
//! | `upload` | a message: whole, or in chunks that can be resumed |
//! | `arrival` | UIDs of uploaded messages |
//! | `../target` | all of it together |
//!
//! **Dates.** The API takes no INTERNALDATE. It uses the Date field, to the second and without the time
//! zone. A message goes by APPEND, which keeps the date, if its Date field is missing or differs from the
//! date of arrival by more than ten minutes. A message that is too large for APPEND goes by the API:
//! another date is better than no message. APPENDs count for IMAP's daily limit, which the server enforces.
//!
//! **Drafts** go by APPEND, because the API refuses to import them. Flags other than `\Seen` and
//! `\Flagged`, which are labels, are set by STORE afterwards.
//!
//! **Once and not twice.** If the answer of a large upload is lost, its address is asked before anything is
//! sent again. A small upload has no address: then the connection counts as broken, and the engine looks
//! for the message over IMAP, by its bytes.
//!
//! **Limits.** Each message costs 25 units of the 15,000 that a user has per minute. Google documents a
//! daily limit in bytes, as large as IMAP's and counted separately, which is enforced only in exceptional
//! cases. The server then answers 429 with the end of the delay, and the pass waits for it.

pub(crate) mod answer;
pub(crate) mod arrival;
pub(crate) mod client;
pub(crate) mod labels;
pub(crate) mod route;
pub(crate) mod split;
pub(crate) mod upload;

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use mailhaul_engine::Folder;
use mailhaul_mail::{FolderPath, Reach, SpecialUse};
use mailhaul_oauth::{TokenUrl, check_url, http_client};
use parking_lot::Mutex;
use reqwest::{Client, Url};
use tokio::sync::RwLock;

use self::labels::Label;

/// Size of the largest message of `users.messages.import` (bytes). Google documents 150 MB, and 50 MiB in
/// the discovery document. Between them the server decides (413).
pub(crate) const LARGEST: u64 = 157_286_400;

/// Timeout of one request with its body.
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits for this time. Tests pass a virtual clock.
pub type Pause = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Gmail's API, for all mailboxes of a domain.
#[derive(Clone)]
pub struct GmailApi {
    base: Url,
    client: Client,
    pause: Pause,
    reach: Reach,
}

impl GmailApi {
    /// The API at this address: `https://gmail.googleapis.com`, or another one for tests. Access tokens are
    /// sent there, so that it must begin with `https`, except on this machine.
    ///
    /// # Errors
    /// A text, if the address is not allowed or TLS cannot be set up.
    pub fn new(base: &str) -> Result<Self, String> {
        Self::reaching(base, Reach::Anywhere)
    }

    /// The same, with connections only to the allowed addresses.
    ///
    /// # Errors
    /// Also if the address may not be reached.
    pub fn reaching(base: &str, reach: Reach) -> Result<Self, String> {
        let base = safe(base)?;
        check_url(&base, reach)?;
        let client = http_client(reach, PATIENCE)?;
        let pause: Pause = Arc::new(|wait| Box::pin(tokio::time::sleep(wait)));
        Ok(Self { base, client, pause, reach })
    }

    /// The same with another clock for waits.
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

/// Checks an address to which access tokens are sent.
fn safe(text: &str) -> Result<Url, String> {
    let checked = TokenUrl::parse(text)?;
    Url::parse(checked.as_str()).map_err(|error| error.to_string())
}

/// State of uploading for one mailbox. Its connections share most of it.
#[derive(Clone)]
pub(crate) struct Uploads {
    api: GmailApi,
    /// Special uses of the folders; `None` before they were listed.
    pub(crate) uses: Option<BTreeMap<FolderPath, SpecialUse>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    labels: Mutex<Vec<Label>>,
    /// Number of delays. Each request holds it for reading, and a delay holds it for writing.
    pauses: RwLock<u64>,
}

impl Uploads {
    pub(crate) fn new(api: GmailApi) -> Self {
        Self { api, uses: None, shared: Arc::default() }
    }

    /// Stores the special uses of the target's folders.
    pub(crate) fn learn(&mut self, folders: &[Folder]) {
        let uses = folders.iter().filter_map(|it| Some((it.path.clone(), it.special_use?)));
        self.uses = Some(uses.collect());
    }

    pub(crate) fn special_use(&self, folder: &FolderPath) -> Option<SpecialUse> {
        self.uses.as_ref().and_then(|it| it.get(folder).copied())
    }

    /// Size of the largest message that the folder takes (bytes); `None` if its messages go by APPEND.
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
