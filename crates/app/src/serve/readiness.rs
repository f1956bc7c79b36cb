//! Readiness: the service can work if the database can be read and the data directory takes a file.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use mailhaul_migration::Guid;

use crate::context::Context;

/// Bytes of the trial file: more than a file system keeps in the directory entry itself.
const TRIAL: usize = 64 << 10;

/// Why the service cannot work; nothing of it names a path, because anyone may ask.
pub(crate) async fn check(context: &Context) -> Result<(), &'static str> {
    if let Err(error) = context.store.config().await {
        tracing::error!("{error}");
        return Err("the database cannot be read");
    }
    let data = context.data.clone();
    match tokio::task::spawn_blocking(move || try_to_write(&data)).await {
        Ok(Ok(())) => Ok(()),
        outcome => {
            let words = outcome.map_or_else(|error| error.to_string(), |it| format!("{it:?}"));
            tracing::error!("the data directory cannot be written: {words}");
            Err("the data directory cannot be written")
        }
    }
}

fn try_to_write(data: &Path) -> io::Result<()> {
    // Several may ask at once.
    let path = data.join(format!(".ready-{}", Guid::new_v4()));
    let written = File::create_new(&path).and_then(|mut file| file.write_all(&vec![0; TRIAL]));
    let removed = fs::remove_file(&path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_takes_no_file_is_not_ready() {
        let data = tempfile::tempdir().unwrap();
        try_to_write(data.path()).unwrap();
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
        try_to_write(&data.path().join("missing")).unwrap_err();
    }
}
