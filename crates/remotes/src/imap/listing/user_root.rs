//! Finds a `UserRoot` on a server: the folder that counts as a user's whole mailbox.
//!
//! Operators write `/users/terry.adams`. The name on the server depends on its namespaces (RFC 2342), on
//! its separator, and on the spelling of the separator inside a user's name: Courier has
//! `#shared.users.terry adams`. [`candidates`] lists the possible names, [`resolve_root`] asks the server.

use std::collections::BTreeSet;

use mailhaul_imap::{
    Error, ErrorKind, ListQuery, MailboxName, Session,
    response::{ListItem, NamespaceEntry, Namespaces},
};

/// Usual prefixes of other users' folders, for servers that do not tell them.
const CUSTOMARY: [&str; 6] = ["user", "users", "Other Users", "shared", "#shared", "Shared Folders"];
/// Maximum number of visible names in the error.
const SHOWN: usize = 20;

/// A user root with its names on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedRoot {
    /// The folder above the user's other folders.
    pub name: MailboxName,
    /// The user's INBOX: usually the folder itself; `INBOX` below it if only that can be opened (Dovecot).
    pub inbox: MailboxName,
    /// The separator of levels.
    pub delimiter: Option<char>,
    /// True if it is one of the login's own folders. The login's subscriptions then apply to it.
    pub is_own: bool,
}

/// A possible name of the root.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    name: MailboxName,
    delimiter: Option<char>,
    is_own: bool,
}

/// A possible prefix of names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    prefix: Vec<u8>,
    delimiter: Option<char>,
    is_own: bool,
}

/// The parts of a user root; `None` if it is empty. Slashes at its ends are ignored.
pub(crate) fn components(root: &str) -> Option<Vec<&str>> {
    let root = root.trim_matches('/');
    (!root.is_empty()).then(|| root.split('/').collect())
}

/// Finds the folder that the operator calls `root`.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] names the attempts and the folders that the login sees. All other errors are the
/// connection's.
pub async fn resolve_root(session: &mut Session, root: &str) -> Result<ResolvedRoot, Error> {
    let namespaces = session.namespace().await?.filter(tells_something);
    let delimiter = match namespaces {
        Some(_) => None,
        None => delimiter(session).await?,
    };
    resolve(session, namespaces.as_ref(), delimiter, root).await
}

/// True if NAMESPACE has an entry. Some servers answer NIL three times.
pub(crate) fn tells_something(namespaces: &Namespaces) -> bool {
    let Namespaces { personal, other_users, shared } = namespaces;
    [personal, other_users, shared].iter().any(|it| !it.is_empty())
}

/// The separator, for servers without NAMESPACE (RFC 9051, section 6.3.9.7).
pub(crate) async fn delimiter(session: &mut Session) -> Result<Option<char>, Error> {
    let query = ListQuery { pattern: Vec::new(), ..ListQuery::default() };
    Ok(session.list(&query).await?.first().and_then(|it| it.item.delimiter))
}

/// The same with known namespaces, or a known separator.
pub(crate) async fn resolve(
    session: &mut Session,
    namespaces: Option<&Namespaces>,
    delimiter: Option<char>,
    root: &str,
) -> Result<ResolvedRoot, Error> {
    let Some(parts) = components(root) else {
        return Err(Error::endpoint(ErrorKind::NotFound, "the UserRoot names no folder"));
    };
    let bases = bases(namespaces, delimiter);
    let mut tried = BTreeSet::new();
    for candidate in candidates(&bases, root) {
        let listed = list(session, candidate.name.as_wire()).await?;
        if let Some(item) = listed.into_iter().find(|it| it.name == candidate.name)
            && let Some(found) = accept(session, item, &candidate).await?
        {
            return Ok(found);
        }
        tried.insert(candidate.name);
    }
    let mut seen = ShownNames::default();
    for base in &bases {
        if let Some(candidate) = walk(session, base, &parts, &mut seen).await?
            && !tried.contains(&candidate.1.name)
            && let Some(found) = accept(session, candidate.0, &candidate.1).await?
        {
            return Ok(found);
        }
    }
    Err(Error::endpoint(ErrorKind::NotFound, not_found(&parts.join("/"), &tried, &seen)))
}

/// Takes an existing folder, if it is one user's mailbox.
async fn accept(
    session: &mut Session,
    item: ListItem,
    candidate: &Candidate,
) -> Result<Option<ResolvedRoot>, Error> {
    if item.has("\\NonExistent") && !item.has("\\HasChildren") {
        return Ok(None);
    }
    let delimiter = item.delimiter.or(candidate.delimiter);
    let is_own = candidate.is_own;
    let name = item.name.clone();
    if is_selectable(&item) {
        return Ok(Some(ResolvedRoot { inbox: name.clone(), name, delimiter, is_own }));
    }
    if let Some(delimiter) = delimiter {
        let inbox =
            MailboxName::from_wire([name.as_wire(), delimiter.to_string().as_bytes(), b"INBOX"].concat());
        let listed = list(session, inbox.as_wire()).await?;
        if listed.iter().any(|it| it.name == inbox && is_selectable(it)) {
            return Ok(Some(ResolvedRoot { inbox, name, delimiter: Some(delimiter), is_own }));
        }
    }
    // Among other users' folders, a folder without messages is the parent of many mailboxes, and not a
    // mailbox.
    Ok(is_own.then(|| ResolvedRoot { inbox: name.clone(), name, delimiter, is_own }))
}

fn is_selectable(item: &ListItem) -> bool {
    !item.has("\\Noselect") && !item.has("\\NonExistent")
}

async fn list(session: &mut Session, pattern: &[u8]) -> Result<Vec<ListItem>, Error> {
    let query = ListQuery { pattern: pattern.to_vec(), ..ListQuery::default() };
    Ok(session.list(&query).await?.into_iter().map(|it| it.item).collect())
}

/// Names that the server shows, with their levels.
#[derive(Default)]
struct ShownNames(Vec<(usize, MailboxName)>);

/// Searches level by level through the names that the server shows.
async fn walk(
    session: &mut Session,
    base: &Base,
    parts: &[&str],
    seen: &mut ShownNames,
) -> Result<Option<(ListItem, Candidate)>, Error> {
    let mut prefix = base.prefix.clone();
    for (level, part) in parts.iter().enumerate() {
        let listed = list(session, &[prefix.as_slice(), b"%"].concat()).await?;
        let is_wanted = |it: &ListItem| {
            let delimiter = it.delimiter.or(base.delimiter);
            let shown = it.name.as_wire().strip_prefix(prefix.as_slice());
            shown.is_some_and(|shown| {
                let shown = MailboxName::level_to_text(shown);
                spellings(part, delimiter).contains(&shown)
            })
        };
        let found = listed.iter().find(|it| is_wanted(it)).cloned();
        seen.0.extend(listed.into_iter().map(|it| (level, it.name)));
        let Some(found) = found else { return Ok(None) };
        let delimiter = found.delimiter.or(base.delimiter);
        if level + 1 == parts.len() {
            let candidate = Candidate { name: found.name.clone(), delimiter, is_own: base.is_own };
            return Ok(Some((found, candidate)));
        }
        let Some(delimiter) = delimiter else { return Ok(None) };
        prefix = [found.name.as_wire(), delimiter.to_string().as_bytes()].concat();
    }
    Ok(None)
}

fn not_found(root: &str, tried: &BTreeSet<MailboxName>, seen: &ShownNames) -> String {
    let quoted = |name: &MailboxName| format!("\"{name}\"");
    let tried: Vec<String> = tried.iter().map(quoted).collect();
    let mut levels = seen.0.clone();
    levels.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut known = BTreeSet::new();
    levels.retain(|(_, name)| known.insert(name.clone()));
    let shown: Vec<String> = levels.iter().take(SHOWN).map(|(_, name)| quoted(name)).collect();
    let seen = match (shown.len(), levels.len()) {
        (0, _) => "the login sees no folder".to_owned(),
        (few, all) if few < all => format!("the login sees {} and {} more", shown.join(", "), all - few),
        _ => format!("the login sees {}", shown.join(", ")),
    };
    format!("there is no folder \"{root}\" (UserRoot); tried {}; {seen}", tried.join(", "))
}

/// Possible prefixes of a user's folder: the login's own folders first, then other users' and shared ones.
fn bases(namespaces: Option<&Namespaces>, delimiter: Option<char>) -> Vec<Base> {
    let mut bases: Vec<Base> = Vec::new();
    let mut add = |prefix: &[u8], delimiter: Option<char>, is_own: bool| {
        let separator = delimiter.map(String::from).unwrap_or_default();
        // Some servers send `INBOX` and `Other Users` for `INBOX.` and `Other Users/`. `~` means `~terry`.
        let is_word = prefix.last().is_some_and(u8::is_ascii_alphanumeric);
        let separated = is_word.then(|| [prefix, separator.as_bytes()].concat());
        let symbol = (!is_word).then(|| prefix.to_vec());
        for prefix in separated.into_iter().chain(symbol) {
            if !bases.iter().any(|it| it.prefix == prefix) {
                bases.push(Base { prefix, delimiter, is_own });
            }
        }
    };
    let own = namespaces.map(|it| it.personal.as_slice()).unwrap_or_default();
    let others: Vec<&NamespaceEntry> =
        namespaces.map(|it| it.other_users.iter().chain(&it.shared).collect()).unwrap_or_default();
    let first = own.first().and_then(|it| it.delimiter).or(delimiter);
    // The empty prefix may be another user's: a Cyrus administrator has no own folders, and sees `user/`
    // and everything.
    let root_is_others = others.iter().any(|it| it.prefix.as_wire().is_empty());
    let any = first.or_else(|| others.iter().find_map(|it| it.delimiter));
    add(b"", any, !root_is_others);
    for entry in own {
        add(entry.prefix.as_wire(), entry.delimiter.or(delimiter), true);
    }
    for entry in others {
        add(entry.prefix.as_wire(), entry.delimiter.or(delimiter), false);
    }
    if namespaces.is_none() && delimiter.is_some() {
        for prefix in CUSTOMARY {
            add(prefix.as_bytes(), delimiter, false);
        }
    }
    bases
}

/// Possible names of the root, the likeliest first, each once.
///
/// A component is never split: `user.terry.adams` is a folder of Terry's. A separator in a component is
/// written as servers write it there.
fn candidates(bases: &[Base], root: &str) -> Vec<Candidate> {
    let Some(parts) = components(root) else { return Vec::new() };
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |name: Vec<u8>, base: &Base, is_own: bool| {
        let name = MailboxName::from_wire(name);
        if !found.iter().any(|it| it.name == name) {
            found.push(Candidate { name, delimiter: base.delimiter, is_own });
        }
    };
    let is_others = |name: &[u8]| {
        bases.iter().any(|it| !it.is_own && !it.prefix.is_empty() && name.starts_with(&it.prefix))
    };
    for base in bases {
        for rest in joined(&parts, base.delimiter) {
            let name = [base.prefix.as_slice(), &rest].concat();
            let is_own = base.is_own && !is_others(&name);
            add(name, base, is_own);
        }
        // The operator may also write the namespace: as a component, or in the whole name as the server
        // shows it.
        let separator = base.delimiter.map(String::from).unwrap_or_default();
        let begin = base.prefix.strip_suffix(separator.as_bytes()).unwrap_or(&base.prefix);
        if !begin.is_empty() {
            if parts.len() > 1 && MailboxName::level_to_wire(parts[0]) == begin {
                for rest in joined(&parts[1..], base.delimiter) {
                    add([base.prefix.as_slice(), &rest].concat(), base, base.is_own);
                }
            }
            let whole = MailboxName::level_to_wire(root.trim_matches('/'));
            if whole.starts_with(&base.prefix) {
                add(whole, base, base.is_own);
            }
        }
    }
    found
}

/// The components as one name, in each spelling of a separator inside a component.
fn joined(parts: &[&str], delimiter: Option<char>) -> Vec<Vec<u8>> {
    let Some(delimiter) = delimiter else {
        return match parts {
            [only] => vec![MailboxName::level_to_wire(only)],
            _ => Vec::new(),
        };
    };
    let ways = parts.iter().map(|it| spellings(it, Some(delimiter)).len()).max().unwrap_or(1);
    let join = |way: usize| {
        let levels: Vec<Vec<u8>> = parts
            .iter()
            .map(|part| {
                let spelled = spellings(part, Some(delimiter));
                MailboxName::level_to_wire(spelled.get(way).unwrap_or(&spelled[0]))
            })
            .collect();
        levels.join(delimiter.to_string().as_bytes())
    };
    (0..ways).map(join).collect()
}

/// Spellings of a user's name that contains the separator: Courier with a space, Cyrus with `^`, Dovecot's
/// plugin `listescape` with `\2e`. Never empty.
fn spellings(part: &str, delimiter: Option<char>) -> Vec<String> {
    match delimiter {
        Some(delimiter) if part.contains(delimiter) => {
            let code = format!("\\{:02x}", u32::from(delimiter));
            [" ", "^", &code].iter().map(|it| part.replace(delimiter, it)).collect()
        }
        _ => vec![part.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(personal)(other users)(shared)`, each `prefix delimiter`.
    fn namespaces(personal: &[&str], others: &[&str], shared: &[&str], delimiter: char) -> Namespaces {
        let entries = |prefixes: &[&str]| {
            let entry = |it: &&str| NamespaceEntry {
                prefix: MailboxName::from_wire(*it),
                delimiter: Some(delimiter),
            };
            prefixes.iter().map(entry).collect()
        };
        Namespaces { personal: entries(personal), other_users: entries(others), shared: entries(shared) }
    }

    fn tried(namespaces: Option<&Namespaces>, delimiter: Option<char>, root: &str) -> Vec<String> {
        candidates(&bases(namespaces, delimiter), root)
            .iter()
            .map(|it| format!("{}{}", if it.is_own { "" } else { "~ " }, it.name))
            .collect()
    }

    #[test]
    fn a_root_is_searched_in_own_then_others_then_shared_folders() {
        let dovecot = namespaces(&["", "virtual/"], &["shared/"], &[], '/');
        let courier = namespaces(&["INBOX."], &[], &["#shared.", "shared."], '.');
        let cyrus = namespaces(&[], &["user/"], &[""], '/');
        let dotted = namespaces(&[], &["user."], &[""], '.');
        let bare = namespaces(&["INBOX"], &["~"], &[], '/');
        let table: [(&Namespaces, &str, &[&str]); 8] = [
            (
                &courier,
                "/users/terry.adams",
                &[
                    "users.terry adams",
                    "users.terry^adams",
                    "users.terry\\2eadams",
                    "INBOX.users.terry adams",
                    "INBOX.users.terry^adams",
                    "INBOX.users.terry\\2eadams",
                    "~ #shared.users.terry adams",
                    "~ #shared.users.terry^adams",
                    "~ #shared.users.terry\\2eadams",
                    "~ shared.users.terry adams",
                    "~ shared.users.terry^adams",
                    "~ shared.users.terry\\2eadams",
                ],
            ),
            (
                &courier,
                "#shared/users/big",
                &[
                    "~ #shared.users.big",
                    "INBOX.#shared.users.big",
                    "~ #shared.#shared.users.big",
                    "~ shared.#shared.users.big",
                ],
            ),
            (&dovecot, "/terry.adams/", &["terry.adams", "virtual/terry.adams", "~ shared/terry.adams"]),
            (&dovecot, "shared/terry", &["~ shared/terry", "virtual/shared/terry", "~ shared/shared/terry"]),
            (&cyrus, "/terry.adams", &["~ terry.adams", "~ user/terry.adams"]),
            (&cyrus, "user/terry.adams", &["~ user/terry.adams", "~ user/user/terry.adams"]),
            (&dotted, "terry", &["~ terry", "~ user.terry"]),
            (&bare, "Gelöscht", &["Gelöscht", "INBOX/Gelöscht", "~ ~Gelöscht"]),
        ];
        for (namespaces, root, expected) in table {
            assert_eq!(tried(Some(namespaces), None, root), expected, "{root}");
        }
        let customary = [
            "terry",
            "~ user/terry",
            "~ users/terry",
            "~ Other Users/terry",
            "~ shared/terry",
            "~ #shared/terry",
            "~ Shared Folders/terry",
        ];
        assert_eq!(tried(None, Some('/'), "terry"), customary);
        assert_eq!(tried(None, None, "a/b"), [""; 0]);
    }

    #[test]
    fn a_name_as_the_server_shows_it_is_taken_as_it_is() {
        let courier = namespaces(&["INBOX."], &[], &["#shared."], '.');
        assert!(
            tried(Some(&courier), None, "#shared.users.terry adams")
                .contains(&"~ #shared.users.terry adams".to_owned())
        );
        // The parent may be a folder of another user.
        assert!(
            !tried(Some(&courier), None, "users/terry.adams").iter().any(|it| it.ends_with("terry.adams"))
        );
    }
}
