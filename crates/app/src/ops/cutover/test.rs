//! Test-MigrationCutover.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{get::shown, view::MigrationCutover};
use crate::{
    context::Context,
    cutover::{look::Looks, report::domains_of},
    ops::shared::{failures::into_failure, nouns::CUTOVER},
};

pub(crate) struct TestMigrationCutover;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
    /// Only this domain of the batch.
    domain: Option<String>,
}

impl Operation<Context> for TestMigrationCutover {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = CUTOVER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Reads the DNS records of a batch's domains now, and shows if the old server is still \
                                 needed. Changes neither mail nor records.";
    const VIEW: &'static [&'static str] = &["Identity", "Verdict", "Message"];

    type Request = Request;
    type Response = MigrationCutover;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationCutover>, Failure> {
        let store = &context.store;
        let batch = store.batches().get(&request.identity).await.map_err(into_failure)?.batch;
        let settings = store.cutover().cutover_settings(batch.guid).await.map_err(into_failure)?;
        let mut domains = domains_of(store, &batch, &settings).await.map_err(into_failure)?;
        if let Some(domain) = &request.domain {
            domains.retain(|known| known.eq_ignore_ascii_case(domain));
            if domains.is_empty() {
                return Err(Failure::invalid(format_args!(
                    "Domain: no user of the migration batch \"{}\" has an address in \"{domain}\"",
                    batch.name
                ))
                .with_advice("Set-MigrationCutover -Domain names other domains."));
            }
        }
        let config = store.config().get().await.map_err(into_failure)?;
        let source = store.endpoints().by_guid(batch.source_endpoint).await.map_err(into_failure)?;
        let looks = Looks::new(&context.dns, &config.public_resolvers, &source).await;
        let found = looks.at_all(domains, || context.now()).await;
        for (domain, look) in found {
            let expected = settings.expected_mx.clone();
            let kept =
                store.cutover().observe_domain(batch.guid, domain, look.routing, expected, look.remarks);
            kept.await.map_err(into_failure)?;
        }
        Ok(Answer::one(shown(context, &request.identity).await?))
    }
}
