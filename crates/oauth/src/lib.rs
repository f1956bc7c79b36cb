//! OAuth 2.0 access tokens for mail servers (RFC 6749): where they come from, and who keeps them fresh.
//!
//! A [`TokenSource`] asks for a token: one file for each way to come by one. [`Tokens`] is what mail servers' clients hold: it
//! remembers what was given, asks before a token ends and when a server refuses one, once for all who wait, and never faster
//! than a token server puts up with. Nothing is written to disk. [`describe`] tells what a token says of itself.

mod assertion;
mod claims;
mod client_certificate;
mod client_secret;
mod clock;
mod command;
mod device_code;
mod endpoint;
mod error;
mod fixed;
mod http;
mod private_key;
mod refresh_token;
mod service_account;
mod source;
mod tokens;
mod words;

pub use claims::{Claims, describe, explain_refused};
pub use client_certificate::{CertificateFile, ClientCertificate};
pub use client_secret::ClientSecret;
pub use command::TokenCommand;
pub use device_code::{DeviceCode, DeviceLogin, SignedIn};
pub use endpoint::{TokenEndpoint, TokenUrl};
pub use error::{TokenError, innermost};
pub use fixed::FixedToken;
pub use http::{check_url, http_client};
pub use refresh_token::{Keeping, RefreshToken, RefreshTokenKeeper};
pub use service_account::{ServiceAccount, ServiceAccountKey};
pub use source::{Asking, Token, TokenSource};
pub use tokens::Tokens;
