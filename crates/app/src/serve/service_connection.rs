//! Whom an operation is asked of: the service, where one runs on the data directory, else this process.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use mailhaul_operations::{Caller, Client, Operations, Role};
use tokio::net::UnixStream;

use super::local_service::Desk;
use crate::{context::Context, data_directory, output::text};

/// Somebody who carries out operations.
pub(crate) struct Line {
    pub(crate) client: Client,
    /// `None` where the service does it.
    desk: Option<Desk>,
    data: PathBuf,
}

impl Line {
    /// Asks the service of this data directory, or opens the directory.
    pub(crate) async fn open(data: &Path, operations: &Arc<Operations<Context>>) -> Result<Self> {
        let socket = data_directory::socket(data);
        if UnixStream::connect(&socket).await.is_ok() {
            return Ok(Self { client: Client::unix(socket), desk: None, data: data.to_owned() });
        }
        let desk = Desk::new(Context::open(data).await?, operations.clone());
        let caller = Caller { name: user_name(), role: Role::Admin, is_local: true };
        Ok(Self { client: Client::local(desk.router(), caller), desk: Some(desk), data: data.to_owned() })
    }

    /// Whether somebody moves mail.
    pub(crate) fn is_service(&self) -> bool {
        self.desk.is_none()
    }

    /// Says that nothing moves, where that is so.
    pub(crate) fn tell_if_nothing_moves(&self) {
        if !self.is_service() {
            let data = self.data.display();
            text::print_error(format_args!("note: nothing moves until `mailhaul serve` runs on {data}"));
        }
    }

    /// Waits for what is under way.
    pub(crate) async fn close(self) {
        if let Some(desk) = self.desk {
            desk.service.finish().await;
            desk.context.store.clone().close().await;
        }
    }
}

/// Under this name the audit knows whoever runs this program.
fn user_name() -> String {
    let from = |variable: &str| std::env::var(variable).ok().filter(|it| !it.is_empty());
    from("USER").or_else(|| from("LOGNAME")).unwrap_or_else(|| "local".to_owned())
}
