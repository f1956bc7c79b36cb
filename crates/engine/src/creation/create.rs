//! Creation of folders, repeated until each answer concerns its own folder alone.

use mailhaul_mail::Scope;

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    ports::{NewFolder, Target},
    retry::{RetryCounter, recover_from},
};

/// Repeats the request until each error concerns its own folder alone.
pub(crate) async fn create_with_retries<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    folders: &[NewFolder],
) -> Result<Vec<Result<(), Error>>, Error> {
    let mut retries = RetryCounter::default();
    loop {
        let created = cx.target.create_folders(folders).await.and_then(|created| {
            let mut errors = created.iter().filter_map(|it| it.as_ref().err());
            errors.find(|it| it.scope > Scope::Folder).cloned().map_or(Ok(created), Err)
        });
        match created {
            Ok(created) => return Ok(created),
            Err(error) => recover_from(cx, error, &mut retries).await?,
        }
    }
}
