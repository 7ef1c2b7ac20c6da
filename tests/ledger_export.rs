//! Exports: read back by readers that know only the formats. A reader of C2SP tlog-tiles recomputes the root.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Folder, peers, signing};

type Hash = [u8; 32];

/// A vault with some signatures, one refusal, and a checkpoint over all of that.
fn folder() -> Folder {
    let folder = Folder::with_one_line();
    for output in ["one.xml", "two.xml"] {
        folder.good(&signing(output));
    }
    let refused = folder.fedroot(&signing("one.xml"));
    assert_ne!(refused.code, 0);
    folder.good(&["ledger", "checkpoint", "--output", "note", "--vault", "V"]);
    folder
}

fn export<'a>(format: &'a str, output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["ledger", "export", "--format", format, "--output", output, "--vault", "V"], more].concat()
}

fn lines(folder: &Folder) -> Vec<String> {
    String::from_utf8(folder.read("V/ledger/ledger.jsonl")).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn jsonl_csv_and_ecs_hold_every_entry() {
    let folder = folder();
    let count = lines(&folder).len();
    for format in ["jsonl", "csv", "ecs"] {
        folder.good(&export(format, &format!("out.{format}"), &["--identity", "auditor.key"]));
    }
    let documents = |name: &str| -> Vec<Value> {
        let text = String::from_utf8(folder.read(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (jsonl, ecs) = (documents("out.jsonl"), documents("out.ecs"));
    assert_eq!((jsonl.len(), ecs.len()), (count, count));
    for (index, (entry, event)) in jsonl.iter().zip(&ecs).enumerate() {
        assert_eq!((entry["index"].as_u64(), entry["state"].as_str()), (Some(index as u64), Some("open")));
        assert_eq!(event["event"]["sequence"], entry["index"]);
        assert_eq!(event["@timestamp"], entry["time"]);
        assert_eq!(event["fedroot"]["entry"], *entry);
    }
    let signed: Vec<_> = ecs.iter().filter(|event| event["file"]["name"] == "two.xml").collect();
    assert_eq!(signed.len(), 1);
    assert_eq!(signed[0]["event"]["outcome"], "success");
    let digest = fedroot::base::bytes::hex(&Sha256::digest(folder.read("two.xml")));
    assert_eq!(signed[0]["file"]["hash"]["sha256"], digest);
    assert!(
        ecs.iter()
            .any(|event| event["event"]["outcome"] == "failure" && event["event"]["type"][0] == "denied")
    );
}

#[test]
fn csv_is_read_by_another_program() {
    if !peers("csv_is_read_by_another_program", &["python3"]) {
        return;
    }
    let folder = folder();
    folder.good(&export("csv", "out.csv", &["--identity", "auditor.key"]));
    let script = "import csv, json
rows = list(csv.DictReader(open('out.csv', newline='')))
assert [int(row['index']) for row in rows] == list(range(len(rows)))
print(len(rows), [json.loads(row['body'])['name'] for row in rows if row['result'] == 'signed'])";
    let ran = folder.shell(&format!("python3 -c \"{script}\""));
    assert_eq!(ran.stdout, format!("{} ['one.xml', 'two.xml']\n", lines(&folder).len()), "{}", ran.stderr);
}

#[test]
fn an_identity_that_reads_some_entries_hides_none_and_one_that_reads_nothing_exports_nothing() {
    let folder = folder();
    let other = folder.good(&["identity", "generate", "--output", "other.key"]).stdout;
    let refused = folder.fedroot(&export("jsonl", "out.jsonl", &["--identity", "other.key"]));
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(!folder.path("out.jsonl").exists());
    let sealed = lines(&folder).len();
    folder.good(&["ledger", "auditors", "add", other.trim(), "--output", "c.age", "--vault", "V"]);
    let answer = folder.good(&["ledger", "auditors", "answer", "c.age", "--identity", "other.key"]).stdout;
    folder.good(&["ledger", "auditors", "add", other.trim(), "--answer", answer.trim(), "--vault", "V"]);
    folder.good(&signing("three.xml"));
    folder.good(&export("jsonl", "out.jsonl", &["--identity", "other.key"]));
    let text = String::from_utf8(folder.read("out.jsonl")).unwrap();
    assert_eq!(text.lines().count(), lines(&folder).len());
    let is_sealed = |line: &str| line.contains(r#""state":"sealed","body":null"#);
    assert!(text.lines().take(sealed).all(is_sealed));
    assert!(!text.lines().all(is_sealed));
}

// ---- a reader of tlog-tiles, from the C2SP text alone ----

fn node(left: Hash, right: Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// MTH of RFC 6962, section 2.1, over hashes of leaves or of equal subtrees.
fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
            node(root(left), root(right))
        }
    }
}

/// The bytes of a tile of this width, with its number in groups of three digits.
fn tile(folder: &Path, level: &str, number: usize, width: usize) -> Vec<u8> {
    assert!(number < 1000, "the tests make no larger trees");
    let partial = if width == 256 { String::new() } else { format!(".p/{width}") };
    fs::read(folder.join(format!("tile/{level}/{number:03}{partial}"))).unwrap()
}

fn widths(size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..size.div_ceil(256)).map(move |number| (number, (size - number * 256).min(256)))
}

/// Reads entries and hashes, holds each level against the one below it, and gives the entries and the root.
fn read_tiles(folder: &Path, size: usize) -> (Vec<Vec<u8>>, Hash) {
    let mut entries = Vec::new();
    for (number, width) in widths(size) {
        let bundle = tile(folder, "entries", number, width);
        let mut rest = bundle.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
            entries.push(entry.to_vec());
            rest = after;
        }
        assert_eq!(entries.len(), number * 256 + width);
    }
    let mut below: Vec<Hash> = entries
        .iter()
        .map(|entry| Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
        .collect();
    let whole = root(&below);
    for level in 0.. {
        let read: Vec<u8> = widths(below.len())
            .flat_map(|(number, width)| tile(folder, &level.to_string(), number, width))
            .collect();
        assert_eq!(read, below.as_flattened(), "level {level}");
        below = below.chunks_exact(256).map(root).collect();
        if below.is_empty() {
            return (entries, whole);
        }
    }
    unreachable!("every level is shorter")
}

/// Origin, size and root of a checkpoint: the first three lines of a signed note.
fn checkpoint(text: &str) -> (String, usize, String) {
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap().to_owned();
    (next(), next().parse().unwrap(), next())
}

fn base64(bytes: &[u8]) -> String {
    fedroot::base::bytes::base64(bytes)
}

#[test]
fn a_reader_of_tlog_tiles_finds_the_entries_and_the_root_of_the_checkpoint() {
    let folder = folder();
    folder.good(&export("tiles", "tiles", &[]));
    let text = String::from_utf8(folder.read("tiles/checkpoint")).unwrap();
    assert_eq!(text.as_bytes(), folder.read("note"));
    let (_, size, expected) = checkpoint(&text);
    let (entries, found) = read_tiles(&folder.path("tiles"), size);
    assert_eq!(base64(&found), expected);
    // The entry that records the checkpoint comes after it.
    let lines = lines(&folder);
    assert_eq!(lines.len(), size + 1);
    assert!(entries.iter().zip(&lines).all(|(entry, line)| entry == line.as_bytes()));
}

#[test]
fn tiles_of_more_than_one_bundle_read_back() {
    use fedroot::base::clock::{Clock, SystemClock};
    use fedroot::base::disk::{Document, PendingFolder};
    use fedroot::ledger::{Auditor, EntryKind, LOG, Ledger, tiles};
    let folder = Folder::empty();
    let auditors = [Auditor::parse(&folder.auditor).unwrap()];
    let random = Box::new(fedroot::base::random::system());
    let (path, now) = (folder.path("ledger"), SystemClock.now());
    let mut ledger =
        Ledger::create(&path, "test.example/ledger", &auditors, &Value::Null, now, random).unwrap();
    while ledger.len() < 600 {
        ledger.append(EntryKind::Note, None, &Value::Null, now).unwrap();
    }
    let note = ledger.checkpoint();
    let pending = PendingFolder::beside(&folder.path("tiles")).unwrap();
    tiles::export(&Document::open(&path.join(LOG)).unwrap(), &note, &pending).unwrap();
    pending.publish().unwrap();
    let (entries, found) = read_tiles(&folder.path("tiles"), 600);
    assert_eq!((entries.len(), found), (600, ledger.root()));
}

#[test]
fn evidence_is_checked_without_fedroot() {
    let test = "evidence_is_checked_without_fedroot";
    if !peers(test, &["python3", "sha256sum"]) {
        return;
    }
    let folder = folder();
    folder.good(&export("evidence", "evidence", &["--entry", "0", "--entry", "4"]));
    let sums = folder.shell("cd evidence && sha256sum --strict --check SHA256SUMS && ls -A . proofs");
    assert_eq!(sums.code, 0, "{}{}", sums.stdout, sums.stderr);
    for name in ["README.md", "SHA256SUMS", "checkpoint", "ledger.jsonl", "0.tlog-proof", "4.tlog-proof"] {
        assert!(sums.stdout.lines().any(|line| line == name), "{name}\n{}", sums.stdout);
    }
    assert_eq!(folder.read("evidence/ledger.jsonl"), folder.read("V/ledger/ledger.jsonl"));
    assert_eq!(folder.read("evidence/checkpoint"), folder.read("note"));
    for proof in ["0", "4"] {
        folder.good(&[
            "ledger",
            "check-proof",
            &format!("evidence/proofs/{proof}.tlog-proof"),
            "--trust-note",
            "evidence/checkpoint",
        ]);
    }
    if folder.shell("python3 -c 'import cryptography'").code != 0 {
        eprintln!("SKIPPED: {test}: the Python package cryptography is not here");
        return;
    }
    let verified = folder.shell("cd evidence && python3 verify_ledger.py ledger.jsonl");
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    folder.shell("sed -i '3s/\"ts\":1/\"ts\":2/' evidence/ledger.jsonl");
    assert_ne!(folder.shell("cd evidence && python3 verify_ledger.py ledger.jsonl").code, 0);
    assert_ne!(folder.shell("cd evidence && sha256sum --status --check SHA256SUMS").code, 0);
}

#[test]
fn an_export_replaces_nothing_and_leaves_nothing_half_done() {
    let folder = folder();
    for (format, more) in [("jsonl", &["--identity", "auditor.key"][..]), ("tiles", &[])] {
        fs::write(folder.path("there"), "old").unwrap();
        assert_eq!(folder.fedroot(&export(format, "there", more)).code, 7);
        assert_eq!(folder.read("there"), b"old");
    }
    let log = folder.path("V/ledger/ledger.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen(r#""t":"intent""#, r#""t":"denied""#, 1)).unwrap();
    for (format, more) in [
        ("jsonl", &["--identity", "auditor.key"][..]),
        ("csv", &["--identity", "auditor.key"]),
        ("tiles", &[]),
        ("evidence", &[]),
    ] {
        let ran = folder.fedroot(&export(format, "new", more));
        assert_eq!(ran.code, 6, "{format}: {}", ran.stderr);
        assert!(!folder.path("new").exists(), "{format}");
    }
    let left = fs::read_dir(folder.dir())
        .unwrap()
        .filter(|it| it.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".fedroot-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn bodies_are_exported_only_with_an_identity_and_trees_only_with_a_checkpoint() {
    let folder = Folder::empty();
    let auditor = folder.auditor.clone();
    folder.good(&["init", "--vault", "V", "--auditor", &auditor]);
    for format in ["jsonl", "csv", "ecs"] {
        assert_eq!(folder.fedroot(&export(format, "out", &[])).code, 2, "{format}");
    }
    for format in ["tiles", "evidence"] {
        let ran = folder.fedroot(&export(format, "out", &[]));
        assert!(
            ran.code == 7 && ran.stderr.contains("fedroot ledger checkpoint"),
            "{format}: {}",
            ran.stderr
        );
    }
}
