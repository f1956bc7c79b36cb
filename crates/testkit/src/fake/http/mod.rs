//! The HTTP side: access tokens, and Gmail's API.

mod api_state;
mod gmail_api;
mod import;
mod listener;
mod reply;
mod request;
mod token;
mod upload;

pub(super) use api_state::ApiState;
pub use api_state::{Fault, Step};
pub(super) use listener::listen;
