//! Completion of the word at the cursor.

use crate::{cmdlets, host::Host, value::same_name};

/// Replacements for a part of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Byte offset of the word that ends at the cursor.
    pub start: usize,
    /// In alphabetical order.
    pub candidates: Vec<String>,
}

/// Returns the commands or parameters that begin with the word before `position`, a byte offset.
pub fn complete<H: Host>(line: &str, position: usize, host: &H) -> Completion {
    let line = &line[..line.floor_char_boundary(position)];
    let Some(place) = CursorPosition::at_end(line) else {
        return Completion { start: line.len(), candidates: Vec::new() };
    };
    let word = &line[place.word..];
    let names = match (&place.command, word.strip_prefix('-')) {
        (None, _) => {
            let mut names = host.commands();
            names.extend(cmdlets::names().map(ToOwned::to_owned));
            names
        }
        (Some(command), Some(_)) if !command.is_empty() => {
            parameters(command, host).into_iter().map(|name| format!("-{name}")).collect()
        }
        (Some(_), _) => Vec::new(),
    };
    let begins = |name: &String| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let mut candidates: Vec<String> = names.into_iter().filter(begins).collect();
    candidates.sort_unstable_by_key(|name| name.to_lowercase());
    candidates.dedup_by_key(|name| name.to_lowercase());
    Completion { start: place.word, candidates }
}

fn parameters<H: Host>(command: &str, host: &H) -> Vec<String> {
    if let Some(cmdlet) = cmdlets::find(command) {
        return cmdlet.values.iter().chain(cmdlet.switches).map(|&name| name.to_owned()).collect();
    }
    let known = host.commands();
    let command = known.iter().find(|known| same_name(known, command)).map_or(command, String::as_str);
    host.parameters(command)
}

/// Word and command at the end of a line.
#[derive(Default)]
struct CursorPosition {
    word: usize,
    /// Command of the word; `None` if the word is a command itself.
    command: Option<String>,
}

impl CursorPosition {
    /// Returns `None` inside quotes and comments.
    fn at_end(line: &str) -> Option<Self> {
        let mut place = Self::default();
        // Commands around open parentheses and braces.
        let mut around = Vec::new();
        let mut characters = line.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let next = at + c.len_utf8();
            let word = &line[place.word..at];
            match c {
                '\'' | '"' => loop {
                    let (_, inside) = characters.next()?;
                    if inside == c {
                        break;
                    }
                    if inside == '`' && c == '"' {
                        characters.next();
                    }
                },
                '#' if word.is_empty() => return None,
                '`' => {
                    characters.next();
                }
                '|' | ';' | '\n' => place = Self { word: next, command: None },
                '(' | '{' => {
                    around.push(place.command.take().or_else(|| command(word)));
                    place.word = next;
                }
                ')' | '}' => {
                    place = Self { word: next, command: around.pop().flatten().or(Some(String::new())) }
                }
                // A command follows `$batch =`.
                '=' if place.command.as_deref().unwrap_or(word).starts_with('$') => {
                    place = Self { word: next, command: None };
                }
                c if c.is_whitespace() => {
                    place.command = place.command.take().or_else(|| command(word));
                    place.word = next;
                }
                ',' => place.word = next,
                _ => {}
            }
        }
        Some(place)
    }
}

fn command(word: &str) -> Option<String> {
    if word.is_empty() { None } else { Some(word.to_owned()) }
}
