//! Random requests to random URLs: never a 500, always the same form of errors.

use axum::{body::Body, http::Request};
use proptest::{collection, option, prelude::*};
use serde_json::{Map, Value};

use crate::support::TestService;

const METHODS: [&str; 7] = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "BREW"];
const COLLECTIONS: [&str; 5] = ["lamps", "wiring", "reports", "openapi.json", "nothing"];
const ACTIONS: [&str; 6] = ["start", "stop", "test", "export", "explode", ""];
const NAMES: [&str; 17] = [
    "Name",
    "Watts",
    "Colour",
    "Rooms",
    "AutoStart",
    "PDFData",
    "Owner",
    "PassPhrase",
    "OwnersByRoom",
    "OffAfter",
    "OnFor",
    "MaxUses",
    "Identity",
    "Lit",
    "Continuation",
    "Volts",
    "Unknown",
];

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        Just("White".to_owned()),
        Just("a".to_owned()),
        Just("YSxi".to_owned()),
        Just("2026-12-31".to_owned()),
        Just("24:00:00".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // 666 volts cause the panic of another test.
        (-1_i16..300).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::vec((name(), inner), 0..4).prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        1 => Just("UserName".to_owned()),
        1 => Just("Password".to_owned()),
        1 => any::<String>(),
    ]
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    collection::vec((name(), value()), 0..5).prop_map(|it| it.into_iter().collect())
}

/// Characters of a URL, with valid and invalid percent escapes.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("stop".to_owned()), "[a-z0-9%.~&=+_-]{0,8}", "(%[0-9a-f]{2}){0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nothing_that_is_sent_breaks_it(
        method in prop::sample::select(METHODS.to_vec()),
        collection in prop::sample::select(COLLECTIONS.to_vec()),
        identity in option::of(part()),
        action in option::of(prop::sample::select(ACTIONS.to_vec())),
        query in option::of(prop_oneof![
            "[a-z0-9%.&=+_-]{0,12}",
            (name(), part()).prop_map(|(name, text)| {
                format!("{}={text}", name.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
            }),
        ]),
        body in prop_oneof![
            4 => object().prop_map(|it| Value::Object(it).to_string().into_bytes()),
            1 => value().prop_map(|it| it.to_string().into_bytes()),
            1 => collection::vec(any::<u8>(), 0..40),
        ],
    ) {
        let mut address = format!("/api/v1/{collection}");
        for part in identity.into_iter().chain(action.map(str::to_owned)) {
            address = format!("{address}/{part}");
        }
        if let Some(query) = query {
            address = format!("{address}?{query}");
        }
        let request = Request::builder().method(method).uri(&address).header("authorization", "Bearer admin");
        let Ok(request) = request.body(Body::from(body)) else { return Ok(()) };
        let reply = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
            let place = TestService::new();
            place.hang(&["a"]).await;
            place.send(request).await
        });
        prop_assert!(reply.status < 500 || reply.status == 503, "{method} {address}: {reply:?}");
        if reply.status >= 400 && method != "HEAD" {
            prop_assert!(!reply.code().is_empty() && !reply.message().is_empty(), "{method} {address}: {reply:?}");
        }
    }
}
