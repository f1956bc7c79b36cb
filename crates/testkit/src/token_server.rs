//! A private, real authorization server: oidc-provider in Node.js (`testkit/token-server`).

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread::sleep,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    bearer::{Bearer, TokensOf},
    processes::GREETING_TIMEOUT,
};

/// A running authorization server with the paths of Microsoft's. Stops when dropped.
///
/// Its endpoints are below [`TokenServer::TENANT`].
pub struct TokenServer {
    directory: TempDir,
    process: Child,
    settings: Mutex<Value>,
    issuer: String,
    key_id: String,
    key: String,
}

/// A request for a token, with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The grant type without its prefix: `client_credentials`, `jwt-bearer`, `refresh_token`, `device_code`.
    pub grant: String,
    /// The error code; `None` if a token was issued.
    pub error: Option<String>,
    /// The subject of the token.
    pub subject: Option<String>,
}

impl TokenServer {
    /// The organisation.
    pub const TENANT: &str = "contoso.edu";
    /// The application with [`TokenServer::CLIENT_SECRET`].
    pub const WITH_SECRET: &str = "9a2e5a3c-1d55-4a0e-8a9e-000000000001";
    pub const CLIENT_SECRET: &str = "kY8~client-secret-of-the-application";
    /// The application with a certificate.
    pub const WITH_CERTIFICATE: &str = "9a2e5a3c-1d55-4a0e-8a9e-000000000002";
    /// The application on users' devices, which has no credential.
    pub const ON_DEVICES: &str = "9a2e5a3c-1d55-4a0e-8a9e-000000000003";
    /// The audience of tokens for Microsoft's mailboxes.
    pub const MICROSOFT: &str = "https://outlook.office365.com";
    /// The scope of an application's tokens for them.
    pub const DEFAULT_SCOPE: &str = "https://outlook.office365.com/.default";
    /// The audience of a user's tokens for them.
    pub const OF_PERSONS: &str = "https://outlook.office.com";
    /// The scope of such tokens.
    pub const PERSON_SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";
    /// The scope of tokens for another service.
    pub const OTHER_SCOPE: &str = "https://graph.microsoft.com/.default";
    /// The audience of tokens for Google's mailboxes.
    pub const GOOGLE: &str = "https://mail.google.com";

    /// Starts the server. Tokens expire after an hour.
    pub fn start() -> Self {
        let modules = installed();
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let openssl = |words: &str| {
            let mut command = Command::new("openssl");
            let ran = command.args(words.split(' ')).current_dir(directory.path()).output().unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        };
        openssl("genrsa -out account.pem 2048");
        openssl("rsa -in account.pem -pubout -out account.pub");
        openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -subj /CN=mailhaul -days 30",
        );
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        let settings = json!({
            "tenant": Self::TENANT,
            "token_life_seconds": 3600,
            "clock_is_ahead_seconds": 0,
            "clock_tolerance_seconds": 60,
            "resources": [Self::MICROSOFT, Self::OF_PERSONS, Self::GOOGLE, "https://graph.microsoft.com"],
            "clients": [
                { "id": Self::WITH_SECRET, "secret": Self::CLIENT_SECRET, "grants": ["client_credentials"] },
                { "id": Self::WITH_CERTIFICATE, "certificate": read("certificate.pem"), "grants": ["client_credentials"] },
                { "id": Self::ON_DEVICES, "grants": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"] },
            ],
            "service_accounts": [{
                "email": ACCOUNT, "key_id": ACCOUNT_KEY, "public_key": read("account.pub"), "domain": Self::TENANT,
                "scopes": ["https://mail.google.com/"],
            }],
        });
        fs::write(at("settings.json"), settings.to_string()).unwrap();
        fs::write(at("log"), "").unwrap();
        let errors = fs::File::create(at("errors")).unwrap();
        let process = Command::new("node")
            .args([&script("server.mjs"), &modules, &at("settings.json"), &at("log")])
            .stdin(Stdio::null())
            .stdout(errors.try_clone().unwrap())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("node cannot be run ({error}): `make test` installs it"));
        let mut server = Self {
            directory,
            process,
            settings: Mutex::new(settings),
            issuer: String::new(),
            key_id: String::new(),
            key: String::new(),
        };
        let begun = Instant::now();
        while server.log().is_empty() {
            let is_running =
                server.process.try_wait().unwrap().is_none() && begun.elapsed() < GREETING_TIMEOUT;
            let errors = server.directory.path().join("errors");
            assert!(is_running, "the token server does not start: {}", fs::read_to_string(errors).unwrap());
            sleep(Duration::from_millis(20));
        }
        let first = server.log().remove(0);
        let word = |name: &str| first[name].as_str().unwrap().to_owned();
        (server.issuer, server.key_id, server.key) = (word("issuer"), word("kid"), word("key"));
        server
    }

    /// Its URL, the parent of all tenants.
    pub fn authority_url(&self) -> &str {
        &self.issuer
    }

    /// URL of its token endpoint.
    pub fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.issuer, Self::TENANT)
    }

    /// URL of its endpoint for devices.
    pub fn device_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/devicecode", self.issuer, Self::TENANT)
    }

    /// Changes the lifetime of future tokens.
    pub fn set_token_life(&self, life: Duration) {
        self.set("token_life_seconds", json!(life.as_secs()));
    }

    /// Sets its clock ahead by this many seconds.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.set("clock_is_ahead_seconds", json!(seconds));
    }

    fn set(&self, name: &str, value: Value) {
        let mut settings = self.settings.lock().unwrap();
        settings[name] = value;
        // The server may read the file at any moment: it must be complete.
        let new = self.directory.path().join("settings.new");
        fs::write(&new, settings.to_string()).unwrap();
        fs::rename(new, self.directory.path().join("settings.json")).unwrap();
    }

    /// A certificate and its private key, in one PEM file, for [`TokenServer::WITH_CERTIFICATE`].
    pub fn certificate(&self) -> String {
        let read = |name| fs::read_to_string(self.directory.path().join(name)).unwrap();
        read("certificate.pem") + &read("key.pem")
    }

    /// The key file (JSON) of a service account that may open all mailboxes of the organisation, in Google's
    /// form.
    pub fn service_account_key(&self) -> String {
        let key = fs::read_to_string(self.directory.path().join("account.pem")).unwrap();
        let file = json!({
            "type": "service_account", "project_id": "migration-1", "private_key_id": ACCOUNT_KEY, "private_key": key,
            "client_email": ACCOUNT, "client_id": "104217718123456789012", "token_uri": self.token_url(),
        });
        serde_json::to_string_pretty(&file).unwrap()
    }

    /// Signs a user in at its pages, and gives the device with this code access to the mailbox.
    pub fn allow(&self, user_code: &str, login: &str) {
        self.person(&["allow", &self.tenant_url(), user_code, login]);
    }

    /// Refuses the device with this code.
    pub fn deny(&self, user_code: &str, login: &str) {
        self.person(&["deny", &self.tenant_url(), user_code, login]);
    }

    /// A refresh token of a user who has signed in on a device.
    pub fn refresh_token(&self, login: &str) -> String {
        self.person(&["refresh-token", &self.tenant_url(), Self::ON_DEVICES, Self::PERSON_SCOPE, login])
    }

    fn tenant_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0", self.issuer, Self::TENANT)
    }

    #[expect(clippy::unused_self, reason = "who visits it needs it running")]
    fn person(&self, words: &[&str]) -> String {
        let ran = Command::new("node").arg(script("person.mjs")).args(words).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    /// A Dovecot's check of its tokens, which must be for this audience.
    pub fn bearer(&self, tokens_of: TokensOf, audience: &str) -> Bearer {
        Bearer {
            tokens_of,
            audience: audience.to_owned(),
            key_id: self.key_id.clone(),
            key: self.key.clone(),
        }
    }

    /// All requests for tokens so far.
    pub fn requests(&self) -> Vec<TokenRequest> {
        let requests = self.log().into_iter().filter(|it| it["grant"].is_string());
        let request = |entry: Value| TokenRequest {
            grant: entry["grant"].as_str().unwrap().to_owned(),
            error: entry["answered"]["error"].as_str().map(str::to_owned),
            subject: entry["answered"]["access_token"].as_str().and_then(subject),
        };
        requests.map(request).collect()
    }

    /// Number of requests with this grant.
    pub fn count(&self, grant: &str) -> usize {
        self.requests().iter().filter(|it| it.grant == grant).count()
    }

    /// Everything secret that was sent in either direction, and the keys of its clients.
    pub fn secrets(&self) -> Vec<String> {
        const NAMES: [&str; 6] = [
            "client_secret",
            "client_assertion",
            "assertion",
            "refresh_token",
            "access_token",
            "device_code",
        ];
        let mut found: Vec<String> = Vec::new();
        for entry in self.log() {
            for side in ["asked", "answered"] {
                found.extend(NAMES.iter().filter_map(|it| entry[side][it].as_str()).map(str::to_owned));
            }
        }
        for name in ["account.pem", "key.pem"] {
            // A line in the middle: its surroundings may be written in many ways.
            let key = fs::read_to_string(self.directory.path().join(name)).unwrap();
            found.push(key.lines().nth(5).unwrap().to_owned());
        }
        found.sort();
        found.dedup();
        found
    }

    /// Its log: its key, then each request with its answer, and the violated rules.
    pub fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.directory.path().join("log")).unwrap();
        // The last line may be incomplete.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

const ACCOUNT: &str = "migration@migration-1.iam.gserviceaccount.com";
const ACCOUNT_KEY: &str = "5f1c0e9ad3b94d6a8c7b2e4f6a1d3c5b7e9f0a2c";

/// The subject of a token.
fn subject(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Value>(&claims).ok()?["sub"].as_str().map(str::to_owned)
}

/// Directory of the npm packages that `make test` has installed below the build directory.
#[track_caller]
fn installed() -> PathBuf {
    let test = env::current_exe().unwrap();
    let found =
        test.ancestors().map(|it| it.join("servers/token-server/node_modules")).find(|it| it.exists());
    found.unwrap_or_else(|| {
        panic!("the token server is not below the build directory: `sh scripts/token-server.sh` installs it")
    })
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("token-server").join(name)
}
