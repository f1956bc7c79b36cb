//! Report 26: the target makes folders below Folders and Labels alone (Proton Mail Bridge).

use mailhaul_testkit::fake::Personality;

use crate::support::{Field, USER, USUAL, message, with};

const ALLOWED: [&str; 2] = ["Folders/", "Labels/"];

async fn to_the_bridge() -> Field {
    let bridge = Personality {
        folders: &[("INBOX", ""), ("Folders", "\\Noselect"), ("Labels", "\\Noselect")],
        refuses_name: |name| {
            let is_allowed = ALLOWED.iter().any(|it| name.starts_with(it));
            if is_allowed { None } else { Some("NO operation not allowed for this mailbox") }
        },
        ..with(USUAL)
    };
    let field = Field::new(with(USUAL), bridge).await;
    field.give("INBOX", (1..=5).map(message));
    field.give("Kunden", (11..=20).map(message));
    field.give("Zeta", (21..=30).map(message));
    field
}

#[tokio::test(flavor = "multi_thread")]
async fn case_26_a_refused_folder_is_told() {
    let field = to_the_bridge().await;
    let may_lack: Vec<usize> = (11..=30).collect();
    for copied in [5, 0] {
        let run = field.keeps_promises(&may_lack);
        run.ends_with(20).copied(copied).says(&["operation not allowed for this mailbox"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_26_each_folder_is_mapped_by_hand() {
    let field = to_the_bridge().await;
    let maps = ["--map", "Kunden=Folders/Kunden", "--map", "Zeta=Folders/Zeta"];
    field.keeps_promises_with(&[], &maps).ends_with(0).copied(25);
    field.keeps_promises_with(&[], &maps).ends_with(0).copied(0);
    assert_eq!(field.target.with(USER, |mailbox| mailbox.messages("Folders/Kunden").len()), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_26_all_folders_are_mapped_at_once() {
    let field = to_the_bridge().await;
    let map = ["--map", "*=Folders/*"];
    field.keeps_promises_with(&[], &map).ends_with(0).copied(25);
    field.keeps_promises_with(&[], &map).ends_with(0).copied(0);
    assert_eq!(field.target.with(USER, |mailbox| mailbox.messages("Folders/Kunden").len()), 10);
}
