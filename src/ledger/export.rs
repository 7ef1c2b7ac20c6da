//! Exports: the entries as an auditor reads them, in the formats that others take, and a bundle that anybody checks
//! without us. Entries stream; none is left out, whether it opens or not.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::base::bytes::{Digest, Hashing, base64, hex};
use crate::base::disk::{self, Document, PendingFolder};
use crate::base::fault::Fault;
use crate::base::recipient::Identities;

use super::evidence::{check_against, prove};
use super::note::Note;
use super::read::{Body, Entry, read};
use super::{EntryKind, LOG, Summary};

/// A text format for the entries of a ledger.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Comma-separated values (RFC 4180), one entry to a line, with a header.
    Csv,
    /// Elastic Common Schema, one JSON document to a line.
    Ecs,
    /// One JSON document to a line, with everything that the entry says.
    Jsonl,
}

/// The columns of [`Format::Csv`].
const COLUMNS: [&str; 14] = [
    "index", "time", "type", "re", "session", "state", "act", "key", "result", "reason", "user", "host",
    "leaf", "body",
];

const README: &str = "\
# Evidence from a ledger of fedroot

| file | what it is |
|---|---|
| `ledger.jsonl` | the ledger: what happened, one line to an entry, what is confidential encrypted to its auditors |
| `checkpoint` | what the ledger was at one time: a C2SP signed note |
| `proofs/` | for some entries, the proof that the checkpoint covers them: C2SP tlog-proof |
| `verify_ledger.py` | checks the ledger without fedroot; its first lines say how it is called |
| `SHA256SUMS` | the digests of these files |

1. `sha256sum --check SHA256SUMS` shows that the bundle is as it was made.
2. `python3 verify_ledger.py ledger.jsonl` checks every line and every seal.
3. That nothing is missing shows only against a checkpoint that you have from elsewhere: compare it with `checkpoint`.

The format is described in `docs/formats/ledger.md` of fedroot.
";

/// The verifier that goes with the bundle.
const VERIFIER: &str = include_str!("../../docs/formats/verify_ledger.py");

/// Writes the entries in a text format, checking all of them on the way. Gives how many do not open with the identities.
pub fn entries(
    source: impl Read,
    identities: &Identities,
    format: Format,
    to: &mut impl Write,
    name: &Path,
) -> Result<(Summary, u64), Fault> {
    let mut put = |text: String| to.write_all(text.as_bytes()).map_err(|e| disk::fault("write", name, &e));
    if format == Format::Csv {
        put(COLUMNS.join(",") + "\r\n")?;
    }
    let mut reader = read(source, identities);
    let (mut origin, mut unreadable) = (None, 0);
    while let Some(entry) = reader.next().transpose()? {
        let origin = match &mut origin {
            Some(origin) => &*origin,
            none => none.insert(reader.summary()?.origin),
        };
        unreadable += u64::from(!matches!(entry.body, Body::Open(_)));
        put(match format {
            Format::Csv => csv(&entry),
            Format::Ecs => format!("{}\n", ecs(&entry, origin)),
            Format::Jsonl => format!("{}\n", entry.to_json()),
        })?;
    }
    Ok((reader.summary()?, unreadable))
}

/// A text of a body, wherever an act keeps it.
fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    let inner = ["operator", "about"].into_iter().filter_map(|part| body.get(part)?.get(name));
    body.get(name).into_iter().chain(inner).find_map(Value::as_str).unwrap_or_default()
}

fn csv(entry: &Entry) -> String {
    let (state, body) = entry.body.state();
    let re = entry.re.map(|re| re.to_string()).unwrap_or_default();
    let leaf = base64(&entry.leaf);
    let whole = if body.is_null() { String::new() } else { body.to_string() };
    let said = ["act", "key", "result", "reason", "user", "host"].map(|name| text(body, name).to_owned());
    let head = [
        entry.index.to_string(),
        entry.time.to_string(),
        entry.kind.name().to_owned(),
        re,
        entry.session.to_string(),
        state.to_owned(),
    ];
    let cells: Vec<_> = head.into_iter().chain(said).chain([leaf, whole]).map(|cell| quoted(&cell)).collect();
    cells.join(",") + "\r\n"
}

/// A cell (RFC 4180, section 2). Spreadsheets obey cells that begin like a formula, and bodies hold foreign text: those get
/// an apostrophe in front.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"', '\r', '\n']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

/// An entry in the words of the Elastic Common Schema; everything it says stands below `fedroot`.
fn ecs(entry: &Entry, origin: &str) -> Value {
    let (state, body) = entry.body.state();
    let result = text(body, "result");
    let outcome = match (entry.kind, result) {
        (EntryKind::Denied, _) => "failure",
        (EntryKind::Outcome, "signed" | "made") => "success",
        (EntryKind::Outcome, _) if state == "open" => "failure",
        _ => "unknown",
    };
    let kind = match entry.kind {
        EntryKind::Genesis => "creation",
        EntryKind::Intent => "start",
        EntryKind::Outcome => "end",
        EntryKind::Denied => "denied",
        EntryKind::Config | EntryKind::Stage => "change",
        _ => "info",
    };
    let act = text(body, "act");
    let mut document = json!({
        "@timestamp": entry.time.to_string(),
        "ecs": {"version": "8.17.0"},
        "event": {
            "kind": "event",
            "category": ["configuration"],
            "type": [kind],
            "action": if act.is_empty() { entry.kind.name() } else { act },
            "outcome": outcome,
            "module": "fedroot",
            "dataset": "fedroot.ledger",
            "sequence": entry.index,
            "id": hex(&entry.leaf),
        },
    });
    let mut put = |name: &str, value: Value| document.as_object_mut().map(|it| it.insert(name.into(), value));
    for (group, field, said) in [("user", "name", "user"), ("host", "hostname", "host")] {
        let said = text(body, said);
        if !said.is_empty() {
            put(group, Map::from_iter([(field.to_owned(), said.into())]).into());
        }
    }
    if let Some(digest) = text(body, "artefact").strip_prefix("sha256:") {
        put("file", json!({"hash": {"sha256": digest}, "name": text(body, "name")}));
    }
    put("fedroot", json!({"ledger": origin, "entry": entry.to_json()}));
    document
}

/// Writes a bundle that shows, without any secret, what the ledger was at a checkpoint and that these entries are in it.
pub fn evidence(log: &Document, note: &Note, indices: &[u64], folder: &PendingFolder) -> Result<(), Fault> {
    check_against(log, std::slice::from_ref(note))?;
    let mut sums = String::new();
    let mut sum = |digest: Digest, name: &str| sums.extend([&hex(digest.as_bytes()), "  ", name, "\n"]);
    let mut pending = folder.file(LOG)?;
    let mut copy = Hashing::new(&mut pending);
    std::io::copy(&mut log.reader(), &mut copy).map_err(|e| disk::fault("write", LOG.as_ref(), &e))?;
    sum(copy.finish().0, LOG);
    pending.publish()?;
    let mut save = |name: &str, bytes: &[u8]| {
        sum(Digest::of(bytes), name);
        folder.save(name, bytes)
    };
    for index in indices {
        let proof = prove(log, note, *index, None)?;
        save(&format!("proofs/{index}.tlog-proof"), proof.text().as_bytes())?;
    }
    save("checkpoint", note.text().as_bytes())?;
    save("verify_ledger.py", VERIFIER.as_bytes())?;
    save("README.md", README.as_bytes())?;
    folder.save("SHA256SUMS", sums.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (cell, written) in [
            ("", ""),
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"so\"", "\"say \"\"so\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=HYPERLINK(1)", "\"'=HYPERLINK(1)\""),
            ("@x", "\"'@x\""),
        ] {
            assert_eq!(quoted(cell), written);
        }
    }
}
