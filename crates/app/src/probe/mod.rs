//! Tests of a mail server before a migration. Nothing is changed on the server.
//!
//! `steps` holds the steps in their order: connect, sign in, look into the mailbox, measure.
//! `advice` chooses texts from the results.

pub(crate) mod advice;
mod conversation;
mod findings;
mod milestones;
mod obstacle;
mod other_side;
mod request;
mod steps;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::timeout;

use self::{
    advice::csv_and_commands,
    conversation::{Conversation, OpenedMailbox},
};
pub(crate) use self::{
    findings::{Findings, StepResult},
    obstacle::Obstacle,
    other_side::OtherSide,
    request::{Administrator, Bearer, Login, ProbeRequest},
};
use crate::output::text;

/// Maximum time of each step.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);

/// Runs the test. The findings are returned also if it fails.
pub(crate) async fn probe(request: &ProbeRequest) -> (Findings, Result<(), Obstacle>) {
    let mut findings = Findings { watcher: request.steps.clone(), ..Findings::default() };
    let side = request.login.side().cloned();
    let conversation = Conversation::new(&request.options, STEP_TIMEOUT, side);
    let outcome = Box::pin(run(&conversation, request, &mut findings)).await;
    findings.sign_in_attempts = conversation.recorder.sign_ins();
    (findings, outcome)
}

async fn run(
    conversation: &Conversation,
    request: &ProbeRequest,
    findings: &mut Findings,
) -> Result<(), Obstacle> {
    let connection = conversation.open(findings).await?;
    let mut opened = match &request.login {
        Login::None => return Ok(()),
        Login::User(credentials) => Box::pin(conversation.sign_in(connection, credentials, findings)).await?,
        Login::Bearer(bearer) => {
            match Box::pin(conversation.show_token(connection, bearer, findings)).await? {
                Some(opened) => opened,
                None => return Ok(()),
            }
        }
        Login::KnownForm(credentials) => {
            let opened = Box::pin(conversation.sign_in(connection, credentials, findings)).await?;
            OpenedMailbox { is_administrator: true, ..opened }
        }
        Login::Administrator(admin) => {
            let found = Box::pin(conversation.find_form(connection, admin, findings)).await;
            let attempts = u64::from(conversation.recorder.sign_ins());
            findings.success("Sign-ins", text::count(attempts, "attempt", "attempts"));
            let (opened, form) = found?;
            let root = opened.root.as_ref().map(|root| root.path.as_str());
            let endpoint = request.endpoint.as_deref();
            findings.instructions =
                csv_and_commands::instructions(&conversation.options, endpoint, admin, &form, root);
            findings.user_root = root.map(str::to_owned);
            findings.admin_form = Some(form.name());
            opened
        }
    };
    findings.logged_in_as = Some(opened.credentials.owner().to_owned());
    conversation.inspect(&mut opened, request, findings).await?;
    let OpenedMailbox { session, credentials, .. } = opened;
    // The test has its results; a failed LOGOUT changes nothing.
    _ = timeout(STEP_TIMEOUT, session.logout()).await;
    if let Some(max) = request.connections {
        Box::pin(conversation.count_connections(&credentials, max, findings)).await;
    }
    Ok(())
}
