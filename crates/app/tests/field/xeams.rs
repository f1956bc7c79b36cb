//! Report 27: the parenthesis closes after the literal, and further items follow it (Xeams).

use mailhaul_testkit::fake::{Replies, when};

use crate::{bodies::BODIES, support::Field};

async fn answers(edit: fn(&mut Replies)) {
    let field = Field::of_5().await;
    field.source.lie(when(BODIES).edit(edit));
    field.keeps_promises(&[]).ends_with(0).copied(5);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

/// `BODY[] {139} ...octets...)` and ` UID 1)` on a line of its own.
#[tokio::test(flavor = "multi_thread")]
async fn case_27_the_uid_follows_the_parenthesis() {
    answers(|replies| {
        for uid in 1..=5 {
            let (front, after) = (format!("(UID {uid} "), format!(" UID {uid})\r\n"));
            for line in replies
                .lines
                .iter_mut()
                .filter(|line| line[7..].windows(front.len()).any(|it| it == front.as_bytes()))
            {
                let start = line.windows(front.len()).position(|it| it == front.as_bytes()).unwrap();
                line.drain(start + 1..start + front.len());
                line.extend_from_slice(after.as_bytes());
            }
        }
    })
    .await;
}

/// `(UID 1 BODY[] {139} ...octets...) FLAGS (\Seen) RFC822.SIZE 139`
#[tokio::test(flavor = "multi_thread")]
async fn case_27_further_items_follow_the_parenthesis() {
    answers(|replies| {
        for line in replies.lines.iter_mut().filter(|line| line.ends_with(b")\r\n")) {
            line.truncate(line.len() - 2);
            line.extend_from_slice(b" FLAGS (\\Seen) RFC822.SIZE 139\r\n");
        }
    })
    .await;
}
