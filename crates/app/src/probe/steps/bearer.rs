//! Sign-in with an access token: requests a token, describes it, and uses it.

use std::{fmt::Write as _, time::Duration};

use mailhaul_imap::{Connection, Credentials, ErrorKind};
use mailhaul_migration::{EndpointType, Grant};
use mailhaul_oauth::{Claims, Token, Tokens, describe, explain_refused};

use crate::{
    output::text,
    probe::{
        conversation::{Conversation, OpenedMailbox, SIGN_IN, signed_in},
        findings::{Findings, StepResult},
        obstacle::Obstacle,
        other_side::OtherSide,
        request::Bearer,
    },
};

const TOKEN: &str = "Token";

impl Conversation {
    /// Requests a token, and signs in with it; `None` if no mailbox was named.
    pub(crate) async fn show_token(
        &self,
        connection: Connection,
        bearer: &Bearer,
        findings: &mut Findings,
    ) -> Result<Option<OpenedMailbox>, Obstacle> {
        let side = &bearer.side;
        let Some(mailbox) = &side.mailbox else {
            if side.needs_mailbox() {
                let words = "each mailbox needs its own token; give -TestMailbox";
                findings.step(TOKEN, StepResult::Skipped, words);
            } else {
                self.token(bearer, "", findings).await?;
            }
            findings.step(SIGN_IN, StepResult::Skipped, "no mailbox was named; give -TestMailbox");
            return Ok(None);
        };
        let (tokens, first) = self.token(bearer, mailbox, findings).await?;
        let credentials = Credentials::bearer(mailbox, first.secret.clone());
        let refusal = match self.in_time(connection.authenticate(&credentials)).await {
            Ok(session) => return Ok(Some(entered(session, credentials, findings))),
            Err(error) => error,
        };
        // A cached token may lack permissions that were granted since. Try a new one.
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
                    "" => "no access token was issued".to_owned(),
                    mailbox => format!("no access token for {mailbox} was issued"),
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
        let description = describe_token(&bearer.side, token.life, claims.as_ref());
        // A missing permission is known now. Other faults show when the token is used.
        match claims.filter(|_| bearer.side.is_application()).and_then(|it| it.without_permission()) {
            None => findings.success(TOKEN, description),
            Some(words) => findings.warning(TOKEN, format!("{description}; {words}")),
        }
        Ok((tokens, token))
    }
}

fn entered(
    session: mailhaul_imap::Session,
    credentials: Credentials,
    findings: &mut Findings,
) -> OpenedMailbox {
    findings.success(SIGN_IN, signed_in(&credentials, &session));
    OpenedMailbox { session, credentials, is_administrator: false, root: None }
}

/// Describes the token: issuer, scope, lifetime and permissions.
fn describe_token(side: &OtherSide, life: Option<Duration>, claims: Option<&Claims>) -> String {
    let oauth = &side.oauth;
    let mut text = match &oauth.grant {
        Grant::Token => "the endpoint has one".to_owned(),
        Grant::Command { command } => format!("{} prints one", command.first().map_or("", String::as_str)),
        _ => format!("{} issues one", host(&oauth.token_url)),
    };
    if !oauth.scope.is_empty() {
        _ = write!(text, " for {}", oauth.scope);
    }
    if let Some(life) = life {
        let life = match life.as_secs() {
            seconds @ ..120 => text::count(seconds, "second", "seconds"),
            seconds => format!("{} minutes", seconds / 60),
        };
        _ = write!(text, ", valid for {life}");
    }
    let Some(claims) = claims else { return text };
    let names: Vec<&str> = claims.roles.iter().chain(&claims.scopes).map(String::as_str).collect();
    match names.as_slice() {
        [] => text + "; it contains no permission",
        names => text + "; it contains " + &names.join(", "),
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// Advice if there is no token.
fn advice(side: &OtherSide) -> &'static str {
    match (side.endpoint_type, &side.oauth.grant) {
        (_, Grant::RefreshToken { .. }) => "Sign in with mailhaul login and the endpoint's name.",
        (_, Grant::Command { .. }) => {
            "Run the command by hand, as the user account of the service: it must print an access token and nothing else."
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
            describe_token(&side(EndpointType::Imap, grant), life.map(Duration::from_secs), claims)
        };
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let claims = Claims { roles: names(&["a"]), scopes: names(&["b"]), ..Claims::default() };
        assert_eq!(
            of(Grant::ClientSecret, Some(3599), Some(&claims)),
            "login.example:1 issues one for mail, valid for 59 minutes; it contains a, b"
        );
        assert_eq!(
            of(Grant::ClientSecret, Some(1), Some(&Claims::default())),
            "login.example:1 issues one for mail, valid for 1 second; it contains no permission"
        );
        let command = vec!["/bin/token".to_owned(), "secret".to_owned()];
        assert_eq!(of(Grant::Command { command }, None, None), "/bin/token prints one for mail");
        assert_eq!(of(Grant::Token, None, None), "the endpoint has one for mail");
    }

    #[test]
    fn every_grant_has_advice() {
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
