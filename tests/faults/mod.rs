//! Faults: the short form of `tests/faults/run`, what one signature costs, and every state that a power cut can leave.

mod crash;
mod crash_batch;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{FEDROOT, Folder, peers, root, signing};

/// A folder with a vault of one P-384 line, and one signature in its ledger.
fn folder() -> Folder {
    let folder = Folder::with_one_line();
    folder.good(&signing("first.xml"));
    folder
}

/// The system calls of a command that succeeds, one to a line and in the order of their ends: every string in hexadecimal, each
/// descriptor with its path.
fn trace(folder: &Folder, calls: &str, command: &[&str]) -> Vec<String> {
    let calls = format!("trace={calls}");
    let strace = ["-f", "-y", "-xx", "-s", "1000000", "-o", "trace", "-e", &calls, FEDROOT];
    let output = folder.command("strace").args(strace).args(command).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(folder.path("trace")).unwrap();
    // a call that another thread interrupts is told in two lines
    let (mut calls, mut begun) = (Vec::new(), BTreeMap::new());
    for line in text.lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        // short calls are padded
        let padded = call.trim_start().rsplit_once(" = ");
        let call = padded.map_or_else(
            || call.trim().to_owned(),
            |(call, result)| format!("{} = {result}", call.trim_end()),
        );
        if let Some(start) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, start.to_owned());
        } else if let Some((_, rest)) = call.strip_prefix("<... ").and_then(|it| it.split_once(" resumed>")) {
            calls.extend(begun.remove(thread).map(|start| format!("{start}{rest}")));
        } else {
            calls.push(call);
        }
    }
    calls
}

/// What a descriptor in a trace names, without its folder.
fn file_name(call: &str) -> Option<String> {
    let path = call.split_once('<')?.1.split_once('>')?.0;
    let path = unescape(path).unwrap_or_else(|| path.as_bytes().to_vec());
    Some(Path::new(str::from_utf8(&path).ok()?).file_name()?.to_str()?.to_owned())
}

/// What a trace calls the document while it has no name: the first nameless file that is made durable. The record of what
/// was signed has no name either, and is never durable there.
fn document(calls: &[String]) -> Option<String> {
    let synced = calls.iter().filter(|call| call.starts_with("fsync(") || call.starts_with("fdatasync("));
    synced.filter_map(|call| file_name(call)).find(|name| name.starts_with('#'))
}

/// The bytes of `\x12\x34…`.
fn unescape(text: &str) -> Option<Vec<u8>> {
    text.strip_prefix("\\x")?.split("\\x").map(|digits| u8::from_str_radix(digits, 16).ok()).collect()
}

#[test]
fn every_disturbed_system_call_leaves_a_ledger_that_holds() {
    if !peers("every_disturbed_system_call_leaves_a_ledger_that_holds", &["strace", "python3"]) {
        return;
    }
    let mut run = std::process::Command::new(root().join("tests/faults/run"));
    let output = run.args(["--short", FEDROOT]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("0 violations"), "{said}");
}

#[test]
fn a_signature_costs_two_syncs_for_its_intent_and_two_for_its_outcome() {
    if !peers("a_signature_costs_two_syncs_for_its_intent_and_two_for_its_outcome", &["strace"]) {
        return;
    }
    let folder = folder();
    let calls =
        trace(&folder, "fdatasync,fsync,sync_file_range,msync,sync,syncfs,openat,write", &signing("out.xml"));
    let document = document(&calls).expect("the document was not seen");
    let (mut synced, mut written) = (Vec::new(), 0);
    for call in &calls {
        let name = file_name(call).unwrap_or_default();
        let is_sync = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        assert!(is_sync || !call.contains("sync"), "another way to sync: {call}");
        if is_sync && ["ledger.jsonl", "state", "lock", "ledger"].contains(&name.as_str()) {
            synced.push((call.split('(').next().unwrap(), name));
        } else if call.starts_with("write(") && name == document {
            // The document is written only after the key was used.
            assert_eq!(synced.len(), 2, "the intent is durable before the key is used");
            written += 1;
        }
    }
    assert!(written > 0, "the document was not seen: {calls:#?}");
    let once = [("fdatasync", "ledger.jsonl".to_owned()), ("fdatasync", "state".to_owned())];
    assert_eq!(synced, [once.clone(), once].concat());
}
