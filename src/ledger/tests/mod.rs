//! The ledger as a whole: what it keeps, what it refuses, and what a crash leaves.
#![expect(clippy::disallowed_methods, reason = "tests harm files")]

mod disk;
mod lines;
mod model;
mod recovery;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::compose::{Draft, compose};
use super::state::State;
use super::*;
use crate::base::bytes::{Digest, base64, from_base64};
use crate::base::clock::Instant;
use crate::base::disk::{BUSY, PERMISSIONS};
use crate::base::fault::Fault;
use crate::base::random::system;
use crate::base::recipient::Identities;
use crate::base::secret::Secret;

const ORIGIN_NAME: &str = "fed.example.org/ledger/test";

fn at(seconds: i64) -> Instant {
    Instant::from_unix(1_795_324_020 + seconds).unwrap()
}

struct Room {
    _root: TempDir,
    folder: PathBuf,
    secret: Secret<String>,
    auditor: Auditor,
}

impl Room {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("ledger");
        let (secret, auditor) = Identities::generate(at(0));
        Self { _root: root, folder, secret, auditor }
    }

    /// A ledger of a genesis, a note, an intent and its outcome.
    fn begun() -> Self {
        let room = Self::new();
        let mut ledger = room.create().unwrap();
        ledger.append(EntryKind::Note, None, &json!({"text": "one"}), at(1)).unwrap();
        sign(&mut ledger, 2).unwrap();
        room
    }

    fn auditors(&self) -> [Auditor; 1] {
        [self.auditor.clone()]
    }

    fn create(&self) -> Result<Ledger, Fault> {
        Ledger::create(
            &self.folder,
            ORIGIN_NAME,
            &self.auditors(),
            &json!({"made": "by a test"}),
            at(0),
            Box::new(system()),
        )
    }

    fn open(&self) -> Result<Ledger, Fault> {
        Ledger::open(&self.folder, &self.auditors(), Box::new(system()))
    }

    fn refused(&self, code: &'static Code) -> Fault {
        let before = (fs::read(self.log()).ok(), fs::read(self.state()).ok());
        let fault = self.open().err().expect("refused");
        assert_eq!(fault.code(), code, "{fault}");
        assert!(fault.message().contains("nothing was signed"), "{fault}");
        assert_eq!(
            before,
            (fs::read(self.log()).ok(), fs::read(self.state()).ok()),
            "a refusal changes nothing"
        );
        fault
    }

    fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    fn state(&self) -> PathBuf {
        self.folder.join(STATE_FILE)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.log()).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.text().lines().map(|line| format!("{line}\n")).collect()
    }

    fn verify(&self) -> Result<Summary, Fault> {
        verify(self.text().as_bytes())
    }

    fn identities(&self) -> Identities {
        Identities::parse(&Secret::new(self.secret.expose().clone().into_bytes())).unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        read(self.text().as_bytes(), &self.identities()).collect::<Result<_, _>>().unwrap()
    }
}

fn sign(ledger: &mut Ledger, seconds: i64) -> Result<Appended, Fault> {
    let permit =
        ledger.intend("acme/prod/saml", &Digest::of(b"octets"), &json!({"why": "a test"}), at(seconds))?;
    permit.outcome(&json!({"result": "signed"}), at(seconds + 1))
}

fn code_of(result: Result<Summary, Fault>) -> &'static Code {
    result.expect_err("refused").code()
}

fn write_private(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    crate::base::disk::create(path, bytes).unwrap();
}

/// A seal of ours over the line that ends before it.
fn reseal(line: &str, seed: &seal::Seed) -> String {
    let (sealed, _) = line.split_once(",\"sig\":").unwrap();
    format!("{sealed},\"sig\":\"{}\"}}\n", base64(&seed.sign(ORIGIN_NAME, sealed.as_bytes())))
}

#[test]
fn what_is_recorded_is_verified_by_anybody_and_read_by_auditors() {
    let room = Room::begun();
    let summary = room.verify().unwrap();
    assert_eq!((summary.origin.as_str(), summary.entries, summary.sessions), (ORIGIN_NAME, 4, 1));
    assert_eq!((summary.first, summary.last, summary.open.len()), (at(0), at(3), 0));
    let entries = room.entries();
    let seen: Vec<_> = entries.iter().map(|e| (e.index, e.kind, e.re, e.session)).collect();
    assert_eq!(
        seen,
        [
            (0, EntryKind::Genesis, None, 0),
            (1, EntryKind::Note, None, 0),
            (2, EntryKind::Intent, None, 0),
            (3, EntryKind::Outcome, Some(2), 0)
        ]
    );
    assert_eq!(entries[1].body, Body::Open(json!({"text": "one"})));
    let octets = Digest::of(b"octets").to_string();
    assert_eq!(
        entries[2].body,
        Body::Open(json!({"why": "a test", "key": "acme/prod/saml", "octets": octets}))
    );
    assert_eq!(entries[3].leaf, summary.head);
    assert_eq!(verify_folder(&room.folder).unwrap(), (summary.clone(), Agreement::Same));
    let ledger = room.open().unwrap();
    assert_eq!((ledger.len(), ledger.head(), ledger.root()), (4, summary.head, summary.root));
    assert_eq!((ledger.origin(), ledger.last_time(), ledger.adopted()), (ORIGIN_NAME, at(3), None));
}

#[test]
fn nothing_confidential_stands_in_the_files() {
    let room = Room::begun();
    let text = room.text();
    for secret in ["acme", "octets", "a test", "signed"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn the_body_of_an_intent_cannot_contradict_the_permit() {
    let room = Room::new();
    let mut ledger = room.create().unwrap();
    let octets = Digest::of(b"octets");
    let permit = ledger.intend("key", &octets, &json!({"key": "another", "octets": "none"}), at(1)).unwrap();
    assert_eq!((permit.index(), permit.key(), permit.octets()), (1, "key", &[octets][..]));
    permit.denied(&json!({"why": "no"}), at(2)).unwrap();
    let entries = room.entries();
    assert_eq!(entries[1].body, Body::Open(json!({"key": "key", "octets": octets.to_string()})));
    assert_eq!((entries[2].kind, entries[2].re), (EntryKind::Denied, Some(1)));
}

#[test]
fn every_session_has_its_own_key_and_others_see_that_they_cannot_read() {
    let room = Room::begun();
    room.open().unwrap().append(EntryKind::Note, None, &json!({}), at(9)).unwrap();
    assert_eq!(room.verify().unwrap().sessions, 2);
    let stranger = Room::new().identities();
    let text = room.text();
    let sealed: Vec<Entry> = read(text.as_bytes(), &stranger).map(Result::unwrap).collect();
    assert_eq!(sealed.len(), 5);
    assert!(sealed.iter().all(|entry| entry.body == Body::Sealed));
    assert!(room.entries().iter().all(|entry| matches!(entry.body, Body::Open(_))));
}

#[test]
fn auditors_are_those_that_the_ledger_knows() {
    let room = Room::begun();
    let other = Room::new().auditors();
    let both = [room.auditors(), other.clone()].concat();
    for wrong in [&other[..], &both] {
        let opened = Ledger::open(&room.folder, wrong, Box::new(system()));
        assert_eq!(opened.err().unwrap().code(), &AUDITORS);
    }
    for wrong in [vec![], vec![other[0].clone(); 17]] {
        let opened = Ledger::open(&room.folder, &wrong, Box::new(system()));
        assert_eq!(opened.err().unwrap().code(), &AUDITOR);
    }
}

#[test]
fn a_ledger_for_sixteen_auditors_fits_and_each_can_read() {
    let room = Room::new();
    let readers: Vec<_> = (0..16).map(|_| Room::new()).collect();
    let mut auditors: Vec<_> = readers.iter().map(|reader| reader.auditor.clone()).collect();
    let create =
        |body: &Value| Ledger::create(&room.folder, ORIGIN_NAME, &auditors, body, at(0), Box::new(system()));
    assert_eq!(create(&json!("x".repeat(50_000))).err().unwrap().code(), &TOO_LARGE);
    drop(create(&json!({"n": 16})).unwrap());
    auditors.reverse();
    Ledger::open(&room.folder, &auditors, Box::new(system())).unwrap();
    for reader in readers {
        let entry = read(room.text().as_bytes(), &reader.identities()).next().unwrap().unwrap();
        assert_eq!(entry.body, Body::Open(json!({"n": 16})));
    }
}

#[test]
fn names_of_ledgers_are_plain() {
    let room = Room::new();
    for wrong in ["", "a b", "a\nb", "a\"b"] {
        let made =
            Ledger::create(&room.folder, wrong, &room.auditors(), &json!({}), at(0), Box::new(system()));
        assert_eq!(made.err().unwrap().code(), &ORIGIN);
        assert!(!room.folder.exists());
    }
}

#[test]
fn a_permit_that_is_dropped_leaves_its_intent_open() {
    let room = Room::begun();
    let mut ledger = room.open().unwrap();
    drop(ledger.intend("key", &Digest::of(b""), &json!({}), at(9)).unwrap());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _permit = ledger.intend("key", &Digest::of(b""), &json!({}), at(10)).unwrap();
        panic!("a bug in the signer");
    }));
    assert!(panicked.is_err());
    drop(ledger);
    assert_eq!(room.verify().unwrap().open, [4, 5], "nobody knows whether the key was used");
}

#[test]
fn an_open_intent_is_shown_until_it_is_closed() {
    let room = Room::begun();
    let mut ledger = room.open().unwrap();
    std::mem::forget(ledger.intend("key", &Digest::of(b""), &json!({}), at(9)).unwrap());
    drop(ledger);
    assert_eq!(room.verify().unwrap().open, [4]);
    let mut ledger = room.open().unwrap();
    assert_eq!(ledger.open_intents().collect::<Vec<_>>(), [4]);
    for (kind, re) in [
        (EntryKind::Outcome, None),
        (EntryKind::Outcome, Some(2)),
        (EntryKind::Outcome, Some(5)),
        (EntryKind::Denied, Some(1)),
        (EntryKind::Note, Some(4)),
        (EntryKind::Genesis, None),
        (EntryKind::Intent, None),
    ] {
        let fault = ledger.append(kind, re, &json!({}), at(10)).unwrap_err();
        assert_eq!(fault.code(), &PAIR, "{kind:?} {re:?} {fault}");
    }
    ledger.append(EntryKind::Outcome, Some(4), &json!({"result": "unknown"}), at(10)).unwrap();
    assert_eq!(room.verify().unwrap().open, [0; 0]);
}

#[test]
fn open_intents_are_bounded() {
    let room = Room::begun();
    let mut ledger = room.open().unwrap();
    let intend =
        |ledger: &mut Ledger| ledger.intend("key", &Digest::of(b""), &json!({}), at(9)).map(std::mem::forget);
    for _ in 0..state::OPEN_MAX {
        intend(&mut ledger).unwrap();
    }
    assert_eq!(intend(&mut ledger).unwrap_err().code(), &PAIR);
    assert_eq!(room.verify().unwrap().open.len(), state::OPEN_MAX);
    drop(ledger);
    let mut ledger = room.open().unwrap();
    ledger.append(EntryKind::Outcome, Some(4), &json!({}), at(10)).unwrap();
    intend(&mut ledger).unwrap_err();
    std::mem::forget(ledger.intend("key", &Digest::of(b""), &json!({}), at(10)).unwrap());
}

#[test]
fn no_key_is_used_while_the_clock_is_behind() {
    let room = Room::begun();
    let mut ledger = room.open().unwrap();
    let fault = sign(&mut ledger, 2).unwrap_err();
    assert_eq!(fault.code(), &CLOCK);
    assert!(fault.message().ends_with("nothing was signed"), "{fault}");
    // Whatever else is recorded meanwhile, the refusal itself among it, does not lead the time back.
    for kind in [EntryKind::Denied, EntryKind::Note, EntryKind::Stage] {
        ledger.append(kind, None, &json!({"made": "meanwhile"}), at(-100)).unwrap();
        assert_eq!((sign(&mut ledger, 2).unwrap_err().code(), ledger.last_time()), (&CLOCK, at(3)));
    }
    drop(ledger);
    let mut ledger = room.open().unwrap();
    assert_eq!(sign(&mut ledger, 2).unwrap_err().code(), &CLOCK);
    sign(&mut ledger, 3).unwrap();
    let negative = Instant::from_unix(-1).unwrap();
    ledger.append(EntryKind::Note, None, &json!({}), negative).unwrap();
    let meanwhile = Body::Open(json!({"made": "meanwhile", "clock": at(-100).to_string()}));
    assert_eq!((room.entries()[4].time, &room.entries()[4].body), (at(3), &meanwhile));
    let summary = room.verify().unwrap();
    assert_eq!((summary.clock_steps_back, summary.last, ledger.last_time()), (0, at(4), at(4)));
}

#[test]
fn an_outcome_is_recorded_whatever_the_clock_does_meanwhile() {
    let room = Room::begun();
    let mut ledger = room.open().unwrap();
    let permit = ledger.intend("key", &Digest::of(b""), &json!({}), at(9)).unwrap();
    permit.outcome(&json!({"result": "signed"}), at(-50)).unwrap();
    assert_eq!((room.entries()[5].time, room.verify().unwrap().clock_steps_back), (at(9), 0));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let room = Room::begun();
    let mut ledger = room.open().unwrap();
    let before = room.text();
    let long = json!("x".repeat(49_000));
    assert_eq!(ledger.append(EntryKind::Note, None, &long, at(9)).unwrap_err().code(), &TOO_LARGE);
    assert_eq!(room.text(), before);
    ledger.append(EntryKind::Note, None, &json!("x".repeat(47_000)), at(9)).unwrap();
    assert_eq!(room.entries()[4].body, Body::Open(json!("x".repeat(47_000))));
    drop(ledger);
    let mut ledger = room.open().unwrap();
    let permit = ledger.intend("key", &Digest::of(b""), &json!({}), at(9)).unwrap();
    assert_eq!(permit.outcome(&long, at(9)).unwrap_err().code(), &TOO_LARGE);
    assert_eq!(room.verify().unwrap().open, [5], "a signature may have left: aborted would be a lie");
}

#[test]
fn stock_age_opens_the_session_key() {
    let room = Room::begun();
    let line = room.text();
    let envelope: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    let envelope = from_base64(envelope["env"].as_str().unwrap()).unwrap();
    let (file, key) = (room.folder.join("envelope"), room.folder.join("identity"));
    fs::write(&file, &envelope).unwrap();
    fs::write(&key, room.secret.expose()).unwrap();
    match std::process::Command::new("age").arg("-d").arg("-i").arg(&key).arg(&file).output() {
        Err(_) => assert!(fs::write("/dev/stderr", "SKIPPED: no age binary\n").is_ok()),
        Ok(output) => assert_eq!((output.status.success(), output.stdout.len()), (true, 32)),
    }
}
