//! Every seed, and very long inputs made of it.

#![allow(clippy::unwrap_used, reason = "a test stops where a file cannot be read")]

use std::{fs, path::Path};

use mailhaul_fuzz::TARGETS;

/// Bytes of a long input.
const LONG: usize = 10 << 20;

/// Returns the seeds of a target with their names, sorted by name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

#[test]
fn every_seed_is_read() {
    for (name, target) in TARGETS {
        for (seed, octets) in seeds(name) {
            println!("{name}/{seed}");
            target(&octets);
        }
    }
}

/// An algorithm that is quadratic in the length does not end here.
#[test]
fn ten_megabytes_of_every_seed_are_read() {
    for (name, target) in TARGETS {
        for (seed, octets) in seeds(name).into_iter().filter(|(_, octets)| octets.len() > 1) {
            println!("{name}/{seed}, 10 MB");
            // Each request has an answer, and some answers are long.
            let length = if name == "http" { LONG / 20 } else { LONG };
            target(&octets.repeat(length / octets.len()));
        }
    }
}

#[test]
fn a_request_with_ten_megabytes_is_answered() {
    let body = format!("{{\"Name\":\"{}\"}}", "[".repeat(LONG));
    let head = "POST /api/v1/lamps HTTP/1.1\r\nHost: l\r\nAuthorization: Bearer admin\r\nContent-Type: application/json";
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    mailhaul_fuzz::http(request.as_bytes());
    mailhaul_fuzz::http(request.replace(":\"", ":").as_bytes());
}
