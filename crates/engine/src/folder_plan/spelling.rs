//! Names that a target can hold, made of names that it cannot hold.
//!
//! A character is written as a similar one, and characters that could then be confused with it are marked. Two names
//! never become one, and every name can be read back.
//!
//! `.` is `․` (U+2024), `/` is `∕` (U+2215), and so on (`LOOKS_LIKE`). Other signs are written in full width, control
//! characters as their pictures, anything else as its number, `‛“2764‛`. A `‛` (U+201B) in front of a character means
//! the character itself. At the end of a name it means nothing: this is the form of an empty name, and of a name that
//! the target reserves. Names that are too long are the one exception: they are cut, and distinguished by a digest.

use std::fmt::Write as _;

use mailhaul_mail::{Digest, FolderPath, ignoring_case};

use crate::name_rules::{Levels, NameRules};

/// Marks that the next character means itself.
const MARK: char = '‛';
/// After a mark: a character's number follows, and another mark.
const CODE: char = '“';
/// Replaces the delimiter if the target has only one level.
const LEVEL: char = '∕';
/// Separates the beginning of a name that is too long from its digest.
const CUT: char = '…';
/// Digits of a digest.
const DIGITS: usize = 12;

/// Characters that every server's names may have. A smaller stated limit is not believed.
const SHORTEST: usize = 32;

/// Pairs of similar characters. No server confuses them, and users do not type the second ones.
const LOOKS_LIKE: [(char, char); 8] =
    [('.', '․'), ('/', '∕'), ('\\', '⧵'), ('^', '˄'), (':', '∶'), ('*', '∗'), ('"', '″'), (' ', '␣')];

/// A path that the target can hold, with the reasons for each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spelled {
    pub(super) path: FolderPath,
    /// Each change, for the operator; empty if nothing was changed.
    pub(super) why: Vec<String>,
}

/// One level of the requested path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// A name that the target has already, or that its operator wrote.
    Of(String),
    /// A name of the source.
    Called(String),
}

impl Level {
    fn text(&self) -> &str {
        match self {
            Self::Of(text) | Self::Called(text) => text,
        }
    }
}

/// The levels of a path of the source.
pub(super) fn called(path: &FolderPath) -> Vec<Level> {
    path.segments().iter().cloned().map(Level::Called).collect()
}

/// The levels of a path that an operator wrote.
///
/// It may come from a plan. It is used unchanged if the target can hold it.
pub(super) fn written(path: &FolderPath, rules: &NameRules) -> Vec<Level> {
    let level = |it: &String| {
        let is_held = unheld(&[Level::Of(it.clone())], rules).is_empty();
        if is_held { Level::Of(it.clone()) } else { Level::Called(it.clone()) }
    };
    path.segments().iter().map(level).collect()
}

/// Returns the path, if all of it was written for this target.
pub(super) fn written_path(levels: &[Level]) -> Option<FolderPath> {
    let texts: Option<Vec<&str>> =
        levels.iter().map(|it| if let Level::Of(text) = it { Some(text.as_str()) } else { None }).collect();
    texts.map(FolderPath::new)
}

/// Adds a number, because the name is taken.
pub(super) fn numbered(wanted: &[Level], number: usize) -> Vec<Level> {
    let mut levels = wanted.to_vec();
    if let Some(Level::Of(last) | Level::Called(last)) = levels.last_mut() {
        *last = format!("{last} ({number})");
    }
    levels
}

/// Returns names for a folder whose own name is refused, the most likely first.
///
/// They avoid signs that some server may refuse, levels for targets without folders below this one, and names that the
/// target reserves.
pub(crate) fn other_names(place: &FolderPath, rules: &NameRules) -> Vec<FolderPath> {
    let refused = place;
    if refused.is_inbox() || rules.levels == Levels::Free {
        return Vec::new();
    }
    let refused = &without_root(refused, rules);
    let signs = (' '..='~').filter(|it| !it.is_ascii_alphanumeric() && !" -_()".contains(*it));
    let careful = NameRules { forbidden: signs.collect(), refuses_outer_blanks: true, ..rules.clone() };
    let flat = NameRules { levels: Levels::Flat, ..careful.clone() };
    let without_signs = spelled(&called(refused), &careful).path;
    let in_one_level = spelled(&called(refused), &flat).path;
    let mut marked = without_signs.segments().to_vec();
    let own = usize::from(!rules.roots.is_empty());
    if let Some(first) = marked.get_mut(own) {
        first.push(MARK);
    }
    let mut names = vec![without_signs, in_one_level, FolderPath::new(marked)];
    names.retain(|it| it != place);
    names.dedup();
    names
}

/// Returns names for a folder that the target takes for another one, which it shows as `shown`.
///
/// They have a number. If the target cuts names, they are as long as the shown one.
pub(crate) fn separate_names(place: &FolderPath, shown: &FolderPath) -> Vec<FolderPath> {
    let levels: Vec<Level> = place.segments().iter().cloned().map(Level::Of).collect();
    let with_number = |number| FolderPath::new(numbered(&levels, number).iter().map(Level::text));
    let mut names: Vec<FolderPath> = (2..=4).map(with_number).collect();
    let longest = shown.name().chars().count();
    if longest < place.name().chars().count() {
        let mut segments = shown.segments().to_vec();
        segments.pop();
        segments.push(cut(place.name(), place.to_string().as_bytes(), longest));
        names.push(FolderPath::new(segments));
    }
    names
}

/// Removes the root below which the target has the path.
fn without_root(path: &FolderPath, rules: &NameRules) -> FolderPath {
    match path.segments().split_first() {
        Some((root, rest)) if rules.roots.contains(root) && !rest.is_empty() => FolderPath::new(rest),
        _ => path.clone(),
    }
}

/// Spells a path for the target.
pub(super) fn spelled(wanted: &[Level], rules: &NameRules) -> Spelled {
    let plain = FolderPath::new(wanted.iter().map(Level::text));
    let mut why = Vec::new();
    if plain.is_inbox() || rules.levels == Levels::Free {
        return Spelled { path: plain, why };
    }
    let is_inbox = |it: &str| it.eq_ignore_ascii_case("INBOX");
    let mut rest = wanted;
    while rules.refuses_below_inbox && rest.len() > 1 && is_inbox(rest[0].text()) {
        rest = &rest[1..];
        why = vec!["the target has no folders below INBOX".to_owned()];
    }
    why.extend(unheld(rest, rules));
    let level = |it: &Level| match it {
        Level::Of(text) => text.clone(),
        Level::Called(text) => segment(text, rules),
    };
    let mut levels: Vec<String> = rest.iter().map(level).collect();
    // The operator may have named the root.
    let is_rooted = rest.len() > 1 && matches!(&rest[0], Level::Of(outer) if rules.roots.contains(outer));
    let root = rules.roots.first().filter(|_| !is_rooted);
    if rules.levels == Levels::Flat && levels.len() > 1 {
        why.push("the target has one level of folders only".to_owned());
        levels = vec![levels.join(&LEVEL.to_string())];
    }
    let outer = &levels[0];
    let is_reserved = rules.reserved.iter().any(|it| ignoring_case(it) == ignoring_case(outer));
    if is_reserved || (is_inbox(outer) && rest.len() < wanted.len()) {
        why.push(format!("the target keeps the name \"{outer}\" for itself"));
        levels[0].push(MARK);
    }
    if let Some(longest) = rules.longest_segment.map(|it| it.max(SHORTEST)) {
        for level in levels.iter_mut().filter(|it| it.chars().count() > longest) {
            *level = cut(level, level.as_bytes(), longest);
            why.push(format!("the target's names have at most {longest} characters"));
        }
    }
    if let Some(root) = root {
        levels.insert(0, root.clone());
        why.push(format!("the target has new folders only below \"{root}\""));
    }
    if let Some(longest) = rules.longest_path.map(|it| it.max(SHORTEST))
        && length(&levels) > longest
    {
        let of_segment = rules.longest_segment.unwrap_or(longest).max(SHORTEST);
        levels = shorter(levels, &plain.to_string(), longest, of_segment);
        why.push(format!("the target's names have at most {longest} characters with all levels"));
    }
    why.dedup();
    Spelled { path: FolderPath::new(levels), why }
}

fn length(levels: &[String]) -> usize {
    levels.iter().map(|it| it.chars().count()).sum::<usize>() + levels.len().saturating_sub(1)
}

/// Describes the parts of the path that the target cannot hold.
fn unheld(levels: &[Level], rules: &NameRules) -> Vec<String> {
    let mut why = Vec::new();
    let texts = || levels.iter().map(Level::text);
    let mut signs: Vec<char> = texts().flat_map(str::chars).filter(|it| is_unheld(*it, rules)).collect();
    signs.sort_unstable();
    signs.dedup();
    if !signs.is_empty() {
        let signs: Vec<String> = signs.iter().map(|it| format!("\"{}\"", shown(*it))).collect();
        why.push(format!("the target's names cannot hold {}", signs.join(", ")));
    }
    if texts().any(str::is_empty) {
        why.push("the target's names cannot be empty".to_owned());
    }
    let outer_blanks = |it: &str| it.starts_with(' ') || it.ends_with(' ') || it.contains("  ");
    if rules.refuses_outer_blanks && texts().any(outer_blanks) {
        why.push("the target's names cannot hold blanks at their ends, or two in a row".to_owned());
    }
    let called = levels.iter().filter(|it| matches!(it, Level::Called(_)));
    let is_marked = |it: char| it == MARK || (stands_for_another(it, rules) && !is_unheld(it, rules));
    if called.flat_map(|it| it.text().chars()).any(is_marked) {
        why.push("it could be mistaken for another name".to_owned());
    }
    why
}

fn shown(character: char) -> String {
    if matches!(character, '"' | '\\') { character.to_string() } else { character.escape_debug().to_string() }
}

/// Spells one level. Lossless: two texts never get one spelling.
fn segment(text: &str, rules: &NameRules) -> String {
    let mut spelled = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(character) = characters.next() {
        let is_outer = before.is_none_or(|it| it == ' ') || characters.peek().is_none();
        if is_unheld(character, rules) || (character == ' ' && rules.refuses_outer_blanks && is_outer) {
            match lookalike(character) {
                Some(other) if !is_level(other, rules) => spelled.push(other),
                // Writing into a string does not fail.
                _ => _ = write!(spelled, "{MARK}{CODE}{:x}{MARK}", u32::from(character)),
            }
        } else {
            if character == MARK || stands_for_another(character, rules) {
                spelled.push(MARK);
            }
            spelled.push(character);
        }
        before = Some(character);
    }
    match (spelled.is_empty(), rules.levels) {
        (false, _) => spelled,
        // Another level may follow, and the mark would apply to it.
        (true, Levels::Flat) => format!("{MARK}{CODE}{MARK}"),
        (true, _) => MARK.to_string(),
    }
}

fn is_unheld(character: char, rules: &NameRules) -> bool {
    rules.levels == Levels::Separated(character)
        || rules.forbidden.contains(&character)
        || character.is_control()
}

fn is_level(character: char, rules: &NameRules) -> bool {
    character == LEVEL && rules.levels == Levels::Flat
}

/// True if the character is written for another one on this target.
fn stands_for_another(character: char, rules: &NameRules) -> bool {
    is_level(character, rules)
        || original(character)
            .is_some_and(|it| is_unheld(it, rules) || (it == ' ' && rules.refuses_outer_blanks))
}

/// Returns the similar character; `None` if there is none.
fn lookalike(character: char) -> Option<char> {
    if let Some((_, other)) = LOOKS_LIKE.iter().find(|(it, _)| *it == character) {
        return Some(*other);
    }
    let code = u32::from(character);
    char::from_u32(match code {
        0x00..=0x1F => 0x2400 + code,
        0x21..=0x7E => 0xFEE0 + code,
        0x7F => 0x2421,
        _ => return None,
    })
}

/// The inverse of [`lookalike`].
fn original(character: char) -> Option<char> {
    let code = u32::from(character);
    let known = LOOKS_LIKE.iter().find(|(_, other)| *other == character).map(|(it, _)| *it);
    let candidate = known.or_else(|| {
        char::from_u32(match code {
            0x2400..=0x241F => code - 0x2400,
            0x2421 => 0x7F,
            0xFF01..=0xFF5E => code - 0xFEE0,
            _ => return None,
        })
    });
    candidate.filter(|it| lookalike(*it) == Some(character))
}

/// Returns the beginning of a name, and a digest of the whole. Shorter than a digest if there is no space for one.
fn cut(name: &str, whole: &[u8], longest: usize) -> String {
    let digest = Digest::of(whole).to_string();
    let digest = &digest[..DIGITS.min(longest)];
    let Some(room) = longest.checked_sub(DIGITS + 1) else { return digest.to_owned() };
    let beginning: String = name.chars().take(room).collect();
    format!("{beginning}{CUT}{digest}")
}

/// Moves the folder to the nearest parent with enough space for its name.
fn shorter(mut levels: Vec<String>, whole: &str, longest: usize, of_segment: usize) -> Vec<String> {
    let name = levels.pop().unwrap_or_default();
    let wanted = DIGITS + 2;
    while !levels.is_empty() && length(&levels) + 1 + wanted > longest {
        levels.pop();
    }
    let room = if levels.is_empty() { longest } else { longest - length(&levels) - 1 };
    levels.push(cut(&name, whole.as_bytes(), room.min(of_segment)));
    levels
}

/// The inverse of the lossless spelling.
#[cfg(test)]
pub(super) fn read_back(path: &FolderPath, rules: &NameRules) -> FolderPath {
    if path.is_inbox() || rules.levels == Levels::Free {
        return path.clone();
    }
    let mut segments = Vec::new();
    for level in path.segments().iter().skip(usize::from(!rules.roots.is_empty())) {
        let mut segment = String::new();
        let mut characters = level.chars().peekable();
        while let Some(character) = characters.next() {
            match (character, characters.peek()) {
                (MARK, None) => {}
                (MARK, Some(&CODE)) => {
                    let code: String = characters.by_ref().skip(1).take_while(|it| *it != MARK).collect();
                    segment.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
                }
                (MARK, Some(_)) => segment.extend(characters.next()),
                (it, _) if is_level(it, rules) => segments.push(std::mem::take(&mut segment)),
                (other, _) if stands_for_another(other, rules) => segment.extend(original(other)),
                (other, _) => segment.push(other),
            }
        }
        segments.push(segment);
    }
    FolderPath::new(segments)
}
