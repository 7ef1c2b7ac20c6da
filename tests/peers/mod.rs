//! Other programs that sign and verify XML and JOSE, asked by the tests. `tests/peers.sh` installs them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{peers as present, root, skip};

/// What xmlsec1 has to be told: attributes of these names are IDs.
const IDS: [&str; 4] = ["ID", "Id", "id", "AssertionID"];

/// xmlsec1 in its safe form: the key is the given one, whatever the document says of its key, and nothing is fetched.
/// `elements` may have IDs; each is `NAMESPACE:NAME`.
pub(crate) fn xmlsec1(document: &Path, public: &Path, elements: &[String]) -> bool {
    let mut command = Command::new("xmlsec1");
    command
        .args(["--verify", "--enabled-key-data", "raw-x509-cert"])
        .args(["--enabled-reference-uris", "empty,same-doc"]);
    for (name, element) in IDS.iter().flat_map(|name| elements.iter().map(move |element| (name, element))) {
        command.args([&format!("--id-attr:{name}"), element]);
    }
    command.arg("--pubkey-pem").arg(public).arg(document).output().unwrap().status.success()
}

/// OpenSAML's samlsign, which wants full paths: what it prints, when it is content.
pub(crate) fn samlsign(arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("samlsign").args(arguments).output().unwrap();
    output.status.success().then_some(output.stdout)
}

/// One line of fields for each job; the answers in the same order. See `Jdk.java`.
pub(crate) fn jdk(act: &str, jobs: &[Vec<String>]) -> Vec<String> {
    answers(Command::new("java").arg(root().join("tests/peers/Jdk.java")).arg(act), jobs)
}

/// The same for signxml. See `signxml_peer.py`.
pub(crate) fn signxml(act: &str, jobs: &[Vec<String>]) -> Vec<String> {
    answers(Command::new(python()).arg(root().join("tests/peers/signxml_peer.py")).arg(act), jobs)
}

/// The same for jwcrypto, cryptojwt and spiffe. See `jose_peer.py`.
pub(crate) fn python_jose(library: &str, act: &str, jobs: &[Vec<String>]) -> Vec<String> {
    let program = root().join("tests/peers/jose_peer.py");
    answers(Command::new(python()).arg(program).args([library, act]), jobs)
}

/// The same for a program of ours that runs in node, where npm's libraries are. See `jose_peer.mjs`, `federation_peer.mjs`.
pub(crate) fn node(program: &str, act: &str, jobs: &[Vec<String>]) -> Vec<String> {
    let text = fs::read_to_string(root().join("tests/peers").join(program)).unwrap();
    let mut command = Command::new("node");
    command.current_dir(libraries()).args(["--input-type=module", "--eval", &text, "--", act]);
    answers(&mut command, jobs)
}

/// Debian's `jose`: lines TOKEN, JWK, answered as the others do.
pub(crate) fn debian_jose(jobs: &[Vec<String>]) -> Vec<String> {
    let verify = |job: &Vec<String>| {
        let mut command = Command::new("jose");
        let output = command.args(["jws", "ver", "-i", &job[0], "-k", &job[1]]).output().unwrap();
        if output.status.success() { "ok".into() } else { format!("no {}", output.status) }
    };
    jobs.iter().map(verify).collect()
}

/// Whether all who speak JOSE are here.
pub(crate) fn speak_jose(test: &str) -> bool {
    let jose = libraries().join("node_modules/jose");
    if !jose.is_dir() {
        skip(test, "jose of npm");
    }
    jose.is_dir() && present(test, &["node", "jose", "openssl", python().to_str().unwrap()])
}

/// Where `tests/peers.sh` puts libraries.
pub(crate) fn libraries() -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
    cache.join("fedroot-peers")
}

/// The Python that has signxml, jwcrypto, cryptojwt and spiffe.
pub(crate) fn python() -> PathBuf {
    libraries().join("bin/python")
}

fn answers(command: &mut Command, jobs: &[Vec<String>]) -> Vec<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines: String = jobs.iter().map(|fields| fields.join("\t") + "\n").collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), jobs.len(), "an answer for each question");
    answers
}
