//! Every state that a power cut can leave of a batch: what it did to names and bytes, recorded, then cut off after each step; of
//! what was not yet made durable any piece alone, all but any piece, the first half of a write. From each state the same batch
//! goes on: everything is published in the end, whole and on record, and nothing was published before its outcome.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use fedroot::base::bytes::{Digest, hex};

use super::{trace, unescape};
use crate::batch::{numbered, split};
use crate::support::{Folder, peers};

const CALLS: &str = "openat,write,pwrite64,fdatasync,fsync,syncfs,rename,renameat,renameat2,link,linkat,ftruncate,unlink,unlinkat,mkdir,mkdirat";
const ENTITIES: usize = 3;

/// What a command did, in order. Files are numbered, because names come and go.
#[derive(Clone, Debug)]
enum Op {
    Write { file: usize, at: usize, bytes: Vec<u8> },
    Name { path: String, file: usize },
    Rename { from: String, to: String, file: usize },
    Unname { path: String },
    Sync(usize),
    SyncNames(String),
    SyncAll,
}

/// A file system: names, and the bytes of the files.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
struct Disk {
    names: BTreeMap<String, usize>,
    bytes: BTreeMap<usize, Vec<u8>>,
}

impl Disk {
    /// What stands in the vault and in the output.
    fn read(folder: &Folder) -> Self {
        let mut disk = Self::default();
        for path in walk(folder.dir()) {
            let file = disk.names.len();
            disk.bytes.insert(file, fs::read(folder.path(&path)).unwrap());
            disk.names.insert(path, file);
        }
        disk
    }

    fn apply(&mut self, op: &Op, cut: Option<usize>) {
        match op {
            Op::Write { file, at, bytes } => {
                let content = self.bytes.entry(*file).or_default();
                let bytes = &bytes[..cut.unwrap_or(bytes.len())];
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Op::Name { path, file } => drop(self.names.insert(path.clone(), *file)),
            Op::Rename { from, to, file } => {
                self.names.remove(from);
                self.names.insert(to.clone(), *file);
            }
            Op::Unname { path } => drop(self.names.remove(path)),
            Op::Sync(_) | Op::SyncNames(_) | Op::SyncAll => {}
        }
    }

    fn file(&self, path: &str) -> &[u8] {
        self.names.get(path).and_then(|file| self.bytes.get(file)).map_or(&[], Vec::as_slice)
    }

    /// The documents below this folder, by name.
    fn below(&self, folder: &str) -> BTreeMap<&str, &[u8]> {
        let names = self.names.keys().filter(|path| path.starts_with(folder));
        names.map(|path| (path.as_str(), self.file(path))).collect()
    }

    /// Puts it into a folder that has neither vault nor output.
    fn write(&self, folder: &Folder) {
        for top in ["V", "out"] {
            let _ = fs::remove_dir_all(folder.path(top));
        }
        for path in self.names.keys() {
            let place = folder.path(path);
            fs::DirBuilder::new().recursive(true).mode(0o700).create(place.parent().unwrap()).unwrap();
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place).unwrap();
            fs::write(&place, self.file(path)).unwrap();
        }
    }
}

/// The files of the vault and of the output, by their paths below the folder.
fn walk(folder: &Path) -> BTreeSet<String> {
    let files = ["V", "out"].map(|top| folder.join(top)).into_iter().filter(|top| top.exists());
    let files = files.flat_map(|top| crate::support::files(&top, ""));
    files.map(|path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
}

/// The texts of a call; a path below a descriptor as one below the folder that the descriptor stands for.
fn paths(call: &str) -> Vec<String> {
    let text = |text: &str| String::from_utf8_lossy(&unescape(text).unwrap_or_default()).into_owned();
    let parts: Vec<&str> = call.split('"').collect();
    let path = |pair: &[&str]| {
        let path = text(pair[1]);
        let folder = pair[0].strip_suffix(">, ").and_then(|before| before.rsplit_once('<'));
        match folder {
            Some((_, folder)) if !path.starts_with('/') => format!("{}/{path}", text(folder)),
            _ => path,
        }
    };
    parts.chunks_exact(2).map(path).collect()
}

/// Reads a trace. What happens to other files is left out.
struct Reader<'a> {
    here: &'a str,
    disk: Disk,
    ends: BTreeMap<usize, usize>,
    files: usize,
    ops: Vec<Op>,
}

impl Reader<'_> {
    /// A path below the folder, of the vault or of the output.
    fn ours(&self, path: &str) -> Option<String> {
        let path = path.strip_prefix(self.here).map_or(path, |rest| rest.trim_start_matches('/'));
        let path = path.trim_end_matches("(deleted)");
        ["V", "out"].contains(&path.split('/').next()?).then(|| path.to_owned())
    }

    fn read(&mut self, call: &str) {
        let strings = paths(call);
        let descriptor = call.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        let named =
            descriptor.and_then(|(path, _)| unescape(path)).and_then(|path| String::from_utf8(path).ok());
        let held = named.and_then(|path| self.ours(&path));
        if call.contains(") = -1 ") {
            return;
        }
        match (call.split('(').next().unwrap(), &strings[..]) {
            ("openat", [path]) if call.contains("O_CREAT") => {
                if let Some(path) = self.ours(path).filter(|path| !self.disk.names.contains_key(path)) {
                    self.files += 1;
                    self.push(Op::Name { path, file: self.files });
                }
            }
            ("write" | "pwrite64", _) => {
                let Some(file) = held.and_then(|path| self.disk.names.get(&path).copied()) else { return };
                let bytes = unescape(call.split('"').nth(1).unwrap()).unwrap();
                let end = self.ends.get(&file).copied();
                let end = end.unwrap_or_else(|| self.disk.bytes.get(&file).map_or(0, Vec::len));
                let offset = call.split_once(") = ").unwrap().0.rsplit(", ").next().unwrap();
                let at = if call.starts_with("write") { end } else { offset.parse().unwrap() };
                self.ends.insert(file, end.max(at + bytes.len()));
                self.push(Op::Write { file, at, bytes });
            }
            ("fdatasync" | "fsync", _) => {
                let Some(path) = held else { return };
                let file = self.disk.names.get(&path).copied();
                self.push(file.map_or(Op::SyncNames(path), Op::Sync));
            }
            ("syncfs", _) => self.push(Op::SyncAll),
            ("linkat" | "link", [from, to]) => {
                let (from, to) = (self.ours(from).unwrap(), self.ours(to).unwrap());
                self.push(Op::Name { file: self.disk.names[&from], path: to });
            }
            ("rename" | "renameat" | "renameat2", [from, to]) => {
                let (from, to) = (self.ours(from).unwrap(), self.ours(to).unwrap());
                self.push(Op::Rename { file: self.disk.names[&from], from, to });
            }
            ("unlink" | "unlinkat", [path]) => {
                if let Some(path) = self.ours(path) {
                    self.push(Op::Unname { path });
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, op: Op) {
        self.disk.apply(&op, None);
        self.ops.push(op);
    }
}

/// The states after a power cut, each with the number of steps that were begun.
fn states(base: &Disk, ops: &[Op], ignore_syncs: bool) -> Vec<(usize, Disk)> {
    let (mut durable, mut pending) = (base.clone(), Vec::<&Op>::new());
    let (mut seen, mut states) = (HashSet::new(), Vec::new());
    for begun in 0..=ops.len() {
        let count = pending.len();
        let alone = (0..count).map(|it| BTreeSet::from([it]));
        let but_one = (0..count).map(|it| (0..count).filter(|at| *at != it).collect());
        for chosen in [BTreeSet::new(), (0..count).collect()].into_iter().chain(alone).chain(but_one) {
            for torn in [false, true] {
                let mut disk = durable.clone();
                for &at in &chosen {
                    let half = match pending[at] {
                        Op::Write { bytes, .. } if torn => Some(bytes.len() / 2),
                        _ => None,
                    };
                    disk.apply(pending[at], half);
                }
                if seen.insert(disk.clone()) {
                    states.push((begun, disk));
                }
            }
        }
        let Some(op) = ops.get(begun) else { break };
        let settles = |pending: &Op| match (op, pending) {
            (Op::SyncAll, _) => true,
            (Op::Sync(synced), Op::Write { file, .. }) => file == synced,
            (
                Op::SyncNames(folder),
                Op::Name { path, .. } | Op::Rename { to: path, .. } | Op::Unname { path },
            ) => Path::new(path).parent() == Some(Path::new(folder)),
            _ => false,
        };
        match op {
            Op::Sync(_) | Op::SyncNames(_) | Op::SyncAll if ignore_syncs => {}
            Op::Sync(_) | Op::SyncNames(_) | Op::SyncAll => {
                pending.iter().filter(|it| settles(it)).for_each(|op| durable.apply(op, None));
                pending.retain(|it| !settles(it));
            }
            _ => pending.push(op),
        }
    }
    states
}

/// What is wrong with a state before anybody goes on.
fn judge(disk: &Disk, base: &Disk, last: &Disk) -> Result<(), String> {
    const LOG: &str = "V/ledger/ledger.jsonl";
    let log = disk.file(LOG);
    let Some(added) = log.strip_prefix(base.file(LOG)) else {
        return Err("an acknowledged entry is gone".into());
    };
    let added = String::from_utf8_lossy(added);
    let has = |kind: &str| added.lines().any(|line| line.contains(kind) && line.ends_with("\"}"));
    let was_used = disk.below("out/.fedroot").values().any(|bytes| !bytes.is_empty());
    let published = disk.below("out/entities");
    if (was_used || !published.is_empty()) && !has(r#""t":"intent""#) {
        return Err("the key was used without an intent".into());
    }
    if !published.is_empty() && !has(r#""t":"outcome""#) {
        return Err("a document is published without an outcome".into());
    }
    match published.iter().find(|(path, bytes)| last.file(path) != **bytes) {
        Some((path, _)) => Err(format!("half of {path} is published")),
        None => Ok(()),
    }
}

/// Lets the batch go on, and says what is wrong with what comes of it.
fn go_on(folder: &Folder) -> Result<(), String> {
    let command = split("in.xml", &[]);
    let mut ran = folder.fedroot(&command);
    if ran.code == 6 && ran.stdout.contains("torn") {
        let recovered = folder.fedroot(&["ledger", "recover", "--vault", "V"]);
        if recovered.code != 0 {
            return Err(format!("recover: {}", recovered.stderr));
        }
        ran = folder.fedroot(&command);
    }
    if ran.code != 0 {
        return Err(format!("goes on with {}: {}{}", ran.code, ran.stdout, ran.stderr));
    }
    let lists: String = crate::support::files(&folder.path("V/ledger/batches"), ".list")
        .iter()
        .map(|it| fs::read_to_string(it).unwrap())
        .collect();
    let documents = crate::support::files(&folder.path("out/entities"), "");
    if documents.len() != 2 * ENTITIES {
        return Err(format!("{} names are published", documents.len()));
    }
    for document in documents {
        let bytes = fs::read(&document).unwrap();
        if !bytes.ends_with(b"</md:EntityDescriptor>\n") && !bytes.ends_with(b"</md:EntityDescriptor>") {
            return Err(format!("half of {} is published in the end", document.display()));
        }
        if !lists.contains(&hex(Digest::of(&bytes).as_bytes())) {
            return Err("a document is published that is not on record".into());
        }
    }
    for check in [
        &["ledger", "verify", "--vault", "V"][..],
        &["ledger", "rebuild", "--compare", "--identity", "auditor.key", "--vault", "V"],
    ] {
        let ran = folder.fedroot(check);
        if ran.code != 0 {
            return Err(format!("{check:?}: {}", ran.stderr));
        }
    }
    Ok(())
}

#[test]
fn crash_states_of_a_batch_all_go_on_and_hold() {
    if !peers("crash_states_of_a_batch_all_go_on_and_hold", &["strace"]) {
        return;
    }
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(ENTITIES)).unwrap();
    let base = Disk::read(&folder);
    let here = folder.dir().to_str().unwrap();
    let mut reader =
        Reader { here, disk: base.clone(), ends: BTreeMap::new(), files: base.names.len(), ops: vec![] };
    for call in trace(&folder, CALLS, &split("in.xml", &[])) {
        reader.read(&call);
    }
    let Reader { disk: last, ops, .. } = reader;
    let stands = Disk::read(&folder);
    for path in stands.names.keys().chain(last.names.keys()) {
        assert!(stands.file(path) == last.file(path), "the trace was not understood: {path}");
    }
    let all = states(&base, &ops, false);
    eprintln!("{} steps, {} states after a power cut", ops.len(), all.len());
    let place = Folder::empty();
    for name in ["auditor.key", "in.xml"] {
        fs::copy(folder.path(name), place.path(name)).unwrap();
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    for (begun, disk) in &all {
        judge(disk, &base, &last)
            .unwrap_or_else(|why| panic!("after {begun} steps: {why}: {:?}", ops.get(*begun)));
        disk.write(&place);
        go_on(&place).unwrap_or_else(|why| panic!("after {begun} steps: {why}: {:?}", ops.get(*begun)));
    }
    // The control: were nothing made durable, the same judgement would find it.
    let wrong: BTreeSet<String> =
        states(&base, &ops, true).iter().filter_map(|(_, disk)| judge(disk, &base, &last).err()).collect();
    assert!(wrong.contains("the key was used without an intent"), "{wrong:?}");
    assert!(wrong.iter().any(|why| why.starts_with("half of ")), "{wrong:?}");
}
