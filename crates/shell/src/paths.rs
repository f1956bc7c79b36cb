//! Paths as Windows writes them.

/// Returns a path with `/` in place of `\`.
///
/// # Errors
/// The path has a drive.
pub fn local(path: &str) -> Result<String, String> {
    let mut start = path.chars();
    let is_drive = start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
    if is_drive || path.starts_with("\\\\") {
        return Err(format!(
            "there is no drive on this machine, so the path {path} cannot be used; write it as /folder/file or folder/file"
        ));
    }
    Ok(path.replace('\\', "/"))
}

/// Returns the last part of a path.
pub(crate) fn leaf(path: &str) -> &str {
    path.trim_end_matches(SEPARATORS).rsplit(SEPARATORS).next().unwrap_or(path)
}

/// Returns a path without its last part; empty for a single name.
pub(crate) fn parent(path: &str) -> &str {
    let path = path.trim_end_matches(SEPARATORS);
    path.rfind(SEPARATORS).map_or("", |at| if at == 0 { &path[..1] } else { &path[..at] })
}

/// Joins two parts of a path.
pub(crate) fn joined(parent: &str, child: &str) -> String {
    format!("{}/{}", parent.trim_end_matches(SEPARATORS), child.trim_start_matches(SEPARATORS))
}

const SEPARATORS: [char; 2] = ['/', '\\'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_paths() {
        for (path, before, last) in [
            (r".\reports\a.csv", r".\reports", "a.csv"),
            ("/tmp/x/", "/tmp", "x"),
            ("/tmp", "/", "tmp"),
            ("a.csv", "", "a.csv"),
        ] {
            assert_eq!((parent(path), leaf(path)), (before, last), "{path}");
        }
        assert_eq!(joined("/tmp/", "\\a"), "/tmp/a");
    }

    #[test]
    fn backslashes_are_slashes_and_drives_are_refused() {
        assert_eq!(local(r".\reports\a.csv").as_deref(), Ok("./reports/a.csv"));
        assert_eq!(local("/tmp/a b.csv").as_deref(), Ok("/tmp/a b.csv"));
        for path in [r"C:\temp\a.csv", "c:a.csv", r"\\server\share\a.csv"] {
            assert!(local(path).is_err(), "{path}");
        }
    }
}
