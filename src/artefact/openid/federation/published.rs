//! What a stranger finds in a published tree: the configuration, the index, every file that it names, and no others. The index
//! is read line by line, and of each document only what the rest is held against stays.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use super::names::Names;
use super::tree::{self, media_type, parts};
use super::{PLACES, server};
use crate::artefact::detached;
use crate::artefact::openid::{Form, Statement, signing, trust_mark};
use crate::artefact::{ALTERED, Verified};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::cores;
use crate::base::disk::{self, Document};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::tree::Tree;
use crate::format::jose::{Jwk, JwkSet};
use crate::key::PublicKey;
use crate::policy::Facts;

/// What the index is called.
const INDEX: &str = "index.json";
/// More files than a tree is believed to have.
const FILES_MAX: u64 = 2_000_000;
/// Longer documents and lists are not read.
const FILE_BYTES_MAX: usize = 64 << 20;
/// Longer lines of the index are not believed.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Documents that are looked at together, on every core.
const TOGETHER: usize = 512;
/// Differences that are named; all of them are counted.
const NAMED_MAX: usize = 10;

/// A line of the index.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    names: [String; 1],
    status: Status,
    media_type: Option<String>,
    sha256: Option<String>,
    size: Option<u64>,
    valid_until: Option<String>,
    content: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Published,
    Gone,
    Unsigned,
}

/// A signed document that is as the index says.
struct Seen {
    form: Form,
    subject: String,
    made: Option<Instant>,
    end: Option<Instant>,
    /// Whether the configuration says nothing of it: a trust mark of a type that another anchor has.
    is_unjudged: bool,
    /// The thumbprints of the keys that it gives out, where it is a set of keys.
    keys: Vec<String>,
}

/// What is held against the tree.
struct Stranger {
    tree: Tree,
    configuration: Statement,
    entity: String,
    keys: JwkSet,
    names: Names,
}

/// What was found in it.
#[derive(Default)]
struct Found {
    wrong: Vec<String>,
    subjects: Vec<String>,
    forms: Vec<Form>,
    marks: u64,
    unjudged: u64,
    gone: u64,
    made: Option<Instant>,
    first: Option<(Instant, String)>,
    historical: Vec<String>,
    protocol: Vec<String>,
    unsigned: Vec<String>,
    /// Files that are wrong by themselves.
    spoiled: Vec<String>,
}

/// Opens the index of a tree.
pub(super) fn open(path: &Path) -> Result<Document, Fault> {
    if path.is_dir() { Document::open(&path.join(INDEX)) } else { Document::open(path) }
}

/// Verifies a tree as `sign federation` writes it.
///
/// # Errors
///
/// Those of the configuration, whose signature is the only one that is trusted by itself; `verify.altered` for everything else
/// that is not as it was written.
pub(super) fn verify(index: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
    let root = detached::place(index)?.parent().unwrap_or(Path::new("."));
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let tree = Tree::open(root)?;
    let path = Names::default().path("").unwrap_or_default();
    let text = read(&tree, &path)?;
    let document = Document::from_path(&root.join(&path), text.clone());
    let verified = signing::verify(Form::EntityConfiguration, &document, trust)?;
    let configuration = Statement::read(str::from_utf8(&text).unwrap_or_default())?;
    let entity = configuration.iss().to_owned();
    let names = Names::promised(&entity, configuration.claims())?;
    let keys = configuration.keys()?;
    let stranger = Stranger { tree, configuration, entity, keys, names };
    let files = stranger.tree.files(FILES_MAX)?;
    let found = stranger.look(index, &files)?;
    if !found.wrong.is_empty() {
        return Err(altered(root, found.wrong));
    }
    let mut facts = Facts::default();
    facts.add("issuer", &stranger.entity);
    facts.add("subordinates", found.subjects.len().to_string());
    facts.add("trust marks", found.marks.to_string());
    for key in thumbprints(&stranger.keys) {
        facts.add("key", key);
    }
    let (end, first) = found.first.unzip();
    facts.add("valid until", end.map_or_else(|| "for ever".to_owned(), |end| end.to_string()));
    let missing = stranger.missing(&files);
    let of_files = [("files", files.len().into()), ("gone", found.gone.into())];
    let unjudged = (found.unjudged > 0).then(|| ("trust_marks_not_judged", found.unjudged.into()));
    let promised = (!missing.is_empty()).then(|| ("promised_and_missing", missing.join(", ").into()));
    let first = first.map(|first| (Verified::FIRST_TO_END, first.into()));
    Ok(Verified {
        facts,
        covers: format!("all {} files of {}, and there are no others", files.len(), root.display()),
        coverage: of_files.into_iter().chain(unjudged).chain(promised).chain(first).collect(),
        commands: None,
        key: verified.key,
        scheme: verified.scheme,
        valid_from: found.made,
        valid_until: end,
    })
}

impl Stranger {
    /// Looks at every document of the index and at every file of the tree.
    fn look(&self, index: &Document, files: &[String]) -> Result<Found, Fault> {
        let (mut found, mut met) = (Found::default(), vec![false; files.len()]);
        let mut lines = Lines::of(index)?;
        loop {
            let entries = lines.some(TOGETHER)?;
            if entries.is_empty() {
                break;
            }
            let looked = cores::each(entries.len(), &|at| {
                entries
                    .get(at)
                    .map_or_else(|| Err(INTERNAL.fault("a line is gone")), |entry| self.judge(entry))
            })?;
            for (entry, looked) in entries.into_iter().zip(looked) {
                let [name] = &entry.names;
                if let Some(met) = files.binary_search(name).ok().and_then(|place| met.get_mut(place)) {
                    *met = true;
                }
                match looked {
                    Ok(seen) => found.take(entry, seen),
                    Err(why) => {
                        found.wrong.push(format!("{name} {why}"));
                        found.spoiled.push(name.clone());
                    }
                }
            }
        }
        let others = files.iter().zip(met).filter(|(name, met)| !met && *name != INDEX);
        found.wrong.extend(others.map(|(name, _)| format!("{name} is not in the index")));
        self.compare(&mut found)?;
        Ok(found)
    }

    /// A document of the index, and what is wrong with it.
    fn judge(&self, entry: &Entry) -> Result<Result<Option<Seen>, String>, Fault> {
        let [name] = &entry.names;
        let bytes = match read(&self.tree, name) {
            Ok(bytes) => bytes,
            Err(fault) if *fault.code() == disk::MISSING => return Ok(Err("is missing".into())),
            Err(fault) => return Err(fault),
        };
        Ok(self.hold(entry, bytes))
    }

    fn hold(&self, entry: &Entry, bytes: Vec<u8>) -> Result<Option<Seen>, String> {
        let (is_gone, [name]) = (entry.status == Status::Gone, &entry.names);
        let digest = Digest::of(&bytes).to_string();
        let is_listed = entry.size == Some(bytes.len() as u64) && entry.sha256 == Some(digest);
        if !is_gone && !is_listed {
            return Err("was changed: it has another digest than in the index".into());
        }
        if entry.status == Status::Unsigned {
            return Ok(None);
        }
        let text = String::from_utf8(bytes).map_err(|_| "is not text".to_owned())?;
        let statement = Statement::read(&text).map_err(|fault| format!("cannot be read: {fault}"))?;
        let (form, sub) = (statement.form(), statement.sub());
        let subject = match form {
            Form::TrustMark => format!("{} {sub}", statement.text("trust_mark_type")),
            _ => sub.to_owned(),
        };
        let id = self.names.id(form, &subject);
        let is_published = PLACES.iter().any(|(_, own)| *own == form) && statement.iss() == self.entity;
        if !is_published || id != entry.id || self.names.path(&id).as_deref() != Some(name) {
            let iss = statement.iss();
            return Err(format!("is in the wrong place: it is a {} of {iss} about {subject}", form.name()));
        }
        let kid = statement.header().and_then(|header| header.kid()).unwrap_or_default();
        let key = self.keys.find(kid).ok_or_else(|| {
            format!("is signed with the key '{kid}', which the configuration does not list")
        })?;
        let key = std::slice::from_ref(key.key());
        let document = Document::from_path(Path::new(name), text.clone().into_bytes());
        signing::verify(form, &document, key).map_err(|fault| format!("is not good: {fault}"))?;
        let is_mark = form == Form::TrustMark && !is_gone;
        let is_unjudged = is_mark && !self.lets(&statement)?;
        let (made, end) = (statement.date("iat"), statement.date("exp"));
        let content = text.rsplit_once('.').and_then(|(octets, _)| parts(octets.as_bytes()));
        let content = content.map(|(head, claims)| tree::content(head, &claims));
        let said = (entry.media_type.as_deref(), entry.valid_until.as_deref(), entry.content.as_deref());
        let (end_text, content) = (end.map(|end| end.to_string()), content.map(|own| own.to_string()));
        if !is_gone && said != (Some(media_type(form)), end_text.as_deref(), content.as_deref()) {
            return Err("is described wrongly in the index: media type, end or content".into());
        }
        let keys = match form {
            Form::HistoricalKeys | Form::SignedJwkSet => {
                thumbprints(&statement.keys().map_err(|fault| format!("has unfit keys: {fault}"))?)
            }
            _ => vec![],
        };
        Ok(Some(Seen { form, subject, made, end, is_unjudged, keys }))
    }

    /// Whether the configuration lets the entity issue this trust mark; false where that is said by an anchor above it, whose
    /// configuration is not here.
    fn lets(&self, mark: &Statement) -> Result<bool, String> {
        let at = mark.date("iat").max(self.configuration.date("iat")).ok_or("was made at no time")?;
        match trust_mark::unknown(mark, &self.configuration, at) {
            Ok(None) => Ok(true),
            Ok(Some(_)) if self.configuration.get("authority_hints").is_some() => Ok(false),
            Ok(Some(why)) => Err(format!("is not good: {why}")),
            Err(fault) => Err(format!("is not good: {fault}")),
        }
    }

    /// What only shows between the documents.
    fn compare(&self, found: &mut Found) -> Result<(), Fault> {
        found.subjects.sort_unstable();
        if !found.forms.contains(&Form::EntityConfiguration) {
            found.wrong.push("the index does not have the configuration".into());
        }
        let subjects: Vec<&str> = found.subjects.iter().map(String::as_str).collect();
        for (name, _, expected) in server::beside(&self.names, &subjects, &found.forms) {
            if found.spoiled.contains(&name) {
                continue;
            }
            if !found.unsigned.contains(&name) {
                found.wrong.push(format!("{name} is not in the index"));
            } else if read(&self.tree, &name)? != expected {
                found.wrong.push(format!("{name} does not say what the signed documents say"));
            }
            found.unsigned.retain(|own| *own != name);
        }
        let strange = found.unsigned.drain(..).map(|name| format!("{name} is signed by nobody"));
        found.wrong.extend(strange);
        let own = thumbprints(&self.keys);
        for (keys, what) in
            [(&found.historical, "is no longer used"), (&found.protocol, "is for other protocols")]
        {
            let both = keys.iter().filter(|key| own.contains(key));
            let told =
                both.map(|key| format!("the key {key} of the configuration {what}, as another file says"));
            found.wrong.extend(told);
        }
        Ok(())
    }

    /// What the configuration promises and nobody wrote. It is not wrong: an endpoint may answer elsewhere.
    fn missing(&self, files: &[String]) -> Vec<String> {
        let promised = [&self.names.history, &self.names.keys];
        promised.into_iter().flatten().filter(|name| files.binary_search(name).is_err()).cloned().collect()
    }
}

impl Found {
    fn take(&mut self, entry: Entry, seen: Option<Seen>) {
        let [name] = entry.names;
        let Some(seen) = seen else { return self.unsigned.push(name) };
        if entry.status == Status::Gone {
            self.gone += 1;
            return;
        }
        self.made = self.made.max(seen.made);
        if let Some(end) = seen.end
            && self.first.as_ref().is_none_or(|(first, _)| *first > end)
        {
            self.first = Some((end, name));
        }
        match seen.form {
            Form::SubordinateStatement => self.subjects.push(seen.subject),
            Form::TrustMark => {
                self.marks += 1;
                self.unjudged += u64::from(seen.is_unjudged);
            }
            form => self.forms.push(form),
        }
        match seen.form {
            Form::HistoricalKeys => self.historical = seen.keys,
            Form::SignedJwkSet => self.protocol = seen.keys,
            _ => {}
        }
    }
}

/// The lines of an index.
struct Lines<R> {
    from: R,
    name: String,
    last: Option<String>,
    number: u64,
    is_ended: bool,
}

impl<'d> Lines<BufReader<Box<dyn Read + 'd>>> {
    fn of(index: &'d Document) -> Result<Self, Fault> {
        let from: Box<dyn Read + 'd> = Box::new(index.reader());
        let name = index.name().to_owned();
        let mut lines = Self { from: BufReader::new(from), name, last: None, number: 0, is_ended: false };
        let head = lines.line()?;
        let is_ours = head.starts_with("{\"version\":1,\"key\":\"") && head.ends_with("\",\"documents\":[");
        if is_ours { Ok(lines) } else { Err(lines.wrong("it does not begin as an index does")) }
    }
}

impl<R: BufRead> Lines<R> {
    /// The next entries, at most so many; none at the end.
    fn some(&mut self, count: usize) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        while entries.len() < count && !self.is_ended {
            let line = self.line()?;
            let (text, is_last) = line.strip_suffix(',').map_or((line.as_str(), true), |text| (text, false));
            let entry: Entry = serde_json::from_str(text).map_err(|e| self.wrong(&e.to_string()))?;
            if self.last.as_ref().is_some_and(|last| *last >= entry.id) {
                return Err(self.wrong("it does not stand in its place: names rise, and each is there once"));
            }
            self.last = Some(entry.id.clone());
            entries.push(entry);
            if is_last {
                let is_whole = self.line()? == "]}" && self.from.fill_buf().is_ok_and(<[u8]>::is_empty);
                self.is_ended = true;
                if !is_whole {
                    return Err(self.wrong("it does not end as an index does"));
                }
            }
        }
        Ok(entries)
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
            .hint("take the tree as `fedroot sign federation` wrote it, with its index.json")
    }
}

/// A file of the tree.
fn read(tree: &Tree, name: &str) -> Result<Vec<u8>, Fault> {
    let mut all = Vec::new();
    let length = tree.read(name, &mut |bytes| {
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

fn altered(root: &Path, mut wrong: Vec<String>) -> Fault {
    let more = wrong.len().saturating_sub(NAMED_MAX);
    wrong.truncate(NAMED_MAX);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    ALTERED
        .fault(format!("{}: the configuration is good, but {}{more}", root.display(), wrong.join("; ")))
        .hint("take the tree as `fedroot sign federation` wrote it; a second run mends it where the key is")
}

fn thumbprints(keys: &JwkSet) -> Vec<String> {
    keys.keys.iter().map(Jwk::thumbprint).collect()
}
