//! Two documents never look alike: what differs is told, and what is told is all that is signed.

use std::fs;

use serde_json::{Value, json};

use crate::support::Folder;
use crate::support::every::{self, LINE};

fn put(folder: &Folder, name: &str, value: &Value) {
    fs::write(folder.path(name), value.to_string()).unwrap();
}

/// The review on the screen, for programs and for a browser.
fn reviews(folder: &Folder, kind: &str, document: &str) -> [String; 3] {
    let review = |more: &[&str]| {
        let ran =
            folder.fedroot(&[&["review", kind, document, "--key", LINE, "--vault", "V"], more].concat());
        assert!(ran.stderr.is_empty() || !ran.stderr.starts_with("error: internal"), "{}", ran.stderr);
        ran.stdout
    };
    let (screen, json) = (review(&[]), review(&["--json"]));
    review(&["--html", "review.html"]);
    let page = String::from_utf8(folder.read("review.html")).unwrap();
    fs::remove_file(folder.path("review.html")).unwrap();
    [screen, json, page]
}

/// What the review says of the document alone.
fn told(screen: &str) -> String {
    let facts = screen.split_once("\nfindings").unwrap().0;
    let is_new =
        |line: &&str| !line.trim_start().starts_with("iat ") && !line.trim_start().starts_with("exp ");
    facts.lines().filter(is_new).collect::<Vec<_>>().join("\n")
}

fn sign(folder: &Folder, kind: &str, document: &str) {
    let _ = fs::remove_file(folder.path("out"));
    let ran = every::sign(folder, kind, document, "out");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// A second later: a document is younger than the one before.
fn later() {
    std::thread::sleep(std::time::Duration::from_millis(1_100));
}

/// Pairs of documents that once looked alike; each is a change after the other.
#[test]
fn what_only_looks_like_the_last_document_is_a_change() {
    let folder = every::vault("p384", "ES384");
    sign(&folder, "entity-configuration", "configuration.json");
    let base = json!({"configuration": "subject.jwt"});
    let parameter =
        |value: Value| json!({"metadata_policy": {"openid_provider": {"contacts": {"default": value}}}});
    for (real, fake) in [
        (
            json!({"constraints": {"naming_constraints": {"excluded": [".other.example"]}}}),
            json!({"constraints": {"naming_constraints.excluded[0]": ".other.example"}}),
        ),
        (
            json!({"constraints": {"max_path_length": 0}}),
            json!({"claims": {"constraints.max_path_length": 0}}),
        ),
        (parameter(json!(["1"])), parameter(json!([1]))),
        (parameter(json!("[]")), parameter(json!([]))),
        (parameter(json!({})), parameter(json!(""))),
        (json!({"claims": {"a": {"b": "x"}, "c": 1}}), json!({"claims": {"c": 1, "a": {"b": "x"}}})),
        (
            json!({"claims": {"x": "y".repeat(5_000) + "1"}}),
            json!({"claims": {"x": "y".repeat(5_000) + "2"}}),
        ),
    ] {
        let documents = [real, fake].map(|more| {
            let mut document = base.clone();
            document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            document
        });
        let mut screens = Vec::new();
        for (number, document) in documents.iter().enumerate() {
            put(&folder, "one.json", document);
            let [screen, json, page] = reviews(&folder, "subordinate-statement", "one.json");
            assert!(!screen.contains("changes: none"), "{document}:\n{screen}");
            screens.push((told(&screen), screen.contains("\n  block ")));
            let changes = &serde_json::from_str::<Value>(&json).unwrap()["changes"];
            assert!(changes.is_null() || changes["facts"] != json!([]), "{document}: {changes}");
            let is_first = page.contains("has not signed a document of this kind yet");
            assert!(is_first || page.contains(" is</td>") || page.contains(" was</td>"), "{document}");
            if number == 0 {
                later();
                if screens[0].1 {
                    continue;
                }
                sign(&folder, "subordinate-statement", "one.json");
                let [again, ..] = reviews(&folder, "subordinate-statement", "one.json");
                assert!(again.contains("changes: none"), "{document}:\n{again}");
            }
        }
        assert_ne!(screens[0].0, screens[1].0, "{documents:?}");
    }
}

/// A long text is shown as it is, and so is whatever a subject puts beside the members of its keys.
#[test]
fn nothing_that_people_read_hides_behind_a_digest() {
    let folder = every::vault("p384", "ES384");
    let mut configuration: Value = serde_json::from_slice(&folder.read("configuration.json")).unwrap();
    let url = format!("https://evil.example/jwks?{}", "p".repeat(200));
    configuration["metadata"]["openid_provider"] =
        json!({"issuer": "https://ta.example.org", "jwks_uri": url});
    configuration["trust_mark_owners"]["https://ta.example.org/marks/lent"]["evil"] = "seen".into();
    put(&folder, "one.json", &configuration);
    for shown in reviews(&folder, "entity-configuration", "one.json") {
        assert!(shown.contains(&url) && shown.contains("seen"), "{shown}");
    }
    sign(&folder, "entity-configuration", "configuration.json");
    let mut key = fedroot::format::jose::jwk(&every_key());
    key["evil"] = "seen".into();
    let subject = every::configuration("p384-other", &json!({"jwks": {"keys": [key]}}));
    fs::write(folder.path("subject.jwt"), subject).unwrap();
    for shown in reviews(&folder, "subordinate-statement", "subordinate.toml") {
        assert!(shown.contains("evil") && shown.contains("seen"), "{shown}");
    }
}

fn every_key() -> fedroot::key::PublicKey {
    crate::support::openid::read_key("p384-other").public().unwrap()
}
