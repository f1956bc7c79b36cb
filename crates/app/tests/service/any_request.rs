//! Random requests to every route: no answer is an internal error.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
};

use serde_json::{Map, Value, json};

use crate::support::Service;

/// Requests for each route.
const TRIES: usize = 60;

/// A generator of numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.roll(choices.len())]
    }

    /// Returns a value for a parameter, mostly of its type.
    fn value(&mut self, name: &str, schema: &Value) -> Value {
        match name {
            // No other server may be contacted.
            "RemoteServer" => {
                return self.pick(&[json!("127.0.0.1"), json!("127.0.0.1"), json!(""), json!("::1")]).clone();
            }
            "Port" => return self.pick(&[json!(1), json!(9), json!(0), json!(65_536), json!("x")]).clone(),
            "KeyFile" => return json!("/nonexistent/key"),
            _ => {}
        }
        if self.roll(5) == 0 {
            let odd = [
                json!(null),
                json!([]),
                json!({}),
                json!(-1),
                json!(1e300),
                json!("\u{0}\u{7f}'\"%00../"),
                json!(true),
            ];
            return self.pick(&odd).clone();
        }
        if let Some(choices) = schema["enum"].as_array() {
            return self.pick(choices).clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => self.pick(kinds).clone(),
            other => other.clone(),
        };
        match kind.as_str() {
            Some("boolean") => json!(self.roll(2) == 0),
            Some("integer" | "number") => json!(*self.pick(&[0i64, 1, 7, 64, 1 << 40, -5])),
            Some("array") => json!([self.text(), self.text()]),
            Some("object") => json!({ "UserName": self.text(), "Password": self.text() }),
            _ => json!(self.text()),
        }
    }

    fn text(&mut self) -> String {
        let texts = [
            "Old",
            "B",
            "user1@contoso.edu",
            "00:05:00",
            "2026-11-24T08:00:00Z",
            "Inbox",
            "#Inbox#",
            "Failed",
            "Unlimited",
            "RW1haWxBZGRyZXNzLFVzZXJOYW1lLFBhc3N3b3JkCmFAYixhLHMK",
            "Received -gt 2024-01-01",
            "ünïcode",
            "a/../../b",
            "",
            "99999999999999999999",
            "Europe/Berlin",
            "{user}*{admin}",
        ];
        (*self.pick(&texts)).to_owned()
    }
}

fn ask(service: &Service, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
    let mut stream = UnixStream::connect(service.data().join("mailhaul.sock")).unwrap();
    let body = body.unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
    (status.unwrap_or_else(|| panic!("{method} {path}: {answer:?}")), answer)
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() {
            encoded.push(char::from(octet));
        } else {
            _ = write!(encoded, "%{octet:02X}");
        }
    }
    encoded
}

/// A parameter's schema, wherever it is kept.
fn resolved<'a>(description: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = schema["anyOf"].as_array().and_then(|it| it.first()).unwrap_or(schema);
    match schema["$ref"].as_str().and_then(|it| it.strip_prefix('#')) {
        Some(pointer) => description.pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

#[test]
fn no_request_is_answered_by_an_internal_error() {
    let service = Service::start();
    let words =
        ["New-MigrationEndpoint", "-IMAP", "-Name", "Old", "-RemoteServer", "127.0.0.1", "-Port", "9"];
    service.expect(&[&words[..], &["-Security", "None", "-SkipVerification"]].concat());
    let csv = service.csv(&["user1".to_owned()]);
    service.expect(&["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-CSVData", &csv]);
    let (status, answer) = ask(&service, "GET", "/api/v1/openapi.json", None);
    assert_eq!(status, 200);
    let description: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let mut dice = Dice(7);
    let mut statuses = std::collections::BTreeMap::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        // A stream of events never ends.
        let operations = methods.as_object().unwrap().iter().filter(|(_, it)| it.get("x-cmdlet").is_some());
        for (method, operation) in operations {
            for _ in 0..TRIES {
                let identity = dice.text();
                let mut address = path.replace("{Identity}", &encoded(&identity));
                let mut query = Vec::new();
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    if parameter["in"] == "query" && dice.roll(3) == 0 {
                        let name = parameter["name"].as_str().unwrap();
                        let value = dice.value(name, resolved(&description, &parameter["schema"]));
                        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        query.push(format!("{name}={}", encoded(&value)));
                    }
                }
                if !query.is_empty() {
                    address = format!("{address}?{}", query.join("&"));
                }
                let schema = resolved(
                    &description,
                    &operation["requestBody"]["content"]["application/json"]["schema"],
                );
                let body = schema["properties"].as_object().map(|properties| {
                    let mut body = Map::new();
                    for (name, schema) in properties {
                        if dice.roll(3) == 0 {
                            body.insert(name.clone(), dice.value(name, resolved(&description, schema)));
                        }
                    }
                    Value::Object(body).to_string()
                });
                let (status, answer) = ask(&service, &method.to_uppercase(), &address, body.as_deref());
                assert!(status < 500 || status == 503, "{method} {address} {body:?}: {answer}");
                *statuses.entry(status).or_insert(0) += 1;
            }
        }
    }
    // Both what is well and what is not was reached.
    assert!(
        statuses.contains_key(&200) && statuses.contains_key(&404) && statuses.contains_key(&422),
        "{statuses:?}"
    );
    assert_eq!(ask(&service, "GET", "/healthz", None).0, 200);
}
