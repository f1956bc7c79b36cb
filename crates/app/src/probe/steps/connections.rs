//! Test of the number of connections that one login may have at once.

use mailhaul_imap::{Credentials, Error, Session};

use crate::{
    output::text,
    probe::{
        conversation::Conversation,
        findings::{ConnectionLimit, Findings},
    },
};

impl Conversation {
    /// Opens connections until the server refuses one or the maximum is open, and closes them.
    pub(crate) async fn count_connections(
        &self,
        credentials: &Credentials,
        max: u32,
        findings: &mut Findings,
    ) {
        const STEP: &str = "Connections";
        let mut open: Vec<Session> = Vec::new();
        let mut refusal = None;
        let mut accepted = 0;
        while accepted < max {
            match self.one_more(credentials).await {
                Ok(session) => open.push(session),
                Err(error) => {
                    refusal = Some(error.message);
                    break;
                }
            }
            accepted += 1;
        }
        for session in open {
            // The connections were counted; a failed LOGOUT changes nothing.
            _ = self.in_time(session.logout()).await;
        }
        let count = text::count(u64::from(accepted), "connection", "connections");
        match &refusal {
            None => findings.success(STEP, format!("the server accepts {count} at once; more were not tried")),
            Some(words) => findings.warning(
                STEP,
                format!("the server accepts {count} at once and refuses the next: {words}. Set MaxConcurrentMigrations to no more."),
            ),
        }
        findings.connections = Some(ConnectionLimit { accepted, tried: max, refusal });
    }

    async fn one_more(&self, credentials: &Credentials) -> Result<Session, Error> {
        let connection = self.open_another().await?;
        self.in_time(connection.authenticate(credentials)).await
    }
}
