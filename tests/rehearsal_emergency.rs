//! `fedroot rotate rehearse --emergency`: a key is stolen in the middle of a rehearsal. What that costs is told apart from what is
//! wrong, for each kind of channel, with a standby key and without one.

use std::fs;

use serde_json::{Value, json};

use crate::rehearsal::{ANCHOR, OPENID, SAML, bytes, moves, rehearse, said, world};
use crate::rehearsal_carried::{certificate, metadata, profile};
use crate::support::{Folder, federation};

const WHEN: &str = "2027-02-24T15:00:00Z";

/// Rehearses until April, with a theft in February.
fn stolen(folder: &Folder, line: &str, more: &str) -> Value {
    let ran = rehearse(folder, line, "2027-04-01T00:00:00Z", &format!("{more} --emergency {WHEN}"));
    assert_eq!(ran.code, 0, "{more}: {}{}", ran.stdout, ran.stderr);
    let said = said(&ran);
    assert_eq!((&said["rejections"], &said["differences"]), (&json!([]), &json!([])), "{more}");
    assert_eq!(said["emergency"]["at"], WHEN);
    said
}

/// What is cut off of the work of the key that took over: the kinds of those who cannot go on are known by channel.
fn cut_off<'a>(said: &'a Value, channel: &str) -> Vec<&'a Value> {
    let emergency = &said["emergency"];
    let exposures = emergency["exposures"].as_array().unwrap().iter();
    let exposure =
        exposures.filter(|it| it["channel"] == channel).flat_map(|it| it["cut_off"].as_array().unwrap());
    exposure.filter(|it| it["key"] != emergency["revoked"]).collect()
}

fn exposure<'a>(said: &'a Value, channel: &str) -> &'a Value {
    let exposures = said["emergency"]["exposures"].as_array().unwrap();
    exposures.iter().find(|it| it["channel"] == channel).unwrap()
}

#[test]
fn a_stolen_key_in_a_set_is_gone_when_caches_have_turned_over() {
    let line = "example.org/sandbox/set";
    let folder = world(line, &profile("jwks", &["jwks"]));
    fs::write(folder.path("set.toml"), "[[keys]]\nline = true\n").unwrap();
    let before = bytes(&folder);
    let alone = stolen(&folder, line, "--document jwks set.toml");
    assert!(bytes(&folder) == before, "the real vault changed");
    let emergency = &alone["emergency"];
    assert_eq!(
        (&emergency["revoked"], &emergency["successor"], &alone["standby"]),
        (&json!(2), &json!(3), &Value::Null)
    );
    let (_, made) = moves(&alone).into_iter().find(|(at, _)| at == WHEN).unwrap();
    assert_eq!(made, ["generate #3", "standby #3", "revoke #2", "activate #3"]);
    // Signed at once, seen two days later, in every cache a day after that, by clocks five minutes behind.
    let found = exposure(&alone, "jwks");
    assert_eq!(found["trusted_until"], "2027-02-27T15:00:00Z");
    assert_eq!(found["foretold_until"], "2027-02-27T15:05:00Z");
    assert_eq!(
        cut_off(&alone, "jwks").iter().map(|it| it["until"].as_str().unwrap()).max(),
        Some("2027-02-27T15:00:00Z")
    );

    // A key that nobody knows is no better; one that everybody knows cuts nobody off.
    let hidden = stolen(&folder, line, "--document jwks set.toml --standby hidden");
    assert_eq!(moves(&hidden)[0].1, ["generate #2", "standby #2"]);
    assert_eq!((&hidden["standby"], hidden["emergency"]["successor"].clone()), (&json!(2), json!(2)));
    assert!(!cut_off(&hidden, "jwks").is_empty());
    let known = stolen(&folder, line, "--document jwks set.toml --standby published");
    assert_eq!((exposure(&known, "jwks")["breaks"].clone(), cut_off(&known, "jwks")), (Value::Null, vec![]));
}

#[test]
fn a_stolen_key_in_metadata_is_told_for_each_use() {
    let line = "example.org/sandbox/idp";
    let folder = world(line, &profile("bundle", &["saml-signing", "saml-encryption"]));
    metadata(&folder, &certificate(&folder, line), &["use=\"signing\"", "use=\"encryption\""]);
    let documents = "--document saml idp.xml";
    let alone = stolen(&folder, line, documents);
    for channel in ["saml-signing", "saml-encryption"] {
        assert_eq!(exposure(&alone, channel)["trusted_until"], "2027-03-01T15:00:00Z", "{channel}");
    }
    assert!(!cut_off(&alone, "saml-signing").is_empty());
    let known = stolen(&folder, line, &format!("{documents} --standby published"));
    assert_eq!(cut_off(&known, "saml-signing"), Vec::<&Value>::new());
    // What is encrypted to the stolen key is lost with it, whoever takes over.
    let lost = exposure(&known, "saml-encryption")["cut_off"].as_array().unwrap().clone();
    assert!(
        lost.iter().all(|it| it["why"].as_str().unwrap().contains("nobody decrypts")) && !lost.is_empty(),
        "{lost:?}"
    );
}

#[test]
fn an_anchor_that_is_stolen_needs_people_unless_its_standby_key_is_listed() {
    let line = "example.org/sandbox/anchor";
    let folder = world(line, OPENID);
    fs::write(folder.path("anchor.json"), ANCHOR).unwrap();
    let documents = "--document entity-configuration anchor.json --document historical-keys history.toml";
    let alone = stolen(&folder, line, &format!("{documents} --output out"));
    assert_eq!(exposure(&alone, "openid-anchor")["breaks"]["until"], Value::Null);
    assert!(!cut_off(&alone, "openid-anchor").is_empty());
    let held = alone["ceremonies"].as_array().unwrap().iter().find(|held| held["at"] == WHEN).unwrap();
    assert_eq!((&held["files"][0]["signed_by"], &held["files"][0]["lists"]), (&json!(3), &json!([1, 3])));
    // The stolen key stands among the historical ones, with its reason.
    let jwt = String::from_utf8(folder.read(&format!("out/{WHEN}/by-3/historical-keys"))).unwrap();
    let claims = fedroot::base::bytes::from_base64url(jwt.split('.').nth(1).unwrap()).unwrap();
    assert!(String::from_utf8(claims).unwrap().contains("compromised"));
    let known = stolen(&folder, line, &format!("{documents} --standby published"));
    assert_eq!(cut_off(&known, "openid-anchor"), Vec::<&Value>::new());
}

#[test]
fn a_whole_federation_survives_the_theft_of_its_anchor() {
    let line = "example.org/sandbox/anchor";
    let folder = world(line, federation::PROFILE);
    federation::write(&folder.path("in"), 2);
    fs::write(folder.path("in/historical-keys.toml"), "").unwrap();
    let ran = rehearse(
        &folder,
        line,
        "2027-02-20T00:00:00Z",
        "--document federation in --emergency 2027-01-20T15:00:00Z --standby published --output out",
    );
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let said = said(&ran);
    assert_eq!(said["emergency"]["successor"], 2);
    let ran = folder.fedroot(&[
        "verify",
        "federation",
        "out/2027-01-20T15:00:00Z/by-2/federation",
        "--trust",
        "out/2027-01-20T15:00:00Z/trust/2.pem",
        "--at",
        "2027-01-20T16:00:00Z",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn pinned_keys_that_are_stolen_stay_until_people_have_acted() {
    let line = "example.org/prod/metadata";
    let folder = world(line, SAML);
    for standby in ["", "--standby hidden"] {
        let told = stolen(&folder, line, &format!("--document saml aggregate.xml {standby}"));
        let found = exposure(&told, "metadata");
        // People take two weeks; the last file of the stolen key ends two days before.
        assert_eq!(found["trusted_until"], "2027-03-10T15:00:00Z");
        assert_eq!(
            found["foretold_until"], "2027-03-24T15:05:00Z",
            "and what a thief signs then is valid for two more"
        );
        let first = &found["cut_off"][0];
        assert_eq!(
            (&first["at"], &first["until"]),
            (&json!("2027-03-08T09:00:00Z"), &json!("2027-03-10T15:00:00Z"))
        );
    }
    let line = "example.org/sandbox/clients";
    let pins = "version = 1\nkinds = [\"jwks\"]\npolicy_ref = \"test\"\n[[channels]]\nname = \"pins\"\nkind = \"x509\"\ndistribution = \"P14D\"\n";
    let folder = world(line, pins);
    let alone = stolen(&folder, line, "--document jwks keys.toml");
    assert_eq!(exposure(&alone, "pins")["trusted_until"], "2027-03-10T15:00:00Z");
    assert_eq!(
        cut_off(&alone, "pins").iter().map(|it| it["until"].as_str().unwrap()).max(),
        Some("2027-03-10T15:00:00Z")
    );
    let known = stolen(&folder, line, "--document jwks keys.toml --standby published");
    assert_eq!(cut_off(&known, "pins"), Vec::<&Value>::new());
}

#[test]
fn an_emergency_outside_the_rehearsal_is_refused() {
    let line = "example.org/prod/metadata";
    let folder = world(line, SAML);
    for at in ["2027-01-04T09:00:00Z", "2027-02-01T00:00:00Z", "2026-01-01T00:00:00Z"] {
        let more = format!("--document saml aggregate.xml --emergency {at} --output out");
        let ran = rehearse(&folder, line, "2027-02-01T00:00:00Z", &more);
        assert_eq!(
            (ran.code, said(&ran)["code"].as_str()),
            (2, Some("rotate.rehearsal")),
            "{at}: {}",
            ran.stdout
        );
        assert!(!folder.path("out").exists());
    }
    let ran =
        rehearse(&folder, line, "2027-02-01T00:00:00Z", "--document saml aggregate.xml --standby somewhere");
    assert_eq!(ran.code, 2);
}
