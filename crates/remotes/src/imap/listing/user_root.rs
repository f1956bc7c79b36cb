//! Where on a server a `UserRoot` is: the folder that is taken for a user's whole mailbox.
//!
//! Operators write `/users/terry.adams`. What the server calls it depends on its namespaces (RFC 2342), on what separates
//! levels, and on how it writes that separator inside a user's name: Courier says `#shared.users.terry adams`.
//! [`candidates`] decides what it may be called, [`resolve_root`] asks the server.

use std::collections::BTreeSet;

use mailhaul_imap::{
    Error, ErrorKind, ListQuery, MailboxName, Session,
    response::{ListItem, NamespaceEntry, Namespaces},
};

/// What begins the names of other users' folders where the server does not tell.
const CUSTOMARY: [&str; 6] = ["user", "users", "Other Users", "shared", "#shared", "Shared Folders"];
/// So many names are shown of those that the login sees.
const SHOWN: usize = 20;

/// A user root as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedRoot {
    /// The folder, below which are the user's other folders.
    pub name: MailboxName,
    /// The user's INBOX: as a rule the folder itself; `INBOX` below it where that alone can be opened (Dovecot).
    pub inbox: MailboxName,
    /// What separates levels there.
    pub delimiter: Option<char>,
    /// Whether it is among the login's own folders, so that the login's subscriptions are of it too.
    pub is_own: bool,
}

/// A name that the root may have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    name: MailboxName,
    delimiter: Option<char>,
    is_own: bool,
}

/// Where names begin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    prefix: Vec<u8>,
    delimiter: Option<char>,
    is_own: bool,
}

/// The parts of a user root; `None` where nothing is named. A slash in front or at the end means nothing.
pub(crate) fn components(root: &str) -> Option<Vec<&str>> {
    let root = root.trim_matches('/');
    (!root.is_empty()).then(|| root.split('/').collect())
}

/// Asks the server where the folder is that an operator names `root`.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] names what was tried and what the login can see. Everything else is the connection's.
pub async fn resolve_root(session: &mut Session, root: &str) -> Result<ResolvedRoot, Error> {
    let namespaces = session.namespace().await?.filter(tells_something);
    let delimiter = match namespaces {
        Some(_) => None,
        None => delimiter(session).await?,
    };
    resolve(session, namespaces.as_ref(), delimiter, root).await
}

/// Whether NAMESPACE was worth asking: some servers answer three times NIL.
pub(crate) fn tells_something(namespaces: &Namespaces) -> bool {
    let Namespaces { personal, other_users, shared } = namespaces;
    [personal, other_users, shared].iter().any(|it| !it.is_empty())
}

/// What separates levels, where NAMESPACE does not tell (RFC 9051, section 6.3.9.7).
pub(crate) async fn delimiter(session: &mut Session) -> Result<Option<char>, Error> {
    let query = ListQuery { pattern: Vec::new(), ..ListQuery::default() };
    Ok(session.list(&query).await?.first().and_then(|it| it.item.delimiter))
}

/// The same where the namespaces are known, or the delimiter.
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

/// Takes a folder that exists, if it is one user's mailbox.
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
    // Among other users' folders, what holds no messages is the place of many mailboxes, not one of them.
    Ok(is_own.then(|| ResolvedRoot { inbox: name.clone(), name, delimiter, is_own }))
}

fn is_selectable(item: &ListItem) -> bool {
    !item.has("\\Noselect") && !item.has("\\NonExistent")
}

async fn list(session: &mut Session, pattern: &[u8]) -> Result<Vec<ListItem>, Error> {
    let query = ListQuery { pattern: pattern.to_vec(), ..ListQuery::default() };
    Ok(session.list(&query).await?.into_iter().map(|it| it.item).collect())
}

/// Names that the server shows, those of the deepest level first.
#[derive(Default)]
struct ShownNames(Vec<(usize, MailboxName)>);

/// Goes down level by level through what the server shows.
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

/// Where a user's folder may begin: among the login's own folders, then where other users' and shared ones are.
fn bases(namespaces: Option<&Namespaces>, delimiter: Option<char>) -> Vec<Base> {
    let mut bases: Vec<Base> = Vec::new();
    let mut add = |prefix: &[u8], delimiter: Option<char>, is_own: bool| {
        let separator = delimiter.map(String::from).unwrap_or_default();
        // `INBOX` and `Other Users` are what some servers say for `INBOX.` and `Other Users/`; `~` is `~terry`.
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
    // The root namespace may be another's: a Cyrus administrator has none of his own, and sees `user/` and everything.
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

/// The names that the root may have, the likeliest first, each once. A component is never taken apart: what separates
/// levels is written inside it as servers write it there, because `user.terry.adams` is a folder of Terry's.
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
        // The operator may write the namespace too: as a component, or the whole name as the server shows it.
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

/// The components in one name, in each spelling of the separator inside a component.
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

/// How servers write a user's name that holds the separator: Courier with a space, Cyrus with `^`, Dovecot's plugin
/// `listescape` with `\2e`. Never empty.
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
    fn a_root_is_looked_for_among_own_then_other_users_then_shared_folders() {
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
        // Not where it could be a folder of somebody else's.
        assert!(
            !tried(Some(&courier), None, "users/terry.adams").iter().any(|it| it.ends_with("terry.adams"))
        );
    }
}
