//! A target on Gmail that messages are uploaded to by its API.

use mailhaul_mail::{Flags, InternalDate};
use mailhaul_migration::{Access, Grant, OAuth};
use mailhaul_testkit::fake::{Fake, Personality, VirtualClock};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn uploads_by_the_api_do_not_count_for_the_daily_limit() {
    let (source, mut gmail) = (Fake::start(Personality::plain()).await, Personality::gmail());
    gmail.limits.upload_per_day = Some(0);
    let target = Fake::start(gmail).await;
    let users = ["annb", "terrya"];
    for user in users {
        let clock = VirtualClock::default();
        source.add_user(user, &Dovecot::password(user), clock.clone());
        target.add_user(user, "nobody knows", clock);
        source.with(user, |mailbox| {
            for number in 0..30 {
                let words = "x".repeat(if number == 3 { 400_000 } else { 100 });
                let date = "Date: Tue, 5 Mar 2024 12:00:00 +0100";
                let text = format!(
                    "Subject: {number}\r\n{date}\r\nMessage-ID: <{number}@{user}>\r\n\r\n{words}\r\n"
                );
                let flags: Flags = ["\\Seen"].into_iter().collect();
                mailbox.add("INBOX", text.into_bytes(), flags, InternalDate::new(1_709_636_400, 0).unwrap());
            }
        });
    }
    let directory = tempfile::tempdir().unwrap();
    let mut site = Site::new(directory.path(), source.port, 5).await;
    let store = &site.context.store;
    let endpoint = Endpoint {
        guid: Guid::new_v4(),
        name: "G".into(),
        port: target.port,
        gmail_api: Some(target.http_url()),
        access: Access::OAuth(OAuth {
            grant: Grant::ClientSecret,
            token_url: target.token_url(),
            device_url: String::new(),
            client_id: "mailhaul".to_owned(),
            scope: String::new(),
            tenant: None,
        }),
        ..site.endpoint.clone()
    };
    let endpoint = store.endpoints().insert(endpoint, Some(Secret::new("secret"))).await.unwrap();
    site.batch_to(Some(endpoint.guid), users.iter().zip(2..).map(|(user, row)| row_of(user, row)).collect())
        .await;
    site.run();
    for user in users {
        site.wait_for(user, UserStatus::Synced).await;
        let octets = |fake: &Fake| -> Vec<Vec<u8>> {
            let mut all: Vec<Vec<u8>> = fake.with(user, |mailbox| {
                mailbox.messages("INBOX").into_iter().map(|(_, it)| it.octets.to_vec()).collect()
            });
            all.sort();
            all
        };
        assert!(octets(&source) == octets(&target), "{user}");
        assert_eq!((target.count(user, "imported"), target.count(user, "appended")), (30, 0));
    }
    assert_eq!(target.violations(), Vec::<String>::new());
    site.end().await;
}
