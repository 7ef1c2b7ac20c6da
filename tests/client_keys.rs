//! Whose a key is: a client's lets in who was authorised with it, as long as any of the authorisations counts; an anchor's is called
//! like no other.

use std::fs;
use std::sync::Arc;

use fedroot::artefact::kind;
use fedroot::base::bytes::base64url;
use fedroot::policy::Facts;
use serde_json::{Value, json};

use crate::grants::{NOW, Vault, line, prepared, profile, signed, signed_by_both};
use crate::kinds::rules_of;
use crate::support::every::{self, DOCUMENTS};
use crate::support::{Folder, Ran, root};

#[test]
fn a_key_is_its_clients_own_as_long_as_an_authorisation_with_it_counts() {
    let kind = kind("provisioning-authorisation").unwrap();
    let vectors = root().join("tests/vectors/client-key-rules");
    let (profile, folder) = (profile(kind.name(), &vectors), tempfile::tempdir().unwrap());
    let read = |name: &str| fs::read_to_string(vectors.join("client-key.other").join(name)).unwrap();
    let (first, second) = (read("bad.toml"), read("good.toml"));
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let before = signed(kind, &write("first.toml", &first), &profile, None);
    let now = signed(kind, &write("second.toml", &second), &profile, Some(&before));
    assert!(now.facts().value("earlier client key").is_some(), "the review tells what counts still");
    let again = signed(kind, &write("again.toml", &second), &profile, Some(&now));
    let judge = |text: &str, facts: &Facts| {
        let path = write("other.toml", &text.replace("https://idp.", "https://another."));
        let vault = Vault { signed: Arc::new(vec![(line(), facts.clone())]), ..Vault::default() };
        let document = kind.open(&path).unwrap();
        prepared(kind, &document, (&profile, None, &vault), None, |ready| rules_of(ready.examined())).unwrap()
    };
    for facts in [now.facts(), again.facts()] {
        assert!(judge(&first, facts).contains("client-key.other"), "the first key lets its client in still");
        assert!(judge(&second, facts).contains("client-key.other"));
    }
    // Once it has ended, the key is free.
    let mut ended = Facts::default();
    for fact in now.facts().iter().filter(|fact| fact.path != "earlier client key") {
        ended.add(&fact.path, &fact.value);
    }
    let earlier = now.facts().value("earlier client key").unwrap();
    let (key, _) = earlier.split_once(" until ").unwrap();
    ended.add("earlier client key", format!("{key} until {NOW}"));
    assert!(!judge(&first, &ended).contains("client-key.other"));
}

/// Signs a finished document of an anchor's keys with these signatures beside it.
pub(crate) fn sign_made(folder: &Folder, document: &Value, signatures: &Value) -> Ran {
    fs::write(folder.path("made.json"), document.to_string()).unwrap();
    let beside = json!({"payload": base64url(document.to_string().as_bytes()), "signatures": signatures});
    fs::write(folder.path("made.json.jws"), beside.to_string()).unwrap();
    let sign = ["sign", "oob-keys", "made.json", "--key", "example.org/sandbox/rsa"];
    folder.fedroot(&[&sign[..], &["--identity", "auditor.key", "--output", "x", "--vault", "V"]].concat())
}

#[test]
fn the_keys_of_an_anchor_say_nothing_else_and_are_called_like_no_other() {
    let folder = signed_by_both();
    let read = |name: &str| serde_json::from_slice::<Value>(&folder.read(name)).unwrap();
    let (first, jws) = (read("first.json"), read("first.json.jws"));
    let sign = |document: &Value, signatures: &Value| sign_made(&folder, document, signatures);
    for name in ["x5u", "exp", "revoked", "note"] {
        let mut other = first.clone();
        other["keys"][1][name] = json!("x");
        let ran = sign(&other, &jws["signatures"]);
        let says = format!("key 2 has the member '{name}'");
        assert!(ran.code == 3 && ran.stderr.contains(&says), "{name}: {}", ran.stderr);
    }
    // Another key under the thumbprint of ours, in all that the document tells of it.
    let mut other = first.clone();
    let kid = base64url(&[7; 32]);
    (other["keys"][1]["kid"], other["thumbprints"][1]["kid"]) = (kid.clone().into(), kid.into());
    let ran = sign(&other, &jws["signatures"]);
    assert!(ran.code == 3 && ran.stderr.contains("like another key"), "{}", ran.stderr);
}

/// A key that a subordinate has for its federation serves nothing else, whichever of the two is signed first.
#[test]
fn a_federation_key_of_a_subordinate_stands_in_no_set_and_lets_nobody_in() {
    let uses: Vec<_> = DOCUMENTS
        .into_iter()
        .filter_map(|(kind, document)| match kind {
            "jwks" | "kubernetes" | "spiffe-bundle" => Some((kind, document, "jwks.key.taken")),
            "provisioning-authorisation" | "access-token" | "software-statement" => {
                Some((kind, document, "client-key.other"))
            }
            _ => None,
        })
        .collect();
    assert_eq!(uses.len(), 6);
    let reuse = |folder: &Folder, document: &str| {
        let text = String::from_utf8(folder.read(document)).unwrap();
        assert!(text.contains("client.pub"), "{document}");
        fs::write(folder.path("reused.toml"), text.replace("client.pub", "other.pub")).unwrap();
    };
    let folder = every::vault("p384", "ES384");
    for (kind, document) in DOCUMENTS.iter().take(2) {
        assert_eq!(every::sign(&folder, kind, document, &format!("{kind}.out")).code, 0, "{kind}");
    }
    for (kind, document, rule) in &uses {
        reuse(&folder, document);
        let ran = every::sign(&folder, kind, "reused.toml", "out");
        let says = "is one of https://op.example.org, as example.org/sandbox/all signed it";
        assert!(
            ran.code == 3 && ran.stderr.contains(rule) && ran.stderr.contains(says),
            "{kind}: {}",
            ran.stderr
        );
        let own = every::sign(&folder, kind, document, &format!("{kind}.own"));
        assert_eq!(own.code, 0, "{kind}: {}", own.stderr);
    }
    // A token ends within a day, and what a software statement registered is known to its server alone.
    let last = |kind: &&str| !["access-token", "software-statement"].contains(kind);
    for (kind, document, rule) in uses.iter().filter(|(kind, ..)| last(kind)) {
        let folder = every::vault("p384", "ES384");
        reuse(&folder, document);
        assert_eq!(
            every::sign(&folder, kind, "reused.toml", "out").code,
            0,
            "{kind}: nobody has the key yet"
        );
        every::sign(&folder, "entity-configuration", "configuration.json", "entity-configuration.out");
        let ran = every::sign(&folder, "subordinate-statement", "subordinate.toml", "statement");
        let says = match *rule {
            "client-key.other" => "is the one of https://idp.example.org, as example.org/sandbox/all".into(),
            _ => format!("stands in the {kind} of example.org/sandbox/all, too"),
        };
        let is_told = ran.stderr.contains("openid.subject.key-taken") && ran.stderr.contains(&says);
        assert!(ran.code == 3 && is_told, "{kind}: {}", ran.stderr);
    }
}
