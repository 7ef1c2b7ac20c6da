//! What a batch would sign stands where people look: of many changed documents the riskiest first, all of them in JSON, and
//! nobody under two names. No endpoint has the name of something else.

use std::fs;

use serde_json::Value;

use crate::support::Folder;
use crate::support::federation::{id, jwk, listing, statement};
use crate::support::world::{ANCHOR, arguments, signs, world};

fn put(folder: &Folder, number: u32, text: &str) {
    fs::write(folder.path(&format!("in/subordinates/{number}.toml")), text).unwrap();
}

fn review(folder: &Folder, more: &[&str]) -> String {
    let arguments = ["review", "federation", "in", "--key", ANCHOR, "--vault", "V"];
    folder.good(&[&arguments[..], more].concat()).stdout
}

/// The values that a review in JSON has under this path.
fn told(review: &Value, path: &str) -> Vec<String> {
    let facts = review["facts"].as_array().unwrap().iter().filter(|fact| fact["path"] == path);
    facts.map(|fact| fact["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_change_hides_behind_many_others() {
    let count = 60;
    let folder = world(count);
    signs(&folder, &[]);
    let harmless = "email_verified = { value = true }\n";
    let evil = "\n[metadata.openid_provider]\ntoken_endpoint = \"https://evil.example/token\"\n";
    for number in (1..=count).filter(|number| *number != 9) {
        put(&folder, number, &(statement(number) + harmless));
    }
    // By their names, 9 is the last.
    put(&folder, 9, &(statement(9) + harmless + evil));
    let path = format!("{} metadata.openid_provider.token_endpoint", id(9));
    let screen = review(&folder, &[]);
    assert!(screen.contains(&path) && screen.contains("https://evil.example/token"), "{screen}");
    let shown = (1..=count).filter(|number| screen.contains(&format!("{} sub", id(*number)))).count();
    assert_eq!(shown, 50);
    assert!(
        screen.contains("10 more new or changed documents, less risky than these; --json has all"),
        "{screen}"
    );
    let html = review(&folder, &["--html", "page.html"]);
    assert!(html.contains("10 more new"), "{html}");
    let page = String::from_utf8(folder.read("page.html")).unwrap();
    let json: Value = serde_json::from_str(&review(&folder, &["--json"])).unwrap();
    assert_eq!(told(&json, &path), ["https://evil.example/token"]);
    for number in 1..=count {
        let path = format!("{} metadata_policy.openid_provider.email_verified.value", id(number));
        assert_eq!(told(&json, &path), ["true"], "{number}");
        assert!(page.contains(&path), "{number} is on the page");
    }
    let first = json["facts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|fact| fact["path"].as_str().unwrap().starts_with("https://op"));
    assert!(first.unwrap()["path"].as_str().unwrap().starts_with(&id(9)), "the riskiest is the first");
    // What was signed is told no more.
    signs(&folder, &[]);
    let json: Value = serde_json::from_str(&review(&folder, &["--json"])).unwrap();
    assert_eq!(told(&json, &path), [""; 0]);
}

/// With the vault's own index of who has which key.
#[test]
fn a_long_name_hides_no_key_from_the_vault() {
    let folder = world(1);
    let configured = |number: u32, jwk: &Value, signer: u32| {
        let text = listing(&id(number), signer, std::slice::from_ref(jwk));
        fs::write(folder.path(&format!("in/subordinates/{number}.jwt")), text).unwrap();
        put(&folder, number, &statement(number));
    };
    let mut named = jwk(1);
    named["kid"] = "k".repeat(1_024).into();
    configured(1, &named, 1);
    signs(&folder, &[]);
    configured(2, &jwk(1), 1);
    let alone = |number: u32| {
        let file = format!("in/subordinates/{number}.toml");
        let arguments = ["review", "subordinate-statement", &file, "--key", ANCHOR, "--vault", "V"];
        folder.fedroot(&arguments).stdout
    };
    let taken = "is one of https://op1.example.org, as example.org/sandbox/anchor signed it";
    assert!(alone(2).contains(taken), "{}", alone(2));
    assert!(!alone(1).contains("openid.subject.key-"), "{}", alone(1));
}

#[test]
fn another_lifetime_is_a_change() {
    let folder = world(1);
    let valid_for = |span: &str| put(&folder, 1, &format!("valid_for = \"{span}\"\n{}", statement(1)));
    let alone = || {
        let file = "in/subordinates/1.toml";
        folder.fedroot(&["review", "subordinate-statement", file, "--key", ANCHOR, "--vault", "V"]).stdout
    };
    valid_for("P3D");
    signs(&folder, &[]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(alone().contains("changes: none since the last signature"), "{}", alone());
    valid_for("P30D");
    let said = alone();
    assert!(said.contains("- lifetime") && said.contains("+ lifetime"), "{said}");
    assert!(said.contains("P3D") && said.contains("P30D"), "{said}");
}

#[test]
fn nobody_is_signed_under_two_spellings_of_a_name() {
    let folder = world(1);
    let put = |number: u32, id: &str| {
        let text = listing(id, number, &[jwk(number)]);
        fs::write(folder.path(&format!("in/subordinates/{number}.jwt")), text).unwrap();
        put(&folder, number, &statement(number));
    };
    let said = || folder.fedroot(&["review", "federation", "in", "--key", ANCHOR, "--vault", "V"]).stdout;
    let rule = "block  openid.subject.alike";
    for other in ["https://op1.example.org/", "https://OP1.example.org", "https://op1.example.org:443"] {
        put(2, other);
        let said = said();
        assert!(said.contains(rule) && said.contains("https://op1.example.org is the same place"), "{said}");
    }
    put(2, "https://anchor.example.org:443");
    assert!(said().contains("signs about it, and is the same place"), "{}", said());
    for other in ["https://op1.example.org/x", "https://op1.example.org:8443"] {
        put(2, other);
        assert!(!said().contains(rule), "{}", said());
    }
}

#[test]
fn what_has_no_subject_is_named_by_its_kind() {
    let folder = world(1);
    let anchor = String::from_utf8(folder.read("in/anchor.toml")).unwrap();
    let keys = "[metadata.openid_provider]\nsigned_jwks_uri = \"https://anchor.example.org/historical\"\n";
    fs::write(folder.path("in/anchor.toml"), anchor + keys).unwrap();
    fs::write(folder.path("in/9.jwk"), jwk(9).to_string()).unwrap();
    fs::write(folder.path("in/jwk-set.toml"), "[[keys]]\nfile = \"9.jwk\"\n").unwrap();
    fs::write(folder.path("in/historical-keys.toml"), "").unwrap();
    let ran = folder.fedroot(&["review", "federation", "in", "--key", ANCHOR, "--vault", "V"]);
    assert_ne!(ran.code, 0);
    let is_named = ["jwk-set", "historical-keys"]
        .iter()
        .any(|kind| ran.stderr.contains(&format!("both about {kind}, ")));
    assert!(is_named, "{}", ran.stderr);
}

#[test]
fn no_endpoint_is_called_as_the_tree_or_its_index_calls_something_else() {
    let folder = world(1);
    let text = String::from_utf8(folder.read("in/anchor.toml")).unwrap();
    for (endpoint, name, says) in [
        ("fetch", "index.json", "is a name of the tree itself"),
        ("fetch", "nginx.conf/fetch", "is a name of the tree itself"),
        ("list", "historical-keys", "the name of a document in the index"),
        ("list", "jwk-set", "the name of a document in the index"),
    ] {
        let moved = text
            .replace(&format!("anchor.example.org/{endpoint}\""), &format!("anchor.example.org/{name}\""));
        assert_ne!(moved, text);
        fs::write(folder.path("in/anchor.toml"), moved).unwrap();
        let ran = folder.fedroot(&arguments(&[]));
        assert!(ran.code != 0 && (ran.stdout + &ran.stderr).contains(says), "{name}");
        assert!(!folder.path("tree").exists(), "{name}");
    }
}
