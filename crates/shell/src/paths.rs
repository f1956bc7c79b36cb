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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_are_slashes_and_drives_are_refused() {
        assert_eq!(local(r".\reports\a.csv").as_deref(), Ok("./reports/a.csv"));
        assert_eq!(local("/tmp/a b.csv").as_deref(), Ok("/tmp/a b.csv"));
        for path in [r"C:\temp\a.csv", "c:a.csv", r"\\server\share\a.csv"] {
            assert!(local(path).is_err(), "{path}");
        }
    }
}
