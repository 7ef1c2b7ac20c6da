//! The vector of a batch: its ledger, its lists, and what an auditor reads. It stays what it is.

use std::fs;
use std::path::PathBuf;

use fedroot::base::bytes::{Digest, base64, list_of};
use fedroot::base::clock::Instant;
use fedroot::base::random;
use fedroot::base::recipient::Identities;
use fedroot::base::secret::Secret;
use fedroot::ledger::{self, Body, Entry, Ledger};
use serde_json::{Value, json};

use crate::support::{self, peers};

fn vector() -> PathBuf {
    support::root().join("tests/vectors/ledger/batch")
}

fn digests(of: &str, count: usize) -> Vec<Digest> {
    (0..count).map(|n| Digest::of(format!("{of} {n}").as_bytes())).collect()
}

/// What a list says, and nothing else is one.
fn read_list(name: &str) -> Vec<Digest> {
    let text = fs::read_to_string(vector().join(name)).unwrap();
    let list: Vec<Digest> = text.lines().map(|line| format!("sha256:{line}").parse().unwrap()).collect();
    assert_eq!(list_of(&list), text);
    list
}

#[test]
fn the_vector_of_a_batch_is_what_the_page_says() {
    let log = fs::read(vector().join("ledger.jsonl")).unwrap();
    let identities =
        Identities::parse(&Secret::new(fs::read(vector().join("auditor.key")).unwrap())).unwrap();
    let entries: Vec<Entry> = ledger::read(log.as_slice(), &identities).map(Result::unwrap).collect();
    let body = |at: usize| if let Body::Open(body) = &entries[at].body { body.clone() } else { Value::Null };
    let (octets, artefacts) = (read_list("octets.list"), read_list("artefacts.list"));
    let lines: Vec<&str> = std::str::from_utf8(&log).unwrap().lines().collect();
    let root = base64(&ledger::root_of(&octets));
    assert!(lines[1].contains(&format!(",\"root\":\"{root}\",\"s\":")), "{}", lines[1]);
    let digest = |list: &[Digest]| Digest::of(list_of(list).as_bytes()).to_string();
    let intent = body(1);
    assert_eq!((&intent["octets"], &intent["count"]), (&digest(&octets).into(), &5.into()));
    let outcome = body(2);
    let said = json!({"result": "signed", "count": 5, "of": 5, "artefacts": digest(&artefacts),
        "root": base64(&ledger::root_of(&artefacts))});
    assert_eq!(outcome, said);
    assert!(!lines[2].contains("\"root\""), "what was signed is for auditors only");
    let summary = ledger::verify(log.as_slice()).unwrap();
    assert_eq!(summary.open, [3], "a batch that nobody closed");
    if peers("the_vector_of_a_batch_is_what_the_page_says", &["python3"]) {
        let verifier = support::root().join("docs/formats/verify_ledger.py");
        let ran =
            std::process::Command::new("python3").arg(verifier).arg(vector().join("ledger.jsonl")).output();
        assert!(ran.unwrap().status.success());
    }
}

/// Makes the vector anew: `cargo test --test all make_the_vector_of_a_batch -- --ignored`.
#[test]
#[ignore = "writes tests/vectors/ledger/batch, which is frozen"]
fn make_the_vector_of_a_batch() {
    let room = tempfile::tempdir().unwrap();
    let folder = room.path().join("ledger");
    let now = |second: i64| Instant::from_unix(1_795_324_020 + second).unwrap();
    let (secret, auditor) = Identities::generate(now(0));
    let (origin, key, begun) =
        ("vectors.example/batch", "example.org/prod/metadata#1", json!({"act": "init"}));
    let mut writer =
        Ledger::create(&folder, origin, &[auditor], &begun, now(0), Box::new(random::system())).unwrap();
    let (octets, artefacts) = (digests("octets", 5), digests("document", 5));
    let body = json!({"act": "sign"});
    let permit = writer.intend_batch(key, &octets, &body, now(1)).unwrap();
    let outcome = json!({"result": "signed", "count": 5, "of": 5,
        "artefacts": Digest::of(list_of(&artefacts).as_bytes()).to_string(),
        "root": base64(&ledger::root_of(&artefacts))});
    permit.outcome(&outcome, now(2)).unwrap();
    std::mem::forget(writer.intend_batch(key, &octets[..2], &body, now(3)).unwrap());
    drop(writer);
    fs::create_dir_all(vector()).unwrap();
    for (name, bytes) in [
        ("ledger.jsonl", fs::read(folder.join(ledger::LOG)).unwrap()),
        ("auditor.key", secret.expose().clone().into_bytes()),
        ("octets.list", list_of(&octets).into_bytes()),
        ("artefacts.list", list_of(&artefacts).into_bytes()),
    ] {
        fs::write(vector().join(name), bytes).unwrap();
    }
}
