//! Receivers of notifications that are foreign code: aiosmtpd for mails, Python's `hmac` for webhooks.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Certificate,
    processes::{free_port, greeting},
};

/// Debian's Python, for which the packages of `scripts/servers.sh` are.
const PYTHON: &str = "/usr/bin/python3";
/// Number of looks for a process that starts, each after a tenth of a second.
const LOOKS: u32 = 300;

/// A running SMTP server (aiosmtpd) that keeps mails in files. Stops when dropped.
pub struct SmtpSink {
    pub port: u16,
    directory: TempDir,
    process: Child,
}

impl SmtpSink {
    /// Starts a server that requires STARTTLS with this certificate.
    pub fn start(certificate: &Certificate) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let process = Command::new(PYTHON)
            .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}"), "--tlscert"])
            .arg(certificate.certificate_file())
            .arg("--tlskey")
            .arg(certificate.key_file())
            .args(["-c", "aiosmtpd.handlers.Mailbox"])
            .arg(directory.path().join("mails"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let sink = Self { port, directory, process };
        for _ in 0..LOOKS {
            if greeting(port).is_some() {
                return sink;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("aiosmtpd does not answer; scripts/servers.sh installs it");
    }

    /// Returns the mails so far, each as it was received.
    pub fn mails(&self) -> Vec<String> {
        let new = self.directory.path().join("mails/new");
        let Ok(entries) = fs::read_dir(new) else { return Vec::new() };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// A running receiver of webhooks that checks their signatures in Python. Stops when dropped.
pub struct WebhookSink {
    pub port: u16,
    directory: TempDir,
    process: Child,
}

impl WebhookSink {
    /// Starts a receiver with this secret.
    pub fn start(secret: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("notifications/webhook.py");
        let process = Command::new(PYTHON)
            .arg(script)
            .arg(port.to_string())
            .arg(directory.path().join("requests"))
            .env("WEBHOOK_SECRET", secret)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..LOOKS {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            sleep(Duration::from_millis(100));
        }
        Self { port, directory, process }
    }

    /// Returns the requests so far: `id`, `genuine` and `body`.
    pub fn requests(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.directory.path().join("requests")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for WebhookSink {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn end(process: &mut Child) {
    _ = process.kill();
    _ = process.wait();
}
