//! `mailhaul login ENDPOINT`: signs in with a browser, and stores the refresh token at the endpoint.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use clap::Args;
use mailhaul_mail::Retry;
use mailhaul_oauth::{DeviceLogin, SignedIn, TokenEndpoint, TokenError, TokenUrl, describe};
use mailhaul_operations::{Client, Failure, Operations};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::command::with_advice;
use crate::{
    context::Context, data_directory::DataPlace, exit::Exit, output::text,
    serve::service_connection::ServiceConnection,
};

/// Options of `mailhaul login`.
#[derive(Args, Debug)]
pub(crate) struct LoginOptions {
    /// Name or GUID of the endpoint
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
}

/// Waits until the operator has signed in, and stores the refresh token.
pub(crate) async fn run(
    options: LoginOptions,
    data: &DataPlace,
    operations: &Arc<Operations<Context>>,
) -> Result<Exit> {
    let connection = ServiceConnection::open(data, operations).await?;
    let ended = login(operations, &connection.client, &options.endpoint).await;
    connection.close().await;
    ended.map_err(|failure| anyhow!(Exit::Operation(failure.kind.exit_code())).context(with_advice(&failure)))
}

async fn login(operations: &Operations<Context>, client: &Client, identity: &str) -> Result<Exit, Failure> {
    let found =
        client.call(operations.find("Get-MigrationEndpoint")?, json!({ "Identity": identity })).await?;
    let Some(endpoint) = found.first() else {
        return Err(Failure::not_found(format_args!("there is no migration endpoint \"{identity}\"")));
    };
    let device = device(endpoint)?;
    let signed_in = tokio::select! {
        signed_in = sign_in(&device) => signed_in.map_err(failure)?,
        _ = tokio::signal::ctrl_c() => {
            text::print_error("sign-in cancelled; nothing was changed");
            return Ok(Exit::Interrupted);
        }
    };
    let secret = Zeroizing::new(String::from_utf8_lossy(signed_in.refresh_token.expose()).into_owned());
    // Stored without verification: if the mail server is unreachable now, no second sign-in is needed.
    let request = json!({ "Identity": identity, "RefreshToken": *secret, "SkipVerification": true });
    client.call(operations.find("Set-MigrationEndpoint")?, request).await?;
    let owner = describe(&signed_in.token.secret).and_then(|it| it.owner);
    let owner = owner.map(|it| format!(" as {it}")).unwrap_or_default();
    text::print(format_args!(
        "signed in{owner}; the endpoint \"{identity}\" opens the mailboxes that this account may open"
    ));
    Ok(Exit::Synced)
}

async fn sign_in(device: &DeviceLogin) -> Result<SignedIn, TokenError> {
    let code = device.start().await?;
    let minutes = text::count(code.life.as_secs().div_ceil(60), "minute", "minutes");
    text::print(format_args!("Open   {}", code.address));
    text::print(format_args!("Type   {}", code.user_code));
    text::print(format_args!(
        "and sign in with the account that may open the mailboxes. The code expires in {minutes}."
    ));
    device.wait(&code).await
}

/// Returns the sign-in settings from the view of the endpoint.
fn device(endpoint: &Value) -> Result<DeviceLogin, Failure> {
    let shown = |name: &str| endpoint[name].as_str().unwrap_or_default();
    let identity = shown("Identity");
    match shown("TokenSource") {
        "RefreshToken" => {}
        "" => {
            let words =
                format_args!("the endpoint \"{identity}\" does not use access tokens; no sign-in is needed");
            return Err(Failure::invalid(words));
        }
        other => {
            let words = format_args!(
                "the endpoint \"{identity}\" gets its access tokens by {other}; no sign-in is needed"
            );
            return Err(Failure::invalid(words));
        }
    }
    let needed = |name: &str| match shown(name) {
        "" => {
            let words = format_args!("the endpoint \"{identity}\" has no {name}, which the sign-in needs");
            let advice = format_args!("Give it with Set-MigrationEndpoint -Identity \"{identity}\" -{name}.");
            Err(Failure::invalid(words).with_advice(advice))
        }
        text => Ok(text.to_owned()),
    };
    let address = |name: &str| {
        TokenUrl::parse(&needed(name)?).map_err(|words| Failure::invalid(format_args!("{name}: {words}")))
    };
    Ok(DeviceLogin {
        endpoint: TokenEndpoint::new(address("TokenUrl")?).map_err(failure)?,
        device_url: address("DeviceUrl")?,
        client_id: needed("ApplicationId")?,
        client_secret: None,
        scope: needed("Scope")?,
    })
}

fn failure(error: TokenError) -> Failure {
    match error.retry {
        Retry::Never => Failure::invalid(error),
        Retry::Now | Retry::After(_) => Failure::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Value {
        json!({
            "Identity": "Ann",
            "TokenSource": "RefreshToken",
            "TokenUrl": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            "DeviceUrl": "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
            "ApplicationId": "1234",
            "Scope": "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
        })
    }

    #[test]
    fn sign_in_settings_come_from_the_endpoint() {
        let device = device(&endpoint()).unwrap();
        assert_eq!(
            (device.endpoint.host(), device.client_id.as_str()),
            ("login.microsoftonline.com", "1234")
        );
        assert!(device.device_url.as_str().ends_with("/devicecode"));
        assert!(device.scope.ends_with(" offline_access") && device.client_secret.is_none());
    }

    #[test]
    fn missing_settings_are_named() {
        for (name, value, words) in [
            (
                "TokenSource",
                Value::Null,
                "the endpoint \"Ann\" does not use access tokens; no sign-in is needed",
            ),
            (
                "TokenSource",
                json!("ClientSecret"),
                "the endpoint \"Ann\" gets its access tokens by ClientSecret; no sign-in is needed",
            ),
            ("DeviceUrl", Value::Null, "the endpoint \"Ann\" has no DeviceUrl, which the sign-in needs"),
            ("Scope", json!(""), "the endpoint \"Ann\" has no Scope, which the sign-in needs"),
            (
                "TokenUrl",
                json!("http://10.0.0.1/"),
                "TokenUrl: it must begin with https://, because secrets are sent there",
            ),
        ] {
            let mut endpoint = endpoint();
            endpoint[name] = value;
            assert_eq!(device(&endpoint).unwrap_err().message, words);
        }
    }
}
