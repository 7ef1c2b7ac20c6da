//! Nothing of a private key stays in memory when the program ends: its whole memory is searched, with a control that finds
//! the key while it is at work.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::support::{FEDROOT, Folder, peers, root};

/// The secret numbers of a key in `tests/keys`, big-endian.
fn secrets(name: &str) -> Vec<Vec<u8>> {
    let pem = fs::read_to_string(root().join("tests/keys").join(name)).unwrap();
    let (_, document) = der::SecretDocument::from_pem(&pem).unwrap();
    let info = pkcs8::PrivateKeyInfoRef::try_from(document.as_bytes()).unwrap();
    let inner = info.private_key.as_bytes();
    if name.starts_with("p384") {
        return vec![sec1::EcPrivateKey::try_from(inner).unwrap().private_key.to_vec()];
    }
    let key = rsa::pkcs1::RsaPrivateKeyRef::try_from(inner).unwrap();
    [key.private_exponent, key.prime1, key.prime2, key.exponent1, key.exponent2, key.coefficient]
        .map(|number| number.as_bytes().to_vec())
        .to_vec()
}

/// How many stretches of 16 bytes of the secrets stand in the memory, in either byte order. Stretches are looked for from
/// any place in a secret and at every eighth place in memory, so that none of 24 bytes or more is missed.
fn traces(memory: &[u8], secrets: &[Vec<u8>]) -> usize {
    let mut stretches: HashSet<&[u8]> = HashSet::new();
    let reversed: Vec<Vec<u8>> =
        secrets.iter().map(|secret| secret.iter().rev().copied().collect()).collect();
    for secret in secrets.iter().chain(&reversed) {
        stretches.extend(secret.windows(16));
    }
    let places = (0..memory.len().saturating_sub(16)).step_by(8).map(|at| &memory[at..at + 16]);
    places.filter(|place| place[..8] != [0; 8] && stretches.contains(place)).count()
}

/// Signs under a debugger and dumps the whole memory while the key is at work and when the program ends.
fn dumps(folder: &Folder, line: &str) -> (Vec<u8>, Vec<u8>) {
    let run = folder
        .command("gdb")
        .args(["-q", "-batch", "-nx"])
        .args(["-ex", "set use-coredump-filter off", "-ex", "set dump-excluded-mappings on"])
        .args(["-ex", "set breakpoint pending on", "-ex", "break fedroot::custody::work::checked"])
        .args(["-ex", "run", "-ex", "gcore at-work", "-ex", "delete"])
        .args(["-ex", "catch syscall exit_group", "-ex", "continue", "-ex", "gcore at-exit", "-ex", "kill"])
        .args([
            "--args",
            FEDROOT,
            "sign",
            "saml",
            "aggregate.xml",
            "--key",
            &format!("example.org/sandbox/{line}"),
        ])
        .args(["--identity", "auditor.key", "--output", &format!("{line}.xml"), "--vault", "V"])
        .output()
        .unwrap();
    let read = |name: &str| fs::read(folder.path(name)).unwrap_or_default();
    let dumps = (read("at-work"), read("at-exit"));
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(dumps.0.len() > 1 << 20 && dumps.1.len() > 1 << 20, "gdb made no dumps: {said}");
    assert!(Path::new(&folder.path(&format!("{line}.xml"))).exists(), "nothing was signed: {said}");
    dumps
}

#[test]
fn nothing_of_a_key_stays_in_memory() {
    if !peers("nothing_of_a_key_stays_in_memory", &["gdb"]) {
        return;
    }
    let folder = Folder::with_vault();
    for (line, key) in [("legacy", "rsa4096.pem"), ("metadata", "p384.pem")] {
        let secrets = secrets(key);
        let (at_work, at_exit) = dumps(&folder, line);
        assert!(
            traces(&at_work, &secrets) > 0,
            "{line}: the control finds no key at work: the search is broken"
        );
        assert_eq!(traces(&at_exit, &secrets), 0, "{line}: pieces of the key are still in memory at the end");
    }
}
