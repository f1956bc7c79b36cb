//! Webhooks: JSON, signed as Standard Webhooks say.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use mailhaul_mail::{Reach, Secret};
use mailhaul_migration::Notification;
use mailhaul_oauth::{http_client, innermost};
use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Time for the whole request, as Standard Webhooks recommend.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest part of an answer that is shown.
const MAX_SHOWN: usize = 200;
/// Prefix of a secret whose rest is Base64.
const SECRET_PREFIX: &str = "whsec_";
/// Shortest secret, in bytes.
pub(crate) const MIN_SECRET: usize = 16;

/// Returns the bytes of a secret: `whsec_` and Base64, or any text.
///
/// # Errors
/// In words, where the Base64 is wrong or the secret is too short.
pub(crate) fn key(secret: &Secret) -> Result<Zeroizing<Vec<u8>>, String> {
    let key = match secret.expose().strip_prefix(SECRET_PREFIX.as_bytes()) {
        Some(encoded) => {
            BASE64_STANDARD.decode(encoded).map_err(|_| "the text behind whsec_ is no Base64".to_owned())?
        }
        None => secret.expose().to_vec(),
    };
    let key = Zeroizing::new(key);
    if key.len() < MIN_SECRET {
        return Err(format!("it has {} bytes, and at least {MIN_SECRET} are needed", key.len()));
    }
    Ok(key)
}

/// Signs `id.timestamp.body`.
fn signature(key: &[u8], id: &str, seconds: i64, body: &str) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

/// Returns the body. It is the same at each try.
fn body(notification: &Notification) -> Value {
    let facts = &notification.facts;
    json!({
        "type": notification.event.to_string(),
        "timestamp": notification.created.to_string(),
        "data": {
            "BatchId": notification.batch,
            "Summary": facts.summary,
            "NextStep": facts.next_step,
            "Details": facts.details,
        },
    })
}

/// Sends a notification. Returns the status of the answer.
///
/// # Errors
/// In words, with those of the server.
pub(super) async fn send(
    notification: &Notification,
    url: &Secret,
    secret: &Secret,
    now: Timestamp,
) -> Result<String, String> {
    let url =
        std::str::from_utf8(url.expose()).map_err(|_| "the URL of the webhook is damaged".to_owned())?;
    let client = http_client(Reach::Anywhere, PATIENCE)?;
    let (id, seconds) = (notification.id.to_string(), now.as_second());
    let body = body(notification).to_string();
    let signature = signature(&key(secret)?, &id, seconds, &body)?;
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header("user-agent", concat!("mailhaul/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature)
        .body(body);
    let mut response = request.send().await.map_err(|error| {
        if error.is_timeout() {
            format!("the webhook did not answer within {} s", PATIENCE.as_secs())
        } else {
            format!("no connection to the webhook: {}", innermost(&error))
        }
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(status.to_string());
    }
    let answer = match response.chunk().await {
        Ok(Some(bytes)) => String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_SHOWN)]).into_owned(),
        _ => String::new(),
    };
    let answer = answer.split_whitespace().collect::<Vec<_>>().join(" ");
    let more = if answer.is_empty() { String::new() } else { format!(": {answer}") };
    let advice = if status.is_redirection() { "; redirections are not followed" } else { "" };
    Err(format!("the webhook answers {status}{more}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification of Standard Webhooks.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = "{\"test\": 2432232314}";
        let made = signature(&key(&secret).unwrap(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(made.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_base64_or_text() {
        let text = Secret::new("0123456789abcdef");
        assert_eq!(key(&text).unwrap().as_slice(), b"0123456789abcdef");
        assert!(key(&Secret::new("short")).unwrap_err().contains("5 bytes"));
        assert!(key(&Secret::new("whsec_%%%")).unwrap_err().contains("Base64"));
    }
}
