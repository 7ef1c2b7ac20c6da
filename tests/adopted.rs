//! A key that is adopted has a past: what it signed before is told to the vault, and waited for.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Folder, LINE, Ran};

const CHANNEL: &str = "[[channels]]\nname = \"metadata\"\nkind = \"saml-anchor\"\ndistribution = \"PT0S\"\n\
    notice = \"PT0S\"\nskew = \"PT0S\"\n";

/// A folder with a vault `old`, in which the key was before.
fn folder(profile: &str) -> Folder {
    let folder = Folder::empty();
    fs::write(folder.path("profile.toml"), profile).unwrap();
    adopt(&folder, "old", profile);
    folder
}

fn adopt(folder: &Folder, vault: &str, profile: &str) {
    fs::write(folder.path("profile.toml"), profile).unwrap();
    let auditor = folder.auditor.clone();
    folder.good(&["init", "--vault", vault, "--auditor", &auditor]);
    let adopt =
        ["key", "adopt", LINE, "--from", "p384.pem", "--profile", "profile.toml", "--recipient", &auditor];
    folder.good(&[&adopt[..], &["--vault", vault]].concat());
}

fn sign(folder: &Folder, vault: &str, kind: &str, document: &str, more: &[&str]) {
    let sign = ["sign", kind, document, "--key", LINE, "--identity", "auditor.key", "--vault", vault];
    folder.good(&[&sign[..], more].concat());
}

fn observe(folder: &Folder, kind: &str, file: &str, more: &str) -> Ran {
    folder.shell(&format!(
        "fedroot observe {kind} {file} --seen-at $(date -u +%FT%TZ) --from https://md.example.org/ {more} --json --vault new"
    ))
}

fn said(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn what_an_adopted_key_signed_before_is_waited_for() {
    let profile = |validity: &str| {
        format!(
            "version = 1\nkinds = [\"saml\"]\npolicy_ref = \"x\"\n\n[saml]\nvalid_for = \"{validity}\"\nvalid_for_max = \"P40D\"\n\n{CHANNEL}"
        )
    };
    let folder = folder(&profile("P30D"));
    sign(&folder, "old", "saml", "entity.xml", &["--output", "before.xml"]);
    adopt(&folder, "new", &profile("P14D"));
    let auditor = folder.auditor.clone();
    folder.good(&["rotate", "stage", LINE, "--recipient", &auditor, "--vault", "new"]);
    folder.good(&["rotate", "publish", LINE, "--vault", "new"]);
    sign(&folder, "new", "saml", "entity.xml", &["--output", "one.xml", "--copy", "two.xml"]);
    assert_eq!(observe(&folder, "saml", "two.xml", "").code, 0);
    folder.good(&["rotate", "activate", LINE, "--vault", "new"]);
    let retire = || {
        let ran = folder.fedroot(&["rotate", "retire", LINE, "--dry-run", "--json", "--vault", "new"]);
        said(&ran)["not_before"].as_str().unwrap().to_owned()
    };
    let unaware = retire();

    // Not by the way, and not for what was signed here or by another key.
    let unknown = observe(&folder, "saml", "before.xml", "");
    assert!(unknown.code == 3 && unknown.stdout.contains("--before-adoption"), "{}", unknown.stdout);
    let ours = observe(&folder, "saml", "one.xml", "--before-adoption");
    assert!(ours.code == 3 && ours.stdout.contains("was signed here"), "{}", ours.stdout);
    let other = observe(&folder, "saml", "two.xml", "--before-adoption");
    assert!(other.code == 3, "no adopted key signed it: {}", other.stdout);
    assert_eq!(retire(), unaware);

    let noted = observe(&folder, "saml", "before.xml", "--before-adoption");
    assert_eq!(noted.code, 0, "{}", noted.stdout);
    assert_eq!(said(&noted)["key"], format!("{LINE}#1"));
    let public = folder.good(&["key", "export", &format!("{LINE}#1"), "--vault", "new"]).stdout;
    fs::write(folder.path("p384.pub"), public).unwrap();
    let verified = folder.good(&["verify", "saml", "before.xml", "--trust", "p384.pub", "--json"]);
    let until = said(&verified)["valid_until"].as_str().unwrap().to_owned();
    let aware = retire();
    assert!(unaware < until && aware > until, "{unaware}, {until}, {aware}");
    let again = observe(&folder, "saml", "before.xml", "--before-adoption");
    assert_eq!(again.code, 3, "once");
    assert_eq!(observe(&folder, "saml", "before.xml", "").code, 0, "now it is known");
    folder.good(&["ledger", "rebuild", "--compare", "--identity", "auditor.key", "--vault", "new"]);
}

#[test]
fn what_was_signed_after_the_adoption_and_not_here_is_an_alarm() {
    let profile = "version = 1\nkinds = [\"entity-configuration\"]\npolicy_ref = \"x\"\n\n[openid]\n\
                   entity_id = \"https://anchor.example.org\"\n";
    let folder = folder(profile);
    fs::write(
        folder.path("anchor.json"),
        r#"{"metadata":{"federation_entity":{"organization_name":"x","contacts":["ops@example.org"],
        "federation_fetch_endpoint":"https://anchor.example.org/fetch","federation_list_endpoint":"https://anchor.example.org/list"}}}"#,
    )
    .unwrap();
    let signs = |output: &str| {
        // times have seconds
        std::thread::sleep(Duration::from_millis(1_100));
        sign(&folder, "old", "entity-configuration", "anchor.json", &["--output", output]);
    };
    signs("before.jwt");
    std::thread::sleep(Duration::from_millis(1_100));
    adopt(&folder, "new", profile);
    signs("after.jwt");
    let good = observe(&folder, "entity-configuration", "before.jwt", "--before-adoption");
    assert_eq!(good.code, 0, "{}", good.stdout);
    let alarm = observe(&folder, "entity-configuration", "after.jwt", "--before-adoption");
    assert_eq!(alarm.code, 3, "{}", alarm.stdout);
    assert!(said(&alarm)["hint"].as_str().unwrap().contains("rotate emergency"), "{}", alarm.stdout);
}
