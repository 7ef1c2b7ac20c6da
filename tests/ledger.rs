//! The ledger as strangers see it: a verifier in Python that was written from the format page alone agrees with us on every
//! ledger, good and bad; and the test vectors stay what they are.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use fedroot::base::bytes::Digest;
use fedroot::base::clock::Instant;
use fedroot::base::disk::Document;
use fedroot::base::random;
use fedroot::base::recipient::Identities;
use fedroot::base::secret::Secret;
use fedroot::ledger::{self, Body, Entry, EntryKind, Evidence, Ledger, Note, Trust};
use serde_json::json;
use tlog_tiles::checkpoint::Checkpoint as TheirCheckpoint;
use tlog_tiles::tlog::{
    Error as TlogError, Hash, HashReader, check_record, check_tree, record_hash, stored_hashes, tree_hash,
};

use crate::support::{Folder, peers, root};

const VERIFIER: &str = "docs/formats/verify_ledger.py";

/// What the Python verifier says of a ledger and checkpoints: its last line, or its refusal.
fn python(folder: &Folder, arguments: &str) -> Result<String, String> {
    let verifier = root().join(VERIFIER);
    let ran = folder.shell(&format!("python3 '{}' {arguments}", verifier.display()));
    let said = ran.stdout.lines().last().unwrap_or_default().to_owned();
    if ran.code == 0 { Ok(said) } else { Err(format!("{said}{}", ran.stderr)) }
}

/// Both say the same of these bytes.
fn agree(folder: &Folder, what: &str, bytes: &[u8]) {
    fs::write(folder.path("copy.jsonl"), bytes).unwrap();
    let (ours, theirs) = (ledger::verify(bytes), python(folder, "copy.jsonl"));
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            let root = fedroot::base::bytes::base64(&ours.root);
            let said = format!("consistent: {} entries, root {root} open {:?}", ours.entries, ours.open);
            assert_eq!(theirs, said, "{what}");
        }
        (Err(ours), Err(theirs)) => assert!(theirs.contains("refused"), "{what}: {ours} / {theirs}"),
        (ours, theirs) => panic!("{what}: we say {ours:?}, Python says {theirs:?}"),
    }
}

/// A vault whose ledger has lived: signatures, a refusal, checkpoints, auditors, a torn write, a lost state, an audit.
fn lived() -> Folder {
    let folder = Folder::with_vault();
    let sign = |output: &str| {
        let key = "example.org/sandbox/metadata";
        folder.fedroot(&[
            "sign",
            "saml",
            "aggregate.xml",
            "--key",
            key,
            "--identity",
            "auditor.key",
            "--output",
            output,
            "--vault",
            "V",
        ])
    };
    assert_eq!(sign("a.xml").code, 0);
    assert_ne!(sign("a.xml").code, 0);
    folder.good(&["ledger", "checkpoint", "--output", "one.note", "--vault", "V"]);
    folder.shell("fedroot identity generate --output second.key > second 2>&1");
    let more = "fedroot ledger auditors add $(head -1 second) --output c.age --vault V && \
        fedroot ledger auditors add $(head -1 second) --vault V \
            --answer $(fedroot ledger auditors answer c.age --identity second.key) && \
        printf torn >> V/ledger/ledger.jsonl && fedroot ledger recover --vault V && \
        fedroot ledger audit --nonce 1 --output answer --vault V && \
        rm V/ledger/state && fedroot ledger recover --acknowledge --reason lost --vault V && \
        fedroot ledger checkpoint --output two.note --vault V";
    let ran = folder.shell(&format!("{{ {more}\n}} 2>&1"));
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(sign("b.xml").code, 0);
    folder
}

#[test]
fn a_verifier_in_python_agrees_on_every_ledger() {
    if !peers("a_verifier_in_python_agrees_on_every_ledger", &["python3"]) {
        return;
    }
    let folder = lived();
    let log = folder.read("V/ledger/ledger.jsonl");
    agree(&folder, "whole", &log);
    let notes = python(&folder, "V/ledger/ledger.jsonl one.note two.note").unwrap();
    assert!(notes.starts_with("consistent"), "{notes}");
    let lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
    let junk = lines.iter().position(|line| line.starts_with(b"torn")).unwrap();
    for count in (0..=lines.len()).step_by(3) {
        agree(&folder, &format!("the first {count} lines"), &lines[..count].concat());
    }
    for at in (0..lines.len()).step_by(3) {
        let without = [&lines[..at], &lines[at + 1..]].concat().concat();
        agree(&folder, &format!("without line {at}"), &without);
        let twice = [&lines[..=at], &lines[at..]].concat().concat();
        agree(&folder, &format!("line {at} twice"), &twice);
    }
    for (what, old, new) in [
        ("junk", "torn\n", "turn\n"),
        ("more junk", "torn\n", "torn\n\n"),
        ("a kind", "\"t\":\"audit\"", "\"t\":\"note\""),
        ("a number", "\"junk\":[5,", "\"junk\":[05,"),
        ("a space", "\"i\":0", "\"i\": 0"),
    ] {
        let text = String::from_utf8(log.clone()).unwrap();
        assert!(text.contains(old), "{what}");
        agree(&folder, what, text.replacen(old, new, 1).as_bytes());
    }
    for at in (0..log.len()).step_by(log.len() / 9) {
        let mut bad = log.clone();
        bad[at] ^= 1;
        agree(&folder, &format!("byte {at}"), &bad);
        agree(&folder, &format!("cut at {at}"), &log[..at]);
    }
    assert!(junk > 5);
}

#[test]
fn python_finds_forks_and_forged_checkpoints() {
    if !peers("python_finds_forks_and_forged_checkpoints", &["python3"]) {
        return;
    }
    let folder = lived();
    let note = fs::read_to_string(folder.path("two.note")).unwrap();
    let size = note.lines().nth(1).unwrap();
    for (what, bad) in [
        ("another size", note.replacen(&format!("\n{size}\n"), "\n3\n", 1)),
        ("another root", note.replacen("=\n\n", "A=\n\n", 1)),
        (
            "another signature",
            note.replace("AAAA", "AAAB").replacen(" a", " b", 1).replacen(
                "\u{2014} fedroot",
                "\u{2014} fedrood",
                1,
            ),
        ),
    ] {
        fs::write(folder.path("bad.note"), &bad).unwrap();
        assert!(python(&folder, "V/ledger/ledger.jsonl bad.note").is_err(), "{what}");
        assert_ne!(
            folder.fedroot(&["ledger", "verify", "--since", "bad.note", "--vault", "V"]).code,
            0,
            "{what}"
        );
    }
}

/// The hashes of a proof or request: the lines of base64 between its head and the first empty line.
fn hashes(text: &str, head: usize) -> Vec<Hash> {
    text.lines()
        .skip(head)
        .take_while(|line| !line.is_empty())
        .map(|line| Hash::parse_hash(line).unwrap())
        .collect()
}

/// The note below the first empty line.
fn note_of(text: &str) -> &str {
    text.split_once("\n\n").unwrap().1
}

#[test]
fn another_implementation_accepts_our_notes_and_proofs() {
    let folder = lived();
    folder.shell("fedroot ledger prove 3 --output p --vault V; fedroot ledger witness request --old 5 --output r --vault V");
    let read = |name: &str| fs::read_to_string(folder.path(name)).unwrap();
    let (proof, request) = (read("p"), read("r"));
    let log = read("V/ledger/ledger.jsonl");
    let entries: Vec<&str> = log.lines().filter(|line| line.starts_with("{\"v\":1")).collect();

    let checkpoint = |text: &str| {
        let note = signed_note::Note::from_bytes(note_of(text).as_bytes()).unwrap();
        let read = TheirCheckpoint::from_bytes(note.text()).unwrap();
        (note, read.size(), *read.hash())
    };
    let (note, size, root) = checkpoint(&proof);
    // The key of the seal after the checkpoint stands in the line before it.
    let line: serde_json::Value = serde_json::from_str(entries[usize::try_from(size).unwrap() - 1]).unwrap();
    let key = fedroot::base::bytes::from_base64(line["pk"].as_str().unwrap()).unwrap();
    let name = note.text().split(|&byte| byte == b'\n').next().unwrap();
    let name = format!("{}/seal/{size}", std::str::from_utf8(name).unwrap());
    let key_id = signed_note::key_id(&name, &[&[1][..], &key].concat());
    let vkey = format!("{name}+{key_id:08x}+{}", fedroot::base::bytes::base64(&[&[1][..], &key].concat()));
    let verifier = signed_note::StandardVerifier::new(&vkey).unwrap();
    let (good, unknown) = note.verify(&signed_note::VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!((good.len(), unknown.len()), (1, 0));

    let record = record_hash(entries[3].as_bytes());
    check_record(&hashes(&proof, 3), size, root, 3, record).unwrap();
    check_record(&hashes(&proof, 3), size, root, 4, record).unwrap_err();
    let (_, new, new_root) = checkpoint(&request);
    let old = Evidence::parse(proof.as_bytes()).unwrap().0;
    let mut tree = Vec::new();
    for (index, entry) in (0..5).zip(&entries) {
        tree.extend(stored_hashes(index, entry.as_bytes(), &tree_reader(&tree)).unwrap());
    }
    let old_root = tree_hash(5, &tree_reader(&tree)).unwrap();
    check_tree(&hashes(&request, 1), new, new_root, 5, old_root).unwrap();
    check_tree(&hashes(&request, 1), new, old_root, 5, new_root).unwrap_err();
    assert_eq!(old.checkpoint().size, size);
}

struct Stored<'a>(&'a [Hash]);

impl HashReader for Stored<'_> {
    fn read_hashes(&self, places: &[u64]) -> Result<Vec<Hash>, TlogError> {
        Ok(places.iter().map(|&place| self.0[usize::try_from(place).unwrap()]).collect())
    }
}

fn tree_reader(hashes: &[Hash]) -> Stored<'_> {
    Stored(hashes)
}

fn vectors() -> std::path::PathBuf {
    root().join("tests/vectors/ledger")
}

fn identities(folder: &Path) -> Identities {
    Identities::parse(&Secret::new(fs::read(folder.join("auditor.key")).unwrap())).unwrap()
}

/// What the entries say, one to a line.
fn tell(entries: &[Entry]) -> String {
    let mut told = String::new();
    for entry in entries {
        let Body::Open(body) = &entry.body else { panic!("entry {} does not open", entry.index) };
        writeln!(told, "{} {} {body}", entry.index, entry.kind.name()).unwrap();
    }
    told
}

#[test]
fn the_ledger_of_the_vectors_is_what_it_was() {
    let folder = vectors();
    let log = fs::read(folder.join("ledger.jsonl")).unwrap();
    let summary = ledger::verify(log.as_slice()).unwrap();
    let stated = fs::read_to_string(folder.join("expected")).unwrap();
    let found: Vec<_> = ledger::read(log.as_slice(), &identities(&folder)).map(Result::unwrap).collect();
    let told = tell(&found);
    assert_eq!(format!("{told}root {}\n", fedroot::base::bytes::hex(&summary.root)), stated);
    for kind in EntryKind::ALL {
        assert!(found.iter().any(|entry| entry.kind == kind), "no {}", kind.name());
    }
    assert_eq!((summary.recoveries, summary.reseals), (1, 1));
}

#[test]
fn the_checkpoint_and_the_proofs_of_the_vectors_pass() {
    let folder = vectors();
    let log = Document::open(&folder.join("ledger.jsonl")).unwrap();
    let note = Note::parse(&fs::read(folder.join("checkpoint")).unwrap()).unwrap();
    note.check_against(&log).unwrap();
    for (name, opened) in [("closed.tlog-proof", false), ("opened.tlog-proof", true)] {
        let text = fs::read(folder.join(name)).unwrap();
        let (evidence, proved) = Evidence::parse(&text).unwrap();
        Trust { notes: std::slice::from_ref(&note), log: Some(&log), keys: &[] }.check(&evidence).unwrap();
        assert_eq!((proved.kind, proved.body.is_some()), (EntryKind::Outcome, opened), "{name}");
        assert_eq!(evidence.text().as_bytes(), text, "{name}");
        for at in 0..text.len() {
            let mut bad = text.clone();
            bad[at] ^= 1;
            let passes = Evidence::parse(&bad).is_ok_and(|(evidence, _)| {
                Trust { notes: std::slice::from_ref(&note), log: Some(&log), keys: &[] }
                    .check(&evidence)
                    .is_ok()
            });
            assert!(!passes, "{name}: byte {at}");
        }
    }
}

/// Makes the vectors anew: `cargo test --test all make_the_ledger_vectors -- --ignored`.
#[test]
#[ignore = "writes tests/vectors/ledger, which is frozen"]
fn make_the_ledger_vectors() {
    let room = tempfile::tempdir().unwrap();
    let folder = room.path().join("ledger");
    let now = |second: i64| Instant::from_unix(1_795_324_020 + second).unwrap();
    let (secret, auditor) = Identities::generate(now(0));
    let (origin, auditors) = ("vectors.example/ledger", [auditor]);
    let open = || Ledger::open(&folder, &auditors, Box::new(random::system())).unwrap();
    let begun = json!({"act": "init"});
    drop(Ledger::create(&folder, origin, &auditors, &begun, now(0), Box::new(random::system())).unwrap());
    let mut writer = open();
    for (second, kind) in
        [(1, EntryKind::Config), (2, EntryKind::Stage), (3, EntryKind::Receipt), (4, EntryKind::Note)]
    {
        writer.append(kind, None, &json!({"text": kind.name()}), now(second)).unwrap();
    }
    let octets = Digest::of(b"octets");
    let artefact = Digest::of(b"document").to_string();
    let permit =
        writer.intend("example.org/prod/metadata#1", &octets, &json!({"act": "sign"}), now(5)).unwrap();
    permit.outcome(&json!({"result": "signed", "artefact": artefact}), now(6)).unwrap();
    writer.append(EntryKind::Denied, None, &json!({"act": "sign"}), now(7)).unwrap();
    std::mem::forget(
        writer.intend("example.org/prod/metadata#1", &octets, &json!({"act": "sign"}), now(8)).unwrap(),
    );
    let note = writer.checkpoint();
    writer.append(EntryKind::Checkpoint, None, &json!({"note": note.text()}), now(9)).unwrap();
    drop(writer);
    let log = folder.join(ledger::LOG);
    let append = |bytes: &[u8]| {
        let whole = [fs::read(&log).unwrap(), bytes.to_vec()].concat();
        fs::write(&log, whole).unwrap();
    };
    let recover = |acknowledge, second| {
        let about = serde_json::Map::from_iter([("act".to_owned(), json!("recover"))]);
        let recovery = ledger::Recovery {
            folder: &folder,
            origin,
            auditors: &auditors,
            about: &about,
            acknowledge,
            now: now(second),
            before: &|_| Ok(None),
        };
        ledger::recover(&recovery, Box::new(random::system())).unwrap()
    };
    append(b"{\"v\":1,\"i\":10,");
    recover(false, 10);
    open().append(EntryKind::Audit, None, &json!({"nonce": "7f3a"}), now(11)).unwrap();
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("\"t\":\"audit\"", "\"t\":\"nudit\"", 1)).unwrap();
    recover(true, 12);
    open().append(EntryKind::Audit, None, &json!({"nonce": "7f3b"}), now(13)).unwrap();
    let target = vectors();
    fs::create_dir_all(&target).unwrap();
    fs::write(target.join("auditor.key"), secret.expose()).unwrap();
    describe(&target, &log, &note);
}

/// Writes what belongs to a ledger of the vectors.
fn describe(target: &Path, log: &Path, note: &Note) {
    let identities = identities(target);
    let document = Document::open(log).unwrap();
    let opened = ledger::prove(&document, note, 6, Some(&identities)).unwrap();
    let closed = ledger::prove(&document, note, 6, None).unwrap();
    let bytes = fs::read(log).unwrap();
    let summary = ledger::verify(bytes.as_slice()).unwrap();
    let found: Vec<_> = ledger::read(bytes.as_slice(), &identities).map(Result::unwrap).collect();
    let expected = format!("{}root {}\n", tell(&found), fedroot::base::bytes::hex(&summary.root));
    for (name, bytes) in [
        ("ledger.jsonl", bytes.as_slice()),
        ("checkpoint", note.text().as_bytes()),
        ("opened.tlog-proof", opened.text().as_bytes()),
        ("closed.tlog-proof", closed.text().as_bytes()),
        ("expected", expected.as_bytes()),
    ] {
        fs::write(target.join(name), bytes).unwrap();
    }
}

#[test]
fn a_change_of_auditors_that_was_cut_short_goes_on_or_goes_back() {
    let folder = Folder::with_vault();
    let old = fs::read_to_string(folder.path("V/vault.toml")).unwrap();
    let recipient = folder.good(&["identity", "generate", "--output", "second.key"]).stdout.trim().to_owned();
    let begun = format!("{old}auditors_next = [\"{}\", \"{recipient}\"]\n", folder.auditor);
    let act = || folder.good(&["ledger", "audit", "--nonce", "1", "--output", "answer", "--vault", "V"]);
    // The plan was written, the ledger knows nothing of it.
    fs::write(folder.path("V/vault.toml"), &begun).unwrap();
    act();
    assert_eq!(fs::read_to_string(folder.path("V/vault.toml")).unwrap(), old);
    fs::remove_file(folder.path("answer")).unwrap();
    let asked = "fedroot ledger auditors add R --output c.age --vault V && fedroot ledger auditors add R --vault V \
        --answer $(fedroot ledger auditors answer c.age --identity second.key)";
    assert_eq!(folder.shell(&asked.replace('R', &recipient)).code, 0);
    let new = fs::read_to_string(folder.path("V/vault.toml")).unwrap();
    assert_ne!(new, old);
    // The ledger's state has it, the plan is not yet what is.
    fs::write(folder.path("V/vault.toml"), &begun).unwrap();
    act();
    assert_eq!(fs::read_to_string(folder.path("V/vault.toml")).unwrap(), new);
    let shown =
        folder.good(&["ledger", "show", "--identity", "second.key", "--kind", "config", "--vault", "V"]);
    assert_eq!(shown.stdout.matches("cut short").count(), 1, "{}", shown.stdout);
    assert_eq!(folder.good(&["ledger", "verify", "--vault", "V"]).code, 0);
}
