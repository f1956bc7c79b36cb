//! Search for the form of login by which an administrator opens a user's mailbox.
//!
//! Servers lock out clients that guess. So each form is tried at most once, and the search ends at a
//! refusal that makes further attempts pointless.

use mailhaul_imap::{
    Connection, Credentials, Error, ErrorKind, MailboxData, MailboxName, SelectOptions, Session,
    response::Code,
};
use mailhaul_mail::{Uid, UidValidity};
use mailhaul_migration::AdminAccess;

use super::{mailbox::server_words, root};
use crate::{
    probe::{
        advice::forms::{Form, Verdict, judge, plan, user_of},
        conversation::{Conversation, OpenedMailbox},
        findings::{Findings, StepResult},
        obstacle::Obstacle,
        request::Administrator,
    },
    service::access::account::admin_credentials,
};

const ADMINISTRATOR: &str = "Administrator";

/// Values that rarely match in two mailboxes: UIDVALIDITY, UIDNEXT and the number of messages.
type Signature = (Option<UidValidity>, Option<Uid>, u32);

/// State of the search.
#[derive(Default)]
struct FormSearch {
    /// Open connection without a sign-in.
    connection: Option<Connection>,
    /// Signature of the administrator's own mailbox, if there is one.
    own: Option<Signature>,
    /// First form that signed in but did not open the mailbox.
    closed: Option<Obstacle>,
    /// True if the server accepted the password.
    is_password_right: bool,
}

impl Conversation {
    /// Finds the form that opens the mailbox.
    pub(crate) async fn find_form(
        &self,
        connection: Connection,
        admin: &Administrator,
        findings: &mut Findings,
    ) -> Result<(OpenedMailbox, Form), Obstacle> {
        let mut search = FormSearch { connection: Some(connection), ..FormSearch::default() };
        let known = admin.form.clone().map(Form::Login);
        if let Some(form) = &known
            && let Some(opened) = Box::pin(self.try_form(&mut search, admin, form, findings)).await?
        {
            return Ok((opened, form.clone()));
        }
        let mut own = Box::pin(self.own_login(&mut search, admin, findings)).await?;
        let plan = plan(&admin.user_name, &admin.mailbox, &server_words(findings));
        for form in plan.forms.iter().filter(|it| Some(*it) != known.as_ref()) {
            if form.needs_own_login() && own.is_none() {
                findings.step(step(form), StepResult::Skipped, "the administrator cannot sign in alone");
                continue;
            }
            let opened = match (form, &mut own) {
                (Form::UserRoot, Some(session)) => {
                    let root = self.in_time(root::find(session, &admin.mailbox)).await;
                    match root {
                        Err(error) if error.kind == ErrorKind::NotFound => {
                            findings.step(step(form), StepResult::Refused, error.message);
                            continue;
                        }
                        Err(error) => {
                            findings.failed(step(form), error.message);
                            own = None;
                            continue;
                        }
                        Ok(root) => {
                            let Some(session) = own.take() else { continue };
                            let credentials = Credentials::password(&admin.user_name, admin.password.clone());
                            let opened = OpenedMailbox {
                                session,
                                credentials,
                                is_administrator: true,
                                root: Some(root),
                            };
                            self.check_mailbox(&mut search, opened, form, findings).await?
                        }
                    }
                }
                _ => Box::pin(self.try_form(&mut search, admin, form, findings)).await?,
            };
            if let Some(opened) = opened {
                return Ok((opened, form.clone()));
            }
        }
        if let Some(why) = plan.left_out {
            findings.step("Other forms", StepResult::Skipped, why);
        }
        Err(search.closed.take().unwrap_or_else(|| self.nothing_works(&search, admin)))
    }

    /// Signs the administrator in without a user, to check the password.
    async fn own_login(
        &self,
        search: &mut FormSearch,
        admin: &Administrator,
        findings: &mut Findings,
    ) -> Result<Option<Session>, Obstacle> {
        let credentials = Credentials::password(&admin.user_name, admin.password.clone());
        let connection = self.connection(search, findings).await?;
        match self.in_time(connection.authenticate(&credentials)).await {
            Ok(mut session) => {
                search.is_password_right = true;
                search.own = self.signature(&mut session).await;
                let by = session.mechanism().unwrap_or_default();
                findings.success(ADMINISTRATOR, format!("{} signs in alone, by {by}", admin.user_name));
                Ok(Some(session))
            }
            Err(error) => {
                if judge(&error) == Verdict::Stop {
                    return Err(self.give_up(ADMINISTRATOR, error, findings));
                }
                let usual = "normal if administrators have no mailbox";
                let words = format!("{} does not sign in alone ({usual}): {error}", admin.user_name);
                findings.step(ADMINISTRATOR, StepResult::Refused, words);
                Ok(None)
            }
        }
    }

    /// Signs in by this form, and opens the mailbox; `None` if the server refuses it.
    async fn try_form(
        &self,
        search: &mut FormSearch,
        admin: &Administrator,
        form: &Form,
        findings: &mut Findings,
    ) -> Result<Option<OpenedMailbox>, Obstacle> {
        let Form::Login(of_login) = form else { return Ok(None) };
        let user = user_of(form, &admin.user_name, &admin.mailbox);
        let access = AdminAccess { user_name: admin.user_name.clone(), form: of_login.clone() };
        let credentials = admin_credentials(&access, admin.password.clone(), &user);
        let connection = self.connection(search, findings).await?;
        match self.in_time(connection.authenticate(&credentials)).await {
            Ok(session) => {
                search.is_password_right = true;
                let opened = OpenedMailbox { session, credentials, is_administrator: true, root: None };
                self.check_mailbox(search, opened, form, findings).await
            }
            Err(error) => {
                search.is_password_right |= error.code == Some(Code::AuthorizationFailed);
                if judge(&error) == Verdict::Stop {
                    return Err(self.give_up(&step(form), error, findings));
                }
                findings.step(step(form), StepResult::Refused, format!("{}: {error}", named(&credentials)));
                Ok(None)
            }
        }
    }

    /// Checks after a sign-in that the mailbox opens and is not the administrator's own.
    async fn check_mailbox(
        &self,
        search: &mut FormSearch,
        mut opened: OpenedMailbox,
        form: &Form,
        findings: &mut Findings,
    ) -> Result<Option<OpenedMailbox>, Obstacle> {
        let inbox = opened.inbox();
        let name = match &opened.root {
            Some(root) => format!("{} is {}", root.path, root.name),
            None => named(&opened.credentials),
        };
        let examined = self.in_time(opened.session.examine(&inbox, &SelectOptions::default())).await;
        match examined.map(|it| signature_of(it.data())) {
            Err(error) => {
                let obstacle = self.closed(&opened, error, findings);
                let words = format!("{name}: signs in, but INBOX does not open: {}", obstacle.explained());
                findings.failed(step(form), words);
                search.closed.get_or_insert(obstacle);
                Ok(None)
            }
            // If the server ignores the user name, all users would get the administrator's mail.
            Ok(signature) if is_same(search.own, signature) => {
                let words =
                    "signs in, but opens the administrator's own mailbox: the server ignores the user's name";
                findings.failed(step(form), format!("{name}: {words}"));
                Ok(None)
            }
            Ok(_) => {
                let by = opened.session.mechanism().unwrap_or_default();
                findings.success(step(form), format!("{name}: signs in by {by}, and INBOX opens"));
                Ok(Some(opened))
            }
        }
    }

    /// Returns the open connection, or opens another one.
    async fn connection(
        &self,
        search: &mut FormSearch,
        findings: &mut Findings,
    ) -> Result<Connection, Obstacle> {
        if let Some(connection) = search.connection.take() {
            return Ok(connection);
        }
        self.open_another().await.map_err(|error| {
            let obstacle = self.obstacle(error);
            findings.failed("Another connection", obstacle.explained());
            obstacle
        })
    }

    async fn signature(&self, session: &mut Session) -> Option<Signature> {
        let (inbox, options) = (MailboxName::from_wire("INBOX"), SelectOptions::default());
        let selected = self.in_time(session.examine(&inbox, &options)).await.ok()?;
        Some(signature_of(selected.data()))
    }

    /// Ends the search: further attempts are pointless.
    fn give_up(&self, step: &str, error: Error, findings: &mut Findings) -> Obstacle {
        let is_login = error.kind == ErrorKind::Authentication && error.code != Some(Code::PrivacyRequired);
        let advice = is_login.then(|| {
            "No further form was tried, because the account could be locked; confirm the administrator's password first."
                .to_owned()
        });
        let obstacle = self.obstacle(error).advised(advice);
        findings.failed(step, obstacle.explained());
        obstacle
    }

    fn nothing_works(&self, search: &FormSearch, admin: &Administrator) -> Obstacle {
        let advice = if search.is_password_right {
            "The password is correct. Check the user's name, and that the administrator may open the mailboxes of users."
        } else {
            "Check the administrator's user name and password, the user's name, and that the administrator may open the \
             mailboxes of users."
        };
        Obstacle {
            message: format!(
                "the server {} refuses the mailbox {} to {} in every form that was tried",
                self.options.host, admin.mailbox, admin.user_name
            ),
            detail: "every form was refused; the steps show the server's answers".to_owned(),
            advice: advice.to_owned(),
        }
    }
}

fn step(form: &Form) -> String {
    format!("Form {}", form.name())
}

/// Returns the login as the server saw it.
fn named(credentials: &Credentials) -> String {
    match credentials.owner() {
        owner if owner == credentials.user => owner.to_owned(),
        owner => format!("{} as {owner}", credentials.user),
    }
}

fn signature_of(data: &MailboxData) -> Signature {
    (data.uid_validity, data.uid_next, data.exists)
}

/// True if the opened mailbox is the administrator's own. Empty mailboxes never count as the same.
fn is_same(own: Option<Signature>, opened: Signature) -> bool {
    opened.2 > 0 && opened.0.is_some() && own == Some(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrators_own_mailbox_is_recognised() {
        let signature = |validity, next, exists| (UidValidity::new(validity), Uid::new(next), exists);
        let own = signature(7, 101, 100);
        assert!(is_same(Some(own), own));
        for other in [signature(8, 101, 100), signature(7, 102, 100), signature(7, 101, 99)] {
            assert!(!is_same(Some(own), other));
        }
        assert!(!is_same(None, own));
        assert!(!is_same(Some(signature(7, 1, 0)), signature(7, 1, 0)), "empty mailboxes look the same");
        assert!(!is_same(Some((None, None, 5)), (None, None, 5)));
    }
}
