#![allow(clippy::format_collect, reason = "tests write as they read")]

use super::*;

fn of(secret: &str) -> Redactor {
    let mut redactor = Redactor::default();
    redactor.add(&Secret::new(secret));
    redactor
}

fn struck(secret: &str, text: &str) -> String {
    of(secret).redact(text, Search::Decoded).into_owned()
}

fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in octets.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, octet| number << 8 | u32::from(*octet))
            << (8 * (3 - chunk.len()));
        for index in 0..4_usize {
            let digit = DIGITS[(number >> (18 - 6 * index) & 0x3f) as usize];
            text.push(if index <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn hex(octets: &[u8], before: &str, after: &str) -> String {
    octets.iter().map(|octet| format!("{before}{octet:02x}{after}")).collect()
}

const SECRET: &str = "Hunter\"2\\x";

/// Texts that reveal the secret, and other forms of it that must not remain.
fn echoes(secret: &str) -> Vec<String> {
    let octets = secret.as_bytes();
    let mut all = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        secret.replace('\\', "\\\\").replace('"', "\\\""),
        secret.chars().rev().collect(),
        secret.chars().map(|it| format!("{it} ")).collect(),
        secret.chars().map(|it| format!("{it}\u{200b}")).collect(),
        format!("{secret:?}"),
        hex(octets, "", ""),
        hex(octets, "", " "),
        hex(octets, "", ":"),
        hex(octets, "0x", ", "),
        hex(octets, "\\x", ""),
        hex(octets, "%", ""),
        hex(octets, "=", ""),
        hex(octets, "&#x", ";"),
        hex(octets, "\\u00", "").to_uppercase().replace("\\U", "\\u"),
        octets.iter().map(|it| format!("{it} ")).collect(),
        octets.iter().map(|it| format!("\\{it:03o}")).collect(),
        octets.iter().map(|it| format!("&#{it};")).collect(),
    ];
    let messages: Vec<Vec<u8>> = vec![
        secret.into(),
        format!("\0u\0{secret}").into(),
        format!("\0alice\0{secret}").into(),
        format!("bob\0alice@example.org\0{secret}").into(),
        format!("{secret}\0alice\0").into(),
        format!("user=alice\x01auth=Bearer {secret}\x01\x01").into(),
        secret.to_uppercase().into(),
        secret.chars().rev().collect::<String>().into(),
        secret.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ];
    for message in messages {
        let text = base64(&message);
        let wrapped: Vec<&str> =
            text.as_bytes().chunks(4).map(|it| std::str::from_utf8(it).unwrap()).collect();
        all.push(text.trim_end_matches('=').replace('+', "-").replace('/', "_"));
        all.push(wrapped.join(" "));
        all.push(base64(text.as_bytes()));
        all.push(hex(text.as_bytes(), "", ""));
        all.push(hex(&message, "", ""));
        all.push(base64(hex(&message, "", "").as_bytes()));
        all.push(text.replace('=', "%3D"));
        all.push(text);
    }
    all
}

#[test]
fn no_form_of_a_secret_is_left() {
    for secret in
        [SECRET, "hunter2", "Passw0rd!", "caf\u{e9} au lait", "0123456789abcdefghijklmnopqrstuvwxyz"]
    {
        for echo in echoes(secret) {
            for text in [
                echo.clone(),
                format!("unknown command: a1 LOGIN u {echo}"),
                format!("AUTHENTICATE PLAIN {echo} (see help)"),
                format!("\"{echo}\""),
            ] {
                let shown = struck(secret, &text);
                assert!(shown.contains(REDACTED), "{secret:?}: {text:?} is {shown:?}");
                assert!(!shown.contains(&echo), "{secret:?}: {text:?} is {shown:?}");
            }
        }
    }
}

#[test]
fn other_texts_stay_as_they_are() {
    for text in [
        "LOGIN failed",
        "[AUTHENTICATIONFAILED] Authentication failed.",
        "Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
        "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
        "Dovecot (Ubuntu) ready. 0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "552 5.2.2 over quota 1048576 of 1048576",
    ] {
        for secret in [SECRET, "hunter2", "a", "xy", "Passw0rd!", "correct horse battery staple", ""] {
            assert_eq!(struck(secret, text), text, "{secret:?}");
        }
    }
}

#[test]
fn a_short_secret_is_struck_as_a_word() {
    for (secret, text, shown) in [
        ("pw", "unknown command: a1 LOGIN u pw", "unknown command: a1 LOGIN u [redacted]"),
        ("pw", "LOGIN \"u\" \"PW\"", "LOGIN \"u\" \"[redacted]\""),
        ("pw", "the pwd of pwx", "the pwd of pwx"),
        ("a", "LOGIN u a", "LOGIN u [redacted]"),
        ("a", "an answer at all", "an answer at all"),
        ("a\"b", "LOGIN u \"a\\\"b\"", "LOGIN u \"[redacted]\""),
    ] {
        assert_eq!(struck(secret, text), shown);
    }
    for message in ["pw", "\0u\0pw", "x\0alice\0pw", "user=u\x01auth=Bearer pw\x01\x01"] {
        let echo = base64(message.as_bytes());
        let shown = struck("pw", &format!("AUTHENTICATE PLAIN {echo} is wrong"));
        assert_eq!(shown, "AUTHENTICATE PLAIN [redacted] is wrong", "{message:?}");
    }
}

#[test]
fn parts_of_a_secret_are_struck() {
    // A truncated text.
    assert_eq!(struck("hunter2", "unknown: LOGIN u hunte"), "unknown: LOGIN u [redacted]");
    assert_eq!(struck("hunter2", "unknown: LOGIN u \"hunte..."), "unknown: LOGIN u \"[redacted]...");
    assert_eq!(struck("hunter2", "nter2 is no command"), "[redacted] is no command");
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTcwMDAwMDAwMH0.c2lnbmF0dXJlIG9mIGl0";
    assert_eq!(struck(token, &format!("bad token {}...", &token[3..50])), "bad token [redacted]");
    // The first half of a message in base64.
    let text = base64(b"\0alice\0hunter2");
    assert_eq!(struck("hunter2", &format!("PLAIN {}", &text[..16])), "PLAIN [redacted]");
}

#[test]
fn a_message_is_struck_whole() {
    let mut redactor = Redactor::default();
    redactor.add_whole(b"alice 0123456789abcdef0123456789abcdef");
    let text = base64(b"alice 0123456789abcdef0123456789abcdef");
    assert_eq!(redactor.redact(&format!("no: {text}"), Search::Decoded), "no: [redacted]");
    assert_eq!(redactor.redact("alice is unknown", Search::Decoded), "alice is unknown");
}

#[test]
fn long_texts_are_searched_to_their_end() {
    let text = format!("{} LOGIN u hunter2 {}", "\u{e9}x ".repeat(3000), "y ".repeat(5000));
    assert_eq!(struck("hunter2", &text), text.replace("hunter2", REDACTED));
    let echo = base64(b"\0alice\0hunter2");
    for before in (3000..4200).step_by(7) {
        let text = format!("{} {echo} {}", "- ".repeat(before / 2), "y ".repeat(3000));
        assert!(struck("hunter2", &text).contains(REDACTED), "{before}");
    }
}

#[test]
fn a_plain_search_decodes_nothing() {
    let text = base64(b"\0alice@example.org\0hunter2 ");
    assert_eq!(of("zzzzzz").redact(&text, Search::Plain), text);
    assert_eq!(of("hunter2").redact("x HUNTER2", Search::Plain), "x [redacted]");
}

proptest::proptest! {
    #[test]
    fn any_text_is_taken(secret in ".{0,20}", text in ".{0,300}") {
        of(&secret).redact(&text, Search::Decoded);
    }

    #[test]
    fn a_secret_in_any_place_is_struck(before in "[ -~]{0,40}", secret in "[ -~]{4,24}", after in "[ -~]{0,40}") {
        proptest::prop_assume!(secret.trim() == secret && !"[redacted]".contains(&secret.to_lowercase()));
        let shown = struck(&secret, &format!("{before}{secret}{after}"));
        proptest::prop_assert!(!shown.contains(&secret), "{shown:?}");
    }
}
