//! OAuth 2.0 access tokens for mail servers (RFC 6749): their sources and their cache.
//!
//! A [`TokenSource`] requests tokens; each source has a file. [`Tokens`] is the cache that mail
//! clients hold. It requests a token before the old one expires and when a server refuses it.
//! Callers that wait share one request, and requests are limited in rate. Nothing is written to
//! disk. [`describe`] reads the claims of a token.

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
pub use client_certificate::{CertificateFile, ClientCertificate, certificate_end};
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
