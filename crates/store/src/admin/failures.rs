//! Failures of users, grouped by cause.

use mailhaul_migration::{FailureClass, Guid, PassFailure, StatusSummary};

use crate::{
    admin::{user_filter::UserFilter, users::failure},
    db::{columns::Cells, error::StoreError, sql::Builder},
    handles::UserRows,
};

/// Maximum number of causes in an answer.
const MAX_CAUSES: i64 = 1_000;
/// Text in place of a user's own names.
const USER: &str = "(user)";

/// A cause with the users that it made fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureCause {
    pub batch: Guid,
    /// Class, text and advice. The user's own address and logins are replaced in the text.
    pub failure: PassFailure,
    /// Number of users.
    pub users: u64,
    /// E-mail address of the first of them.
    pub example: String,
}

impl UserRows<'_> {
    /// Returns the causes for which users failed, of one batch or of all, the most frequent first.
    ///
    /// At most 1,000. Users that are tried again by themselves are left out.
    pub async fn failure_causes(
        self,
        batch: Option<Guid>,
        class: Option<FailureClass>,
    ) -> Result<Vec<FailureCause>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let failed = UserFilter {
                    batch,
                    summary: Some(StatusSummary::Failed),
                    classes: class.into_iter().collect(),
                    ..UserFilter::default()
                };
                // Text of one server about one user would make one cause of each user.
                let mut query = Builder::new("SELECT batch, failure_class, failure_advice, count(*) AS users, min(email_address) AS example, ");
                query.push("replace(replace(replace(failure_message, email_address, ").push_bind(USER);
                query.push("), user_name, ").push_bind(USER).push("), target_user_name, ").push_bind(USER);
                query.push(") AS failure_message FROM migration_user WHERE failure_class IS NOT NULL");
                failed.push(&mut query);
                query.push(" GROUP BY 1, 2, 3, 6 ORDER BY 4 DESC, 5 LIMIT ").push_bind(MAX_CAUSES);
                let mut causes = Vec::new();
                for row in &query.build().fetch_all(connection).await? {
                    let cells = Cells(row);
                    let Some(failure) = failure(cells)? else { continue };
                    causes.push(FailureCause {
                        batch: cells.get("batch")?,
                        failure,
                        users: cells.number("users")?,
                        example: cells.get("example")?,
                    });
                }
                Ok(causes)
            })
        })
        .await
    }
}
