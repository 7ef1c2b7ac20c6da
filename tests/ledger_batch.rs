//! The vector of a batch: its ledger, its lists, and what an auditor reads. It stays what it is.

use std::fs;
use std::path::PathBuf;

use fedroot::base::bytes::{Digest, base64, from_base64, list_of};
use fedroot::base::clock::Instant;
use fedroot::base::random;
use fedroot::base::recipient::Identities;
use fedroot::base::secret::Secret;
use fedroot::ledger::{self, Body, Entry, Evidence, Ledger};
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

/// The proofs of a batch of so many, whose outcome says this.
fn proofs(count: usize, result: &str) -> (Vec<Digest>, Vec<String>) {
    let room = tempfile::tempdir().unwrap();
    let now = Instant::from_unix(1_795_324_020).unwrap();
    let (_, auditor) = Identities::generate(now);
    let random = Box::new(random::system());
    let folder = room.path().join("ledger");
    let mut writer =
        Ledger::create(&folder, "vectors.example/batch", &[auditor], &json!({}), now, random).unwrap();
    let artefacts = digests("document", count);
    let permit = writer.intend_batch("example.org/prod/metadata#1", &artefacts, &json!({}), now).unwrap();
    let outcome = json!({"result": result, "count": count, "root": base64(&ledger::root_of(&artefacts))});
    permit.outcome(&outcome, now).unwrap();
    let mut proof = writer.evidence().unwrap().of_documents(&artefacts);
    let proofs = (0..count).map(&mut proof).collect();
    (artefacts, proofs)
}

#[test]
fn a_proof_is_of_one_document_of_its_batch() {
    for count in [1, 2, 7, 16, 33] {
        let (artefacts, proofs) = proofs(count, "signed");
        for (at, proof) in proofs.iter().enumerate() {
            let (evidence, proved) = Evidence::parse(proof.as_bytes()).unwrap();
            assert_eq!(&evidence.text(), proof, "a proof has one way to be written");
            for (other, digest) in artefacts.iter().enumerate() {
                assert_eq!(proved.is_of(*digest), other == at, "{other} by the proof of {at} of {count}");
            }
        }
    }
    let (artefacts, incomplete) = proofs(3, "incomplete");
    assert!(!Evidence::parse(incomplete[0].as_bytes()).unwrap().1.is_of(artefacts[0]));
}

/// The proof with something else in its extra data.
fn with_extra(proof: &str, change: impl Fn(String) -> String) -> String {
    let (head, rest) = proof.split_once("\nextra ").unwrap();
    let (extra, rest) = rest.split_once('\n').unwrap();
    let extra = String::from_utf8(from_base64(extra).unwrap()).unwrap();
    format!("{head}\nextra {}\n{rest}", base64(change(extra).as_bytes()))
}

#[test]
fn the_place_of_a_document_cannot_be_changed() {
    let (artefacts, proofs) = proofs(7, "signed");
    let is_of = |text: &str, at: usize| {
        Evidence::parse(text.as_bytes()).is_ok_and(|(_, proved)| proved.is_of(artefacts[at]))
    };
    let five = &proofs[5];
    assert!(is_of(&with_extra(five, |extra| extra), 5));
    for (from, to) in [
        ("\ndocument 5 ", "\ndocument 4 "),
        ("\ndocument 5 ", "\ndocument 05 "),
        ("\ndocument 5 ", "\ndocument 5  "),
        ("\ndocument 5 ", "\ndocument 18446744073709551621 "),
        ("\ndocument 5 ", "\ndocument "),
        ("\ndocument 5 ", "\n"),
    ] {
        let changed = with_extra(five, |extra| extra.replacen(from, to, 1));
        assert_ne!(&changed, five);
        assert!((0..7).all(|at| !is_of(&changed, at)), "{to:?}");
    }
    let place = |extra: &str| extra.lines().nth(2).unwrap().to_owned();
    let without = with_extra(five, |extra| extra.replacen(&format!("{}\n", place(&extra)), "", 1));
    assert!((0..7).all(|at| !is_of(&without, at)), "an outcome of a batch has no one document");
    let longer = with_extra(five, |extra| {
        let place = place(&extra);
        extra.replacen(&place, &format!("{place} {}", base64(&[0; 32])), 1)
    });
    assert!((0..7).all(|at| !is_of(&longer, at)));
    let endless = with_extra(five, |extra| {
        extra.replacen(
            &place(&extra),
            &format!("document 5{}", format!(" {}", base64(&[0; 32])).repeat(64)),
            1,
        )
    });
    assert!(Evidence::parse(endless.as_bytes()).is_err());
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
