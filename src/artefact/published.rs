//! What a batch published, as a stranger finds it: a folder, its index, every file that the index names, and no others. The
//! index is read line by line, documents are looked at on every core, and of each only what its kind notes stays.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ALTERED, UNTRUSTED, detached};
use crate::base::bytes::{Digest, hex};
use crate::base::cores;
use crate::base::disk::{self, Document};
use crate::base::document::DocumentReader;
use crate::base::fault::{Class, Code, Fault};
use crate::base::tree::Tree;

/// What the index is called.
pub const INDEX: &str = "index.json";
/// Where the proofs of documents stand, below the folder.
pub const PROOFS: &str = "proofs";
/// What their names end in.
pub const PROOF_ENDING: &str = ".tlog-proof";

/// More files than a folder is believed to have.
const FILES_MAX: u64 = 2_000_000;
/// Longer documents and lists are not read: an entity of 64 MiB with its signature is shorter.
const FILE_BYTES_MAX: usize = 65 << 20;
/// Longer lines of the index are not believed.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Differences that are named; all of them are counted.
const NAMED_MAX: usize = 10;

/// Where the proof of a document stands.
pub fn proof_name(document: &Digest) -> String {
    format!("{PROOFS}/{}{PROOF_ENDING}", hex(document.as_bytes()))
}

/// A line of the index.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) names: Vec<String>,
    pub(super) status: Status,
    media_type: Option<String>,
    sha256: Option<String>,
    size: Option<u64>,
    valid_until: Option<String>,
    content: Option<String>,
    proof: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    Published,
    Gone,
    Unsigned,
}

impl Entry {
    /// The name of the file that the others are copies of.
    pub(super) fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Refuses a line that says something else of a document than this. Of what left it says nothing.
    pub(super) fn check_described(
        &self,
        media_type: &str,
        end: Option<&str>,
        is_content: impl FnOnce(&str) -> bool,
    ) -> Result<(), Fault> {
        let is_told = self.media_type.as_deref() == Some(media_type)
            && self.valid_until.as_deref() == end
            && self.content.as_deref().is_some_and(is_content);
        if is_told || self.status == Status::Gone {
            return Ok(());
        }
        Err(ALTERED.fault("is described wrongly in the index: media type, end or content"))
    }

    /// Refuses bytes that are not those the index speaks of.
    fn check_listed(&self, bytes: &[u8], digest: &Digest) -> Result<(), Fault> {
        let is_listed = self.size == Some(bytes.len() as u64) && self.sha256 == Some(digest.to_string());
        if is_listed || self.status == Status::Gone {
            return Ok(());
        }
        Err(ALTERED.fault("was changed: it has another digest than in the index"))
    }
}

/// What is wrong with a folder: how much, and the first of it by name.
#[derive(Default)]
pub(super) struct Wrong {
    named: Vec<String>,
    count: usize,
    /// The code that all of it has in common.
    code: Option<&'static Code>,
}

impl Wrong {
    /// Adds something that is not as it was written.
    pub(super) fn add(&mut self, what: impl Into<String>) {
        self.add_as(&ALTERED, what);
    }

    fn add_as(&mut self, code: &'static Code, what: impl Into<String>) {
        let is_alike = self.count == 0 || self.code == Some(code);
        self.code = is_alike.then_some(code);
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(what.into());
        }
    }

    /// Refuses the folder if anything is wrong. `says` stands in front of what is.
    pub(super) fn check(self, says: &str, way_out: &str) -> Result<(), Fault> {
        if self.count == 0 {
            return Ok(());
        }
        let more = self.count - self.named.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let code = if self.code == Some(&UNTRUSTED) { &UNTRUSTED } else { &ALTERED };
        Err(code.fault(format!("{says}{}{more}", self.named.join("; "))).hint(way_out))
    }
}

/// A folder that a batch published.
pub(super) struct Published<'d> {
    index: &'d Document,
    root: PathBuf,
    tree: Tree,
    files: Vec<String>,
}

/// Says what a document is, from its bytes, or what is wrong with it.
type Judge<'j, T> = dyn Fn(&Entry, Vec<u8>) -> Result<T, Fault> + Sync + 'j;

/// Opens the index of a folder, or the file that is named.
pub(super) fn open(path: &Path) -> Result<Document, Fault> {
    if path.is_dir() { Document::open(&path.join(INDEX)) } else { Document::open(path) }
}

/// Whether a document is the index of a folder, by its name: what it says can be anything.
pub(super) fn is_index(document: &Document) -> bool {
    document.path().and_then(Path::file_name).is_some_and(|name| name == INDEX)
}

impl<'d> Published<'d> {
    /// Lists the folder around an index. Refuses links and whatever else is no regular file.
    pub(super) fn open(index: &'d Document) -> Result<Self, Fault> {
        let root = detached::place(index)?.parent().unwrap_or(Path::new("."));
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let tree = Tree::open(root)?;
        let files = tree.files(FILES_MAX)?;
        Ok(Self { index, root: root.to_owned(), tree, files })
    }

    /// The folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// How many files there are, with the index.
    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Whether there is a file of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.files.binary_search_by(|own| own.as_str().cmp(name)).ok()
    }

    /// Reads a file.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let mut all = Vec::new();
        let length = self.tree.read(name, &mut |bytes| {
            if all.len() + bytes.len() <= FILE_BYTES_MAX {
                all.extend_from_slice(bytes);
            }
        })?;
        if all.len() as u64 == length {
            Ok(all)
        } else {
            Err(disk::TOO_LARGE.fault(format!("{name} is larger than {FILE_BYTES_MAX} bytes")))
        }
    }

    /// Looks at every document of the index, and at every file of the folder. `judge` sees the bytes of each document, on
    /// every core, and says what is wrong with it; `take` gets what it says, or nothing where something is wrong, in the
    /// order of the index.
    pub(super) fn look<T: Send>(
        &self,
        judge: &Judge<'_, T>,
        take: &mut dyn FnMut(Entry, Option<T>),
    ) -> Result<Wrong, Fault> {
        let (mut wrong, mut met) = (Wrong::default(), vec![false; self.files.len()]);
        let mut tick = |name: &str| {
            if let Some(met) = self.place(name).and_then(|place| met.get_mut(place)) {
                *met = true;
            }
        };
        tick(INDEX);
        let look = |entry: Entry| {
            let (proof, judged) = self.hold(&entry, judge);
            match judged {
                Err(fault) if matches!(fault.code().class, Class::Internal | Class::Environment) => {
                    Err(fault)
                }
                judged => Ok((entry, proof, judged)),
            }
        };
        let mut took = |(entry, proof, judged): (Entry, Option<String>, Result<T, Fault>)| {
            entry.names.iter().chain(&proof).for_each(|name| tick(name));
            let judged = judged.map_err(|fault| {
                wrong.add_as(fault.code(), format!("{} {fault}", entry.name()));
            });
            take(entry, judged.ok());
            Ok(())
        };
        cores::stream(Lines::of(self.index)?, &look, &mut took)?;
        let others = self.files.iter().zip(met).filter(|(_, met)| !met);
        others.for_each(|(name, _)| wrong.add(format!("{name} is not in the index")));
        Ok(wrong)
    }

    /// Holds a document against its line. Yields the proof that belongs to it, too, where there is one.
    fn hold<T>(&self, entry: &Entry, judge: &Judge<'_, T>) -> (Option<String>, Result<T, Fault>) {
        let bytes = match self.present(entry.name()) {
            Ok(bytes) => bytes,
            Err(fault) => return (entry.proof.clone(), Err(fault)),
        };
        let digest = Digest::of(&bytes);
        let proof = Some(proof_name(&digest)).filter(|name| self.has(name));
        let is_whole = entry.check_listed(&bytes, &digest).and_then(|()| {
            if entry.status != Status::Gone && entry.proof != proof {
                return Err(ALTERED.fault("has another proof than in the index, or none"));
            }
            entry.names.iter().skip(1).try_for_each(|name| match self.present(name) {
                Ok(other) if other == bytes => Ok(()),
                Ok(_) => Err(ALTERED.fault(format!("is another document than {name}, its other name"))),
                Err(fault) if fault.code() == &ALTERED => {
                    Err(ALTERED.fault(format!("has another name, {name}, which {fault}")))
                }
                Err(fault) => Err(fault),
            })
        });
        (proof, is_whole.and_then(|()| judge(entry, bytes)))
    }

    fn present(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let missing = || ALTERED.fault("is missing");
        if !self.has(name) {
            return Err(missing());
        }
        self.read(name).map_err(|fault| if *fault.code() == disk::MISSING { missing() } else { fault })
    }
}

/// The lines of an index.
struct Lines<'d> {
    from: BufReader<DocumentReader<'d>>,
    name: &'d str,
    last: Option<String>,
    number: u64,
    is_ended: bool,
}

impl<'d> Lines<'d> {
    fn of(index: &'d Document) -> Result<Self, Fault> {
        let from = BufReader::new(index.reader());
        let mut lines = Self { from, name: index.name(), last: None, number: 0, is_ended: false };
        let head = lines.line()?;
        let is_ours = head.starts_with("{\"version\":1,\"key\":\"") && head.ends_with("\",\"documents\":[");
        if is_ours { Ok(lines) } else { Err(lines.wrong("it does not begin as an index does")) }
    }

    fn entry(&mut self) -> Result<Entry, Fault> {
        let line = self.line()?;
        let (text, is_last) = line.strip_suffix(',').map_or((line.as_str(), true), |text| (text, false));
        let entry: Entry = serde_json::from_str(text).map_err(|e| self.wrong(&e.to_string()))?;
        if self.last.as_ref().is_some_and(|last| *last >= entry.id) {
            return Err(self.wrong("it does not stand in its place: names rise, and each is there once"));
        }
        self.last = Some(entry.id.clone());
        if is_last {
            let is_whole = self.line()? == "]}" && self.from.fill_buf().is_ok_and(<[u8]>::is_empty);
            self.is_ended = true;
            if !is_whole {
                return Err(self.wrong("it does not end as an index does"));
            }
        }
        Ok(entry)
    }

    fn line(&mut self) -> Result<String, Fault> {
        let mut line = String::new();
        let read = self.from.by_ref().take(LINE_BYTES_MAX).read_line(&mut line);
        self.number += 1;
        read.map_err(|error| self.wrong(&error.to_string()))?;
        match line.strip_suffix('\n') {
            Some(line) => Ok(line.to_owned()),
            None => Err(self.wrong("it is cut off")),
        }
    }

    fn wrong(&self, why: &str) -> Fault {
        ALTERED
            .fault(format!("{}: line {}: {why}", self.name, self.number))
            .hint("take the folder as `fedroot sign` wrote it, with its index.json")
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_ended {
            return None;
        }
        Some(self.entry().inspect_err(|_| self.is_ended = true))
    }
}
