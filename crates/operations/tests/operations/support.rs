//! Shared parts of the tests: the service, its authorization, and requests as other programs send
//! them.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use mailhaul_mail::Secret;
use mailhaul_operations::{
    Caller, Client, Entry, Failure, Gate, Limits, Operations, Parameter, Record, Role, Service, World,
};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::lamps::{House, operations};

/// Knows a token for each role, named like the role, and collects audit records.
#[derive(Default)]
pub(crate) struct Door {
    pub(crate) records: Mutex<Vec<Record>>,
}

impl Gate for Door {
    fn admit<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Failure>> {
        Box::pin(async move {
            let role = match token {
                "viewer" => Role::Viewer,
                "operator" => Role::Operator,
                "admin" => Role::Admin,
                "closed" => return Err(Failure::unavailable("the tokens cannot be read")),
                _ => return Ok(None),
            };
            Ok(Some(Caller { name: token.to_owned(), role, is_local: false }))
        })
    }

    fn record(&self, record: Record) -> BoxFuture<'_, ()> {
        self.records.lock().unwrap().push(record);
        Box::pin(std::future::ready(()))
    }
}

/// A service with an empty house.
pub(crate) struct TestService {
    pub(crate) house: Arc<House>,
    pub(crate) door: Arc<Door>,
    pub(crate) service: Arc<Service<House>>,
    pub(crate) operations: Arc<Operations<House>>,
}

impl TestService {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let (house, door) = (Arc::new(House::default()), Arc::new(Door::default()));
        let operations = Arc::new(operations());
        let service =
            Service::new(operations.clone(), house.clone(), door.clone(), "1.2.3").with_limits(limits);
        Self { house, door, service: Arc::new(service), operations }
    }

    pub(crate) fn router(&self) -> Router {
        self.service.router()
    }

    pub(crate) fn entry(&self, name: &str) -> &Entry {
        self.operations.entry(name).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::local(self.router(), Caller { name: "root".to_owned(), role: Role::Admin, is_local: true })
    }

    /// Adds lamps with these names.
    pub(crate) async fn hang(&self, names: &[&str]) {
        for name in names {
            self.client().call(self.entry("New-Lamp"), serde_json::json!({ "Name": name })).await.unwrap();
        }
    }

    /// A request with this role's token, or without one.
    pub(crate) async fn ask(&self, token: &str, method: &str, address: &str, body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(address);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        // HEAD has no body.
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Reply { status, headers, body }
    }
}

/// Answer to a request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn code(&self) -> &str {
        self.body["Error"]["Code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["Error"]["Message"].as_str().unwrap_or_default()
    }
}

/// One file, and one password for all users.
pub(crate) struct Desk;

impl World for Desk {
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        match path {
            "manual.pdf" => Ok(b"a,b".to_vec()),
            "password.txt" => Ok(b"from a file\r\n".to_vec()),
            "empty.txt" => Ok(b"\n".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn secret(&self, parameter: &Parameter) -> Result<Secret, Failure> {
        Ok(Secret::new(format!("typed for {}", parameter.name)))
    }

    fn password(&self, parameter: &Parameter, user_name: &str) -> Result<Secret, Failure> {
        match user_name {
            "nobody" => {
                Err(Failure::invalid(format_args!("no password for {user_name} of {}", parameter.name)))
            }
            _ => Ok(Secret::new("typed")),
        }
    }
}
