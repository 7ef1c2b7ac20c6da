//! What fails around a key: a journal that cannot be written, a signature that is wrong, entries that are lost, a journal that
//! somebody changed. The ledger never says of a key that it was not used when it was, and nothing brings a revoked key back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::*;
use crate::base::disk::{BUSY, PERMISSIONS};
use crate::custody::{JOURNAL_FILE, WRONG};
use crate::key::FAILED;
use crate::key::Scheme;
use crate::ledger::{self, Body, Entry, EntryKind, Recovered};
use crate::lifecycle::FINAL;

/// Signs something, and does this while the finished document waits for the outcome.
fn sign(real: &Real, scheme: &'static Scheme, meanwhile: impl Fn()) -> Result<(), Fault> {
    let by = line().version(1);
    real.act(at(9), |vault, approver| {
        let approval = approved_with(vault, &by, real.document, b"octets", scheme)?;
        let (channel, lists) = vault.channel_for(&by.line, real.document)?;
        let digest = Digest::of(b"signed");
        let mut deliver = |_: &[_]| {
            meanwhile();
            let document = Document::new("a", digest, None, &lists);
            Ok(Delivered { digest, beside: vec![], channel: channel.clone(), document, record: None })
        };
        vault.sign(approval, approver, &mut deliver).map(|_| ())
    })
}

fn scheme(name: &str) -> &'static Scheme {
    algorithm(name).unwrap().scheme(Hash::Sha384)
}

fn entries(real: &Real) -> Vec<Entry> {
    let identities = identities(&real.secret).unwrap();
    let mut entries = Vec::new();
    crate::ceremony::read_ledger(&real.catalogue(), &identities, &mut |entry| entries.push(entry)).unwrap();
    entries
}

fn body(entry: &Entry) -> &serde_json::Value {
    let Body::Open(body) = &entry.body else { panic!("entry {} is sealed", entry.index) };
    body
}

fn permit_only(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn moves(real: &Real, act: Move, version: u32) -> Option<Fault> {
    let moving = Moving::new(line().version(version), act, Some(REASON), &[]);
    real.act(at(20), |vault, approver| advance(vault, &moving, approver)).unwrap().refused
}

fn rebuilt(real: &Real, compare: bool) -> Result<crate::ceremony::Rebuilt, Fault> {
    rebuild(&mut real.catalogue(), &identities(&real.secret).unwrap(), compare)
}

/// Takes the last entries away, and lets people acknowledge that.
fn lose(real: &Real, count: usize) {
    let log = real.path.join("ledger/ledger.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    fs::write(&log, lines[..lines.len() - count].concat()).unwrap();
    let done = Vault::recover(&real.path, &operator(), &FixedClock(at(30)), true, Some(REASON)).unwrap();
    assert!(matches!(done, Recovered::Resealed { .. }));
}

#[test]
fn a_journal_that_cannot_be_written_leaves_the_intent_open_and_no_denial() {
    let real = Real::new(Kind::OpenidAnchor);
    let journal = real.path.join(JOURNAL_FILE);
    let before = (fs::read(&journal).unwrap(), real.entries());
    let fault = sign(&real, scheme("p384"), || permit_only(&journal, 0o644)).unwrap_err();
    assert_eq!(fault.code(), &PERMISSIONS, "{fault}");
    assert!(fault.message().ends_with("it stays open"), "{fault}");
    permit_only(&journal, 0o600);
    assert_eq!((fs::read(&journal).unwrap(), real.entries()), (before.0, before.1 + 1));
    let last = entries(&real).pop().unwrap();
    assert_eq!(last.kind, EntryKind::Intent);
    assert_eq!(ledger::verify_folder(&real.path.join("ledger")).unwrap().0.open, [last.index]);
    real.act(at(9), |vault, _| vault.close_intents(REASON)).unwrap();
    assert_eq!(real.catalogue().journal().unwrap().unknown().collect::<Vec<_>>(), [last.index]);
    sign(&real, scheme("p384"), || ()).unwrap();
}

#[test]
fn room_for_the_line_of_the_outcome_is_there_before_the_intent() {
    let real = Real::new(Kind::OpenidAnchor);
    let journal = real.path.join(JOURNAL_FILE);
    permit_only(&journal, 0o644);
    let entries = real.entries();
    assert!(sign(&real, scheme("p384"), || ()).is_err());
    assert_eq!(real.entries(), entries, "no intent");
    permit_only(&journal, 0o600);
    sign(&real, scheme("p384"), || {
        let file = fs::metadata(&journal).unwrap();
        assert!(file.blocks() * 512 >= file.len() + (1 << 16), "{} of {}", file.blocks() * 512, file.len());
    })
    .unwrap();
}

#[test]
fn a_key_that_was_used_is_never_recorded_as_denied() {
    let real = Real::new(Kind::OpenidAnchor);
    let fault = sign(&real, scheme("rsa4096"), || ()).unwrap_err();
    assert_eq!(fault.code(), &FAILED, "{fault}");
    let last = entries(&real).pop().unwrap();
    assert_eq!((last.kind, body(&last)["result"].as_str()), (EntryKind::Outcome, Some("failed")));
    assert!(!rebuilt(&real, true).unwrap().changed);
    // Another identity opens nothing: that is a denial.
    let (other, _) = Identities::generate(at(0));
    let real = Real { secret: other, ..real };
    assert_eq!(sign(&real, scheme("p384"), || ()).unwrap_err().code(), &WRONG);
    let ledger = fs::read_to_string(real.path.join("ledger/ledger.jsonl")).unwrap();
    assert!(ledger.lines().next_back().unwrap().contains("\"t\":\"denied\""));
}

#[test]
fn a_reason_is_on_record_as_it_was_given() {
    let real = Real::new(Kind::OpenidAnchor);
    let reason = "why ".repeat(200);
    let moving = Moving::new(line().version(1), Move::Suspend, Some(&reason), &[]);
    let moved = real.act(at(9), |vault, approver| advance(vault, &moving, approver)).unwrap();
    assert!(moved.refused.is_none());
    assert_eq!(body(&entries(&real).pop().unwrap())["reason"], reason);
    let again = real.act(at(9), |vault, approver| advance(vault, &moving, approver)).unwrap();
    assert!(again.refused.is_some());
    let told = body(&entries(&real).pop().unwrap())["about"]["reason"].clone();
    assert_eq!(told, format!("{}…", &reason[..300]), "what was refused is told in short, and says so");
}

#[test]
fn what_the_ledger_lost_is_not_undone_by_making_the_journal_anew() {
    let real = Real::new(Kind::OpenidAnchor);
    assert!(moves(&real, Move::Revoke, 1).is_none());
    lose(&real, 1);
    assert_eq!(real.stages(), [(1, Stage::Revoked)]);
    for compare in [true, false, true] {
        let rebuilt = rebuilt(&real, compare).unwrap();
        assert_eq!((rebuilt.changed, rebuilt.lost), (false, None));
        assert_eq!(real.stages(), [(1, Stage::Revoked)]);
    }
    assert_eq!(moves(&real, Move::Suspend, 1).unwrap().code(), &FINAL);
    // Where the journal has no line of that, what was lost is told.
    let journal = real.path.join(JOURNAL_FILE);
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.lines().next().unwrap().to_owned() + "\n").unwrap();
    assert_eq!(rebuilt(&real, true).unwrap_err().code(), &JOURNAL);
    let rebuilt = rebuilt(&real, false).unwrap();
    assert!(rebuilt.changed && rebuilt.lost.is_some(), "{rebuilt:?}");
    assert_eq!(real.stages(), [(1, Stage::Active)]);
}

#[test]
fn the_line_of_a_beginning_anew_is_there_before_its_entry() {
    let real = Real::new(Kind::OpenidAnchor);
    assert!(moves(&real, Move::Revoke, 1).is_none());
    let log = real.path.join("ledger/ledger.jsonl");
    let old = fs::read(&log).unwrap();
    let state = fs::read(real.path.join("ledger/state")).unwrap();
    lose(&real, 1);
    // The crash came between the two: people begin anew once more.
    let end = old.len() - 1 - old.iter().rev().skip(1).position(|byte| *byte == b'\n').unwrap();
    fs::write(&log, &old[..end]).unwrap();
    fs::write(real.path.join("ledger/state"), &state).unwrap();
    let done = Vault::recover(&real.path, &operator(), &FixedClock(at(31)), true, Some(REASON)).unwrap();
    assert!(matches!(done, Recovered::Resealed { .. }));
    assert!(!rebuilt(&real, true).unwrap().changed);
    assert_eq!(real.stages(), [(1, Stage::Revoked)]);
    // Or the lost entries were found after all.
    fs::write(&log, &old).unwrap();
    fs::write(real.path.join("ledger/state"), &state).unwrap();
    assert_eq!(real.stages(), [(1, Stage::Revoked)]);
    real.act(at(40), |_, _| Ok(())).unwrap();
    assert!(!rebuilt(&real, true).unwrap().changed);
}

#[test]
fn nobody_acts_while_the_journal_is_made_anew() {
    let real = Real::new(Kind::OpenidAnchor);
    let (other, _) = Identities::generate(at(0));
    let lock = ledger::lock(&real.path.join("ledger")).unwrap();
    let fault = rebuild(&mut real.catalogue(), &identities(&other).unwrap(), true).unwrap_err();
    assert_eq!(fault.code(), &BUSY, "the ledger was read before it was locked: {fault}");
    drop(lock);
    assert_eq!(
        rebuild(&mut real.catalogue(), &identities(&other).unwrap(), true).unwrap_err().code(),
        &ledger::SEALED
    );
}

#[test]
fn a_line_that_somebody_changed_is_found_without_an_auditor() {
    let real = Real::new(Kind::OpenidAnchor);
    assert!(moves(&real, Move::Revoke, 1).is_none());
    let journal = real.path.join(JOURNAL_FILE);
    let text = fs::read_to_string(&journal).unwrap();
    let (before, last) = text.trim_end().rsplit_once('\n').unwrap();
    let (head, _) = last.split_once("\"what\":").unwrap();
    for forged in [
        format!("{before}\n{head}\"what\":{{\"nothing\":{{}}}}}}\n"),
        format!("{}{last}\n", before.replacen("2026", "2025", 1) + "\n"),
    ] {
        fs::write(&journal, forged).unwrap();
        assert_eq!(real.catalogue().records(&line()).unwrap_err().code(), &JOURNAL);
        assert_eq!(real.act(at(21), |_, _| Ok(())).unwrap_err().code(), &JOURNAL);
        assert!(rebuilt(&real, false).unwrap().changed);
        assert_eq!(
            (fs::read_to_string(&journal).unwrap(), real.stages()),
            (text.clone(), vec![(1, Stage::Revoked)])
        );
    }
}

#[test]
fn a_vault_whose_state_file_keeps_no_digest_opens_and_keeps_one_from_then_on() {
    let real = Real::new(Kind::OpenidAnchor);
    let journal = real.path.join(JOURNAL_FILE);
    let folder = real.path.join("ledger");
    let digest = || ledger::newest(&folder).unwrap().bound.map(|bound| bound.digest);
    let kept = digest();
    assert_eq!(kept, Some(Digest::of(&fs::read(&journal).unwrap())));
    ledger::unbind(&ledger::lock(&folder).unwrap(), &folder).unwrap();
    assert_eq!((digest(), real.stages()), (None, vec![(1, Stage::Active)]));
    real.act(at(1), |_, _| Ok(())).unwrap();
    assert_eq!(digest(), kept);
}
