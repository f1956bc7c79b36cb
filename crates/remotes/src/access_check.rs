//! Access check: signs in and opens the mailbox. Reads no mail and changes nothing.

use mailhaul_engine::{Error, Mailbox as _};
use mailhaul_imap::{self as imap, ErrorKind, response::Code};
use mailhaul_mail::{FolderPath, Retry, Scope};

use crate::{
    imap::{mailbox::ImapMailbox, numbering::SelectMode},
    login::{SignInError, without_token},
};

impl ImapMailbox {
    /// Connects, signs in, opens the INBOX with EXAMINE or finds the folder of the user's mailbox, and
    /// disconnects.
    ///
    /// # Errors
    /// With [`Retry::Never`] and a scope below [`Scope::Endpoint`], this login cannot open this mailbox.
    /// With [`Scope::Endpoint`], no login can: the server is unreachable, its certificate is wrong, or
    /// there are no tokens for it. With another [`Retry`], the check has no result.
    pub async fn check_access(&mut self) -> Result<(), Error> {
        let outcome = self.sign_in_and_open().await;
        self.close().await;
        outcome
    }

    async fn sign_in_and_open(&mut self) -> Result<(), Error> {
        match Box::pin(self.connect()).await {
            Ok(session) => self.session = Some(session),
            Err(SignInError::NoToken(error)) => {
                return Err(without_token(error).context(self.end()).at(self.account.side));
            }
            Err(SignInError::Stopped) => return Err(Error::interrupted()),
            Err(SignInError::Server(error)) => {
                let concerns_login = is_about_login(&error);
                let error = self.explain(error);
                return Err(if concerns_login { within_mailbox(error) } else { error });
            }
        }
        let opened = match &self.account.user_root {
            None => self.open(&FolderPath::inbox(), SelectMode::Examine).await.map(drop),
            Some(_) => self.folders().await.map(drop),
        };
        opened.map_err(|error| if error.retry == Retry::Never { within_mailbox(error) } else { error })
    }
}

/// True if the server refuses this login or mailbox, and not every login.
fn is_about_login(error: &imap::Error) -> bool {
    matches!(error.kind, ErrorKind::Authentication | ErrorKind::Refused | ErrorKind::NotFound)
        && error.code != Some(Code::PrivacyRequired)
}

/// Other mailboxes on the same server may succeed.
fn within_mailbox(error: Error) -> Error {
    Error { scope: error.scope.min(Scope::Mailbox), ..error }
}
