//! OAuth 2.0 access tokens for mail servers (RFC 6749): where they come from, and who keeps them fresh.
//!
//! A [`TokenSource`] asks for a token: one file for each way to come by one. [`Tokens`] is what mail servers' clients hold: it
//! remembers what was given, asks before a token ends and when a server refuses one, once for all who wait, and never faster
//! than a token server puts up with. Nothing is written to disk.

mod client_secret;
mod endpoint;
mod error;
mod fixed;
mod source;
mod tokens;

pub use client_secret::ClientSecret;
pub use endpoint::{TokenEndpoint, TokenUrl};
pub use error::TokenError;
pub use fixed::FixedToken;
pub use source::{Asking, Token, TokenSource};
pub use tokens::Tokens;
