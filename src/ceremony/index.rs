//! `index.json`: what a publisher finds in the folder of a batch. It is written for others; nothing in it is trusted here.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use serde::Deserialize;
use serde_json::{Value, json};

use super::documents::Documents;
use super::{MOVED, proofs};

use crate::artefact::{Batch, INDEX, Member, proof_name};
use crate::base::below::{Below, Strays};
use crate::base::bytes::{Digest, Hashing};
use crate::base::cores;
use crate::base::disk::{self, Pending};
use crate::base::fault::Fault;
use crate::base::staging::is_of_renewal;
use crate::base::text::Texts;
use crate::key::KeyId;
use crate::policy::{Last, clip};

/// So much of an index is read, and so much of a line: ten times what stands there for the largest federations.
const BYTES_MAX: u64 = 64 << 20;
const LINE_BYTES_MAX: u64 = 64 << 10;
/// What stands for a file that nobody signs.
const UNSIGNED: &str = "unsigned";
/// What stands for a file of something that left.
const GONE: &str = "gone";

/// The index that is to be written.
pub(super) struct Index<'a> {
    pub(super) key: &'a KeyId,
    pub(super) batch: &'a dyn Batch,
    pub(super) documents: &'a Documents,
    /// Whether each document has a proof.
    pub(super) has_proofs: bool,
}

/// Something that was published before and is no longer in the document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gone {
    /// What it was about; foreign text.
    pub id: String,
    /// Its files.
    pub names: Vec<String>,
    /// Whether nobody was told before that it is gone.
    pub is_news: bool,
}

/// A line of an earlier index.
#[derive(Deserialize)]
struct Earlier {
    id: String,
    status: String,
    #[serde(default)]
    names: Vec<String>,
}

/// Tells the lines of the index that stands in the folder, where there is one.
fn each_listed(folder: &Below, tell: &mut dyn FnMut(Earlier) -> Result<(), Fault>) -> Result<(), Fault> {
    let Ok(earlier) = folder.file(INDEX) else { return Ok(()) };
    let mut reader = BufReader::new(earlier.take(BYTES_MAX));
    let mut line = Vec::new();
    while reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let entry = line.trim_ascii_end();
        if let Ok(listed) = serde_json::from_slice(entry.strip_suffix(b",").unwrap_or(entry)) {
            tell(listed)?;
        }
        line.clear();
    }
    Ok(())
}

/// Refuses a name that nobody looks for any longer, while what stands there is served still.
fn check_moved(folder: &Below, id: &str, before: &[String], now: &[String]) -> Result<(), Fault> {
    let moved = before.iter().find(|name| !now.contains(name) && folder.exists(name));
    moved.map_or(Ok(()), |name| {
        Err(MOVED
            .fault(format!(
                "{} stands in {name}, and its configuration promises {} now",
                clip(id),
                now.first().map_or("no place", String::as_str)
            ))
            .hint("name a new folder with --output, and publish that: what stands in the old one would be served for ever"))
    })
}

impl Index<'_> {
    /// What the batch signed last has, or the index of the folder lists, the batch does not have, and still stands there. Files
    /// are named by what they are about, never by what the index says. It is read line by line, and what is no line of an
    /// index says nothing. Who left a tree since the last signature leaves even where nothing of it stands any more, and
    /// whatever the index says.
    ///
    /// # Errors
    /// [`MOVED`]: of a tree, something that is still there stood under another name, which would be served for ever.
    pub(super) fn gone(
        folder: Option<&Below>,
        batch: &dyn Batch,
        last: Option<&Last>,
        is_tree: bool,
    ) -> Result<Vec<Gone>, Fault> {
        let beside = batch.beside();
        let names = beside.iter().map(|(name, ..)| *name).chain([INDEX, proofs::ANY]);
        names.into_iter().try_for_each(|name| folder.map_or(Ok(()), |folder| folder.check(name)))?;
        // Identifiers stand here as hashes of 64 bits under a key of this run.
        let (hash, mut here) = (RandomState::new(), HashSet::with_capacity(batch.members().count()));
        each(batch, &mut |member| {
            here.insert(hash.hash_one(&*member.id));
        })?;
        let stands =
            |names: &[String]| folder.is_some_and(|folder| names.iter().any(|name| folder.exists(name)));
        let mut gone: BTreeMap<String, (Vec<String>, bool)> = BTreeMap::new();
        let mut left = |id: &str| {
            let names = batch.names(id);
            if !here.contains(&hash.hash_one(id)) && (is_tree || stands(&names)) {
                gone.insert(id.to_owned(), (names, true));
            }
        };
        if let Some(last) = last {
            last.names(&mut left);
        }
        let mut listed = |folder: &Below, Earlier { id, status, names: before }: Earlier| {
            let is_unsigned = status == UNSIGNED;
            if is_unsigned && is_tree {
                let names: Vec<String> = beside.iter().map(|(name, ..)| (*name).to_owned()).collect();
                check_moved(folder, &id, &before, &names)?;
            }
            if is_unsigned {
                return Ok(());
            }
            let names = batch.names(&id);
            let is_here = here.contains(&hash.hash_one(&*id));
            if is_tree && (is_here || names.is_empty()) {
                check_moved(folder, &id, &before, &names)?;
            }
            if !is_here && stands(&names) {
                gone.entry(id).or_insert((names, status != GONE));
            }
            Ok(())
        };
        folder.map_or(Ok(()), |folder| each_listed(folder, &mut |entry| listed(folder, entry)))?;
        Ok(gone.into_iter().map(|(id, (names, is_news))| Gone { id, names, is_news }).collect())
    }

    /// What stands in the folder and belongs to no document: what the index names no more, and what it never did.
    pub(super) fn strays(&self, folder: &Below, gone: &[Gone]) -> Result<Strays, Fault> {
        // Names stand here as hashes of 64 bits under a key of this run.
        let (hash, mut ours) = (RandomState::new(), HashSet::with_capacity(self.documents.count()));
        each(self.batch, &mut |member| ours.extend(member.names.iter().map(|name| hash.hash_one(&**name))))?;
        let beside = self.batch.beside();
        let names = gone.iter().flat_map(|gone| gone.names.iter().map(String::as_str));
        let names = names.chain(beside.iter().map(|(name, ..)| *name)).chain([INDEX]);
        ours.extend(names.map(|name| hash.hash_one(name)));
        Ok(folder.strays(&|path| {
            ours.contains(&hash.hash_one(path))
                || is_of_renewal(path)
                || self.has_proofs && proofs::is_one(path)
        }))
    }

    /// Writes the index, unless it stands there already. One line for each document, sorted by what it is about: the same
    /// documents make the same bytes. It is written line by line, and never in memory as a whole.
    pub(super) fn write(&self, folder: &Below, gone: &[Gone]) -> Result<bool, Fault> {
        let path = folder.path().join(INDEX);
        let failed = |e: io::Error| disk::fault("write", &path, &e);
        let mut pending = Pending::in_place_of(&path)?;
        let mut to = Hashing::new(BufWriter::new(&mut pending));
        self.put(&mut to, gone, &failed)?;
        to.flush().map_err(failed)?;
        let (wanted, length) = to.finish();
        if digest(folder, INDEX, length).is_some_and(|found| found == wanted) {
            return Ok(false);
        }
        pending.replace()?;
        Ok(true)
    }

    fn put(
        &self,
        to: &mut dyn Write,
        gone: &[Gone],
        failed: &dyn Fn(io::Error) -> Fault,
    ) -> Result<(), Fault> {
        let beside = self.batch.beside();
        let mut ids = Texts::default();
        each(self.batch, &mut |member| ids.push(&member.id))?;
        for gone in gone {
            ids.push(&gone.id);
        }
        for (name, ..) in &beside {
            ids.push(name);
        }
        write!(to, "{{\"version\":1,\"key\":{},\"documents\":[", json!(self.key.to_string()))
            .map_err(failed)?;
        let line = |at: usize| {
            let of_gone = at.checked_sub(self.documents.count());
            let of_beside = of_gone.and_then(|at| at.checked_sub(gone.len()));
            match (of_gone.and_then(|at| gone.get(at)), of_beside.and_then(|at| beside.get(at))) {
                (Some(gone), _) => Ok(json!({"id": gone.id, "names": gone.names, "status": GONE})),
                (_, Some((name, media_type, bytes))) => Ok(unsigned(name, media_type, bytes)),
                (None, None) => self.line(at),
            }
        };
        let mut before = "\n";
        let mut put = |line: Value| {
            write!(to, "{before}{line}").map_err(failed)?;
            before = ",\n";
            Ok(())
        };
        cores::stream(ids.sorted().into_iter().map(Ok), &line, &mut put)?;
        to.write_all(b"\n]}\n").map_err(failed)
    }

    fn line(&self, at: usize) -> Result<Value, Fault> {
        let document = self.documents.get(at)?;
        let (sha256, size) = document.file.unzip();
        let mut line = json!({
            "id": &*document.id,
            "names": &*document.names,
            "media_type": document.media_type,
            "status": "published",
            "sha256": sha256.map(|digest| digest.to_string()),
            "size": size,
            "valid_until": document.valid_until.map(|until| until.to_string()),
            "content": document.content.to_string(),
        });
        if let (true, Some(sha256), Some(members)) = (self.has_proofs, sha256, line.as_object_mut()) {
            members.insert("proof".into(), proof_name(&sha256).into());
        }
        Ok(line)
    }
}

/// Tells the documents of a batch, in their order.
fn each(batch: &dyn Batch, tell: &mut dyn FnMut(Member)) -> Result<(), Fault> {
    let members = batch.members();
    let mut told = |member| {
        tell(member);
        Ok(())
    };
    cores::stream((0..members.count()).map(Ok), &|place| members.member(place), &mut told)
}

fn unsigned(name: &str, media_type: &str, bytes: &[u8]) -> Value {
    json!({
        "id": name,
        "names": [name],
        "media_type": media_type,
        "status": UNSIGNED,
        "sha256": Digest::of(bytes).to_string(),
        "size": bytes.len(),
    })
}

/// The digest of a file, if it has at most so many bytes.
pub(super) fn digest(folder: &Below, name: &str, bytes_max: u64) -> Option<Digest> {
    let file = folder.file(name).ok()?;
    let mut hashing = Hashing::new(file.take(bytes_max.saturating_add(1)));
    io::copy(&mut hashing, &mut io::sink()).ok()?;
    let (digest, length) = hashing.finish();
    (length <= bytes_max).then_some(digest)
}
