//! The token endpoint (RFC 6749, section 4.4; RFC 7523).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    super::server::Server,
    reply::{Reply, reply},
};

pub(super) fn answer(server: &Server, body: &[u8]) -> Reply {
    let life = server.personality.limits.token_lifetime;
    match issue(server, &form_urlencoded::parse(body).into_owned().collect()) {
        Ok(token) => reply(
            StatusCode::OK,
            &json!({"access_token": token, "expires_in": life.as_secs(), "token_type": "Bearer"}),
        ),
        Err((code, words)) => {
            reply(StatusCode::BAD_REQUEST, &json!({"error": code, "error_description": words}))
        }
    }
}

fn issue(
    server: &Server,
    parameters: &BTreeMap<String, String>,
) -> Result<String, (&'static str, &'static str)> {
    let has = |name: &str| parameters.get(name).is_some_and(|it| !it.is_empty());
    match parameters.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {
            if !has("client_id") || !(has("client_secret") || has("client_assertion")) {
                return Err(("invalid_client", "The client does not identify itself."));
            }
            Ok(server.issue_application_token())
        }
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
            let claims = parameters.get("assertion").and_then(|it| claims(it));
            let claims = claims.ok_or(("invalid_grant", "Invalid JWT."))?;
            let text = |name: &str| claims.get(name).and_then(Value::as_str);
            if text("iss").is_none() || text("aud").is_none() {
                return Err(("invalid_grant", "Invalid JWT: iss and aud are required."));
            }
            let user = text("sub").and_then(|it| server.user(it));
            let user = user.ok_or(("invalid_grant", "Invalid email or User ID"))?;
            Ok(server.issue_token(&user))
        }
        _ => Err(("unsupported_grant_type", "Invalid grant_type")),
    }
}

/// Reads the claims of the JWT (RFC 7519) without a check of its signature.
fn claims(assertion: &str) -> Option<Value> {
    let mut parts = assertion.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::super::super::{Fake, Personality, VirtualClock};
    use super::*;

    async fn request(fake: &Fake, body: &str) -> Value {
        let answer = answer(&fake.server, body.as_bytes());
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    #[tokio::test]
    async fn an_application_opens_every_mailbox_and_an_assertion_one() {
        let fake = Fake::start(Personality::gmail()).await;
        fake.add_user("a", "x", VirtualClock::default());
        let body = "grant_type=client_credentials&client_id=i&client_secret=s";
        let answer_json = request(&fake, body).await;
        assert_eq!(
            (answer_json["expires_in"].as_u64(), answer_json["token_type"].as_str()),
            (Some(3600), Some("Bearer"))
        );
        fake.add_user("b", "x", VirtualClock::default());
        let opens = |name: &str, answer_json: &Value| {
            let user = fake.server.user(name).unwrap();
            user.tokens().opens(answer_json["access_token"].as_str().unwrap(), user.clock.now())
        };
        assert!(opens("a", &answer_json) && opens("b", &answer_json));
        let jwt = |claims: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims));
        let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
        let answer_json =
            request(&fake, &format!("{grant}{}", jwt(r#"{"iss":"i","aud":"t","sub":"b"}"#))).await;
        assert!(!opens("a", &answer_json) && opens("b", &answer_json));
        let body = format!("{grant}{}", jwt(r#"{"iss":"i","aud":"t","sub":"c"}"#));
        assert_eq!(request(&fake, &body).await["error"], "invalid_grant");
        assert_eq!(request(&fake, "grant_type=client_credentials").await["error"], "invalid_client");
    }
}
