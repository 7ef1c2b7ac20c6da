//! A vault with the line of an anchor, and a federation beside it.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::Folder;
use super::federation::{PROFILE, write};

/// The anchor's line.
pub(crate) const ANCHOR: &str = "example.org/sandbox/anchor";

/// A vault with the anchor's line, and a federation of so many.
pub(crate) fn world(count: u32) -> Folder {
    let folder = Folder::with_one_line();
    fs::write(folder.path("profile.toml"), PROFILE).unwrap();
    let auditor = folder.auditor.clone();
    folder.good(&[
        "key",
        "generate",
        ANCHOR,
        "--algorithm",
        "p384",
        "--profile",
        "profile.toml",
        "--recipient",
        &auditor,
        "--vault",
        "V",
    ]);
    let public = folder.good(&["key", "export", ANCHOR, "--vault", "V"]);
    fs::write(folder.path("anchor.pub"), public.stdout).unwrap();
    write(&folder.path("in"), count);
    folder
}

pub(crate) fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut all =
        vec!["sign", "federation", "in", "--key", ANCHOR, "--output", "tree", "--vault", "V", "--json"];
    all.extend(["--identity", "auditor.key"]);
    all.extend(more);
    all
}

/// The same, whose profile wants a proof for each document.
pub(crate) fn proven(count: u32) -> Folder {
    let folder = world(count);
    let profile = folder.path(&format!("V/keys/{ANCHOR}/profile.toml"));
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, format!("{text}\n[ledger]\nproof = true\n")).unwrap();
    folder
}

/// Signs, and yields what it says. A document never replaces one that was made in the same second.
pub(crate) fn signs(folder: &Folder, more: &[&str]) -> Value {
    std::thread::sleep(Duration::from_millis(1_100));
    let ran = folder.fedroot(&arguments(more));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Where the statement about this number stands.
pub(crate) fn file(number: u32) -> String {
    format!("tree/fetch/https%3A%2F%2Fop{number}.example.org")
}
