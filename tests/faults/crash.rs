//! Every state that a power cut can leave: the writes of one command, recorded, then cut off after each; of those not yet
//! made durable any part on the medium, in any order, torn anywhere. Each state is opened, checked and written to.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use fedroot::base::bytes::Digest;
use fedroot::base::clock::{Clock, SystemClock};
use fedroot::base::fault::Code;
use fedroot::base::random;
use fedroot::ledger::{self, Agreement, Auditor, Ledger};
use serde_json::{Map, Value, json};

use super::{document, file_name, folder, signing, trace, unescape};
use crate::support::{Folder, patiently, peers};

const LOG: &str = "ledger.jsonl";
const STATE: &str = "state";
/// The finished document, under the name that it has at last.
const OUTPUT: &str = "out.xml";
const CALLS: &str =
    "write,pwrite64,pwritev,writev,fdatasync,fsync,rename,renameat,renameat2,link,linkat,ftruncate,unlink";

/// What a command did to the files that matter, in order.
#[derive(Clone, Debug)]
enum Op {
    Write {
        file: &'static str,
        at: usize,
        bytes: Vec<u8>,
    },
    Sync(&'static str),
    /// The document gets its name.
    Publish,
    /// The names in its folder are durable.
    SyncNames,
}

/// The files that matter, and whether the document has its name.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
struct Image {
    files: BTreeMap<&'static str, Vec<u8>>,
    is_published: bool,
}

impl Image {
    fn bytes(&self, file: &str) -> &[u8] {
        self.files.get(file).map_or(&[], Vec::as_slice)
    }

    /// Does as much of an operation as reaches the medium: the first bytes, or all.
    fn apply(&mut self, op: &Op, cut: Option<usize>) {
        match op {
            Op::Write { file, at, bytes } => {
                let content = self.files.entry(file).or_default();
                let bytes = &bytes[..cut.unwrap_or(bytes.len())];
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Op::Publish => self.is_published = true,
            Op::Sync(_) | Op::SyncNames => {}
        }
    }
}

/// A recorded command.
struct Recording {
    base: Image,
    ops: Vec<Op>,
    auditor: Auditor,
    /// The codes with which a state may be refused until it is recovered.
    refusals: &'static [&'static Code],
}

impl Recording {
    fn make(folder: &Folder, command: &[&str], refusals: &'static [&'static Code]) -> Self {
        let read = |name| fs::read(folder.path("V/ledger").join(name)).unwrap();
        let files = BTreeMap::from([(LOG, read(LOG)), (STATE, read(STATE)), (OUTPUT, Vec::new())]);
        let mut ends: BTreeMap<&str, usize> =
            files.iter().map(|(name, bytes)| (*name, bytes.len())).collect();
        let here = folder.dir().file_name().unwrap().to_str().unwrap();
        let mut ops = Vec::new();
        let calls = trace(folder, CALLS, command);
        let document = document(&calls);
        for call in calls {
            let name = file_name(&call).unwrap_or_default();
            let is_published = ops.iter().any(|op| matches!(op, Op::Publish));
            let file = match name.as_str() {
                LOG => LOG,
                STATE => STATE,
                _ if document.as_ref() == Some(&name) => OUTPUT,
                _ => "",
            };
            let act = call.split('(').next().unwrap();
            match act {
                "write" | "pwrite64" if !file.is_empty() => {
                    let bytes = unescape(call.split('"').nth(1).unwrap()).unwrap();
                    let offset = call.split_once(") = ").unwrap().0.rsplit(", ").next().unwrap();
                    let at = if act == "write" { ends[file] } else { offset.parse().unwrap() };
                    ends.insert(file, ends[file].max(at + bytes.len()));
                    ops.push(Op::Write { file, at, bytes });
                }
                // what was reserved and not needed is given back
                "ftruncate" if file == OUTPUT => {
                    assert!(call.contains(&format!(", {})", ends[file])), "{call}");
                }
                "fdatasync" | "fsync" if !file.is_empty() => ops.push(Op::Sync(file)),
                "fsync" if name == here => ops.push(Op::SyncNames),
                "renameat2" | "linkat" if !is_published => ops.push(Op::Publish),
                _ => assert!(file.is_empty(), "not understood: {call}"),
            }
        }
        let base = Image { files, is_published: false };
        Self { base, ops, auditor: Auditor::parse(&folder.auditor).unwrap(), refusals }
    }

    /// Every state that a power cut can leave, with the number of operations that were begun. Where syncs are ignored, it is
    /// the states of a program that never makes anything durable.
    fn states(&self, ignore_syncs: bool, step: usize) -> Vec<(usize, Image)> {
        let (mut durable, mut pending) = (self.base.clone(), Vec::<&Op>::new());
        let (mut seen, mut states) = (HashSet::new(), Vec::new());
        for begun in 0..=self.ops.len() {
            for chosen in 0..1_u32 << pending.len() {
                let subset: Vec<_> =
                    (0..pending.len()).filter(|at| chosen >> at & 1 == 1).map(|at| pending[at]).collect();
                for image in torn(&durable, &subset, if ignore_syncs { usize::MAX } else { step }) {
                    // The same bytes promise more after more was done.
                    if seen.insert((image.clone(), self.promises(begun))) {
                        states.push((begun, image));
                    }
                }
            }
            let Some(op) = self.ops.get(begun) else { break };
            let settles = |pending: &Op| match (op, pending) {
                (Op::Sync(synced), Op::Write { file, .. }) => file == synced,
                (Op::SyncNames, Op::Publish) => true,
                _ => false,
            };
            if !matches!(op, Op::Sync(_) | Op::SyncNames) {
                pending.push(op);
            } else if !ignore_syncs {
                pending.iter().filter(|pending| settles(pending)).for_each(|op| durable.apply(op, None));
                pending.retain(|pending| !settles(pending));
            }
        }
        states
    }

    /// Whether the key was used by then, and whether the command had said that all is done.
    fn promises(&self, begun: usize) -> (bool, bool) {
        let used = self.ops.iter().position(|op| matches!(op, Op::Write { file: OUTPUT, .. }));
        (used.is_some_and(|used| begun > used), begun == self.ops.len())
    }

    /// What is wrong with a state.
    fn judge(&self, place: &Path, begun: usize, image: &Image) -> Result<(), String> {
        let log = image.bytes(LOG);
        if !log.starts_with(self.base.bytes(LOG)) {
            return Err("an acknowledged entry is gone".into());
        }
        let added = String::from_utf8_lossy(&log[self.base.bytes(LOG).len()..]).into_owned();
        let has = |kind: &str| added.lines().any(|line| line.contains(kind) && line.ends_with("\"}"));
        let (used, done) = self.promises(begun);
        if used && !has(r#""t":"intent""#) {
            return Err("the key was used without an intent".into());
        }
        if (image.is_published || done && used) && !has(r#""t":"outcome""#) {
            return Err("a document exists without an outcome".into());
        }
        let mut whole = self.base.clone();
        self.ops.iter().for_each(|op| whole.apply(op, None));
        if image.is_published && image.bytes(OUTPUT) != whole.bytes(OUTPUT) {
            return Err("half a document has its name".into());
        }
        if done && whole.is_published && !image.is_published {
            return Err("the document was acknowledged and is gone".into());
        }
        self.go_on(place, image)
    }

    /// The ledger opens, or says that it is torn and recovers; then it takes entries, and is consistent.
    fn go_on(&self, place: &Path, image: &Image) -> Result<(), String> {
        let _ = fs::remove_dir_all(place);
        fs::DirBuilder::new().mode(0o700).create(place).unwrap();
        for file in [LOG, STATE] {
            let mut to = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(place.join(file))
                .unwrap();
            std::io::Write::write_all(&mut to, image.bytes(file)).unwrap();
        }
        let auditors = std::slice::from_ref(&self.auditor);
        let open = || patiently(|| Ledger::open(place, auditors, Box::new(random::system())));
        let checked = ledger::verify_folder(place).map(|_| ());
        if let Err(fault) = &checked
            && !self.refusals.contains(&fault.code())
        {
            return Err(format!("verify: {fault}"));
        }
        let mut ledger = match open() {
            Err(fault) if self.refusals.contains(&fault.code()) => {
                recover(place, &self.origin(), auditors)?;
                open().map_err(|fault| format!("open after recovering: {fault}"))?
            }
            other => other.map_err(|fault| format!("open: {fault}"))?,
        };
        let now = SystemClock.now();
        let permit = ledger
            .intend("key", &Digest::of(b"octets"), &json!({}), now)
            .map_err(|e| format!("intent: {e}"))?;
        permit.outcome(&json!({"result": "signed"}), now).map_err(|e| format!("outcome: {e}"))?;
        drop(ledger);
        match ledger::verify_folder(place) {
            Ok((_, Agreement::Same)) => Ok(()),
            Ok((_, agreement)) => Err(format!("afterwards: {agreement:?}")),
            Err(fault) => Err(format!("afterwards: {fault}")),
        }
    }

    fn origin(&self) -> String {
        let first = self.base.bytes(LOG).split(|&byte| byte == b'\n').next().unwrap();
        let line: Value = serde_json::from_slice(first).unwrap();
        line["origin"].as_str().unwrap().to_owned()
    }

    /// Judges all states on two threads. Gives what is wrong, with how many, and the end of the log of one.
    fn judge_all(&self, place: &Path, states: &[(usize, Image)]) -> BTreeMap<String, (usize, String)> {
        let mut wrong = BTreeMap::<_, (usize, String)>::new();
        let found = std::thread::scope(|scope| {
            let share = states.len().div_ceil(2).max(1);
            let threads: Vec<_> = states
                .chunks(share)
                .enumerate()
                .map(|(n, share)| {
                    let place = place.join(format!("state-{n}"));
                    let judge = move |(begun, image): &(usize, Image)| {
                        let wrong = self.judge(&place, *begun, image).err()?;
                        let added = image.bytes(LOG).get(self.base.bytes(LOG).len()..).unwrap_or_default();
                        Some((
                            wrong.replace(&place.display().to_string(), ""),
                            format!("{begun} {:.400}", added.escape_ascii().to_string()),
                        ))
                    };
                    scope.spawn(move || share.iter().filter_map(judge).collect::<Vec<_>>())
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        for (why, example) in found {
            wrong.entry(why).or_insert((0, example)).0 += 1;
        }
        wrong
    }
}

/// A subset of the pending writes on the medium: whole, or one of them torn. Logs tear at every byte, with and without
/// zeros where the file had grown already; other files at every sector.
fn torn(durable: &Image, subset: &[&Op], step: usize) -> Vec<Image> {
    let mut images = vec![durable.clone()];
    for op in subset {
        images[0].apply(op, None);
    }
    for (torn, op) in subset.iter().enumerate().filter(|_| step < usize::MAX) {
        let Op::Write { file, bytes, .. } = op else { continue };
        for cut in (0..bytes.len()).step_by(if *file == LOG { step } else { 512 }) {
            let mut image = durable.clone();
            for (at, op) in subset.iter().enumerate() {
                image.apply(op, (at == torn).then_some(cut));
            }
            if *file == LOG {
                let mut grown = image.clone();
                let length = grown.bytes(LOG).len() + bytes.len() - cut;
                grown.files.entry(LOG).or_default().resize(length, 0);
                images.push(grown);
            }
            images.push(image);
        }
    }
    images
}

fn recover(place: &Path, origin: &str, auditors: &[Auditor]) -> Result<(), String> {
    let recovery = ledger::Recovery {
        folder: place,
        origin,
        auditors,
        about: &Map::new(),
        acknowledge: false,
        now: SystemClock.now(),
        before: &|_| Ok(None),
    };
    let recovered = patiently(|| ledger::recover(&recovery, Box::new(random::system())));
    recovered.map(|_| ()).map_err(|fault| format!("recover: {fault}"))
}

/// How many bytes lie between two places where a log is torn: each one in the whole run.
fn step() -> usize {
    if std::env::var("FEDROOT_FAULTS").is_ok_and(|it| it == "whole") { 1 } else { 29 }
}

#[test]
fn crash_states_of_a_signature_all_open_and_hold() {
    if !peers("crash_states_of_a_signature_all_open_and_hold", &["strace"]) {
        return;
    }
    let folder = folder();
    let recording = Recording::make(&folder, &signing(OUTPUT), &[&ledger::TORN]);
    let count = |wanted: fn(&Op) -> bool| recording.ops.iter().filter(|op| wanted(op)).count();
    assert_eq!(count(|op| matches!(op, Op::Write { file: LOG, .. })), 2, "{:?}", recording.ops);
    assert_eq!(count(|op| matches!(op, Op::Publish)), 1);
    let states = recording.states(false, step());
    eprintln!("{} states after a power cut", states.len());
    assert!(states.len() > 300, "only {} states", states.len());
    let wrong = recording.judge_all(folder.dir(), &states);
    assert!(wrong.is_empty(), "{wrong:#?}");

    // The control: were nothing made durable, the same judgement would find it.
    let states = recording.states(true, step());
    let wrong = recording.judge_all(folder.dir(), &states);
    eprintln!(
        "control without syncs: {} states, {} of them wrong",
        states.len(),
        wrong.values().map(|(count, _)| count).sum::<usize>()
    );
    for violation in ["the key was used without an intent", "half a document has its name"] {
        assert!(wrong.contains_key(violation), "the control did not find: {violation}: {wrong:#?}");
    }
}

#[test]
fn crash_states_of_a_recovery_all_open_and_hold() {
    if !peers("crash_states_of_a_recovery_all_open_and_hold", &["strace"]) {
        return;
    }
    let folder = folder();
    let log = folder.path("V/ledger").join(LOG);
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend_from_slice(br#"{"v":1,"i":5,"t":"int"#);
    fs::write(&log, bytes).unwrap();
    let recording =
        Recording::make(&folder, &["ledger", "recover", "--vault", "V"], &[&ledger::TORN, &ledger::DAMAGED]);
    let states = recording.states(false, step());
    eprintln!("{} states after a power cut while recovering", states.len());
    let wrong = recording.judge_all(folder.dir(), &states);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
