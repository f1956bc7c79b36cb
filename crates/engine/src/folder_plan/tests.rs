#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_mail::{FolderPath, SpecialUse, UidValidity, ignoring_case, normalized};
use proptest::{collection, prelude::*, sample};

use super::{
    spelling::{called, read_back, spelled},
    *,
};
use crate::{
    folder::LeaveOut,
    name_rules::{Levels, SameName},
};

fn folder(path: &str, special_use: Option<SpecialUse>) -> Folder {
    Folder {
        path: FolderPath::parse(path),
        special_use,
        selectable: true,
        subscribed: true,
        status: None,
        leave_out: None,
    }
}

fn plain(paths: &[&str]) -> Vec<Folder> {
    paths.iter().map(|it| folder(it, None)).collect()
}

fn record(source: &str, target: &str) -> FolderRecord {
    FolderRecord {
        folder: FolderPath::parse(source),
        target: FolderPath::parse(target),
        uid_validity: UidValidity::new(1).unwrap(),
        target_validity: None,
        append_start: None,
        cursor: None,
        rules: String::new(),
        target_next: None,
        waiting: None,
    }
}

/// `source -> target: reason`, a line each.
fn told(plans: &[FolderPlan]) -> Vec<String> {
    let line = |it: &FolderPlan| {
        let target = it.target.as_ref().map_or("-".to_owned(), ToString::to_string);
        format!("{} -> {target}: {}", it.source, it.reason)
    };
    plans.iter().map(line).collect()
}

fn names() -> NameRules {
    NameRules::separated(Some('/'))
}

fn mapped(map: &[(&str, &str)]) -> FolderRules {
    let map = map.iter().map(|(source, target)| FolderMapping::parse(source, target).unwrap()).collect();
    FolderRules { map, ..FolderRules::default() }
}

#[test]
fn a_special_use_decides_before_the_name_with_all_below() {
    let source = [
        folder("INBOX", None),
        folder("Sent Items", Some(SpecialUse::Sent)),
        folder("Sent Items/2020", None),
        folder("Entwürfe", None),
        folder("Papierkorb", None),
        folder("Junk", Some(SpecialUse::Junk)),
        folder("Archive", None),
        folder("Archives", None),
        folder("Old/Sent", None),
    ];
    let target = [
        folder("Gesendet", Some(SpecialUse::Sent)),
        folder("Drafts", Some(SpecialUse::Drafts)),
        folder("Corbeille", None),
        folder("Spam", None),
        folder("Archiv", Some(SpecialUse::Archive)),
    ];
    let plans = plan_folders(&source, &target, &names(), &FolderRules::default(), &[]);
    let expected = [
        "INBOX -> INBOX: same name",
        "Archive -> Archive: same name",
        "Archives -> Archives: same name",
        "Entwürfe -> Drafts: its name means \\Drafts, and the target says so of this folder",
        "Junk -> Spam: the source says \\Junk, and the name of the target's folder means it",
        "Old/Sent -> Old/Sent: same name",
        "Papierkorb -> Corbeille: both names mean \\Trash",
        "Sent Items -> Gesendet: both servers say \\Sent",
        "Sent Items/2020 -> Gesendet/2020: below \"Sent Items\"",
    ];
    assert_eq!(told(&plans), expected);
}

#[test]
fn two_folders_never_share_a_target_by_their_use() {
    let source = [
        folder("Sent", None),
        folder("Sent Items", Some(SpecialUse::Sent)),
        folder("Sent Messages", Some(SpecialUse::Sent)),
        folder("Mülleimer", None),
        folder("Trash", None),
    ];
    let target = [folder("Sent", Some(SpecialUse::Sent)), folder("Mülleimer", Some(SpecialUse::Trash))];
    let plans = plan_folders(&source, &target, &names(), &FolderRules::default(), &[]);
    let expected = [
        "Mülleimer -> Mülleimer: same name",
        "Sent -> Sent (2): the place \"Sent\" is taken by \"Sent Items\"",
        "Sent Items -> Sent: both servers say \\Sent",
        "Sent Messages -> Sent Messages: same name",
        "Trash -> Trash: same name",
    ];
    assert_eq!(told(&plans), expected);
    // If an earlier pass merged two folders, both stay merged.
    let known = [record("Sent", "Sent"), record("Sent Items", "Sent")];
    let plans = plan_folders(&source[..2], &target, &names(), &FolderRules::default(), &known);
    assert_eq!(
        told(&plans),
        ["Sent -> Sent: as in the last pass", "Sent Items -> Sent: as in the last pass"]
    );
}

#[test]
fn the_last_pass_holds_then_the_map() {
    let source = plain(&["A", "B", "C", "C/c", "D", "X", "a.b", "a.b/new", "gone"]);
    let rules = mapped(&[("A", "Z"), ("B", "Y"), ("C/*", "X"), ("D", "Y"), ("gone", "-")]);
    let known = [record("A", "A"), record("a.b", "a_b")];
    let plans = plan_folders(&source, &[], &NameRules::separated(Some('.')), &rules, &known);
    let expected = [
        "A -> A: as in the last pass; the operator's map says \"Z\", which comes too late: its mail is there",
        "B -> Y: mapped by the operator",
        "C -> X: mapped by the operator",
        "C/c -> X/c: mapped by the operator",
        "D -> Y: mapped by the operator",
        "X -> X (2): the place \"X\" is taken by \"C\"",
        "a.b -> a_b: as in the last pass",
        "a.b/new -> a_b/new: below \"a.b\"",
        "gone -> -: left out by the operator's map",
    ];
    assert_eq!(told(&plans), expected);
    // A name that was copied from a plan means exactly that name.
    let plans = plan_folders(
        &plain(&["a.b", "v1.2"]),
        &[],
        &NameRules::separated(Some('.')),
        &mapped(&[("a.b", "a․b"), ("v1.2", "v1.2")]),
        &[],
    );
    let expected = [
        "a.b -> a․b: mapped by the operator",
        "v1.2 -> v1․2: mapped by the operator; the target's names cannot hold \".\"",
    ];
    assert_eq!(told(&plans), expected);
}

#[test]
fn the_operator_leaves_out_and_includes() {
    let sent = folder("Sent Items", Some(SpecialUse::Sent));
    let source =
        [sent, folder("Old", None), folder("Old/2020", None), folder("Older", None), folder("Kosz", None)];
    let pattern = |text| FolderPattern::parse(text).unwrap();
    let rules = FolderRules {
        exclude: vec![pattern("#Sent#"), pattern("Old/*"), pattern("#DeletedItems#")],
        ..FolderRules::default()
    };
    let carried = |rules: &FolderRules, source: &[Folder]| {
        let plans = plan_folders(source, &[], &names(), rules, &[]);
        plans.into_iter().filter_map(|it| it.target).map(|it| it.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(carried(&rules, &source), ["Older"]);
    let only = FolderRules { include: vec![pattern("#INBOX#")], ..FolderRules::default() };
    assert_eq!(carried(&only, &[folder("inbox", None), folder("x", None)]), ["INBOX"]);
    assert!(FolderPattern::parse("#Inbx#").unwrap_err().contains("#inbox#"));
}

#[test]
fn views_go_into_the_archive_unless_the_operator_names_them() {
    const REASON: &str = "a view; only messages that are in no other folder are copied";
    let all = folder("All Mail", Some(SpecialUse::All));
    let starred = folder("Starred", Some(SpecialUse::Flagged));
    let plan = |target: &[Folder], rules: &FolderRules, known: &[FolderRecord]| {
        let source =
            [all.clone(), starred.clone(), folder("INBOX", None), folder("Old", Some(SpecialUse::Archive))];
        let mut told = told(&plan_folders(&source, target, &names(), rules, known));
        told.retain(|it| it.starts_with("All Mail") || it.starts_with("Starred"));
        told
    };
    let none = FolderRules::default();
    let [all_mail, stars] = [format!("\\All: {REASON}"), format!("\\Flagged: {REASON}")];
    assert_eq!(
        plan(&[], &none, &[]),
        [format!("All Mail -> Old: {all_mail}"), format!("Starred -> Starred: {stars}")]
    );
    let target = [folder("Archiv", Some(SpecialUse::Archive)), starred.clone()];
    assert_eq!(
        plan(&target, &none, &[]),
        [format!("All Mail -> Archiv: {all_mail}"), format!("Starred -> Archiv: {stars}")]
    );
    let alone = told(&plan_folders(std::slice::from_ref(&all), &[], &names(), &none, &[]));
    assert_eq!(alone, [format!("All Mail -> Archive: {all_mail}")]);
    let wanted = mapped(&[("All Mail", "Everything"), ("*", "Old/*")]);
    assert_eq!(
        plan(&target, &wanted, &[]),
        ["All Mail -> Everything: mapped by the operator".to_owned(), format!("Starred -> Old/Old: {stars}")]
    );
    // A view that an earlier pass copied whole stays so; of another, the rest stays in its target folder.
    let known = |rules: &str| FolderRecord { rules: rules.to_owned(), ..record("All Mail", "All") };
    assert_eq!(plan(&[], &none, &[known("x")])[0], "All Mail -> All: as in the last pass");
    for rules in ["", "x; only what is in no other folder"] {
        assert_eq!(plan(&[], &none, &[known(rules)])[0], format!("All Mail -> All: {all_mail}"));
    }
}

#[test]
fn folders_without_mail_of_the_user_are_left_out() {
    let hidden = Folder {
        leave_out: Some(LeaveOut::Always("another namespace".into())),
        ..folder("virtual/All", None)
    };
    let parent = Folder { selectable: false, ..folder("virtual", None) };
    assert_eq!(
        told(&plan_folders(&[hidden, parent], &[], &names(), &FolderRules::default(), &[])),
        ["virtual -> -: holds no messages", "virtual/All -> -: another namespace"]
    );
}

#[test]
fn a_folder_not_for_mail_is_copied_if_the_operator_names_it() {
    let files =
        Folder { leave_out: Some(LeaveOut::UnlessWanted("not for mail".into())), ..folder("Files", None) };
    let plan = |rules: &FolderRules, known: &[FolderRecord]| {
        told(&plan_folders(&[folder("INBOX", None), files.clone()], &[], &names(), rules, known))[1].clone()
    };
    let none = FolderRules::default();
    assert_eq!(plan(&none, &[]), "Files -> -: not for mail");
    assert_eq!(plan(&mapped(&[("Files", "From Files")]), &[]), "Files -> From Files: mapped by the operator");
    let included = FolderRules { include: vec![FolderPattern::parse("Files").unwrap()], ..none.clone() };
    assert_eq!(plan(&included, &[]), "Files -> Files: same name");
    assert_eq!(plan(&none, &[record("Files", "Files")]), "Files -> Files: as in the last pass");
}

#[test]
fn names_that_the_target_cannot_hold_are_respelled_and_reported() {
    let one = |path: &FolderPath, rules: &NameRules| {
        let source = [Folder { path: path.clone(), ..folder("x", None) }];
        told(&plan_folders(&source, &[], rules, &FolderRules::default(), &[])).remove(0)
    };
    let parsed = |path: &str, rules: &NameRules| one(&FolderPath::parse(path), rules);
    let dot = NameRules::separated(Some('.'));
    let gmail = NameRules {
        forbidden: vec!['^', '"', '\\'],
        refuses_outer_blanks: true,
        reserved: vec!["Chats".into()],
        ..names()
    };
    let domino = NameRules { refuses_below_inbox: true, ..NameRules::separated(Some('\\')) };
    let flat = NameRules::separated(None);
    let table = [
        (parsed("a.b/c", &dot), "a.b/c -> a․b/c: the target's names cannot hold \".\""),
        (parsed("a․b", &dot), "a․b -> a‛․b: it could be mistaken for another name"),
        (parsed("a\\/b", &dot), "a\\/b -> a\\/b: same name"),
        (parsed("a\\/b", &names()), "a\\/b -> a∕b: the target's names cannot hold \"/\""),
        (parsed("a//b", &dot), "a//b -> a/‛/b: the target's names cannot be empty"),
        (
            parsed("a^b/ c  d ", &gmail),
            "a^b/ c  d  -> a˄b/␣c ␣d␣: the target's names cannot hold \"^\"; the target's names cannot hold blanks at \
             their ends, or two in a row",
        ),
        (parsed("chats/x", &gmail), "chats/x -> chats‛/x: the target keeps the name \"chats\" for itself"),
        (parsed("INBOX/x", &domino), "INBOX/x -> x: the target has no folders below INBOX"),
        (
            parsed("INBOX/INBOX", &domino),
            "INBOX/INBOX -> INBOX‛: the target has no folders below INBOX; the target keeps the name \"INBOX\" for itself",
        ),
        (
            parsed("a/b∕/c\\/d", &flat),
            "a/b∕/c\\/d -> a∕b‛∕∕c\\/d: it could be mistaken for another name; the target has one level of folders only",
        ),
        (parsed("a\u{7}b", &dot), "a\u{7}b -> a␇b: the target's names cannot hold \"\\u{7}\""),
        (parsed("%*", &dot), "%* -> %*: same name"),
        (one(&FolderPath::new(["", "x.y"]), &NameRules::default()), "/x.y -> /x.y: same name"),
    ];
    for (told, expected) in table {
        assert_eq!(told, expected);
    }
    let short = NameRules { longest_segment: Some(40), longest_path: Some(60), ..names() };
    let long = parsed(&format!("{}/y", "ü".repeat(60)), &short);
    assert!(long.contains(&format!("/y -> {}…", "ü".repeat(27))), "{long}");
    assert!(long.ends_with("the target's names have at most 40 characters"), "{long}");
}

#[test]
fn new_folders_go_below_the_root_where_the_target_has_one() {
    const WHY: &str = "the target has new folders only below \"Folders\"";
    let rules = NameRules { roots: vec!["Folders".into(), "Labels".into()], ..names() };
    let target = [
        folder("Sent", Some(SpecialUse::Sent)),
        folder("Archive", Some(SpecialUse::Archive)),
        Folder { selectable: false, ..folder("Folders", None) },
    ];
    let source = [
        folder("INBOX", None),
        folder("INBOX/x", None),
        folder("Gesendet", Some(SpecialUse::Sent)),
        folder("Gesendet/2020", None),
        folder("Kunden", None),
        folder("Folders/Kunden", None),
        folder("Old", None),
        folder("Star", None),
        folder("Lists", None),
    ];
    let map = mapped(&[("Old", "Archive"), ("Star", "Labels/star"), ("Lists", "Groups")]);
    assert_eq!(
        told(&plan_folders(&source, &target, &rules, &map, &[])),
        [
            "INBOX -> INBOX: same name".to_owned(),
            format!("Folders/Kunden -> Folders/Folders/Kunden: {WHY}"),
            "Gesendet -> Sent: both servers say \\Sent".to_owned(),
            format!("Gesendet/2020 -> Folders/Sent/2020: below \"Gesendet\"; {WHY}"),
            format!("INBOX/x -> Folders/INBOX/x: {WHY}"),
            format!("Kunden -> Folders/Kunden: {WHY}"),
            format!("Lists -> Folders/Groups: mapped by the operator; {WHY}"),
            "Old -> Archive: mapped by the operator".to_owned(),
            "Star -> Labels/star: mapped by the operator".to_owned(),
        ]
    );
    // The prefix by hand is the same.
    let by_hand = told(&plan_folders(&source[4..5], &target, &rules, &mapped(&[("*", "Folders/*")]), &[]));
    assert_eq!(by_hand, ["Kunden -> Folders/Kunden: mapped by the operator"]);
    let others = other_names(&FolderPath::parse("Folders/a.b/c"), &rules);
    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
    assert_eq!(others, ["Folders/a․b/c", "Folders/a․b∕c", "Folders/a․b‛/c"]);
}

#[test]
fn names_that_are_equal_on_the_target_stay_two() {
    let source = plain(&["Trash", "trash", "trash (2)", "trash/x", "E\u{301}t", "Ét", "sent"]);
    let target = plain(&["SENT"]);
    let same = |same| NameRules { same, ..names() };
    let plan = |rules: &NameRules| told(&plan_folders(&source, &target, rules, &FolderRules::default(), &[]));
    assert_eq!(
        plan(&same(SameName::IgnoringCase)),
        [
            "E\u{301}t -> E\u{301}t: same name",
            "Trash -> Trash: same name",
            "sent -> SENT: both names mean \\Sent",
            "trash -> trash (3): the place \"trash\" is taken by \"Trash\"",
            "trash/x -> trash (3)/x: below \"trash\"",
            "trash (2) -> trash (2): same name",
            "Ét -> Ét (2): the place \"Ét\" is taken by \"E\u{301}t\"",
        ]
    );
    assert!(plan(&same(SameName::Normalized)).contains(&"trash -> trash: same name".to_owned()));
    assert!(plan(&same(SameName::Exact)).contains(&"Ét -> Ét: same name".to_owned()));
}

/// Delimiters of servers; `None` for a flat hierarchy.
const DELIMITERS: [Option<char>; 5] = [None, Some('/'), Some('.'), Some('\\'), Some('^')];

/// Levels of names with difficult characters.
fn level() -> impl Strategy<Value = String> {
    let hard = sample::select(vec![
        "a",
        "b",
        "A",
        ".",
        "/",
        "\\",
        "^",
        "․",
        "∕",
        "⧵",
        "˄",
        "‛",
        "“",
        "␣",
        " ",
        "  ",
        "%",
        "*",
        "\"",
        "&",
        "-",
        "~",
        "+",
        "…",
        "(2)",
        " (2)",
        "\u{7}",
        "\u{7f}",
        "␇",
        "\u{85}",
        "ü",
        "u\u{308}",
        "ß",
        "SS",
        "語",
        "INBOX",
        "inbox",
        "Files",
        "files",
        "Sent",
        "Trash",
        "Papierkorb",
    ]);
    prop_oneof![
        6 => collection::vec(hard, 0..4).prop_map(|it| it.concat()),
        1 => ".{0,6}",
        1 => "[a-b]{70,90}",
    ]
}

fn path() -> impl Strategy<Value = FolderPath> {
    collection::vec(level(), 1..4).prop_map(FolderPath::new)
}

/// Returns the name on a server with this delimiter.
fn of_server(path: &FolderPath, delimiter: Option<char>) -> FolderPath {
    match delimiter {
        Some(delimiter) => FolderPath::new(path.segments().iter().map(|it| it.replace(delimiter, "-"))),
        None => FolderPath::new([path.segments().concat()]),
    }
}

fn rules() -> impl Strategy<Value = NameRules> {
    let same = sample::select(vec![SameName::Exact, SameName::Normalized, SameName::IgnoringCase]);
    let forbidden = sample::subsequence(vec!['"', '%', '*', '^', '\\', '&', '/', '.'], 0..4);
    let longest = (prop::option::of(40usize..80), prop::option::of(60usize..120));
    (sample::select(DELIMITERS.to_vec()), same, forbidden, any::<[bool; 4]>(), longest).prop_map(
        |(delimiter, same, forbidden, [reserves, blanks, below_inbox, has_root], (segment, path))| {
            NameRules {
                same,
                forbidden,
                reserved: if reserves { vec!["Files".to_owned()] } else { Vec::new() },
                refuses_outer_blanks: blanks,
                refuses_below_inbox: below_inbox,
                roots: if has_root && delimiter.is_some() { vec!["Root".to_owned()] } else { Vec::new() },
                longest_segment: segment,
                longest_path: path,
                ..NameRules::separated(delimiter)
            }
        },
    )
}

fn key(path: &FolderPath, same: SameName) -> Vec<String> {
    let level = |it: &String| match same {
        SameName::Exact => it.clone(),
        SameName::Normalized => normalized(it),
        SameName::IgnoringCase => ignoring_case(it),
    };
    path.segments().iter().map(level).collect()
}

fn is_legal(path: &FolderPath, rules: &NameRules) -> Result<(), TestCaseError> {
    let levels = path.segments();
    if path.is_inbox() {
        return Ok(());
    }
    prop_assert!(rules.levels != Levels::Flat || levels.len() == 1, "{} is not flat", path);
    prop_assert!(!(rules.refuses_below_inbox && levels[0] == "INBOX"), "{}", path);
    prop_assert!(!rules.reserved.iter().any(|it| it.eq_ignore_ascii_case(&levels[0])), "{}", path);
    prop_assert!(
        rules.roots.is_empty() || (levels.len() > 1 && rules.roots.contains(&levels[0])),
        "{}",
        path
    );
    for level in levels {
        prop_assert!(!level.is_empty());
        let is_bad = |it: char| {
            rules.levels == Levels::Separated(it) || rules.forbidden.contains(&it) || it.is_control()
        };
        prop_assert!(!level.contains(is_bad), "{:?}", level);
        let blanks = level.starts_with(' ') || level.ends_with(' ') || level.contains("  ");
        prop_assert!(!(rules.refuses_outer_blanks && blanks), "{:?}", level);
        prop_assert!(rules.longest_segment.is_none_or(|it| level.chars().count() <= it), "{}", level);
    }
    let length = levels.iter().map(|it| it.chars().count()).sum::<usize>() + levels.len() - 1;
    prop_assert!(rules.longest_path.is_none_or(|it| length <= it), "{}", path);
    Ok(())
}

fn listed(paths: &[FolderPath]) -> Vec<Folder> {
    paths.iter().map(|it| Folder { path: it.clone(), ..folder("x", None) }).collect()
}

/// Returns the target folders; every one is legal and used once.
fn places(
    source: &[Folder],
    target: &[Folder],
    rules: &NameRules,
) -> Result<BTreeMap<FolderPath, FolderPath>, TestCaseError> {
    let plans = plan_folders(source, target, rules, &FolderRules::default(), &[]);
    prop_assert_eq!(plans.len(), source.len());
    let mut keys = BTreeSet::new();
    let mut slots = BTreeMap::new();
    for plan in plans {
        prop_assert!(!plan.reason.is_empty());
        let place =
            plan.target.ok_or_else(|| TestCaseError::fail(format!("{} has no place", plan.source)))?;
        prop_assert!(keys.insert(key(&place, rules.same)), "{} is not alone in {}", plan.source, place);
        if !target.iter().any(|it| it.path == place) {
            is_legal(&place, rules)?;
        }
        slots.insert(plan.source, place);
    }
    Ok(slots)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_name_can_be_read_back_from_every_target(path in path(), rules in rules()) {
        let lossless = NameRules {
            refuses_below_inbox: false,
            longest_segment: None,
            longest_path: None,
            ..rules
        };
        let place = spelled(&called(&path), &lossless).path;
        is_legal(&place, &lossless)?;
        prop_assert_eq!(read_back(&place, &lossless), path, "{}", place);
    }

    #[test]
    fn every_folder_gets_a_legal_separate_name_there_and_back(
        paths in collection::vec(path(), 1..12),
        target in collection::vec(path(), 0..4),
        from in sample::select(DELIMITERS.to_vec()),
        rules in rules(),
        turn in any::<prop::sample::Index>(),
    ) {
        let paths: BTreeSet<FolderPath> = paths.iter().map(|it| of_server(it, from)).collect();
        let paths: Vec<FolderPath> = paths.into_iter().collect();
        let source = listed(&paths);
        let on_target = listed(&target);
        let there = places(&source, &on_target, &rules)?;
        // In any order of the listing.
        let mut turned = source.clone();
        turned.rotate_left(turn.index(source.len()));
        turned.reverse();
        prop_assert_eq!(&places(&turned, &on_target, &rules)?, &there);
        // Back again, each to a separate folder.
        let there: Vec<FolderPath> = there.into_values().collect();
        let back = places(&listed(&there), &[], &NameRules::separated(from))?;
        prop_assert_eq!(back.len(), paths.len());
    }
}
