//! Completion of the word at the cursor.

use crate::{cmdlets, host::Host, operator, value::same_name};

/// Replacements for a part of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Byte offset of the word that ends at the cursor.
    pub start: usize,
    /// In alphabetical order.
    pub candidates: Vec<String>,
}

/// Returns the commands, parameters or values that begin with the word before `position`, a byte offset.
pub fn complete<H: Host>(line: &str, position: usize, host: &H) -> Completion {
    let line = &line[..line.floor_char_boundary(position)];
    let nothing = Completion { start: line.len(), candidates: Vec::new() };
    let Some(place) = CursorPosition::at_end(line) else { return nothing };
    let word = &line[place.word..];
    let names = match (&place.command, word.strip_prefix('-')) {
        (None, _) if place.is_quoted => Vec::new(),
        (None, _) => {
            let mut names = host.commands();
            names.extend(cmdlets::names().map(ToOwned::to_owned));
            names
        }
        (Some(command), Some(_)) if !command.is_empty() => {
            parameters(command, host).into_iter().map(|name| format!("-{name}")).collect()
        }
        (Some(command), None) => values(command, &place, host),
        (Some(_), Some(_)) => Vec::new(),
    };
    let start = word.trim_start_matches(['\'', '"']);
    let begins =
        |name: &String| name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    let mut candidates: Vec<String> = names.into_iter().filter(begins).collect();
    candidates.sort_unstable_by_key(|name| name.to_lowercase());
    candidates.dedup_by_key(|name| name.to_lowercase());
    if place.is_quoted && candidates.is_empty() {
        return nothing;
    }
    if place.command.is_some() && !word.starts_with('-') {
        candidates = candidates.into_iter().map(|name| written(name, place.is_quoted)).collect();
    }
    Completion { start: place.word, candidates }
}

/// Returns a value as it stands in a line: with quotes if it needs them, or if one is there already.
fn written(value: String, is_quoted: bool) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.@+/:".contains(c);
    let is_variable = value == "$true" || value == "$false";
    if !is_quoted && (is_variable || value.starts_with(char::is_alphanumeric) && value.chars().all(is_plain))
    {
        return value;
    }
    format!("'{}'", value.replace('\'', "''"))
}

/// Returns the values for the word at the cursor.
fn values<H: Host>(command: &str, place: &CursorPosition, host: &H) -> Vec<String> {
    let parameter = place.parameter.as_deref();
    let is_comparison = parameter.is_some_and(|name| operator::comparison(name).is_some());
    // `? Status -eq`, or `{ $_.Status -eq`.
    let property = if command.starts_with('$') { Some(command) } else { place.value.as_deref() };
    if let (true, Some(property)) = (is_comparison, property) {
        return host.values("", Some(property.rsplit('.').next().unwrap_or(property)));
    }
    if parameter.is_none() && place.value.is_some() {
        return Vec::new();
    }
    let known = host.commands();
    match known.iter().find(|known| same_name(known, command)) {
        Some(command) => host.values(command, parameter),
        None => Vec::new(),
    }
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
    /// Parameter before the word, without its dash.
    parameter: Option<String>,
    /// Last value without a parameter.
    value: Option<String>,
    /// True if the word begins with a quote that is still open.
    is_quoted: bool,
}

impl CursorPosition {
    /// Returns `None` inside comments, and inside quotes that are not a word of their own.
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
                    let Some((_, inside)) = characters.next() else {
                        place.is_quoted = true;
                        return if place.word == at { Some(place) } else { None };
                    };
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
                '|' | ';' | '\n' => place = Self { word: next, ..Self::default() },
                '(' | '{' => {
                    around.push(place.command.take().or_else(|| command(word)));
                    place = Self { word: next, ..Self::default() };
                }
                ')' | '}' => {
                    let command = around.pop().flatten().or(Some(String::new()));
                    place = Self { word: next, command, ..Self::default() };
                }
                // A command follows `$batch =`.
                '=' if place.command.as_deref().unwrap_or(word).starts_with('$') => {
                    place = Self { word: next, ..Self::default() };
                }
                c if c.is_whitespace() => {
                    place.end_word(word);
                    place.word = next;
                }
                ',' => place.word = next,
                _ => {}
            }
        }
        Some(place)
    }

    fn end_word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        match word.strip_prefix('-') {
            _ if self.command.is_none() => self.command = Some(word.to_owned()),
            Some(name) if name.starts_with(char::is_alphabetic) => self.parameter = Some(name.to_owned()),
            _ if self.parameter.take().is_none() => self.value = Some(word.to_owned()),
            _ => {}
        }
    }
}

fn command(word: &str) -> Option<String> {
    if word.is_empty() { None } else { Some(word.to_owned()) }
}
