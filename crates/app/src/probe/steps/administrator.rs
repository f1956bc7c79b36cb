//! By which form an administrator opens a user's mailbox. Servers lock accounts and machines out that guess: each form is
//! tried once at most, and none any more when a refusal tells that it would be in vain.

use mailhaul_imap::{
    Connection, Credentials, Error, ErrorKind, MailboxData, MailboxName, SelectOptions, Session,
    response::Code,
};
use mailhaul_mail::{Secret, Uid, UidValidity};
use mailhaul_migration::{AdminAccess, AdminForm};

use super::{mailbox::server_words, root};
use crate::{
    probe::{
        Asking, Obstacle, Opened,
        advice::forms::{Form, Verdict, judge, plan, user_of},
        findings::{Findings, StepResult},
    },
    service::access::account::admin_credentials,
};

const ADMINISTRATOR: &str = "Administrator";

/// Somebody who opens the mailboxes of others.
pub(crate) struct Administrator {
    /// The login.
    pub(crate) user_name: String,
    /// Its password.
    pub(crate) password: Secret,
    /// The mailbox to open, as its owner logs in.
    pub(crate) mailbox: String,
    /// The form that an endpoint has: it is tried first.
    pub(crate) form: Option<AdminForm>,
}

/// What is unlikely to be the same of two mailboxes: UIDVALIDITY, UIDNEXT, and how many messages there are.
type Print = (Option<UidValidity>, Option<Uid>, u32);

/// How the search stands.
#[derive(Default)]
struct Search {
    /// A connection on which nobody logged in yet.
    connection: Option<Connection>,
    /// The administrator's own mailbox, where there is one.
    own: Option<Print>,
    /// A form that lets in, and not into the mailbox.
    closed: Option<Obstacle>,
    /// The server said that the password is right.
    is_password_right: bool,
}

impl Asking {
    /// Finds the form by which the mailbox opens.
    pub(crate) async fn find_form(
        &self,
        connection: Connection,
        admin: &Administrator,
        findings: &mut Findings,
    ) -> Result<(Opened, Form), Obstacle> {
        let mut search = Search { connection: Some(connection), ..Search::default() };
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
                            let opened =
                                Opened { session, credentials, is_administrator: true, root: Some(root) };
                            self.enter(&mut search, opened, form, findings).await?
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

    /// The administrator alone, into the own mailbox: it tells whether the password is right, where it can be told.
    async fn own_login(
        &self,
        search: &mut Search,
        admin: &Administrator,
        findings: &mut Findings,
    ) -> Result<Option<Session>, Obstacle> {
        let credentials = Credentials::password(&admin.user_name, admin.password.clone());
        let connection = self.connection(search, findings).await?;
        match self.in_time(connection.authenticate(&credentials)).await {
            Ok(mut session) => {
                search.is_password_right = true;
                search.own = self.print(&mut session).await;
                let by = session.mechanism().unwrap_or_default();
                findings.success(ADMINISTRATOR, format!("{} signs in alone, by {by}", admin.user_name));
                Ok(Some(session))
            }
            Err(error) => {
                if judge(&error) == Verdict::Stop {
                    return Err(self.enough(ADMINISTRATOR, error, findings));
                }
                let usual = "usual where administrators have no mailbox";
                let words = format!("{} does not sign in alone ({usual}): {error}", admin.user_name);
                findings.step(ADMINISTRATOR, StepResult::Refused, words);
                Ok(None)
            }
        }
    }

    /// Logs in by this form, and opens the mailbox; `None` where the server does not take it.
    async fn try_form(
        &self,
        search: &mut Search,
        admin: &Administrator,
        form: &Form,
        findings: &mut Findings,
    ) -> Result<Option<Opened>, Obstacle> {
        let Form::Login(of_login) = form else { return Ok(None) };
        let user = user_of(form, &admin.user_name, &admin.mailbox);
        let access = AdminAccess { user_name: admin.user_name.clone(), form: of_login.clone() };
        let credentials = admin_credentials(&access, admin.password.clone(), &user);
        let connection = self.connection(search, findings).await?;
        match self.in_time(connection.authenticate(&credentials)).await {
            Ok(session) => {
                search.is_password_right = true;
                let opened = Opened { session, credentials, is_administrator: true, root: None };
                self.enter(search, opened, form, findings).await
            }
            Err(error) => {
                search.is_password_right |= error.code == Some(Code::AuthorizationFailed);
                if judge(&error) == Verdict::Stop {
                    return Err(self.enough(&step(form), error, findings));
                }
                findings.step(step(form), StepResult::Refused, format!("{}: {error}", named(&credentials)));
                Ok(None)
            }
        }
    }

    /// Somebody is in: into whose mailbox, and does it open?
    async fn enter(
        &self,
        search: &mut Search,
        mut opened: Opened,
        form: &Form,
        findings: &mut Findings,
    ) -> Result<Option<Opened>, Obstacle> {
        let inbox = opened.inbox();
        let name = match &opened.root {
            Some(root) => format!("{} is {}", root.path, root.name),
            None => named(&opened.credentials),
        };
        let examined = self.in_time(opened.session.examine(&inbox, &SelectOptions::default())).await;
        match examined.map(|it| print_of(it.data())) {
            Err(error) => {
                let obstacle = self.closed(&opened, error, findings);
                let words = format!("{name}: signs in, and INBOX does not open: {}", obstacle.explained());
                findings.failed(step(form), words);
                search.closed.get_or_insert(obstacle);
                Ok(None)
            }
            // A server that passes over whose mailbox is meant would give the administrator's mail to everybody.
            Ok(print) if is_same(search.own, print) => {
                let words = "signs in, and shows the administrator's own mailbox: the server does not heed the user's name";
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

    /// The connection that is open already, or another one.
    async fn connection(&self, search: &mut Search, findings: &mut Findings) -> Result<Connection, Obstacle> {
        if let Some(connection) = search.connection.take() {
            return Ok(connection);
        }
        self.open_another().await.map_err(|error| {
            let obstacle = self.obstacle(error);
            findings.failed("Another connection", obstacle.explained());
            obstacle
        })
    }

    async fn print(&self, session: &mut Session) -> Option<Print> {
        let (inbox, options) = (MailboxName::from_wire("INBOX"), SelectOptions::default());
        let selected = self.in_time(session.examine(&inbox, &options)).await.ok()?;
        Some(print_of(selected.data()))
    }

    /// It would be in vain to go on.
    fn enough(&self, step: &str, error: Error, findings: &mut Findings) -> Obstacle {
        let is_login = error.kind == ErrorKind::Authentication && error.code != Some(Code::PrivacyRequired);
        let advice = is_login.then(|| {
            "No further form was tried, so as not to lock the account out: confirm the administrator's password first."
                .to_owned()
        });
        let obstacle = self.obstacle(error).advised(advice);
        findings.failed(step, obstacle.explained());
        obstacle
    }

    fn nothing_works(&self, search: &Search, admin: &Administrator) -> Obstacle {
        let advice = if search.is_password_right {
            "The password is right. Confirm the user's name, and that the administrator may open mailboxes of others."
        } else {
            "Confirm the administrator's user name and password, the user's name, and that the administrator may open mailboxes \
             of others."
        };
        Obstacle {
            message: format!(
                "the server {} opens the mailbox {} to {} by none of the forms that were tried",
                self.options.host, admin.mailbox, admin.user_name
            ),
            detail: "every form was refused; the steps have the server's words".to_owned(),
            advice: advice.to_owned(),
        }
    }
}

fn step(form: &Form) -> String {
    format!("Form {}", form.name())
}

/// The login as the server saw it.
fn named(credentials: &Credentials) -> String {
    match credentials.owner() {
        owner if owner == credentials.user => owner.to_owned(),
        owner => format!("{} as {owner}", credentials.user),
    }
}

fn print_of(data: &MailboxData) -> Print {
    (data.uid_validity, data.uid_next, data.exists)
}

/// Whether it is the administrator's own mailbox that was opened. Two empty ones may look alike.
fn is_same(own: Option<Print>, opened: Print) -> bool {
    opened.2 > 0 && opened.0.is_some() && own == Some(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrators_own_mailbox_is_recognised() {
        let print = |validity, next, exists| (UidValidity::new(validity), Uid::new(next), exists);
        let own = print(7, 101, 100);
        assert!(is_same(Some(own), own));
        for other in [print(8, 101, 100), print(7, 102, 100), print(7, 101, 99)] {
            assert!(!is_same(Some(own), other));
        }
        assert!(!is_same(None, own));
        assert!(!is_same(Some(print(7, 1, 0)), print(7, 1, 0)), "nobody can tell empty ones apart");
        assert!(!is_same(Some((None, None, 5)), (None, None, 5)));
    }
}
