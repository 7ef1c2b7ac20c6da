//! The key of a line of single entities rotates: two folders in one act, one signed by each key.

use std::fs;

use fedroot::base::bytes::Digest;
use serde_json::Value;

use crate::batch::{count, numbered, split, splits, strangers_accept};
use crate::support::world::{ANCHOR, arguments, world};
use crate::support::{Folder, LINE, peers};

const ALL: usize = 12;

/// A line whose successor is published, sealed to a passphrase: the two keys open with different secrets.
fn rotating() -> Folder {
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(ALL)).unwrap();
    folder.good(&["rotate", "stage", LINE, "--passphrase-file", "pw", "--vault", "V"]);
    folder.good(&["rotate", "publish", LINE, "--vault", "V"]);
    let public = folder.good(&["key", "export", &format!("{LINE}#2"), "--vault", "V"]);
    fs::write(folder.path("2.pub"), public.stdout).unwrap();
    folder
}

const BOTH: [&str; 4] = ["--copy", "new", "--passphrase-file", "pw"];

fn names(said: &Value) -> Vec<String> {
    let documents = said["documents"].as_array().unwrap().iter();
    documents.map(|document| document["names"][0].as_str().unwrap().to_owned()).collect()
}

/// A document without its signature.
fn content(folder: &Folder, file: &str) -> String {
    let text = String::from_utf8(folder.read(file)).unwrap();
    let (start, end) = (text.find("<ds:Signature").unwrap(), text.find("</ds:Signature>").unwrap());
    format!("{}{}", &text[..start], &text[end..])
}

#[test]
fn two_folders_of_equal_content_are_signed_in_one_act() {
    let folder = rotating();
    let said = splits(&folder, "in.xml", &BOTH);
    assert_eq!((count(&said, "new"), count(&said["copy"], "new")), (ALL, ALL));
    assert_eq!(said["copy"]["key"], format!("{LINE}#2"));
    for name in names(&said) {
        let (old, new) = (format!("out/{name}"), format!("new/{name}"));
        assert_eq!(content(&folder, &old), content(&folder, &new));
        if peers("batch_copy", &["xmlsec1", "xmllint"]) {
            for (file, key, expected) in [
                (&old, "metadata.pub", true),
                (&old, "2.pub", false),
                (&new, "2.pub", true),
                (&new, "metadata.pub", false),
            ] {
                assert_eq!(strangers_accept(&folder, file, key), expected, "{file} {key}");
            }
        }
    }
    // What stands is kept in both, and a change is signed in both.
    let said = splits(&folder, "in.xml", &BOTH);
    assert_eq!((&said["changed"], &said["copy"]["changed"]), (&false.into(), &false.into()));
    let changed = numbered(ALL).replacen("https://sp.example/acs", "https://sp.example/acs2", 1);
    fs::write(folder.path("in.xml"), changed).unwrap();
    let said = splits(&folder, "in.xml", &BOTH);
    assert_eq!((&said["signed"], &said["copy"]["signed"]), (&1.into(), &1.into()));
    // Each document of a batch stands for all, those of the first one too: its receipt is the successor's.
    let observe = |file: &str| {
        folder.shell(&format!(
            "fedroot observe saml {file} --seen-at $(date -u +%FT%TZ) --from https://mdq.example.org/ --vault V"
        ))
    };
    let last = names(&said["copy"])[ALL - 1].clone();
    let stranger = observe("aggregate.xml");
    assert_eq!(stranger.code, 3, "{}{}", stranger.stdout, stranger.stderr);
    let seen = observe(&format!("new/{last}"));
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let journal = String::from_utf8(folder.read("V/journal.jsonl")).unwrap();
    let line: Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
    let digest = Digest::of(&folder.read(&format!("new/{last}"))).to_string();
    assert_eq!(line["what"]["seen"]["digest"], digest, "what was seen, and not what stands for it");
    let early = folder.fedroot(&["rotate", "activate", LINE, "--vault", "V"]);
    assert_eq!(early.code, 4, "only time is missing: {}{}", early.stdout, early.stderr);
}

#[test]
fn both_folders_show_their_documents_or_none_does() {
    let folder = rotating();
    // The second key does not open: what the first one signed waits unseen.
    let half = folder.fedroot(&split("in.xml", &["--copy", "new"]));
    assert_eq!(half.code, 7, "{}{}", half.stdout, half.stderr);
    assert!(half.stdout.contains("run it again to publish them"), "{}", half.stdout);
    assert!(!folder.path("out/entities").exists() && !folder.path("new/entities").exists());
    let said = splits(&folder, "in.xml", &BOTH);
    assert_eq!((count(&said, "resumed"), count(&said["copy"], "new")), (ALL, ALL));
    assert_eq!(said["ledger_resumed"], Value::Null, "what it signed was on record");
    // A copy that cannot be is found before a key is touched.
    let entries = folder.read("V/journal.jsonl");
    fs::write(folder.path("file"), "").unwrap();
    for wrong in ["file", "out"] {
        let changed = numbered(ALL + 1);
        fs::write(folder.path("in.xml"), changed).unwrap();
        let ran = folder.fedroot(&split("in.xml", &["--copy", wrong, "--passphrase-file", "pw"]));
        assert_eq!(ran.code, if wrong == "out" { 2 } else { 7 }, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(folder.read("V/journal.jsonl"), entries, "{wrong}");
    }
}

#[test]
fn documents_that_need_no_copy_say_what_to_do_instead() {
    let folder = world(2);
    let ran = folder.fedroot(&arguments(&["--copy", "new"]));
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["code"], "sign.copy");
    assert!(said["hint"].as_str().unwrap().contains("lists the next key once it is published"), "{ANCHOR}");
    assert!(!folder.path("tree/list").exists() && !folder.path("new").exists());
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(2)).unwrap();
    let ran = folder.fedroot(&split("in.xml", &["--copy", "new"]));
    assert_eq!(ran.code, 4, "no successor: {}{}", ran.stdout, ran.stderr);
    assert!(!folder.path("out/entities").exists());
}
