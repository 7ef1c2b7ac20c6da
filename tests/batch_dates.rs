//! How long single entities of an aggregate are valid: never for longer than within it.

use std::fs;

use fedroot::base::clock::{Clock, Instant, Span, SystemClock};
use serde_json::Value;

use crate::batch::{split, splits};
use crate::support::Folder;

const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const PROFILE: &str = "V/keys/example.org/sandbox/metadata/profile.toml";

fn days(days: i64) -> Instant {
    SystemClock.now().after(Span::of_days(days)).unwrap()
}

/// Dates of the root, of a group and of an entity in it; a second entity says nothing itself, a third stands in no group.
fn aggregate(root: &str, group: &str, entity: &str) -> String {
    let one = |id: &str, dates: &str| {
        format!(
            "<EntityDescriptor entityID='https://{id}.example/' {dates}>\
             <SPSSODescriptor protocolSupportEnumeration='p'/></EntityDescriptor>"
        )
    };
    let grouped = [one("a", entity), one("b", "")].concat();
    let free = one("c", "");
    format!(
        "<EntitiesDescriptor xmlns='{MD}' {root}><EntitiesDescriptor {group}>{grouped}</EntitiesDescriptor>{free}</EntitiesDescriptor>"
    )
}

/// What the start tag of each document says: validUntil and cacheDuration.
fn dates(folder: &Folder, said: &Value) -> Vec<[Option<String>; 2]> {
    let read = |document: &Value| {
        let name = document["names"][0].as_str().unwrap();
        let text = String::from_utf8(folder.read(&format!("out/{name}"))).unwrap();
        ["validUntil", "cacheDuration"].map(|attribute| {
            let from = text.split_once(&format!(" {attribute}="))?.1;
            Some(from.split(['"', '\'']).nth(1).unwrap().to_owned())
        })
    };
    said["documents"].as_array().unwrap().iter().map(read).collect()
}

fn of(until: Instant, duration: &str) -> [Option<String>; 2] {
    [Some(until.to_string()), Some(duration.to_owned())]
}

#[test]
fn an_entity_ends_no_later_alone_than_in_its_aggregate() {
    let folder = Folder::with_one_line();
    let (sooner, soon, late) = (days(1), days(2), days(20));
    let group = format!("validUntil='{soon}' cacheDuration='PT2H'");
    let entity = format!("validUntil='{sooner}' cacheDuration='PT1H'");
    let longer = format!("validUntil='{late}' cacheDuration='P20D'");
    let of_profile = |said: &[Option<String>; 2]| {
        let until = Instant::parse(said[0].as_deref().unwrap()).unwrap();
        let left = until.seconds_since(SystemClock.now());
        (13 * 86_400..=14 * 86_400).contains(&left) && said[1].as_deref() == Some("PT6H")
    };
    // the profile sets the dates of the root
    fs::write(folder.path("in.xml"), aggregate(&longer, &group, &entity)).unwrap();
    let found = dates(&folder, &splits(&folder, "in.xml", &[]));
    assert_eq!(found[..2], [of(sooner, "PT1H"), of(soon, "PT2H")]);
    assert!(of_profile(&found[2]), "{found:?}");
    // and nothing that says it lasts longer lasts longer
    fs::write(folder.path("in.xml"), aggregate("", &longer, "cacheDuration='P1Y'")).unwrap();
    let found = dates(&folder, &splits(&folder, "in.xml", &["--release-brake", "test"]));
    assert!(found.iter().all(of_profile), "{found:?}");

    // the document's own dates stand, and what has none in it has those of the profile
    let text = fs::read_to_string(folder.path(PROFILE)).unwrap();
    assert!(text.contains("dates = \"replace\""), "{text}");
    fs::write(folder.path(PROFILE), text.replace("dates = \"replace\"", "dates = \"keep\"")).unwrap();
    fs::write(folder.path("in.xml"), aggregate(&longer, &group, &entity)).unwrap();
    let found = dates(&folder, &splits(&folder, "in.xml", &["--release-brake", "test"]));
    assert_eq!(found, [of(sooner, "PT1H"), of(soon, "PT2H"), of(late, "P20D")]);
    fs::write(folder.path("in.xml"), aggregate("", "", &entity)).unwrap();
    let found = dates(&folder, &splits(&folder, "in.xml", &["--release-brake", "test"]));
    assert_eq!(found[0], of(sooner, "PT1H"));
    assert!(found[1..].iter().all(of_profile), "{found:?}");
    // they are the same the next time, and nothing is signed for them
    let again = splits(&folder, "in.xml", &["--release-brake", "test"]);
    assert_eq!((&again["changed"], &again["signed"]), (&Value::from(false), &Value::from(0)), "{again}");
}

#[test]
fn an_entity_that_is_over_or_says_no_date_is_signed_by_no_split() {
    let folder = Folder::with_one_line();
    for date in ["2020-01-01T00:00:00Z", "2099-12-08T00:00:60Z", "2099-12-08t00:00:00z", "soon"] {
        let over = format!("validUntil='{date}'");
        for document in [aggregate("", "", &over), aggregate("", &over, "")] {
            fs::write(folder.path("in.xml"), document).unwrap();
            let ran = folder.fedroot(&split("in.xml", &[]));
            assert_ne!(ran.code, 0, "{date}: {}", ran.stdout);
            let said: Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(said["code"], "sign.split", "{said}");
            let out = fs::read_dir(folder.path("out")).into_iter().flatten().flatten();
            assert_eq!(out.filter(|file| file.path().extension().is_some_and(|ext| ext == "xml")).count(), 0);
        }
    }
}
