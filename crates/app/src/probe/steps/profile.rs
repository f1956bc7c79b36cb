//! Server profile: the kind of server, and what a migration does differently because of it.

use mailhaul_imap::Session;
use mailhaul_remotes::{Profiles, ServerIdentity};

use crate::probe::findings::Findings;

const STEP: &str = "Server profile";

/// Adds the server profile to the findings. `chosen` is the profile that the operator named.
pub(crate) fn add_profile(session: &Session, chosen: Option<&str>, findings: &mut Findings) {
    let id: Vec<(String, Option<String>)> =
        findings.server_id.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    let server = ServerIdentity {
        greeting: findings.greeting.as_deref().unwrap_or_default(),
        id: &id,
        capabilities: session.capabilities(),
    };
    match Profiles::built_in().choose(&server, chosen) {
        Err(words) => findings.warning(STEP, words),
        Ok(choice) => {
            findings.server_profile = Some(choice.profile.name.clone());
            findings.server_profile_differences = choice.profile.differences();
            let profile = format!("{} ({})", choice.profile.name, choice.reason);
            let detail = match findings.server_profile_differences.join(" ") {
                none if none.is_empty() => profile,
                some => format!("{profile}. {some}"),
            };
            findings.success(STEP, detail);
        }
    }
}
