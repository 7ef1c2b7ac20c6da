//! The targets of `fuzz/` in the suite: seeds that the program made, and 2,000 changes of each, the same in every run.
//!
//! `FEDROOT_FUZZ_CHANGES=100000 cargo test fuzz` tries that many of each. `FEDROOT_FUZZ_CORPUS=fuzz/corpus cargo test fuzz`
//! writes the seeds for cargo-fuzz. What it finds goes, as a file, to `fuzz/regressions/TARGET/` and is tried ever after.

use std::fs;

use fedroot::key::PublicKey;
use fedroot::ledger::Auditor;

use crate::support::{Folder, LINE, files, root, signing};

#[path = "../fuzz/targets.rs"]
mod targets;

use targets::{Ground, TARGETS};

/// Pieces that mean something to one reader or another.
const WORDS: &[&[u8]] = &[
    b"\n",
    b"\n\n",
    b"\0",
    b"\"",
    b"=",
    b"==",
    b"<",
    b">",
    b"</",
    b"/>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE x>",
    b"&#0;",
    b"&amp;",
    b"&x;",
    b"xmlns=\"\"",
    b"xmlns:a=\"b\"",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x94\x91",
    b"18446744073709551616",
    b"9007199254740992",
    b"-1",
    b"{\"v\":1,\"i\":",
    b",\"re\":0",
    b",\"env\":\"\"",
    b"\xe2\x80\x94 ",
    b"[[",
    b"]",
    b"'''",
];

/// A small generator of numbers: what it gives depends on its start alone.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    /// One to four changes of a seed.
    fn change(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let length = self.below(200);
            let end = (at + self.below(1 + length)).min(bytes.len());
            match self.below(8) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                2 => drop(bytes.drain(at..end)),
                3 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
                4 => drop(bytes.splice(at..end, WORDS[self.below(WORDS.len())].iter().copied())),
                5 => bytes.truncate(at),
                6 => {
                    let from = self.below(other.len());
                    let to = (from + self.below(300)).min(other.len());
                    bytes.splice(at..end, other[from..to].iter().copied());
                }
                _ => drop(bytes.splice(at..at, WORDS[self.below(WORDS.len())].iter().copied())),
            }
        }
        bytes
    }
}

/// A folder with everything that a target reads, made by the program.
fn folder() -> Folder {
    let folder = Folder::with_one_line();
    folder.good(&signing("signed.xml"));
    folder.good(&["ledger", "checkpoint", "-o", "note", "--vault", "V"]);
    folder.good(&["ledger", "prove", "3", "-o", "proof", "--vault", "V"]);
    folder.good(&["ledger", "disclose", "4", "--identity", "auditor.key", "-o", "disclosed", "--vault", "V"]);
    for (format, name) in [("pem", "public.pem"), ("certificate", "certificate.pem")] {
        fs::write(
            folder.path(name),
            folder.good(&["key", "export", LINE, "--format", format, "--vault", "V"]).stdout,
        )
        .unwrap();
    }
    folder
}

fn seeds(folder: &Folder, target: &str) -> Vec<Vec<u8>> {
    let line = format!("V/keys/{LINE}");
    let names: &[&str] = match target {
        "ledger_line" => &["V/ledger/ledger.jsonl"],
        "ledger_state" => &["V/ledger/state"],
        "note" => &["note"],
        "proof" => &["proof", "disclosed"],
        "xml_reader" => &["entity.xml", "aggregate.xml", "signed.xml"],
        "xml_verify" => &["signed.xml", "entity.xml"],
        "profile" => &[&format!("{line}/profile.toml")],
        "record" => &[&format!("{line}/1.toml")],
        "public_key" => &["public.pem", "certificate.pem"],
        "json" | "jws" | "metadata_policy" | "entity_statement" => return openid_seeds(target),
        "witness_request" | "rewrapped" => return own_seeds(folder, target),
        other => panic!("{other} has no seeds"),
    };
    names.iter().map(|name| folder.read(name)).collect()
}

/// Seeds that no command has written yet in the folder.
fn own_seeds(folder: &Folder, target: &str) -> Vec<Vec<u8>> {
    let note = folder.read("note");
    if target == "witness_request" {
        return vec![
            [b"old 0\n\n".as_slice(), &note].concat(),
            [b"old 2\n".as_slice(), &[b'A'; 43], b"=\n\n", &note].concat(),
        ];
    }
    vec![br#"{"version":1,"sessions":[{"session":0,"env":"YWdl"}]}"#.to_vec(), note]
}

/// Seeds from the vectors of OpenID Federation.
fn openid_seeds(target: &str) -> Vec<Vec<u8>> {
    let read = |name: &str| fs::read(root().join("tests/vectors").join(name)).unwrap();
    let base: serde_json::Value = serde_json::from_slice(&read("openid-rules/base.json")).unwrap();
    let signed: serde_json::Value = serde_json::from_slice(&read("jose/signed.json")).unwrap();
    let documents = base.as_object().unwrap().values();
    match target {
        "json" => vec![read("openid-rules/base.json"), br#"[1,-2.5e3,"\ud83d\udd11",{"a":null,"b":[true]}]"#.to_vec()],
        "jws" => {
            let few = |one: &&serde_json::Value| {
                ["RS256", "ES256", "EdDSA"].iter().any(|alg| one["alg"] == *alg)
            };
            let keys = signed.as_array().unwrap().iter().filter(few).map(|one| one["jwk"].to_string().into_bytes());
            let texts = signed.as_array().unwrap().iter().filter(few).map(|one| one["jws"].as_str().unwrap().into());
            keys.chain(texts).collect()
        }
        "metadata_policy" => vec![
            br#"[{"a":{"p":{"add":["x"],"subset_of":["x","y"],"default":["y"]}}},{"a":{"p":{"essential":true},"q":{"one_of":["u","v"]},"scope":{"superset_of":["w"]}}},{"a":{"p":["y"],"q":"v","scope":"w z"}}]"#.to_vec(),
            br#"[{"a":{"p":{"value":null}}},{"b":{"p":{"value":1}}},{"a":{"p":"x"},"b":{}}]"#.to_vec(),
        ],
        _ => documents.map(|document| crate::openid_rules::compact(document).into_bytes()).collect(),
    }
}

fn run(name: &str) {
    let times = std::env::var("FEDROOT_FUZZ_CHANGES").map_or(2000, |count| count.parse().unwrap());
    let folder = folder();
    let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let seeds = seeds(&folder, name);
    if let Some(corpus) = std::env::var_os("FEDROOT_FUZZ_CORPUS") {
        let to = root().join(corpus).join(name);
        fs::create_dir_all(&to).unwrap();
        for (n, seed) in seeds.iter().enumerate() {
            fs::write(to.join(format!("seed-{n}")), seed).unwrap();
        }
    }
    let key = PublicKey::from_pem(str::from_utf8(&folder.read("public.pem")).unwrap()).unwrap();
    let vault = folder.path("V");
    let ground = Ground { vault: &vault, auditor: Auditor::parse(&folder.auditor).unwrap(), key };
    let regressions = root().join("fuzz/regressions").join(name);
    if regressions.is_dir() {
        for path in files(&regressions, "") {
            target(&ground, &fs::read(path).unwrap());
        }
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        target(&ground, seed);
        for _ in 0..times {
            let other = &seeds[dice.below(seeds.len())];
            let changed = dice.change(seed, other);
            let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&ground, &changed)));
            assert!(tried.is_ok(), "{name} panics on\n{}", changed.escape_ascii());
        }
    }
}

#[test]
fn fuzz_ledgers_and_states() {
    ["ledger_line", "ledger_state"].into_iter().for_each(run);
}

#[test]
fn fuzz_notes_proofs_and_requests() {
    ["note", "proof", "witness_request", "rewrapped"].into_iter().for_each(run);
}

#[test]
fn fuzz_xml() {
    ["xml_reader", "xml_verify"].into_iter().for_each(run);
}

#[test]
fn fuzz_vault_files_and_keys() {
    ["profile", "record", "public_key"].into_iter().for_each(run);
}

#[test]
fn fuzz_json_and_federation_documents() {
    ["json", "jws", "metadata_policy", "entity_statement"].into_iter().for_each(run);
}

#[test]
fn every_target_is_run_and_built() {
    let source = fs::read_to_string(root().join("tests/fuzz.rs")).unwrap();
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(source.matches(&format!("\"{name}\"")).count() >= 2, "{name} has no seeds, or is not run");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml lacks {name}");
        assert!(root().join(format!("fuzz/fuzz_targets/{name}.rs")).exists(), "{name} is not built");
    }
}
