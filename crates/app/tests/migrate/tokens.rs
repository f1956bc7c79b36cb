//! Access tokens that a command prints.

use std::{fs, os::unix::fs::PermissionsExt as _};

use mailhaul_testkit::{
    Mailmaker,
    fake::{Fake, Personality, VirtualClock},
};

use crate::support::Haul;

const USER: &str = "annb@contoso.edu";

/// Command that prints the file named after the mailbox.
fn printing(haul: &Haul) -> String {
    let script = haul.write("token", "#!/bin/sh\nexec cat \"$1/$2.token\"\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    format!("{} {} {{user}}", script.display(), haul.directory.path().display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gives_the_tokens_of_both_ends() {
    let (from, to) =
        (Fake::start(Personality::plain()).await, Fake::start(Personality::microsoft_365()).await);
    let mut maker = Mailmaker::new(3);
    for server in [&from, &to] {
        server.add_user(USER, "nobody knows it", VirtualClock::default());
    }
    from.with(USER, |mailbox| {
        for _ in 0..3 {
            let (octets, flags, date) = maker.item(700);
            mailbox.add("INBOX", octets, flags, date);
        }
    });
    let mut haul = Haul::new(USER, from.port, to.port);
    // The address of a user in an address of a server.
    let user = USER.replace('@', "%40");
    (haul.from, haul.to) = (haul.from.replace(USER, &user), haul.to.replace(USER, &user));
    let token =
        |server: &Fake| haul.write(&format!("{USER}.token"), format!("{}\n", server.issue_token(USER)));
    token(&from);
    let command = printing(&haul);
    // The token of the one is nothing to the other.
    let both = ["--from-token-command", command.as_str(), "--to-token-command", command.as_str()];
    let refused = haul.expect(20, &both);
    refused.says(&["target annb@contoso.edu@127.0.0.1", "AUTHENTICATE failed"]);

    let other = haul.directory.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join(format!("{USER}.token")), to.issue_token(USER)).unwrap();
    let target =
        command.replace(&format!(" {} ", haul.directory.path().display()), &format!(" {} ", other.display()));
    haul.expect(0, &["--from-token-command", &command, "--to-token-command", &target]);
    assert_eq!(to.with(USER, |it| it.total()), 3);

    // Without new messages the target is not connected, so there is one.
    from.with(USER, |mailbox| {
        let (octets, flags, date) = maker.item(700);
        mailbox.add("INBOX", octets, flags, date);
    });
    fs::remove_file(other.join(format!("{USER}.token"))).unwrap();
    let broken = haul.expect(
        20,
        &["--from-token-command", &command, "--to-token-command", &target, "--deletions", "keep"],
    );
    broken.says(&["No such file"]);
}
