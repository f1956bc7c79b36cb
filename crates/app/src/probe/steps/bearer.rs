//! Signing in with an access token: is one given, what is it good for, and does it let anybody in?

use std::{fmt::Write as _, time::Duration};

use mailhaul_imap::{Connection, Credentials, ErrorKind};
use mailhaul_migration::{EndpointType, Grant};
use mailhaul_oauth::{Claims, Token, Tokens, describe, explain_refused};

use crate::{
    output::text,
    probe::{
        Asking, Obstacle, Opened, SIGN_IN,
        findings::{Findings, StepResult},
        other_side::OtherSide,
        signed_in,
    },
};

const TOKEN: &str = "Token";

/// Whoever has an access token.
pub(crate) struct Bearer {
    /// Where tokens come from, or in words why from nowhere.
    pub(crate) tokens: Result<Tokens, String>,
    /// Where they are shown.
    pub(crate) side: OtherSide,
}

impl Asking {
    /// Asks for a token, and shows it. `None` where no mailbox is to be opened.
    pub(crate) async fn show_token(
        &self,
        connection: Connection,
        bearer: &Bearer,
        findings: &mut Findings,
    ) -> Result<Option<Opened>, Obstacle> {
        let side = &bearer.side;
        let Some(mailbox) = &side.mailbox else {
            if side.needs_mailbox() {
                let words = "there is a token for each mailbox: give -TestMailbox";
                findings.step(TOKEN, StepResult::Skipped, words);
            } else {
                self.token(bearer, "", findings).await?;
            }
            findings.step(SIGN_IN, StepResult::Skipped, "no mailbox was named: give -TestMailbox");
            return Ok(None);
        };
        let (tokens, first) = self.token(bearer, mailbox, findings).await?;
        let credentials = Credentials::bearer(mailbox, first.secret.clone());
        let refusal = match self.in_time(connection.authenticate(&credentials)).await {
            Ok(session) => return Ok(Some(entered(session, credentials, findings))),
            Err(error) => error,
        };
        // One that was kept may know nothing of rights that were given since.
        if refusal.kind == ErrorKind::Authentication
            && let Ok(second) = tokens.instead_of(mailbox, &first.secret).await
            && second.secret != first.secret
        {
            let credentials = Credentials::bearer(mailbox, second.secret.clone());
            let connection = self.open_another().await;
            let connection = connection.map_err(|error| self.refused(error, mailbox, &second, findings))?;
            return match self.in_time(connection.authenticate(&credentials)).await {
                Ok(session) => Ok(Some(entered(session, credentials, findings))),
                Err(error) => Err(self.refused(error, mailbox, &second, findings)),
            };
        }
        Err(self.refused(refusal, mailbox, &first, findings))
    }

    fn refused(
        &self,
        error: mailhaul_imap::Error,
        mailbox: &str,
        token: &Token,
        findings: &mut Findings,
    ) -> Obstacle {
        let mut obstacle = self.obstacle(error);
        if let Some(words) = explain_refused(&token.secret, mailbox) {
            obstacle.detail = format!("{}; {words}", obstacle.detail.trim_end_matches('.'));
        }
        findings.failed(SIGN_IN, obstacle.explained());
        obstacle
    }

    async fn token<'a>(
        &self,
        bearer: &'a Bearer,
        mailbox: &str,
        findings: &mut Findings,
    ) -> Result<(&'a Tokens, Token), Obstacle> {
        let fail = |words: String, findings: &mut Findings| {
            let obstacle = Obstacle {
                message: match mailbox {
                    "" => "no access token could be had".to_owned(),
                    mailbox => format!("no access token for {mailbox} could be had"),
                },
                detail: words,
                advice: advice(&bearer.side).to_owned(),
            };
            findings.failed(TOKEN, obstacle.explained());
            obstacle
        };
        let tokens = bearer.tokens.as_ref().map_err(|words| fail(words.clone(), findings))?;
        let token = tokens.token(mailbox).await.map_err(|error| fail(error.message, findings))?;
        let claims = describe(&token.secret);
        let told = described(&bearer.side, token.life, claims.as_ref());
        // What is wrong with it is told at the step that suffers from it; a permission that is missing is known already.
        match claims.filter(|_| bearer.side.is_application()).and_then(|it| it.without_permission()) {
            None => findings.success(TOKEN, told),
            Some(words) => findings.warning(TOKEN, format!("{told}; {words}")),
        }
        Ok((tokens, token))
    }
}

fn entered(session: mailhaul_imap::Session, credentials: Credentials, findings: &mut Findings) -> Opened {
    findings.success(SIGN_IN, signed_in(&credentials, &session));
    Opened { session, credentials, is_administrator: false, root: None }
}

/// Who gave the token, for what, for how long, and what it permits.
fn described(side: &OtherSide, life: Option<Duration>, claims: Option<&Claims>) -> String {
    let oauth = &side.oauth;
    let mut told = match &oauth.grant {
        Grant::Token => "the endpoint has one".to_owned(),
        Grant::Command { command } => format!("{} prints one", command.first().map_or("", String::as_str)),
        _ => format!("{} gives one", host(&oauth.token_url)),
    };
    if !oauth.scope.is_empty() {
        let _infallible = write!(told, " for {}", oauth.scope);
    }
    if let Some(life) = life {
        let life = match life.as_secs() {
            seconds @ ..120 => text::count(seconds, "second", "seconds"),
            seconds => format!("{} minutes", seconds / 60),
        };
        let _infallible = write!(told, ", good for {life}");
    }
    let Some(claims) = claims else { return told };
    let names: Vec<&str> = claims.roles.iter().chain(&claims.scopes).map(String::as_str).collect();
    match names.as_slice() {
        [] => told + "; it names no permission",
        names => told + "; it names " + &names.join(", "),
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// What can be done where there is no token.
fn advice(side: &OtherSide) -> &'static str {
    match (side.endpoint_type, &side.oauth.grant) {
        (_, Grant::RefreshToken { .. }) => "Sign in with mailhaul login and the endpoint's name.",
        (_, Grant::Command { .. }) => {
            "Run the command by hand, as the user whom the service runs as: it must print an access token and nothing else."
        }
        (_, Grant::Token) => "Give a new one with Set-MigrationEndpoint -AccessToken.",
        (EndpointType::Microsoft365, _) => {
            "Check TenantId, ApplicationId and the secret or certificate, and that the application has the permission \
             IMAP.AccessAsApp with admin consent."
        }
        (EndpointType::GoogleWorkspace, _) => {
            "Check that the service account's client id has domain-wide delegation for exactly the scope \
             https://mail.google.com/ (a change takes some minutes), that the mailbox is a user's own address, and that this \
             machine's clock is right."
        }
        (EndpointType::Imap, _) => "Check TokenUrl, ApplicationId, Scope and the secret.",
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_migration::OAuth;

    use super::*;

    fn side(endpoint_type: EndpointType, grant: Grant) -> OtherSide {
        let oauth = OAuth {
            grant,
            token_url: "https://login.example:1/t".to_owned(),
            device_url: String::new(),
            client_id: String::new(),
            scope: "mail".to_owned(),
            tenant: None,
        };
        OtherSide { endpoint_type, endpoint: None, oauth, mailbox: None, by_gmail_api: false }
    }

    #[test]
    fn a_token_is_described() {
        let of = |grant, life: Option<u64>, claims: Option<&Claims>| {
            described(&side(EndpointType::Imap, grant), life.map(Duration::from_secs), claims)
        };
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let claims = Claims { roles: names(&["a"]), scopes: names(&["b"]), ..Claims::default() };
        assert_eq!(
            of(Grant::ClientSecret, Some(3599), Some(&claims)),
            "login.example:1 gives one for mail, good for 59 minutes; it names a, b"
        );
        assert_eq!(
            of(Grant::ClientSecret, Some(1), Some(&Claims::default())),
            "login.example:1 gives one for mail, good for 1 second; it names no permission"
        );
        let command = vec!["/bin/token".to_owned(), "secret".to_owned()];
        assert_eq!(of(Grant::Command { command }, None, None), "/bin/token prints one for mail");
        assert_eq!(of(Grant::Token, None, None), "the endpoint has one for mail");
    }

    #[test]
    fn there_is_always_something_to_do() {
        let account = Grant::ServiceAccount { email: String::new(), key_id: String::new() };
        for (kind, grant, words) in [
            (EndpointType::Microsoft365, Grant::ClientSecret, "TenantId"),
            (EndpointType::Microsoft365, Grant::RefreshToken { user: None }, "mailhaul login"),
            (EndpointType::GoogleWorkspace, account, "delegation"),
            (EndpointType::Imap, Grant::ClientSecret, "TokenUrl"),
            (EndpointType::Imap, Grant::Token, "-AccessToken"),
        ] {
            assert!(advice(&side(kind, grant)).contains(words), "{words}");
        }
    }
}
