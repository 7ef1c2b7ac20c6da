//! `fedroot verify federation TREE`: a stranger's view of a whole tree. Whatever is exchanged, added, taken away or moved in it is
//! refused and named; what the tree says of its end is the end of the first of its documents.

use std::fs;

use serde_json::Value;

use crate::support::federation::id;
use crate::support::world::{arguments, file, proven, signs, world};
use crate::support::{Folder, Ran};

fn verifies(folder: &Folder, more: &[&str]) -> Ran {
    folder.fedroot(&[&["verify", "federation", "tree", "--trust", "anchor.pub"], more].concat())
}

/// Is refused for these reasons.
fn refuses(folder: &Folder, code: &str, why: &[&str]) {
    verifies(folder, &["--json"]).refused(code, why);
}

/// A signed federation of two, with a trust mark and historical keys.
fn tree() -> Folder {
    let folder = world(2);
    let anchor = String::from_utf8(folder.read("in/anchor.toml")).unwrap();
    let issuers =
        "[trust_mark_issuers]\n\"https://marks.example.org/m\" = [\"https://anchor.example.org\"]\n";
    fs::write(folder.path("in/anchor.toml"), format!("{anchor}{issuers}")).unwrap();
    fs::create_dir(folder.path("in/trust-marks")).unwrap();
    let mark = format!("trust_mark_type = \"https://marks.example.org/m\"\nsub = {:?}\n", id(1));
    fs::write(folder.path("in/trust-marks/1.toml"), mark).unwrap();
    fs::write(folder.path("in/historical-keys.toml"), "").unwrap();
    signs(&folder, &[]);
    folder
}

#[test]
fn a_tree_is_verified_as_a_whole_by_whoever_has_the_anchors_key() {
    let folder = tree();
    let ran = verifies(&folder, &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for line in
        ["all 8 files of tree, and there are no others", "subordinates         2", "trust marks          1"]
    {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    let said: Value = serde_json::from_str(&verifies(&folder, &["--json"]).stdout).unwrap();
    assert_eq!(said["coverage"]["gone"], 0);
    assert!(said["coverage"]["first_to_end"].is_string() && said["valid_until"].is_string());
    // The vault is not needed, and another key is not enough.
    fs::rename(folder.path("V"), folder.path("W")).unwrap();
    assert_eq!(verifies(&folder, &[]).code, 0);
    let other = folder.good(&["key", "export", "example.org/sandbox/metadata", "--vault", "W"]);
    fs::write(folder.path("anchor.pub"), other.stdout).unwrap();
    refuses(&folder, "verify.untrusted", &[".well-known/openid-federation"]);
}

#[test]
fn what_is_not_as_it_was_written_is_refused_and_named() {
    let folder = tree();
    let (one, two) = (folder.read(&file(1)), folder.read(&file(2)));
    let index = String::from_utf8(folder.read("tree/index.json")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path(name), bytes).unwrap();
    let altered = |why: &[&str]| refuses(&folder, "verify.altered", why);
    let listed = |bytes: &[u8]| {
        let old = fedroot::base::bytes::Digest::of(&one).to_string();
        let new = fedroot::base::bytes::Digest::of(bytes).to_string();
        index
            .replace(&old, &new)
            .replace(&format!("\"size\":{},", one.len()), &format!("\"size\":{},", bytes.len()))
    };
    // a changed file; and one whose digest was changed in the index, too
    let forged = [&one[..one.len() - 4], b"AAAA"].concat();
    write(&file(1), &forged);
    altered(&[&id(1).replace("://", "%3A%2F%2F"), "was changed"]);
    write("tree/index.json", listed(&forged).as_bytes());
    altered(&["is not good"]);
    // the statement about another, under this name
    write(&file(1), &two);
    write("tree/index.json", listed(&two).as_bytes());
    altered(&["is in the wrong place", &id(2)]);
    write("tree/index.json", index.as_bytes());
    // missing, and with it gone from the index
    fs::remove_file(folder.path(&file(1))).unwrap();
    altered(&["is missing"]);
    let without: String = index
        .lines()
        .filter(|line| !line.contains(&format!("\"id\":{:?}", id(1))))
        .fold(String::new(), |all, line| all + line + "\n");
    write("tree/index.json", without.as_bytes());
    altered(&["list does not say what the signed documents say"]);
    write(&file(1), &one);
    altered(&["op1.example.org is not in the index"]);
    write("tree/index.json", index.as_bytes());
    // a file more; hidden ones too
    write("tree/fetch/.extra", b"");
    altered(&["fetch/.extra is not in the index"]);
    fs::remove_file(folder.path("tree/fetch/.extra")).unwrap();
    // what nobody signs, changed in both places
    for (name, text) in [("list", "[]\n"), ("nginx.conf", "return 301 https://evil.example;\n")] {
        let before = folder.read(&format!("tree/{name}"));
        write(&format!("tree/{name}"), text.as_bytes());
        let digest = |bytes: &[u8]| fedroot::base::bytes::Digest::of(bytes).to_string();
        let size = |bytes: &[u8]| format!("\"size\":{}}}", bytes.len());
        let lines = index.lines().map(|line| {
            if line.contains(&digest(&before)) {
                let line = line.replace(&digest(&before), &digest(text.as_bytes()));
                line.replace(&size(&before), &size(text.as_bytes()))
            } else {
                line.to_owned()
            }
        });
        write("tree/index.json", lines.fold(String::new(), |all, line| all + &line + "\n").as_bytes());
        altered(&[name, "does not say what the signed documents say"]);
        write(&format!("tree/{name}"), &before);
    }
}

#[test]
fn an_index_that_lies_and_a_file_that_is_a_link_are_refused() {
    let folder = tree();
    let index = String::from_utf8(folder.read("tree/index.json")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path(name), text).unwrap();
    for (from, to, why) in [
        ("application/trust-mark+jwt", "text/html", "is described wrongly"),
        ("\"valid_until\":\"2", "\"valid_until\":\"3", "is described wrongly"),
        ("\"status\":\"unsigned\"", "\"status\":\"published\"", "cannot be read"),
        ("\"version\":1", "\"version\":2", "line 1: it does not begin"),
        ("\n]}\n", "\n]}\n]}\n", "does not end"),
        ("\"names\"", "\"extra\":1,\"names\"", "unknown field"),
        ("\"names\"", "\"id\":\"x\",\"names\"", "duplicate field"),
        ("\"names\":[\"list\"]", "\"names\":[\"list\",\"list\"]", "it has one name"),
    ] {
        write("tree/index.json", &index.replace(from, to));
        refuses(&folder, "verify.altered", &[why]);
    }
    fs::remove_file(folder.path("tree/index.json")).unwrap();
    assert_eq!(verifies(&folder, &[]).code, 7);
    write("tree/index.json", &index);
    // a link, even to the right file
    fs::rename(folder.path(&file(1)), folder.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(folder.path("elsewhere"), folder.path(&file(1))).unwrap();
    refuses(&folder, "file.unlistable", &["symbolic link"]);
    fs::rename(folder.path("elsewhere"), folder.path(&file(1))).unwrap();
    assert_eq!(verifies(&folder, &[]).code, 0, "mended");
}

#[test]
fn the_end_of_the_first_document_is_the_end_of_the_tree() {
    let folder = tree();
    let said: Value = serde_json::from_str(&verifies(&folder, &["--json"]).stdout).unwrap();
    let ran = verifies(&folder, &["--at", said["valid_until"].as_str().unwrap()]);
    assert_eq!(ran.code, 3);
    let first = said["coverage"]["first_to_end"].as_str().unwrap();
    assert!(ran.stderr.contains(&format!("{first} was valid until")), "{}", ran.stderr);
    let ran = verifies(&folder, &["--at", "2026-01-02T00:00:00Z"]);
    assert!(ran.code == 3 && ran.stderr.contains("valid from"), "{}", ran.stderr);
}

#[test]
fn who_left_is_told_and_pruned_without_a_trace() {
    let folder = tree();
    fs::remove_file(folder.path("in/trust-marks/1.toml")).unwrap();
    signs(&folder, &[]);
    let said: Value = serde_json::from_str(&verifies(&folder, &["--json"]).stdout).unwrap();
    assert_eq!((&said["ok"], &said["coverage"]["gone"]), (&true.into(), &1.into()));
    // What is said to have left was once signed, too.
    let mark = folder.path("tree/mark").read_dir().unwrap().next().unwrap().unwrap().path();
    let mark = mark.read_dir().unwrap().next().unwrap().unwrap().path();
    let before = fs::read(&mark).unwrap();
    fs::write(&mark, "anything").unwrap();
    refuses(&folder, "verify.altered", &["cannot be read"]);
    fs::write(&mark, before).unwrap();
    signs(&folder, &["--prune"]);
    let said: Value = serde_json::from_str(&verifies(&folder, &["--json"]).stdout).unwrap();
    assert_eq!((&said["coverage"]["gone"], &said["coverage"]["files"]), (&0.into(), &7.into()));
}

/// The lines of an index, by the name of what they are about, without their commas.
fn entries(index: &str) -> Vec<&str> {
    index.lines().filter(|line| line.starts_with("{\"id\":")).map(|line| line.trim_end_matches(',')).collect()
}

/// A mark that was right once is put back among newer documents, whose configuration does not let anybody issue it so.
#[test]
fn a_trust_mark_that_the_configuration_does_not_let_the_entity_issue_is_refused() {
    let folder = tree();
    let anchor = String::from_utf8(folder.read("in/anchor.toml")).unwrap();
    let (place, index) = (folder.path("tree/mark"), folder.read("tree/index.json"));
    let index = String::from_utf8(index).unwrap();
    let line = *entries(&index).iter().find(|line| line.contains("\"id\":\"trust-mark ")).unwrap();
    let inner = place.read_dir().unwrap().next().unwrap().unwrap().path();
    let file = inner.read_dir().unwrap().next().unwrap().unwrap().path();
    let mark = fs::read(&file).unwrap();
    fs::remove_file(folder.path("in/trust-marks/1.toml")).unwrap();
    let other = "[\"https://anchor.example.org\"]";
    let owner = "[trust_mark_owners.\"https://marks.example.org/m\"]\nsub = \"https://owner.example.org\"\n";
    let owner = format!("{owner}[[trust_mark_owners.\"https://marks.example.org/m\".jwks.keys]]\n");
    let numbers = crate::support::federation::jwk(7);
    let members = numbers.as_object().unwrap().iter();
    let owner = members.fold(owner, |all, (name, value)| all + &format!("{name} = {value}\n"));
    for (changed, why) in [
        (anchor.split("[trust_mark_issuers]").next().unwrap().to_owned(), "does not know this type"),
        (anchor.replace(other, "[\"https://other.example.org\"]"), "does not let https://anchor.example.org"),
        (format!("{anchor}{owner}"), "its type has an owner, and it has no delegation"),
    ] {
        fs::write(folder.path("in/anchor.toml"), changed).unwrap();
        signs(&folder, &[]);
        // What left may have been right when it was signed: it is counted, and told as gone.
        assert_eq!(verifies(&folder, &[]).code, 0, "{why}");
        signs(&folder, &["--prune"]);
        let now = String::from_utf8(folder.read("tree/index.json")).unwrap();
        let mut all = [entries(&now), vec![line]].concat();
        all.sort_unstable();
        let head = now.lines().next().unwrap();
        fs::create_dir_all(&inner).unwrap();
        fs::write(&file, &mark).unwrap();
        fs::write(folder.path("tree/index.json"), format!("{head}\n{}\n]}}\n", all.join(",\n"))).unwrap();
        refuses(&folder, "verify.altered", &["%2Fop1.example.org is not good", why]);
        fs::remove_dir_all(&place).unwrap();
        fs::write(folder.path("tree/index.json"), now).unwrap();
    }
}

/// An older configuration of the anchor, still in force, is laid beside a mark that the new one does not know.
#[test]
fn marks_are_judged_by_the_configuration_that_is_signed_with_them() {
    let folder = tree();
    fs::copy(folder.path("tree/.well-known/openid-federation"), folder.path("in/trust-marks/old.jwt"))
        .unwrap();
    let mark = format!(
        "trust_mark_type = \"https://marks.example.org/m\"\nsub = {:?}\nanchor = \"old.jwt\"\n",
        id(2)
    );
    fs::write(folder.path("in/trust-marks/2.toml"), mark).unwrap();
    signs(&folder, &[]);
    let anchor = String::from_utf8(folder.read("in/anchor.toml")).unwrap();
    fs::write(folder.path("in/anchor.toml"), anchor.split("[trust_mark_issuers]").next().unwrap()).unwrap();
    fs::remove_file(folder.path("in/trust-marks/1.toml")).unwrap();
    let ran = folder.fedroot(&arguments(&[]));
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("openid.trust-mark.issuer"), "{}", ran.stdout);
}

#[test]
fn a_tree_with_proofs_is_verified_with_them() {
    let folder = proven(1);
    signs(&folder, &[]);
    let ran = verifies(&folder, &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let mut proofs = fs::read_dir(folder.path("tree/proofs")).unwrap();
    fs::remove_file(proofs.next().unwrap().unwrap().path()).unwrap();
    refuses(&folder, "verify.altered", &["has another proof than in the index, or none"]);
}
