//! What is known of the kind of server, and what a migration does otherwise because of it.

use mailhaul_imap::Session;
use mailhaul_remotes::{Profiles, ServerIdentity};

use super::findings::Findings;

const STEP: &str = "Server profile";

/// Says of which kind the server is. `chosen` is the profile that the operator named.
pub(super) fn tell_of_profile(session: &Session, chosen: Option<&str>, findings: &mut Findings) {
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
            let told = format!("{} ({})", choice.profile.name, choice.reason);
            let told = match findings.server_profile_differences.join(" ") {
                none if none.is_empty() => told,
                some => format!("{told}. {some}"),
            };
            findings.success(STEP, told);
        }
    }
}
