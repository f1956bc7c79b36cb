//! Assertions: signed claims instead of a secret (RFC 7521, RFC 7523), with the times of the
//! server's clock.

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    clock::{self, MAX_CLOCK_DIFFERENCE, ServerClock},
    endpoint::{Answer, Refusal, TokenEndpoint},
    error::TokenError,
    words::About,
};

/// Seconds by which assertions are dated back, as clocks may differ by that much.
const BACKDATING: i64 = MAX_CLOCK_DIFFERENCE;
/// Lifetime of assertions in seconds. Authorization servers allow at most an hour.
const LIFETIME: i64 = 540;

/// Times of an assertion, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) begin: i64,
    pub(crate) end: i64,
}

pub(crate) fn sign(
    header: &Header,
    claims: &impl Serialize,
    key: &EncodingKey,
) -> Result<Zeroizing<String>, TokenError> {
    let signed = jsonwebtoken::encode(header, claims, key);
    signed.map(Zeroizing::new).map_err(|error| TokenError::refused(format!("the key cannot sign: {error}")))
}

/// Requests a token with an assertion in this parameter.
///
/// If a server with another clock refuses it, it is signed once more with the server's time.
pub(crate) async fn ask(
    endpoint: &TokenEndpoint,
    server_clock: &ServerClock,
    parameters: &[(&str, &str)],
    name: &'static str,
    about: About<'_>,
    sign: impl Fn(Times) -> Result<Zeroizing<String>, TokenError> + Send,
) -> Result<Answer, TokenError> {
    let question = async |ahead: i64| {
        let now = clock::now() + ahead;
        let assertion = sign(Times { begin: now - BACKDATING, end: now + LIFETIME })?;
        let parameters = [parameters, &[(name, assertion.as_str())]].concat();
        endpoint.ask(&parameters, about).await
    };
    let used = server_clock.ahead();
    let mut refusal = match question(used).await {
        Ok(answer) => return Ok(answer),
        Err(refusal) => refusal,
    };
    if let Some(ahead) = refusal.ahead.filter(|ahead| (ahead - used).abs() > MAX_CLOCK_DIFFERENCE) {
        server_clock.learn(ahead);
        refusal = match question(ahead).await {
            Ok(answer) => return Ok(answer),
            Err(refusal) => refusal,
        };
    }
    Err(with_clock(refusal, endpoint.host()))
}

fn with_clock(refusal: Refusal, host: &str) -> TokenError {
    let Refusal { mut error, ahead } = refusal;
    if let Some(words) = ahead.and_then(|ahead| clock::difference(host, ahead)) {
        error.message = format!("{}. {words}", error.message);
    }
    error
}
