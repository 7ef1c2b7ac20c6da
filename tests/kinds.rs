//! The kinds that are not XML: every rule has a vector that triggers it and one that does not; strangers check what is signed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fedroot::artefact::{Kind, Nowhere, Prepared, Terms, kind};
use fedroot::base::clock::Instant;
use fedroot::base::disk::Document;
use fedroot::base::random;
use fedroot::key::{KeyId, Line, PrivateKey, private_key};
use fedroot::policy::{Examined, Last, Profile, RULES};

use crate::support::root;

const NOW: &str = "2026-11-22T12:00:00Z";

/// The groups of rules, and the kind whose documents are their vectors.
const GROUPS: [(&str, &str); 1] = [("bundle", "bundle")];

fn key() -> Box<dyn PrivateKey> {
    let pem = fs::read_to_string(root().join("tests/keys/p384.pem")).unwrap();
    let (_, der) = der::SecretDocument::from_pem(&pem).unwrap();
    private_key(der.as_bytes()).unwrap()
}

/// Prepares a document as a line of the vectors would.
fn prepared<T>(
    kind: &dyn Kind,
    document: &Document,
    (profile, last): (&str, Option<&Last>),
    then: impl FnOnce(&dyn Prepared) -> T,
) -> T {
    let line: Line = "example.org/prod/metadata".parse().unwrap();
    let (key_id, public): (KeyId, _) = (line.version(1), key().public().unwrap());
    let terms = Terms {
        key: &key_id,
        public: &public,
        certificate: None,
        profile: &Profile::parse(profile).unwrap(),
        now: Instant::parse(NOW).unwrap(),
        last,
        vault: &Nowhere,
        released: None,
    };
    then(kind.prepare(document, &terms, &mut random::system()).unwrap().as_ref())
}

/// Signs, and reads the record that the signature left.
fn signed(kind: &dyn Kind, document: &Document, profile: &str) -> Last {
    prepared(kind, document, (profile, None), |prepared| {
        let signature = key().sign(prepared.scheme(), prepared.octets(), &mut random::system()).unwrap();
        let (mut output, mut record) = (Vec::new(), Vec::new());
        prepared.finish(&signature, &mut output, &mut record).unwrap();
        assert_eq!(prepared.finish_beside(&signature).unwrap().len(), prepared.beside().len());
        Last::read(record.as_slice()).unwrap()
    })
}

fn rules_of(examined: &Examined) -> BTreeSet<&'static str> {
    examined.findings.iter().map(|finding| finding.rule.id).collect()
}

/// The file of this name in a folder, whatever its ending.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths.find(|path| path.file_stem().is_some_and(|stem| stem == name))
}

/// What the rules find in a vector. The list of a bundle is a document by itself; of the others companions are read.
fn examine(kind: &dyn Kind, folder: &Path, name: &str) -> Option<BTreeSet<&'static str>> {
    let open = |path: &Path| match kind.name() {
        "bundle" => Document::open(path).unwrap(),
        _ => kind.open(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display())),
    };
    let profile = find(folder, "profile").map(|path| fs::read_to_string(path).unwrap()).unwrap_or_default();
    let profile = format!("version = 1\nkinds = [\"{}\"]\npolicy_ref = \"vectors\"\n{profile}", kind.name());
    let last = find(folder, "last").map(|path| signed(kind, &open(&path), &profile));
    let document = open(&find(folder, name)?);
    Some(prepared(kind, &document, (&profile, last.as_ref()), |prepared| rules_of(prepared.examined())))
}

#[test]
fn every_rule_of_these_kinds_has_a_vector_that_triggers_it_and_one_that_does_not() {
    let mut faults = Vec::new();
    for (group, name) in GROUPS {
        let (kind, vectors) = (kind(name).unwrap(), root().join(format!("tests/vectors/{group}-rules")));
        let rules: Vec<_> = RULES.iter().filter(|rule| rule.kind == group).map(|rule| rule.id).collect();
        assert!(!rules.is_empty(), "{group} has no rules");
        for rule in &rules {
            for (vector, is_breach) in [("bad", true), ("good", false)] {
                match examine(kind, &vectors.join(rule), vector) {
                    None => faults.push(format!("{rule}: there is no {vector} vector")),
                    Some(found) if found.contains(rule) != is_breach => {
                        faults.push(format!("{rule}: the {vector} vector triggers {found:?}"));
                    }
                    Some(_) => {}
                }
            }
        }
        for entry in fs::read_dir(&vectors).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !matches!(name.as_str(), "ORIGIN" | "make.py") && !rules.contains(&name.as_str()) {
                faults.push(format!("{name}: there is no such rule"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
