//! What one subordinate can ask of the vault that signs about it: not more room than there is, and nothing of others.

use std::fs;

use fedroot::base::bytes::{Digest, hex};
use serde_json::json;

use crate::openid_signing::{broken, found};
use crate::support::Folder;
use crate::support::federation::{configuration, id};
use crate::support::world::{ANCHOR, signs, world};

const KIND: &str = "subordinate-statement";

/// A path is told for each value: a short document with a long name and many values asks for any amount.
#[test]
fn a_configuration_that_no_review_has_room_for_is_refused() {
    let with = |name: String, count: usize| {
        let one = json!({ &name: vec!["a"; count] });
        json!({"files": {"op.jwt": {"claims": {"metadata": {"openid_provider": one}}}}})
    };
    for (name, count) in [(10_000, 20_000), (3_000, 10_000)] {
        let fault = found(KIND, &with("x".repeat(name), count)).unwrap_err();
        assert_eq!(fault.code().name, "review.too-large", "{fault}");
        let said = fault.message();
        assert!(said.contains(".openid_provider.xxx") && said.len() < 1_000, "{said}");
    }
    for (name, count) in [(20, 20_000), (3_000, 100)] {
        assert!(broken(KIND, &with("x".repeat(name), count)).contains("openid.subject.new"));
    }
}

/// Ten minutes, where all facts are looked through for each path.
#[test]
fn a_change_among_ten_thousands_of_values_is_found_in_a_moment() {
    let list = |last: &str| {
        let mut list = vec!["a"; 50_000];
        list.push(last);
        json!({"openid_provider": {"list": list}})
    };
    let before =
        json!([{"now": "2026-11-01T00:00:00Z", "files": {"op.jwt": {"claims": {"metadata": list("a")}}}}]);
    let change = json!({"before": before, "files": {"op.jwt": {"claims": {"metadata": list("b")}}}});
    let started = std::time::Instant::now();
    assert!(!broken(KIND, &change).contains("openid.subject.new"));
    assert!(started.elapsed().as_secs() < 40, "{:?}", started.elapsed());
}

fn reviewed(folder: &Folder, number: u32, more: &[&str]) -> (i32, String) {
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let file = format!("in/subordinates/{number}.toml");
    let mut all = vec!["review", KIND, &file, "--key", ANCHOR, "--vault", "V"];
    all.extend(more);
    let ran = folder.fedroot(&all);
    (ran.code, ran.stdout + &ran.stderr)
}

fn record(folder: &Folder, number: u32) -> std::path::PathBuf {
    let name = hex(Digest::of(id(number).as_bytes()).as_bytes());
    folder.path(&format!("V/signed/{ANCHOR}/{KIND}-{name}.last"))
}

/// Whoever takes the record away, or follows a hint to do so, does not get around the proof of possession.
#[test]
fn without_the_record_of_a_statement_new_keys_are_not_believed() {
    let folder = world(3);
    signs(&folder, &[]);
    // The second is signed about alone, and stands in no batch since.
    fs::remove_file(folder.path("in/subordinates/2.toml")).unwrap();
    signs(&folder, &["--prune"]);
    fs::write(folder.path("in/subordinates/2.toml"), crate::support::federation::statement(2)).unwrap();
    let alone = ["sign", KIND, "in/subordinates/2.toml", "--key", ANCHOR, "--output", "2.out"];
    folder.good(&[&alone[..], &["--vault", "V", "--identity", "auditor.key"]].concat());
    for number in [1, 2] {
        fs::write(folder.path(&format!("in/subordinates/{number}.jwt")), configuration(&id(number), 9, &[9]))
            .unwrap();
        let (code, said) = reviewed(&folder, number, &[]);
        assert!(code == 3 && said.contains("none of the old ones proves it"), "{said}");
        let (path, away) = (record(&folder, number), folder.path("away"));
        // One that cannot be read is no way around it, nor is one that is gone.
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let (code, said) = reviewed(&folder, number, &[]);
        assert!(code == 2 && said.contains("put it back from a backup"), "{said}");
        fs::rename(&path, &away).unwrap();
        let (code, said) = reviewed(&folder, number, &[]);
        let file = path.file_name().unwrap().to_str().unwrap();
        assert!(
            code == 3 && said.contains("block  openid.subject.key-proof") && said.contains(file),
            "{said}"
        );
        assert!(said.contains("changes: unknown"), "{said}");
        let batch = folder.fedroot(&["review", "federation", "in", "--key", ANCHOR, "--vault", "V"]);
        let is_in_batch = batch.stdout.contains("the record of that is gone");
        assert!(batch.code == 3 && is_in_batch, "{}", batch.stdout);
        assert_eq!(reviewed(&folder, 3, &[]).0, 0, "others are reviewed as before");
        let (code, said) = reviewed(&folder, number, &["--release-brake", "the disk broke"]);
        assert!(code == 0 && said.contains("note   openid.subject.new"), "{said}");
        assert!(said.contains("a statement about it was signed before"), "{said}");
        fs::write(&away, whole).unwrap();
        fs::rename(&away, &path).unwrap();
        fs::write(
            folder.path(&format!("in/subordinates/{number}.jwt")),
            configuration(&id(number), number, &[number]),
        )
        .unwrap();
        assert_eq!(reviewed(&folder, number, &[]).0, 0, "put back, it is as before");
    }
    let (code, said) = reviewed(&folder, 3, &["--json"]);
    assert!(code == 0 && said.contains("\"record_is_gone\":false"), "{said}");
}

/// Who was never signed about is new.
#[test]
fn a_first_statement_misses_no_record() {
    let folder = world(2);
    let (code, said) = reviewed(&folder, 1, &[]);
    assert!(code == 0 && said.contains("note   openid.subject.new") && !said.contains("is gone"), "{said}");
    signs(&folder, &[]);
    crate::support::federation::subordinate(&folder.path("in"), 3);
    let (code, said) = reviewed(&folder, 3, &[]);
    assert!(code == 0 && said.contains("note   openid.subject.new") && !said.contains("is gone"), "{said}");
}
