//! What the targets stand on under cargo-fuzz: one vault for each process, made by the library.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use fedroot::base::clock::{Clock, SystemClock};
use fedroot::base::random;
use fedroot::base::recipient::Identities;
use fedroot::key::PublicKey;
use fedroot::ledger::{Auditor, Ledger};

use super::targets::Ground;

const KEY: &str = include_str!("public.pem");

thread_local! {
    static VAULT: (PathBuf, Auditor) = make();
}

/// Runs a target on the vault of this process.
pub(super) fn with(run: impl FnOnce(&Ground<'_>)) {
    VAULT.with(|(vault, auditor)| {
        let key = PublicKey::from_pem(KEY).expect("this is a public key");
        run(&Ground { vault, auditor: auditor.clone(), key });
    });
}

fn make() -> (PathBuf, Auditor) {
    let vault = tempfile::Builder::new().prefix("fedroot-fuzz-").tempdir().expect("a folder").keep();
    let line = vault.join("keys/example.org/sandbox/metadata");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&line).expect("the folder of a key line");
    let (_, auditor) = Identities::generate(SystemClock.now());
    let configuration = format!(
        "version = 1\nid = \"00\"\norigin = \"fuzz\"\ncreated = \"2026-01-01T00:00:00Z\"\nenvironments = [\"sandbox\"]\nauditors = [\"{auditor}\"]\n"
    );
    for (path, text) in [(vault.join("vault.toml"), configuration.as_str()), (line.join("1.toml"), "")] {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).mode(0o600).open(path).expect("a file");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("room for it");
    }
    let auditors = std::slice::from_ref(&auditor);
    let (folder, random) = (vault.join("ledger"), Box::new(random::system()));
    Ledger::create(&folder, "fuzz", auditors, &Default::default(), SystemClock.now(), random)
        .expect("a ledger");
    (vault, auditor)
}
