//! The id of an archive: a file in its directory, which all nodes that share the directory read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use mailhaul_migration::Guid;

/// Name of the file. No archive of a user has it, because it is no e-mail address.
const NAME: &str = "archive.id";

/// Returns the id of the archive in this directory, and gives it one if it has none.
///
/// # Errors
/// The file holds something else, or cannot be read or written.
pub(super) fn of(directory: &Path) -> io::Result<Guid> {
    let path = directory.join(NAME);
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let id = Guid::new_v4();
    // A link is there whole or not at all. Of several nodes that begin at once, one wins.
    let draft = directory.join(format!("{NAME}.{id}"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked =
        writeln!(file, "{id}").and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, &path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(directory)?.sync_all()?;
    read(&path)
}

fn read(path: &Path) -> io::Result<Guid> {
    let text = fs::read_to_string(path)?;
    text.trim().parse().map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} holds no id of an archive", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn all_nodes_read_one_id() {
        let directory = TempDir::new().unwrap();
        let nodes: Vec<_> = (0..8)
            .map(|_| {
                let path = directory.path().to_owned();
                thread::spawn(move || of(&path).unwrap())
            })
            .collect();
        let ids: HashSet<Guid> = nodes.into_iter().map(|it| it.join().unwrap()).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(ids, HashSet::from([of(directory.path()).unwrap()]));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn another_file_of_that_name_is_refused() {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join(NAME), "hello").unwrap();
        let words = of(directory.path()).unwrap_err().to_string();
        assert!(words.ends_with("archive.id holds no id of an archive"), "{words}");
    }
}
