//! File of a script, and the words after its name.

use crate::{
    cmdlets::CmdletArgument,
    value::{Object, Value},
};

/// Script file with its arguments; empty at a prompt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invocation {
    path: Option<String>,
    words: Vec<String>,
}

impl Invocation {
    pub(crate) fn new(path: String, words: Vec<String>) -> Self {
        Self { path: Some(path), words }
    }

    /// Returns the directory of the file, or the current one.
    pub(crate) fn directory(&self) -> &str {
        match self.path.as_deref().and_then(|path| path.rsplit_once('/')) {
            Some(("", _)) => "/",
            Some((directory, _)) => directory,
            None => ".",
        }
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> Value {
        self.path.as_deref().map_or(Value::Null, Value::from)
    }

    /// Returns `$MyInvocation`.
    pub(crate) fn object(&self) -> Value {
        let Some(path) = &self.path else { return Value::Null };
        let name = path.rsplit('/').next().unwrap_or(path);
        let command = Object::from_iter([("Name", name), ("Path", path), ("Definition", path)]);
        Object::from_iter([
            ("MyCommand", Value::Object(command)),
            ("InvocationName", path.as_str().into()),
            ("ScriptName", path.as_str().into()),
        ])
        .into()
    }

    /// Returns the words as arguments: `-Name value`, `-Name:value`, `-Switch`, and values by position.
    pub(crate) fn arguments(&self) -> Vec<CmdletArgument<'static>> {
        self.words.iter().map(|word| argument(word)).collect()
    }
}

fn argument(word: &str) -> CmdletArgument<'static> {
    let name =
        word.strip_prefix('-').filter(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'));
    let Some(name) = name else {
        return CmdletArgument::Value { at: 0, item: value(word) };
    };
    let (name, given) = match name.split_once(':') {
        Some((name, given)) => (name, Some(value(given))),
        None => (name, None),
    };
    CmdletArgument::Parameter { at: 0, name: name.to_owned().into(), value: given }
}

/// Reads a word: texts, and `$true`, `$false` and `$null`.
fn value(word: &str) -> Value {
    match word.to_ascii_lowercase().as_str() {
        "$true" => Value::Bool(true),
        "$false" => Value::Bool(false),
        "$null" => Value::Null,
        _ => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_arguments() {
        let words = ["-Name", "x y", "-Force", "-Confirm:$false", "-5", "plain"];
        let invocation =
            Invocation::new("/a/b.ps1".to_owned(), words.into_iter().map(ToOwned::to_owned).collect());
        let shown: Vec<String> = invocation
            .arguments()
            .into_iter()
            .map(|argument| match argument {
                CmdletArgument::Parameter { name, value, .. } => format!("-{name} {value:?}"),
                CmdletArgument::Value { item, .. } => format!("{item:?}"),
            })
            .collect();
        let expected = [
            "-Name None",
            "Text(\"x y\")",
            "-Force None",
            "-Confirm Some(Bool(false))",
            "Text(\"-5\")",
            "Text(\"plain\")",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_directory_is_that_of_the_file() {
        for (path, directory) in
            [("a.ps1", "."), ("/a.ps1", "/"), ("./x/a.ps1", "./x"), ("/x/y/a.ps1", "/x/y")]
        {
            assert_eq!(Invocation::new(path.to_owned(), Vec::new()).directory(), directory, "{path}");
        }
        assert_eq!(Invocation::default().directory(), ".");
    }
}
