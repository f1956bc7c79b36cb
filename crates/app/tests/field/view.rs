//! Report 10: mail that only a view holds (Proton Mail Bridge; \Flagged and \Important of RFC 8457).

use mailhaul_testkit::fake::Personality;

use crate::support::{Field, USUAL, message, with};

type Folders = &'static [(&'static str, &'static str)];

/// INBOX has message 1, Archive message 2, the view all three.
async fn with_a_view(folders: Folders) -> Field {
    let view = folders[1].0;
    let mut field = Field::new(Personality { folders, ..with(USUAL) }, with(USUAL)).await;
    field.views.push(view);
    field.give("INBOX", [message(1)]);
    field.give(view, (1..=3).map(message));
    field.give("Archive", [message(2)]);
    field
}

async fn arrives_or_is_told(folders: Folders) {
    let field = with_a_view(folders).await;
    let view = folders[1].0;
    for _ in 0..2 {
        let run = field.run(&[]);
        let lacking: Vec<String> = field.lacking().into_iter().map(|it| it.subject).collect();
        if lacking.is_empty() {
            run.ends_with(0);
            continue;
        }
        assert_eq!(lacking, ["Number 003"], "{}", run.text);
        assert_ne!(run.code, Some(0), "{}", run.text);
        run.says(&[view]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_10_all_mail() {
    arrives_or_is_told(&[("INBOX", ""), ("All Mail", "\\All \\Noinferiors"), ("Archive", "\\Archive")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_10_flagged() {
    arrives_or_is_told(&[("INBOX", ""), ("Starred", "\\Flagged"), ("Archive", "\\Archive")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_10_important() {
    arrives_or_is_told(&[("INBOX", ""), ("Important", "\\Important"), ("Archive", "\\Archive")]).await;
}
