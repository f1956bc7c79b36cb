//! The HTTP interface, without sockets.

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use mailhaul_operations::{Failure, Role};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::TestService;

#[tokio::test]
async fn every_verb_has_its_address() {
    let place = TestService::new();
    let names = |value: &Value| -> Vec<String> {
        value["Value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["Identity"].as_str().unwrap().to_owned())
            .collect()
    };
    let made = place.ask("operator", "POST", "/api/v1/lamps", r#"{"Name":"a/b c","Watts":5}"#).await;
    assert_eq!((made.status, names(&made.body)), (201, vec!["a/b c".to_owned()]));
    for (method, address, body, status) in [
        ("GET", "/api/v1/lamps", "", 200),
        ("HEAD", "/api/v1/lamps", "", 200),
        ("GET", "/api/v1/lamps?colour=white&Colour=AMBER&lit=false&includebroken", "", 200),
        ("GET", "/api/v1/lamps/a%2Fb%20c", "", 200),
        ("PATCH", "/api/v1/lamps/a%2Fb%20c", r#"{"Watts":7}"#, 200),
        ("POST", "/api/v1/lamps/a%2Fb%20c/start", "", 200),
        ("POST", "/api/v1/lamps/a%2Fb%20c/stop", "{}", 200),
        ("POST", "/api/v1/wiring/test", r#"{"Volts":12}"#, 200),
        ("GET", "/api/v1/wiring", "", 200),
        ("PATCH", "/api/v1/wiring", "", 200),
        ("GET", "/api/v1/reports/a%2Fb%20c/export", "", 200),
        ("DELETE", "/api/v1/lamps/a%2Fb%20c", "", 200),
        ("GET", "/api/v1/lamps/a%2Fb%20c", "", 404),
        ("GET", "/api/v1/openapi.json", "", 200),
    ] {
        let reply = place.ask("admin", method, address, body).await;
        assert_eq!(reply.status, status, "{method} {address}: {reply:?}");
        assert_eq!(reply.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn mistakes_are_told_in_one_form() {
    let place = TestService::new();
    place.hang(&["stop", "x"]).await;
    for (method, address, body, status, code, words) in [
        ("GET", "/", "", 404, "NotFound", "/ does not exist"),
        ("GET", "/api/v1/", "", 404, "NotFound", "does not exist"),
        ("GET", "/api/v1/lamp", "", 404, "NotFound", "does not exist"),
        ("GET", "/api/v1/lamps/", "", 404, "NotFound", "does not exist"),
        ("GET", "/api/v1/lamps/%20", "", 404, "NotFound", "does not exist"),
        ("POST", "/api/v1/lamps/x/explode", "", 404, "NotFound", "does not exist"),
        ("GET", "/api/v1/wiring/x", "", 404, "NotFound", "does not exist"),
        ("GET", "/api/v1/lamps/none", "", 404, "NotFound", "no lamp \"none\""),
        ("PUT", "/api/v1/lamps", "", 405, "MethodNotAllowed", "accepts GET, POST"),
        ("PATCH", "/api/v1/lamps", "{}", 405, "MethodNotAllowed", "accepts GET, POST"),
        ("GET", "/api/v1/lamps/x/start", "", 405, "MethodNotAllowed", "accepts POST"),
        ("POST", "/api/v1/openapi.json", "", 405, "MethodNotAllowed", "accepts GET"),
        ("GET", "/api/v1/lamps/%ff", "", 400, "Malformed", "UTF-8"),
        ("POST", "/api/v1/lamps", "{", 400, "Malformed", "line 1"),
        ("POST", "/api/v1/lamps", "[]", 422, "Invalid", "object"),
        ("POST", "/api/v1/lamps", "{}", 422, "Invalid", "New-Lamp needs Name"),
        ("POST", "/api/v1/lamps", r#"{"Name":null}"#, 422, "Invalid", "Name must be a text"),
        ("POST", "/api/v1/lamps", r#"{"Name":"x"}"#, 409, "Conflict", "already"),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","Wats":1}"#, 422, "Invalid", "no parameter \"Wats\""),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","Watts":"1"}"#, 422, "Invalid", "from 0 to 65535"),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","Watts":65536}"#, 422, "Invalid", "Watts must be"),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","Watts":1.5}"#, 422, "Invalid", "Watts must be"),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","Watts":101}"#, 422, "Invalid", "at most 100"),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","Colour":"Blue"}"#, 422, "Invalid", "White or Amber"),
        (
            "POST",
            "/api/v1/lamps",
            r#"{"Name":"y","OffAfter":"soon"}"#,
            422,
            "Invalid",
            "OffAfter must be a date",
        ),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","PDFData":"%"}"#, 422, "Invalid", "PDFData must be base64"),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","MaxUses":"many"}"#, 422, "Invalid", "MaxUses: is neither"),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","MaxUses":-1}"#, 422, "Invalid", "from 1, or unlimited"),
        ("POST", "/api/v1/lamps", r#"{"Name":"y","Identity":"y"}"#, 422, "Invalid", "Identity"),
        ("POST", "/api/v1/lamps?Name=y", "", 422, "Invalid", "in the body"),
        ("GET", "/api/v1/lamps?Identity=x", "", 422, "Invalid", "in the path"),
        ("GET", "/api/v1/lamps?Color=White", "", 422, "Invalid", "no parameter"),
        ("GET", "/api/v1/lamps?Lit=true&Lit=true", "", 422, "Invalid", "twice"),
        ("GET", "/api/v1/lamps?Lit=maybe", "", 422, "Invalid", "Lit must be true or false"),
        (
            "PATCH",
            "/api/v1/lamps/x",
            r#"{"Identity":"y"}"#,
            422,
            "Invalid",
            "differs from the one in the path",
        ),
        ("PATCH", "/api/v1/lamps/x", r#"{"Watts":null}"#, 422, "Invalid", "Watts must be"),
        ("POST", "/api/v1/wiring/test", r#"{"Volts":-1}"#, 503, "Unavailable", "no current"),
    ] {
        let reply = place.ask("admin", method, address, body).await;
        let shown = format!("{method} {address} {body}: {reply:?}");
        assert_eq!((reply.status, reply.code()), (status, code), "{shown}");
        assert!(reply.message().contains(words), "{shown}");
        assert_eq!(reply.headers.contains_key("allow"), status == 405, "{shown}");
    }
    // A lamp may have the name of an action.
    assert_eq!(place.ask("admin", "PATCH", "/api/v1/lamps/stop", "{}").await.status, 200);
    let near = place.ask("admin", "POST", "/api/v1/lamps", r#"{"Wats":1}"#).await;
    assert_eq!(near.body["Error"]["Advice"], "Did you mean \"Watts\"?");
}

#[tokio::test]
async fn only_json_is_read() {
    let place = TestService::new();
    for (kind, status) in [
        ("application/json; charset=utf-8", 201),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
    ] {
        let request = Request::post("/api/v1/lamps")
            .header("authorization", "bearer operator")
            .header("content-type", kind);
        let reply = place.send(request.body(Body::from(r#"{"Name":"x"}"#)).unwrap()).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}

#[tokio::test]
async fn callers_need_a_token_with_enough_of_a_role() {
    let place = TestService::new();
    for (token, method, address, status) in [
        ("", "GET", "/api/v1/lamps", 401),
        ("", "GET", "/api/v1/openapi.json", 401),
        ("", "GET", "/api/v1/nothing", 401),
        ("stranger", "GET", "/api/v1/lamps", 401),
        ("viewer", "GET", "/api/v1/lamps", 200),
        ("viewer", "POST", "/api/v1/lamps/x/start", 403),
        ("operator", "POST", "/api/v1/lamps/x/start", 404),
        ("operator", "DELETE", "/api/v1/lamps/x", 403),
        ("admin", "DELETE", "/api/v1/lamps/x", 404),
        ("closed", "GET", "/api/v1/lamps", 503),
    ] {
        let reply = place.ask(token, method, address, "").await;
        assert_eq!(reply.status, status, "{token} {method} {address}: {reply:?}");
        assert_eq!(reply.headers.contains_key("www-authenticate"), status == 401);
    }
    // A missing right is reported before the body is read.
    assert_eq!(place.ask("viewer", "POST", "/api/v1/lamps", "{").await.status, 403);
    for header in ["Basic admin", "Bearer", "Bearer ", "admin"] {
        let request =
            Request::get("/api/v1/lamps").header("authorization", header).body(Body::empty()).unwrap();
        assert_eq!(place.send(request).await.status, 401, "{header}");
    }
}

#[tokio::test]
async fn the_audit_is_told_of_changes_and_of_no_secret() {
    let place = TestService::new();
    let new = r#"{"Name":"x","Owner":{"UserName":"ann","Password":"hunter2"},"PDFData":"aHVudGVyMg=="}"#;
    place.ask("operator", "POST", "/api/v1/lamps", new).await;
    place.ask("viewer", "GET", "/api/v1/lamps", "").await;
    place.ask("operator", "PATCH", "/api/v1/lamps/y", "{}").await;
    place.ask("viewer", "POST", "/api/v1/lamps/x/stop", "{}").await;
    place.ask("viewer", "GET", "/api/v1/lamps?Lit=maybe", "").await;
    let records = place.door.records.lock().unwrap();
    assert!(!format!("{records:?}").contains("hunter2"));
    let told: Vec<_> = records
        .iter()
        .map(|it| {
            let outcome = it.outcome.as_ref().copied().map_err(|it| it.kind.status());
            (it.caller.name.as_str(), it.operation.as_str(), it.identity.as_deref(), outcome)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("operator", "New-Lamp", Some("x"), Ok(())),
            ("operator", "Set-Lamp", Some("y"), Err(404)),
            ("viewer", "Stop-Lamp", Some("x"), Err(403)),
        ]
    );
}

#[tokio::test]
async fn a_panic_is_an_answer_that_tells_nothing() {
    let place = TestService::new();
    let reply = place.ask("admin", "POST", "/api/v1/wiring/test", r#"{"Volts":666}"#).await;
    assert_eq!((reply.status, reply.code()), (500, "Internal"));
    assert!(!reply.body.to_string().contains("hunter2"), "{reply:?}");
}

#[tokio::test]
async fn what_a_client_leaves_is_done_nevertheless() {
    let place = TestService::new();
    place.hang(&["x"]).await;
    {
        let asked = place.ask("operator", "POST", "/api/v1/lamps/x/complete", "");
        tokio::select! {
            reply = asked => panic!("{reply:?}"),
            () = place.house.begun.notified() => {}
        }
    }
    place.house.go_on.notify_one();
    place.service.finish().await;
    let lamps = serde_json::to_value(&*place.house.lamps()).unwrap();
    assert_eq!(lamps["x"]["Watts"], 1);
    let records = place.door.records.lock().unwrap();
    assert_eq!(records.last().unwrap().operation, "Complete-Lamp");
}

#[tokio::test]
async fn pages_are_followed_when_they_are_wanted() {
    let place = TestService::new();
    place.hang(&["a", "b&c", "d", "e/?", "f"]).await;
    let first = place.ask("viewer", "GET", "/api/v1/lamps?Lit=false", "").await;
    assert_eq!(first.body["NextLink"], "/api/v1/lamps?Lit=false&Continuation=b%26c");

    let get = place.entry("Get-Lamp");
    let client = place.client();
    let all = client.call(get, json!({ "Lit": false, "Colour": ["White", "Amber"] })).await.unwrap();
    let names: Vec<_> = all.iter().map(|it| it["Identity"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b&c", "d", "e/?", "f"]);

    let mut pages = client.pages(get, json!({})).unwrap();
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 2);
    place.house.lamps().clear();
    assert_eq!(pages.next().await.unwrap(), Some(Vec::new()));
    assert_eq!(pages.next().await.unwrap(), None);
}

#[tokio::test]
async fn the_client_says_what_the_service_says() {
    let place = TestService::new();
    let client = place.client();
    let call = |name, request| client.call(place.entry(name), request);
    let made = call("New-Lamp", json!({ "Name": "..", "OffAfter": "2026-12-31" })).await.unwrap();
    assert_eq!(made[0]["OffAfter"], "2026-12-31T00:00:00");
    let changed = call("Set-Lamp", json!({ "Identity": "..", "OffAfter": null })).await.unwrap();
    assert_eq!(changed[0]["OffAfter"], Value::Null);
    assert_eq!(call("Remove-Lamp", json!({ "Identity": ".." })).await, Ok(Vec::new()));
    let missing = call("Get-Lamp", json!({ "Identity": ".." })).await.unwrap_err();
    let expected = Failure::not_found("there is no lamp \"..\"").with_advice("Get-Lamp shows all.");
    assert_eq!(missing, expected);
    assert_eq!((missing.kind.exit_code(), missing.kind.status()), (3, 404));
    // Empty and null never mean all.
    for wrong in
        [json!({ "Identity": "" }), json!({ "Identity": null }), json!({ "Identity": " " }), json!([])]
    {
        let failure = call("Get-Lamp", wrong.clone()).await.unwrap_err();
        assert_eq!(failure.kind.status(), 422, "{wrong}");
    }
    assert_eq!(call("Start-Lamp", json!({})).await.unwrap_err().message, "Start-Lamp needs Identity");
    assert_eq!(place.door.records.lock().unwrap()[0].caller.role, Role::Admin);
}

#[tokio::test]
async fn other_programs_invoke_operations_by_name() {
    let place = TestService::new();
    let invoke = |name: &'static str, request: &'static str| {
        let (client, operations) = (place.client(), place.operations.clone());
        async move { mailhaul_operations::invoke(&operations, &client, name, request.as_bytes(), |_| {}).await }
    };
    // Windows PowerShell 5.1 writes a byte order mark before the request.
    let made = invoke("new-lamp", "\u{feff}{\"Name\":\"x\"}").await.unwrap();
    assert_eq!(made["Value"][0]["Identity"], "x");
    assert_eq!(invoke("Get-Wiring", "\n").await.unwrap_err().message, "there is no operation \"Get-Wiring\"");
    assert_eq!(invoke("Get-LampWiring", "\n").await, Ok(json!({ "Value": [] })));
    let odd = invoke("Get-Lam", "").await.unwrap_err().to_json();
    assert_eq!(odd["Error"]["Advice"], "Did you mean Get-Lamp?");
    assert!(invoke("Get-Lamp", "{").await.unwrap_err().message.contains("not JSON"));
}

#[tokio::test]
async fn long_answers_without_a_secret_are_compressed() {
    let place = TestService::new();
    place.hang(&["short"]).await;
    let ask = async |method: &str, address: &str, body: String, encoding: &str| {
        let request = Request::builder().method(method).uri(address).header("accept-encoding", encoding);
        let request = request.header("authorization", "Bearer admin").body(Body::from(body)).unwrap();
        let response = place.router().oneshot(request).await.unwrap();
        let encoding = response.headers().get("content-encoding").map(|it| it.to_str().unwrap().to_owned());
        (encoding, response.into_body().collect().await.unwrap().to_bytes())
    };
    let body = json!({ "Name": "new", "Rooms": vec!["a room"; 300] }).to_string();
    let (new, made) = ask("POST", "/api/v1/lamps", body, "gzip").await;
    assert!(new.is_none() && made.len() > 2000, "an answer that may hold a new token: {new:?}");
    let (plain, all) = ask("GET", "/api/v1/lamps/new", String::new(), "identity").await;
    let (gzip, fewer) = ask("GET", "/api/v1/lamps/new", String::new(), "br, gzip;q=0.8").await;
    assert_eq!((plain, gzip.as_deref()), (None, Some("gzip")));
    assert!(fewer.len() < all.len() / 4, "{} of {}", fewer.len(), all.len());
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&fewer[..]), &mut text).unwrap();
    assert_eq!(text, all);
    let (short, _) = ask("GET", "/api/v1/lamps/short", String::new(), "gzip").await;
    assert_eq!(short, None);
}

#[tokio::test]
async fn a_list_as_csv_has_all_pages() {
    let place = TestService::new();
    let names: Vec<String> = (0..7).map(|number| format!("=lamp{number},\u{fc}")).collect();
    place.hang(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let ask = async |address: &str, accept: &str| {
        let request = Request::builder().uri(address).header("accept", accept);
        let request = request.header("authorization", "Bearer viewer").body(Body::empty()).unwrap();
        let response = place.router().oneshot(request).await.unwrap();
        let head = response.headers().clone();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (head, String::from_utf8(body.to_vec()).unwrap())
    };
    let (head, text) = ask("/api/v1/lamps", "text/csv").await;
    assert_eq!(head["content-type"], "text/csv; charset=utf-8");
    assert_eq!(head["content-disposition"], "attachment; filename=\"lamps.csv\"");
    assert_eq!(head["content-security-policy"], "sandbox");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 9, "a header, 7 rows, and the end of the last line: {text}");
    assert_eq!(lines[0], "Identity,Colour,Watts,Rooms,Lit,Owner,OffAfter,Manual");
    // No spreadsheet runs a name.
    assert!(lines[1].starts_with("\"'=lamp0,\u{fc}\",White,"), "{text}");
    let (head, _) = ask("/api/v1/lamps", "application/json, text/csv").await;
    assert_eq!(head["content-type"], "application/json");
    // No result is a header alone.
    let (_, text) = ask("/api/v1/lamps?Lit=true", "text/csv;q=1").await;
    assert_eq!(text, format!("{}\r\n", lines[0]));
    let (head, text) = ask("/api/v1/lamps/none", "text/csv").await;
    assert!(head["content-type"] == "application/json" && text.contains("NotFound"), "{text}");
}
