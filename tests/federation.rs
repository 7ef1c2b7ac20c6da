//! A federation as one batch: a tree that strangers can serve and verify, signed again only where something changed, and
//! refused as a whole when one document of it is wrong.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use fedroot::base::bytes::Digest;
use serde_json::Value;

use crate::support::federation::{PROFILE, configuration, id, key, statement, subordinate};
use crate::support::world::{ANCHOR, arguments, file, proven, signs, world};
use crate::support::{FEDROOT, Folder};

/// Is refused, and yields the findings that block or the fault.
fn refused(folder: &Folder) -> String {
    std::thread::sleep(Duration::from_millis(1_100));
    let ran = folder.fedroot(&arguments(&[]));
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(!folder.path("tree").exists(), "a refused batch leaves nothing");
    let review = folder.fedroot(&["review", "federation", "in", "--key", ANCHOR, "--vault", "V"]);
    format!("{}{}{}", ran.stdout, ran.stderr, review.stdout)
}

fn statuses(said: &Value) -> Vec<&str> {
    said["documents"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect()
}

#[test]
fn a_federation_becomes_a_tree_that_verifies_as_chains() {
    let folder = world(3);
    let entries =
        |folder: &Folder| String::from_utf8(folder.read("V/ledger/ledger.jsonl")).unwrap().lines().count();
    let before = entries(&folder);
    let said = signs(&folder, &[]);
    assert_eq!((&said["signed"], &said["changed"]), (&4.into(), &true.into()));
    assert_eq!(entries(&folder), before + 2, "one intent and one outcome for all of them");
    assert_eq!(folder.read("tree/list"), format!("[{:?},{:?},{:?}]\n", id(1), id(2), id(3)).into_bytes());
    for number in 1..=3 {
        let leaf = format!("in/subordinates/{number}.jwt");
        let chain = [&leaf, &file(number), "tree/.well-known/openid-federation"];
        let good =
            folder.good(&[&["verify", "entity-statement"], &chain[..], &["--trust", "anchor.pub"]].concat());
        assert!(good.stdout.starts_with("the chain is good"), "{}", good.stdout);
    }
    let index: Value = serde_json::from_slice(&folder.read("tree/index.json")).unwrap();
    for one in index["documents"].as_array().unwrap() {
        let name = one["names"][0].as_str().unwrap();
        let bytes = folder.read(&format!("tree/{name}"));
        assert_eq!(one["sha256"], Digest::of(&bytes).to_string(), "{name}");
        let kind = one["media_type"].as_str().unwrap();
        let expected = match name {
            "list" => "application/json",
            "nginx.conf" => "text/plain",
            _ => "application/entity-statement+jwt",
        };
        assert_eq!(kind, expected, "{name}");
    }
    assert_eq!(index["documents"].as_array().unwrap().len(), 6);
    let ledger = |folder: &Folder| folder.read("V/ledger/ledger.jsonl");
    let (before, tree) = (ledger(&folder), folder.read("tree/index.json"));

    let said = signs(&folder, &[]);
    assert_eq!((&said["signed"], &said["changed"]), (&0.into(), &false.into()));
    assert_eq!(statuses(&said), ["unchanged"; 4]);
    assert_eq!((ledger(&folder), folder.read("tree/index.json")), (before, tree), "nothing happened");

    fs::write(folder.path("in/subordinates/2.toml"), statement(2) + "email_verified = { value = true }\n")
        .unwrap();
    let said = signs(&folder, &[]);
    assert_eq!(statuses(&said), ["unchanged", "unchanged", "changed", "unchanged"]);
    assert_eq!((&said["signed"], &said["changes"]["changed"]), (&1.into(), &1.into()));
    folder.good(&["ledger", "verify", "--vault", "V"]);
}

/// Of two statements that say the same as before, the one that lives no longer than the profile wants is signed anew.
#[test]
fn what_is_about_to_expire_is_signed_anew_and_nothing_else() {
    let folder = world(2);
    let valid_for = |number: u32, span: &str| {
        let text = format!("valid_for = \"{span}\"\n{}", statement(number));
        fs::write(folder.path(&format!("in/subordinates/{number}.toml")), text).unwrap();
    };
    valid_for(1, "P20D");
    valid_for(2, "P29D");
    assert_eq!(signs(&folder, &[])["signed"], 3);
    let before = [file(1), file(2)].map(|name| folder.read(&name));
    let profile = folder.path(&format!("V/keys/{ANCHOR}/profile.toml"));
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text + "subordinate = { usual = \"P25D\", min = \"P20D\", max = \"P30D\" }\n")
        .unwrap();
    let said = signs(&folder, &[]);
    assert_eq!(statuses(&said), ["unchanged", "renewed", "unchanged"]);
    assert_eq!(said["signed"], 1);
    assert!(folder.read(&file(1)) != before[0] && folder.read(&file(2)) == before[1]);
}

/// A request that changed is a document that changed, and is signed on the next run: longer, shorter or by the profile.
#[test]
fn another_lifetime_is_signed_on_the_next_run() {
    let folder = world(2);
    let valid_for = |span: &str| {
        let text = format!("valid_for = \"{span}\"\n{}", statement(1));
        fs::write(folder.path("in/subordinates/1.toml"), text).unwrap();
    };
    valid_for("P10D");
    signs(&folder, &[]);
    let mut before = folder.read(&file(1));
    for span in ["P11D", "P9D", "P30D"] {
        valid_for(span);
        let shown = folder.fedroot(&["review", "federation", "in", "--key", ANCHOR, "--vault", "V"]).stdout;
        let lifetime = span.trim_start_matches('P');
        assert!(shown.contains("lifetime") && shown.contains(lifetime), "{shown}");
        let said = signs(&folder, &[]);
        assert_eq!(statuses(&said), ["unchanged", "changed", "unchanged"], "{span}");
        assert_eq!((&said["signed"], &said["changes"]["changed"]), (&1.into(), &1.into()), "{span}");
        let now = folder.read(&file(1));
        assert_ne!(std::mem::replace(&mut before, now.clone()), now, "{span}");
        assert_eq!(signs(&folder, &[])["signed"], 0, "{span}: once");
    }
    // The same time in other words is no other time.
    valid_for("PT720H");
    assert_eq!(signs(&folder, &[])["signed"], 0);
    // Whoever says nothing gets what the profile has; a key that ends earlier changes nothing in what was asked for.
    let profile = folder.path(&format!("V/keys/{ANCHOR}/profile.toml"));
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text + "subordinate = { usual = \"P25D\", min = \"P1D\", max = \"P30D\" }\n")
        .unwrap();
    assert_eq!(statuses(&signs(&folder, &[])), ["unchanged", "unchanged", "changed"]);
    assert_eq!(signs(&folder, &[])["signed"], 0);
}

/// What ends with the subject's key stands as long as the key: nobody asked for another time.
#[test]
fn what_a_key_cuts_short_is_not_signed_again_and_again() {
    let folder = world(1);
    let mut own = crate::support::federation::jwk(1);
    own["exp"] = (crate::support::every::now() + 5 * 86_400).into();
    let text = crate::support::federation::listing(&id(1), 1, &[own]);
    fs::write(folder.path("in/subordinates/1.jwt"), text).unwrap();
    assert_eq!(signs(&folder, &[])["signed"], 2);
    assert_eq!(signs(&folder, &[])["signed"], 0);
}

#[test]
fn who_vanishes_is_reported_and_removed_only_when_asked_for() {
    let folder = world(2);
    signs(&folder, &[]);
    fs::remove_file(folder.path("in/subordinates/1.toml")).unwrap();
    let said = signs(&folder, &[]);
    assert_eq!(said["gone"][0]["id"], id(1));
    assert_eq!((&said["signed"], &said["changes"]["removed"]), (&0.into(), &1.into()));
    assert!(folder.path(&file(1)).exists());
    assert!(said["ledger_withdrawn"].is_u64(), "the list of subordinates does not change unrecorded: {said}");
    assert!(signs(&folder, &[])["ledger_withdrawn"].is_null(), "it is told once");
    assert_eq!(folder.read("tree/list"), format!("[{:?}]\n", id(2)).into_bytes(), "nobody is sent there");
    let said = signs(&folder, &["--prune"]);
    assert_eq!((&said["removed"], &said["changed"]), (&1.into(), &true.into()));
    assert!(said["ledger_withdrawn"].is_u64(), "{said}");
    assert!(!folder.path(&file(1)).exists() && folder.path(&file(2)).exists());
    let shown =
        folder.good(&["ledger", "show", "--identity", "auditor.key", "--kind", "receipt", "--vault", "V"]);
    assert_eq!(shown.stdout.matches("withdraw").count(), 2, "{}", shown.stdout);
}

/// What becomes of the tree: what that is, whether the file still stands, and how.
type Damage<'a> = (&'a str, bool, &'a dyn Fn(&Folder));

/// The index lies where the tree is published: who leaves is known from the vault.
#[test]
fn who_leaves_together_with_his_line_of_the_index_does_not_leave_unrecorded() {
    let index = |folder: &Folder, change: &dyn Fn(&str) -> Option<String>| {
        let text = String::from_utf8(folder.read("tree/index.json")).unwrap();
        let lines = text
            .lines()
            .filter_map(|line| if line.contains(&id(1)) { change(line) } else { Some(line.to_owned()) });
        fs::write(folder.path("tree/index.json"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    };
    let damages: [Damage<'_>; 4] = [
        ("its line dropped", true, &|folder| index(folder, &|_| None)),
        ("its line says gone", true, &|folder| {
            index(folder, &|line| Some(line.replace("published", "gone")));
        }),
        ("the index lost", true, &|folder| fs::remove_file(folder.path("tree/index.json")).unwrap()),
        ("line and file dropped", false, &|folder| {
            index(folder, &|_| None);
            fs::remove_file(folder.path(&file(1))).unwrap();
        }),
    ];
    for (name, stands, damage) in damages {
        let folder = world(2);
        signs(&folder, &[]);
        damage(&folder);
        fs::remove_file(folder.path("in/subordinates/1.toml")).unwrap();
        let verified = || folder.good(&["verify", "federation", "tree", "--trust", "anchor.pub"]);
        let said = signs(&folder, &[]);
        assert_eq!((&said["gone"][0]["id"], &said["signed"]), (&id(1).into(), &0.into()), "{name}");
        assert!(said["ledger_withdrawn"].is_u64(), "{name}: {said}");
        assert_eq!(folder.path(&file(1)).exists(), stands, "{name}");
        verified();
        assert!(signs(&folder, &[])["ledger_withdrawn"].is_null(), "{name}: it is told once");
        assert_eq!(signs(&folder, &["--prune"])["removed"], usize::from(stands), "{name}");
        assert!(!folder.path(&file(1)).exists() && folder.path(&file(2)).exists(), "{name}");
        verified();
    }
}

#[test]
fn who_leaves_is_withdrawn_by_somebody_who_is_asked() {
    let folder = world(2);
    signs(&folder, &[]);
    let profile = folder.path(&format!("V/keys/{ANCHOR}/profile.toml"));
    let mut text = fs::read_to_string(&profile).unwrap();
    text.insert_str(text.find("[openid]").unwrap(), "require_reason = true\n\n");
    fs::write(&profile, text).unwrap();
    fs::remove_file(folder.path("in/subordinates/1.toml")).unwrap();
    std::thread::sleep(Duration::from_millis(1_100));
    let list = folder.read("tree/list");
    for more in [&[][..], &["--prune"]] {
        let ran = folder.fedroot(&arguments(more));
        assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
        let said = ran.stdout + &ran.stderr;
        assert!(said.contains("reason"), "{said}");
        assert!(folder.read("tree/list") == list && folder.path(&file(1)).exists());
    }
    assert_eq!(signs(&folder, &["--reason", "left", "--prune"])["removed"], 1);
}

#[test]
fn nothing_is_left_under_a_path_that_nobody_promises_any_longer() {
    let folder = world(2);
    signs(&folder, &[]);
    let anchor = fs::read_to_string(folder.path("in/anchor.toml")).unwrap();
    let moved = anchor.replace("anchor.example.org/fetch", "anchor.example.org/statements");
    fs::write(folder.path("in/anchor.toml"), &moved).unwrap();
    let before = folder.read("tree/.well-known/openid-federation");
    std::thread::sleep(Duration::from_millis(1_100));
    let ran = folder.fedroot(&arguments(&[]));
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains("stands in fetch/"), "{said}");
    assert_eq!(folder.read("tree/.well-known/openid-federation"), before);
    fs::rename(folder.path("tree"), folder.path("old")).unwrap();
    assert_eq!(signs(&folder, &[])["signed"], 3);
}

#[test]
fn one_wrong_document_refuses_the_whole_and_is_named() {
    let folder = world(2);
    let toml = |text: &str| fs::write(folder.path("in/subordinates/2.toml"), text).unwrap();
    let jwt = |text: &str| fs::write(folder.path("in/subordinates/2.jwt"), text).unwrap();
    let says = |what: &[&str]| {
        let said = refused(&folder);
        assert!(what.iter().all(|what| said.contains(what)), "{what:?}\n{said}");
        subordinate(&folder.path("in"), 2);
    };
    // the same subject twice
    jwt(&configuration(&id(1), 1, &[1]));
    says(&["sign.split", "subordinates/1.toml and subordinates/2.toml"]);
    // the key of another subordinate
    jwt(&configuration(&id(2), 1, &[1]));
    says(&["openid.subject.key-taken", "subordinates/2.toml", &id(1)]);
    // and that among the keys of its protocols, whichever of the two comes first
    for (number, other) in [(1, 2), (2, 1)] {
        fs::write(folder.path(&format!("in/subordinates/{number}.toml")), serving(number, other)).unwrap();
        says(&[
            "openid.subject.key-taken",
            &format!("subordinates/{number}.toml: metadata holds"),
            &id(other),
        ]);
        subordinate(&folder.path("in"), 1);
    }
    // a key of a subordinate among those of the anchor's protocols, and among those of the past
    let jwk = fedroot::format::jose::jwk(&key(2).public().unwrap()).to_string();
    fs::write(folder.path("in/2.jwk"), jwk).unwrap();
    let anchor = folder.read("in/anchor.toml");
    let provider = "[metadata.openid_provider]\nsigned_jwks_uri = \"https://anchor.example.org/jwks\"\n";
    fs::write(folder.path("in/anchor.toml"), [&anchor, provider.as_bytes()].concat()).unwrap();
    for (name, more) in [("jwk-set", ""), ("historical-keys", "exp = \"2026-01-01T00:00:00Z\"\n")] {
        let path = folder.path(&format!("in/{name}.toml"));
        fs::write(&path, format!("[[keys]]\nfile = \"2.jwk\"\n{more}")).unwrap();
        says(&["openid.subject.key-taken", "subordinates/2.toml", &format!("{name}.toml")]);
        fs::remove_file(path).unwrap();
    }
    fs::write(folder.path("in/anchor.toml"), anchor).unwrap();
    // no configuration
    fs::remove_file(folder.path("in/subordinates/2.jwt")).unwrap();
    let ran = folder.fedroot(&arguments(&[]));
    assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
    assert!((ran.stdout + &ran.stderr).contains("subordinates/2.toml"));
    subordinate(&folder.path("in"), 2);
    // signed by somebody else
    jwt(&configuration(&id(2), 3, &[2]));
    says(&["openid.subject.signature", "subordinates/2.toml"]);
    // a policy that it does not keep
    toml(&statement(2).replace("\"openid\"", "\"profile\""));
    says(&["openid.subject.policy", "subordinates/2.toml"]);
    // another input than the composed one
    toml("configuration = \"2.jwt\"\nconstraint = {}\n");
    let ran = folder.fedroot(&arguments(&[]));
    assert!(ran.code != 0 && (ran.stdout + &ran.stderr).contains("subordinates/2.toml"));
    assert_eq!(signs_after(&folder), 3);
}

/// What the anchor says of a subordinate, with the key of another among those of its protocols.
fn serving(number: u32, other: u32) -> String {
    let jwk = fedroot::format::jose::jwk(&key(other).public().unwrap()).to_string().replace("\":", "\"=");
    format!("{}\n[metadata.openid_provider]\njwks = {{ keys = [{jwk}] }}\n", statement(number))
}

/// The folder is mended: everything is signed.
fn signs_after(folder: &Folder) -> u64 {
    subordinate(&folder.path("in"), 2);
    signs(folder, &[])["signed"].as_u64().unwrap()
}

#[test]
fn new_keys_of_a_subordinate_want_the_consent_of_an_old_one() {
    let folder = world(2);
    signs(&folder, &[]);
    let jwt = |text: &str| fs::write(folder.path("in/subordinates/1.jwt"), text).unwrap();
    jwt(&configuration(&id(1), 9, &[9]));
    std::thread::sleep(Duration::from_millis(1_100));
    let ran = folder.fedroot(&arguments(&[]));
    assert_eq!(ran.code, 3);
    let review = folder.fedroot(&["review", "federation", "in", "--key", ANCHOR, "--vault", "V"]);
    assert!(review.stdout.contains("openid.subject.key-proof"), "{}", review.stdout);
    jwt(&configuration(&id(1), 1, &[1, 9]));
    let said = signs(&folder, &[]);
    assert_eq!((&said["signed"], &said["changes"]["parts"]["keys"]), (&1.into(), &1.into()));
}

#[test]
fn what_stands_in_the_tree_is_looked_at_and_not_trusted() {
    let folder = world(3);
    signs(&folder, &[]);
    let good = folder.read(&file(1));
    fs::write(folder.path(&file(2)), &good).unwrap();
    fs::write(folder.path(&file(3)), [&folder.read(&file(3))[..], b"A"].concat()).unwrap();
    fs::write(folder.path("tree/list"), "[]\n").unwrap();
    let said = signs(&folder, &[]);
    assert_eq!(statuses(&said), ["unchanged", "unchanged", "changed", "restored"]);
    assert_eq!(folder.read(&file(1)), good);
    assert!(String::from_utf8(folder.read("tree/list")).unwrap().contains(&id(2)));
    for number in 1..=3 {
        folder.good(&["verify", "subordinate-statement", &file(number), "--trust", "anchor.pub"]);
    }
}

#[test]
fn a_killed_federation_goes_on_where_it_ended() {
    const ALL: u32 = 60;
    let folder = world(ALL);
    let unseen = || -> BTreeSet<String> {
        let Ok(entries) = fs::read_dir(folder.path("tree/.fedroot")) else { return BTreeSet::new() };
        let texts = entries.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
        texts
            .filter(|text| text.split('.').count() == 3 && text.rsplit('.').next().unwrap().len() == 128)
            .collect()
    };
    let mut child = folder
        .command(FEDROOT)
        .args(arguments(&[]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while unseen().len() < 8 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.path("tree/fetch").exists(), "nothing is published before the outcome");
    let left = unseen();
    folder.good(&["ledger", "recover", "--reason", "killed by a test", "--vault", "V"]);
    let said = signs(&folder, &[]);
    let resumed = statuses(&said).into_iter().filter(|status| *status == "resumed").count();
    assert!(resumed >= 8 && resumed <= left.len(), "{resumed} of {}", left.len());
    assert_eq!(said["signed"], ALL as usize + 1 - resumed);
    let again = signs(&folder, &[]);
    assert_eq!((&again["changed"], &again["signed"]), (&false.into(), &0.into()));
    folder.good(&["ledger", "verify", "--vault", "V"]);
}

/// Each rule of the batch as a whole: what triggers it, and what does not.
#[test]
fn sudden_change_stops_until_somebody_says_why() {
    let folder = world(4);
    let with_brake = |removed: u64, keys: u64| {
        let brake = format!("[brake]\nremoved_percent_max = {removed}\nkeys_changed_max = {keys}\n");
        fs::write(folder.path(&format!("V/keys/{ANCHOR}/profile.toml")), PROFILE.to_owned() + &brake)
            .unwrap();
    };
    let review = |more: &[&str]| -> Value {
        let all = [&["review", "federation", "in", "--key", ANCHOR, "--vault", "V", "--json"], more].concat();
        serde_json::from_str(&folder.fedroot(&all).stdout).unwrap()
    };
    let found = |said: &Value, rule: &str| {
        let all = said["findings"].as_array().unwrap();
        all.iter().find(|finding| finding["rule"] == rule).map(|finding| finding["waived"].is_object())
    };
    with_brake(25, 1);
    signs(&folder, &[]);
    // One of four may go, and one may change its keys; a trust mark more or less does not count.
    fs::remove_file(folder.path("in/subordinates/1.toml")).unwrap();
    let jwt = |number: u32| {
        let text = configuration(&id(number), number, &[number, number + 20]);
        fs::write(folder.path(&format!("in/subordinates/{number}.jwt")), text).unwrap();
    };
    jwt(2);
    let said = review(&[]);
    assert_eq!(found(&said, "federation.brake.removed"), None, "{said}");
    assert_eq!(found(&said, "federation.brake.keys"), None, "{said}");
    fs::remove_file(folder.path("in/subordinates/4.toml")).unwrap();
    jwt(3);
    let said = review(&[]);
    assert_eq!(found(&said, "federation.brake.removed"), Some(false), "{said}");
    assert_eq!(found(&said, "federation.brake.keys"), Some(false), "{said}");
    // The review names them, the riskiest first.
    let told = said["changes"]["entities"].as_array().unwrap().iter();
    let told: Vec<(&str, &str)> =
        told.map(|one| (one["what"].as_str().unwrap(), one["entity"].as_str().unwrap())).collect();
    let expected = [("changed", id(2)), ("changed", id(3)), ("removed", id(1)), ("removed", id(4))];
    assert_eq!(told, expected.each_ref().map(|(what, id)| (*what, id.as_str())));
    assert_eq!(said["changes"]["parts"]["keys"], 2);

    std::thread::sleep(Duration::from_millis(1_100));
    let before = folder.read("tree/index.json");
    let ran = folder.fedroot(&arguments(&[]));
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("2 of 4 subordinates are gone; the brake allows 25 %"), "{}", ran.stdout);
    assert_eq!(folder.read("tree/index.json"), before, "a refused batch changes nothing");
    // Another reason is another request.
    let request = |more: &[&str]| review(more)["request"].clone();
    let released = request(&["--release-brake", "the south left"]);
    assert_ne!(released, request(&[]));
    assert_ne!(released, request(&["--release-brake", "something else"]));
    let said = signs(&folder, &["--release-brake", "the south left"]);
    assert_eq!(said["request"], released);
    assert_eq!(said["brake_released"], "the south left");
    assert_eq!(found(&said, "federation.brake.removed"), Some(true));
    // The next review compares with what was signed then.
    let said = review(&[]);
    assert_eq!(found(&said, "federation.brake.removed"), None, "{said}");
    // A brake that allows nothing, and one that allows everything.
    with_brake(0, 0);
    fs::remove_file(folder.path("in/subordinates/2.toml")).unwrap();
    assert_eq!(found(&review(&[]), "federation.brake.removed"), Some(false));
    with_brake(100, 0);
    assert_eq!(found(&review(&[]), "federation.brake.removed"), None);
}

#[test]
fn each_document_of_a_federation_has_its_proof_where_the_profile_wants_one() {
    let folder = proven(2);
    signs(&folder, &[]);
    let index: Value = serde_json::from_slice(&folder.read("tree/index.json")).unwrap();
    let all: Vec<(String, String)> = index["documents"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| Some((one["names"][0].as_str()?.to_owned(), one["proof"].as_str()?.to_owned())))
        .collect();
    assert_eq!(all.len(), 3, "the configuration and two statements: {index}");
    let check = |proof: &str, document: &str| {
        let (proof, document) = (format!("tree/{proof}"), format!("tree/{document}"));
        let words = ["ledger", "check-proof", &proof, "--document", &document, "--ledger"];
        folder.fedroot(&[&words[..], &["V/ledger/ledger.jsonl"]].concat()).code
    };
    for (document, proof) in &all {
        for (other, _) in &all {
            assert_eq!(check(proof, other), if document == other { 0 } else { 3 }, "{document} {other}");
        }
    }
    // A proof that is gone makes its document signed anew, and no other one.
    assert_eq!(statuses(&signs(&folder, &[])), ["unchanged"; 3]);
    fs::remove_file(folder.path(&format!("tree/{}", all[1].1))).unwrap();
    let said = signs(&folder, &[]);
    assert_eq!(said["signed"], 1, "{said}");
}
