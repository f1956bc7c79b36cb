use std::time::Duration;

use jiff::tz::{TimeZone, offset};
use serde_json::{from_value, json};

use super::*;

#[test]
fn time_spans_are_read_and_written() {
    for (text, seconds, written) in [
        ("24:00:00", 86_400, "1.00:00:00"),
        ("1.12:30:05", 131_405, "1.12:30:05"),
        ("0:30", 1800, "00:30:00"),
        ("0", 0, "00:00:00"),
        ("24h", 86_400, "1.00:00:00"),
        ("1h 30m", 5400, "01:30:00"),
        ("PT15M", 900, "00:15:00"),
    ] {
        let span: TimeSpan = text.parse().unwrap();
        assert_eq!(span, TimeSpan(Duration::from_secs(seconds)), "{text}");
        assert_eq!(span.to_string(), written);
        assert_eq!(written.parse(), Ok(span));
    }
    for wrong in
        ["", "24", "1:2:3:4", "1:60", "-1:00", "+1:00", "-5h", "1.:00", "99999999999:00", ":", "x", "500ms"]
    {
        assert!(wrong.parse::<TimeSpan>().is_err(), "{wrong}");
    }
}

#[test]
fn dates_keep_what_is_known_of_their_zone() {
    let zone = TimeZone::fixed(offset(2));
    for (text, moment) in [
        ("2026-12-31", "2026-12-30T22:00:00Z"),
        ("2026-12-31T08:00", "2026-12-31T06:00:00Z"),
        ("2026-12-31 08:00:30", "2026-12-31T06:00:30Z"),
        ("2026-12-31T08:00:00Z", "2026-12-31T08:00:00Z"),
        ("2026-12-31T08:00:00-05:00", "2026-12-31T13:00:00Z"),
    ] {
        let date: DateTime = text.parse().unwrap();
        assert_eq!(date.at(&zone).unwrap().to_string(), moment, "{text}");
        assert_eq!(date.to_string().parse(), Ok(date));
    }
    for wrong in
        ["", "tomorrow", "31.12.2026", "12/31/2026", "2026-12-31T08:00[Europe/Berlin]", "2026-12-31+02:00"]
    {
        assert!(wrong.parse::<DateTime>().is_err(), "{wrong}");
    }
}

#[test]
fn american_dates_are_read_for_cmdlets() {
    for (text, date) in [
        ("09/01/2027 7:00 PM", "2027-09-01T19:00:00"),
        ("7/30/2027", "2027-07-30T00:00:00"),
        ("7/30/2027 9:00PM -700", "2027-07-31T04:00:00Z"),
    ] {
        assert_eq!(DateTime::from_american(text).map(|date| date.to_string()).as_deref(), Some(date));
    }
    assert_eq!(DateTime::from_american("31.12.2026"), None);
}

#[test]
fn secrets_are_not_shown_when_they_do_not_fit() {
    let wrong = [
        json!("hunter2"),
        json!(["hunter2"]),
        json!({ "UserName": "ann", "Passwort": "hunter2" }),
        json!({ "UserName": "ann", "Password": ["hunter2"] }),
        json!({ "UserName": "ann", "Password": "hunter2", "More": "hunter2" }),
    ];
    for value in wrong {
        let error = from_value::<Credential>(value).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = from_value::<Bytes>(json!("hunter2!")).unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
    for value in [json!(["hunter2"]), json!({ "Password": "hunter2" }), json!(""), json!(null)] {
        let error = from_value::<SecretText>(value).unwrap_err().to_string();
        assert!(error.contains("not empty") && !error.contains("hunter2"), "{error}");
    }
    let right: SecretText = from_value(json!("hunter2")).unwrap();
    assert_eq!(right.0.expose(), b"hunter2");
    assert!(!format!("{right:?}").contains("hunter2"));
    let right: Credential = from_value(json!({ "UserName": "ann", "Password": "hunter2" })).unwrap();
    assert_eq!(right.password.expose(), b"hunter2");
    assert!(!format!("{right:?} {:?}", Bytes::new("hunter2")).contains("hunter2"));
}

#[test]
fn bytes_are_base64() {
    let bytes: Bytes = from_value(json!("YSxi")).unwrap();
    assert_eq!((&*bytes, serde_json::to_value(&bytes).unwrap()), (b"a,b".as_slice(), json!("YSxi")));
}

#[test]
fn a_setting_stays_goes_or_changes() {
    #[derive(serde::Deserialize)]
    struct Request {
        #[serde(default)]
        after: Change<TimeSpan>,
    }
    let apply = |json| {
        let mut setting = Some(TimeSpan(Duration::from_secs(1)));
        from_value::<Request>(json).unwrap().after.apply(&mut setting);
        setting.map(|it| it.0.as_secs())
    };
    assert_eq!(apply(json!({})), Some(1));
    assert_eq!(apply(json!({ "after": null })), None);
    assert_eq!(apply(json!({ "after": "00:00:09" })), Some(9));
}
