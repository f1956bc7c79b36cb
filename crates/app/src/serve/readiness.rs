//! Readiness: the service can work if the database can be read and the data directory takes a file.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use mailhaul_migration::Guid;

use crate::context::Context;

/// Bytes of the test file: too many for a file system to keep them in the directory entry.
const TEST_FILE_SIZE: usize = 64 << 10;
/// Time for an answer of the database. A load balancer must not wait for a node that is cut off.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Checks the database and the data directory.
///
/// The reason of a failure names no path: this check needs no token.
pub(crate) async fn check(context: &Context) -> Result<(), &'static str> {
    match tokio::time::timeout(DATABASE_TIMEOUT, context.store.config().get()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::error!("{error}");
            return Err("the database cannot be read");
        }
        Err(_) => return Err("the database does not answer"),
    }
    let data = context.data.clone();
    match tokio::task::spawn_blocking(move || write_test_file(&data)).await {
        Ok(Ok(())) => Ok(()),
        outcome => {
            let words = outcome.map_or_else(|error| error.to_string(), |it| format!("{it:?}"));
            tracing::error!("the data directory cannot be written: {words}");
            Err("the data directory cannot be written")
        }
    }
}

fn write_test_file(data: &Path) -> io::Result<()> {
    // Several checks may run at once, so each has its own file.
    let path = data.join(format!(".ready-{}", Guid::new_v4()));
    let written = File::create_new(&path).and_then(|mut file| file.write_all(&vec![0; TEST_FILE_SIZE]));
    let removed = fs::remove_file(&path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_takes_no_file_is_not_ready() {
        let data = tempfile::tempdir().unwrap();
        write_test_file(data.path()).unwrap();
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
        write_test_file(&data.path().join("missing")).unwrap_err();
    }
}
