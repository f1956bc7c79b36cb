//! How many connections one login may have at once.

use mailhaul_imap::{Credentials, Error, Session};

use crate::{
    output::text,
    probe::{
        Asking,
        findings::{ConnectionLimit, Findings},
    },
};

impl Asking {
    /// Opens connections until the server refuses one, or there are enough, and closes all of them.
    pub(crate) async fn count_connections(
        &self,
        credentials: &Credentials,
        most: u32,
        findings: &mut Findings,
    ) {
        const STEP: &str = "Connections";
        let mut open: Vec<Session> = Vec::new();
        let mut refusal = None;
        let mut accepted = 0;
        while accepted < most {
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
            let _unheard = self.in_time(session.logout()).await;
        }
        let count = text::count(u64::from(accepted), "connection", "connections");
        match &refusal {
            None => findings.success(STEP, format!("{count} at once are taken; more were not tried")),
            Some(words) => findings.warning(
                STEP,
                format!("{count} at once are taken, and the next one is not: {words}. Set MaxConcurrentMigrations to no more."),
            ),
        }
        findings.connections = Some(ConnectionLimit { accepted, tried: most, refusal });
    }

    async fn one_more(&self, credentials: &Credentials) -> Result<Session, Error> {
        let connection = self.open_another().await?;
        self.in_time(connection.authenticate(credentials)).await
    }
}
