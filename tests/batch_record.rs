//! What a batch leaves on record: every document that is published belongs to an entry of the ledger, whatever was interrupted
//! before, and however many carry keys of the vault.

use std::fs;

use fedroot::base::bytes::{Digest, hex};
use serde_json::Value;

use crate::batch::{count, numbered, split, splits};
use crate::support::Folder;

const IDP: &str = "example.org/sandbox/idp";
const ALL: usize = 300;

/// What the journal has of signatures, with the documents that a list beside the ledger holds.
fn signed(folder: &Folder) -> Vec<Value> {
    let journal = String::from_utf8(folder.read("V/journal.jsonl")).unwrap();
    let lines = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|mut line| line["what"].get_mut("signed").map(Value::take)).collect()
}

/// How many documents an entry has on record.
fn recorded(signed: &Value) -> u64 {
    let ends = signed["ends"].as_object().into_iter().flat_map(|ends| ends.values());
    ends.map(|count| count.as_u64().unwrap()).sum::<u64>()
        + signed["documents"].as_array().unwrap().len() as u64
}

/// A vault with a line whose key so many identity providers list, and their metadata.
fn federation(entities: usize) -> Folder {
    let folder = Folder::with_one_line();
    let profile = "version = 1\nkinds = [\"bundle\"]\npolicy_ref = \"test\"\n\
        [[channels]]\nname = \"it\"\nkind = \"saml-signing\"\n";
    folder.generate(IDP, profile);
    let pem = folder
        .good(&["key", "export", &format!("{IDP}#1"), "--format", "certificate", "--vault", "V"])
        .stdout;
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let text = String::from_utf8(folder.read("entity.xml")).unwrap();
    let start = text.find("<md:EntityDescriptor").unwrap();
    let (keys, rest) = (text.find("<md:KeyDescriptor").unwrap(), text.find("<md:SingleSignOn").unwrap());
    let entity = format!(
        "{}<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>{}",
        &text[start..keys],
        &text[rest..]
    );
    let aggregate = |entities: usize| {
        let entities: String = (0..entities)
            .map(|n| entity.replace("idp.north.example", &format!("idp{n}.north.example")))
            .collect();
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{entities}</md:EntitiesDescriptor>"
        )
    };
    fs::write(folder.path("in.xml"), aggregate(entities)).unwrap();
    fs::write(folder.path("less.xml"), aggregate(entities - 1)).unwrap();
    folder
}

#[test]
fn however_many_documents_carry_keys_their_batch_gets_its_outcome() {
    let folder = federation(ALL);
    let said = splits(&folder, "in.xml", &[]);
    assert_eq!(said["signed"], ALL);
    let verified = folder.good(&["ledger", "verify", "--vault", "V", "--json"]).stdout;
    assert_eq!(serde_json::from_str::<Value>(&verified).unwrap()["open"], Value::Array(vec![]), "{verified}");
    // Every one of them is an artefact that lists the key.
    for at in [0, ALL - 1] {
        let file = format!("out/{}", said["documents"][at]["names"][0].as_str().unwrap());
        let seen = folder.shell(&format!(
            "fedroot observe saml {file} --seen-at $(date -u +%FT%TZ) --from https://x.example/ --vault V"
        ));
        assert!(seen.code == 0 && seen.stdout.contains(IDP), "{}{}", seen.stdout, seen.stderr);
    }
    // One that carried the key and is gone is missed.
    let gone = folder.fedroot(&split("less.xml", &["--release-brake", "test"]));
    assert_eq!(gone.code, 3, "{}{}", gone.stdout, gone.stderr);
    assert!(gone.stdout.contains("now lists none"), "{}", gone.stdout);
    folder.good(&["ledger", "rebuild", "--compare", "--identity", "auditor.key", "--vault", "V"]);
    assert_eq!(splits(&folder, "in.xml", &[])["changed"], false);

    // The list is looked at, and not trusted.
    let list = folder.shell("ls V/ledger/batches/*.documents").stdout.trim().to_owned();
    let good = folder.read(&list);
    let other = String::from_utf8(good.clone()).unwrap().replacen("idp7.north", "idp7.south", 1);
    let refused = || {
        let status = folder.fedroot(&["status", "--vault", "V"]);
        assert_eq!(status.code, 6, "{}{}", status.stdout, status.stderr);
        assert!(status.stderr.contains(".documents"), "{}", status.stderr);
    };
    fs::write(folder.path(&list), other).unwrap();
    refused();
    fs::write(folder.path(&list), good).unwrap();
    fs::rename(folder.path(&list), folder.path("away")).unwrap();
    refused();
    fs::rename(folder.path("away"), folder.path(&list)).unwrap();
    folder.good(&["status", "--vault", "V"]);
}

/// Signs everything, and yields the folder as a crash leaves it: all of it unseen, and the vault without an outcome.
fn crashed(folder: &Folder, entities: usize) {
    fs::write(folder.path("in.xml"), numbered(entities)).unwrap();
    folder.shell("cp -a V before");
    let said = splits(folder, "in.xml", &[]);
    folder.shell("rm -r V && mv before V && mkdir out/.fedroot");
    for document in said["documents"].as_array().unwrap() {
        let name = document["names"][0].as_str().unwrap();
        let unseen = format!("out/.fedroot/{}", hex(Digest::of(name.as_bytes()).as_bytes()));
        fs::rename(folder.path(&format!("out/{name}")), folder.path(&unseen)).unwrap();
    }
    folder.shell("rm -r out/entities out/index.json");
}

#[test]
fn what_an_interrupted_run_signed_is_on_record_before_it_is_published() {
    let folder = Folder::with_one_line();
    crashed(&folder, 5);
    let said = splits(&folder, "in.xml", &[]);
    assert_eq!((count(&said, "resumed"), &said["signed"]), (5, &0.into()));
    let on_record: Vec<u64> = signed(&folder).iter().map(recorded).collect();
    assert_eq!(on_record, [5], "nothing is signed, and all of it is on record");
    assert!(said["ledger_resumed"].is_u64(), "{said}");
    let status = folder.good(&["status", "--vault", "V"]);
    assert!(status.stdout.contains("5 outstanding"), "{}", status.stdout);
    folder.good(&["ledger", "rebuild", "--compare", "--identity", "auditor.key", "--vault", "V"]);
    // What stands is on record already.
    assert_eq!(splits(&folder, "in.xml", &[])["changed"], false);
    assert_eq!(signed(&folder).len(), 1);

    // Some of it was left, the rest is signed now: each once.
    let folder = Folder::with_one_line();
    crashed(&folder, 5);
    fs::write(folder.path("in.xml"), numbered(7)).unwrap();
    let said = splits(&folder, "in.xml", &["--release-brake", "test"]);
    assert_eq!((count(&said, "resumed"), &said["signed"]), (5, &2.into()));
    assert_eq!(signed(&folder).iter().map(recorded).sum::<u64>(), 7);

    // The key does not open after that: what is on record is not recorded again.
    let folder = Folder::with_one_line();
    crashed(&folder, 5);
    fs::write(folder.path("in.xml"), numbered(7)).unwrap();
    fs::write(folder.path("other.key"), folder.read("auditor.key")).unwrap();
    let mut wrong = split("in.xml", &["--release-brake", "test"]);
    wrong.truncate(wrong.iter().position(|it| *it == "--identity").unwrap());
    wrong.extend(["--release-brake", "test"]);
    assert_ne!(folder.fedroot(&wrong).code, 0);
    splits(&folder, "in.xml", &["--release-brake", "test"]);
    assert_eq!(signed(&folder).iter().map(recorded).sum::<u64>(), 7);
}
