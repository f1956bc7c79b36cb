//! The machinery, over a small list of operations.

mod fuzz;
mod http;
mod lamps;
mod sockets;
mod support;
