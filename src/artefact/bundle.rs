//! Bundles: a list of files with their SHA-384 digests, as `sha384sum` writes and checks it, and signatures over that list.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;

use super::detached::{self, Content, Detached, Form};
use super::{ALTERED, Kind, MANIFEST, Prepared, Terms, Verified, read_all, read_plain};
use crate::base::bytes::Sha384Sum;
use crate::base::disk::{self, Document, parent};
use crate::base::fault::Fault;
use crate::base::tree::{Tree, UNLISTABLE, check_name};
use crate::key::PublicKey;
use crate::policy::{Examiner, Facts, Standard};

pub(super) struct Bundle;

/// What the list is called in a folder that holds it.
const NAME: &str = "MANIFEST.sha384";
/// The signature that is always there, then the one that a profile asks for.
const FORMS: [Form; 2] = [Form::Sha384, Form::jws("bundle")];
const LIST_BYTES_MAX: u64 = 256 << 20;
/// More files than any profile allows are not even listed.
const FILES_MAX: u64 = 1_000_000;
/// Differences that are named; all of them are counted.
const NAMED_MAX: usize = 10;

impl Kind for Bundle {
    fn name(&self) -> &'static str {
        "bundle"
    }

    fn about(&self) -> &'static str {
        "the files of a folder, or those that a list names"
    }

    /// Lists and hashes the files: those below a folder, or those whose paths stand in a file, one in each line.
    fn open(&self, path: &Path) -> Result<Document, Fault> {
        let (root, files) = if path.is_dir() {
            let tree = Tree::open(path)?;
            let files = tree.files(FILES_MAX)?;
            if let Some(name) = files.iter().find(|name| is_ours(name)) {
                return Err(disk::EXISTS
                    .fault(format!("{} was signed before: {name} is in it", path.display()))
                    .hint("move the old list and its signature away first"));
            }
            (tree, files)
        } else {
            (Tree::open(parent(path))?, listed(path)?)
        };
        let mut text = String::new();
        for name in &files {
            text.push_str(&format!("{}  {name}\n", sum(&root, name)?));
        }
        Ok(Document::from_path(path, text.into_bytes()))
    }

    /// A list names its files from where it stands.
    fn belongs_into<'p>(&self, document: &'p Path, output: &Path) -> Option<&'p Path> {
        let root = if document.is_dir() { document } else { parent(document) };
        (!disk::is_in(output, root)).then_some(root)
    }

    /// Opens the list; a folder holds it under its usual name.
    fn open_signed(&self, path: &Path) -> Result<Document, Fault> {
        if !path.is_dir() {
            return Document::open(path);
        }
        let list = Document::open(&path.join(NAME))?;
        Ok(Document::from_path(path, read_plain(&list, LIST_BYTES_MAX)?))
    }

    /// Only the folder shows files that the list does not have.
    fn to_verify<'p>(&self, document: &'p Path, signed: &'p Path) -> &'p Path {
        if signed == document.join(NAME) { document } else { signed }
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let text = read_all(document, LIST_BYTES_MAX)?;
        let files = parse(&text).map_err(|fault| fault.at(document.name()))?;
        let standard =
            Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
        let record = record.map(|to| to as &mut dyn Write);
        let mut examiner = Examiner::new("bundle", &["bundle"], standard, terms.last, record);
        for (name, digest) in &files {
            examiner.item(name, digest.as_bytes());
        }
        let facts = facts(&files);
        let found = examiner.finish(&facts)?;
        let given = document.digest()?;
        let content = Content { document: text, others: vec![] };
        let [sha384, _] = &FORMS;
        let forms = if terms.profile.bundle.jws { &FORMS } else { std::slice::from_ref(sha384) };
        Ok(Box::new(Detached::new(terms, given, (content, forms), (facts, found))))
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        let place = detached::place(document)?;
        let is_whole = place.is_dir();
        let (root, list): (PathBuf, PathBuf) = if is_whole {
            (place.to_owned(), place.join(NAME))
        } else {
            (parent(place).to_owned(), place.to_owned())
        };
        let text = read_plain(document, LIST_BYTES_MAX)?;
        let found = detached::verify(&list, (&text, &[]), &FORMS, trust)?;
        let files = parse(&text).map_err(|fault| fault.at(list.display()))?;
        compare(&Tree::open(&root)?, &files, is_whole)?;
        let count = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
        let proof = detached::beside(&list, PROOF);
        let covers = if is_whole && disk::exists(&proof) {
            let (root, proof) = (root.display(), proof.display());
            format!(
                "all that is in {root} but {proof}, which was not looked at (fedroot ledger check-proof): {count}"
            )
        } else if is_whole {
            format!("all that is in {}: {count}", root.display())
        } else {
            format!("{count}, those that it names; others were not looked at")
        };
        Ok(Verified {
            facts: facts(&files),
            key: found.key,
            scheme: found.scheme,
            covers,
            coverage: vec![("signatures", found.endings.join(" and ").into())],
            commands: Some(format!(
                "{}{}\
                 # every file of the list; another one beside them is not noticed\n\
                 cd \"$(dirname \"$document\")\"\n\
                 sha384sum --check --strict \"$(basename \"$document\")\"\n",
                if is_whole { format!("document=\"$document/{NAME}\"\n") } else { String::new() },
                found.commands
            )),
            valid_from: None,
            valid_until: None,
        })
    }
}

/// The ending of a proof that the signature stands in the ledger: no signature of ours covers it.
const PROOF: &str = ".tlog-proof";

/// Whether a file in the folder is the list itself, or stands beside it.
fn is_ours(name: &str) -> bool {
    let ending = name.strip_prefix(NAME);
    ending.is_some_and(|ending| ending.is_empty() || ending == PROOF || is_signature(ending))
}

fn is_signature(ending: &str) -> bool {
    FORMS.iter().any(|form| form.ending() == ending)
}

/// The paths that a list names, sorted; each once.
fn listed(path: &Path) -> Result<Vec<String>, Fault> {
    let text = String::from_utf8(disk::read(path, LIST_BYTES_MAX)?)
        .map_err(|_| MANIFEST.fault(format!("{} is not UTF-8", path.display())))?;
    let mut names = BTreeSet::new();
    for (number, name) in text.lines().enumerate() {
        let wrong =
            |why: &str| MANIFEST.fault(format!("{}: line {}: {name} {why}", path.display(), number + 1));
        check_name(name).map_err(wrong)?;
        if !names.insert(name.to_owned()) {
            return Err(wrong("is named twice"));
        }
    }
    Ok(names.into_iter().collect())
}

/// Reads a list as `sha384sum` writes it, and strictly so: sorted, each file once.
fn parse(text: &[u8]) -> Result<BTreeMap<&str, &str>, Fault> {
    let wrong = |number: usize, why: &str| MANIFEST.fault(format!("line {}: {why}", number + 1));
    let text = str::from_utf8(text).map_err(|_| MANIFEST.fault("it is not UTF-8"))?;
    let mut files: BTreeMap<&str, &str> = BTreeMap::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let line = line.strip_suffix('\n').ok_or_else(|| wrong(number, "it does not end"))?;
        let (digest, name) =
            line.split_once("  ").ok_or_else(|| wrong(number, "it is no digest and name"))?;
        if digest.len() != 96 || !digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong(number, "it does not begin with 96 lower-case hexadecimal digits"));
        }
        check_name(name).map_err(|why| wrong(number, &format!("{name} {why}")))?;
        if files.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return Err(wrong(
                number,
                "it does not stand in its place: the names rise, and each is there once",
            ));
        }
        files.insert(name, digest);
    }
    Ok(files)
}

fn facts(files: &BTreeMap<&str, &str>) -> Facts {
    let mut facts = Facts::default();
    facts.add("files", files.len().to_string());
    for (name, digest) in files {
        facts.add_with("file", name, format!("sha384:{digest}"));
    }
    facts
}

fn sum(root: &Tree, name: &str) -> Result<String, Fault> {
    let mut hash = Sha384Sum::default();
    root.read(name, &mut |bytes| hash.update(bytes))?;
    Ok(hash.finish())
}

/// Refuses files that differ from the list or are not there, and in a whole folder those that are not on it.
fn compare(root: &Tree, files: &BTreeMap<&str, &str>, is_whole: bool) -> Result<(), Fault> {
    let mut wrong = Vec::new();
    if is_whole {
        let is_other = |name: &String| !is_ours(name) && !files.contains_key(name.as_str());
        let others = root.files(FILES_MAX)?.into_iter().filter(is_other);
        wrong.extend(others.map(|name| format!("{name} is not on the list")));
    }
    for (name, digest) in files {
        match sum(root, name) {
            Ok(found) if found == *digest => {}
            Ok(_) => wrong.push(format!("{name} was changed")),
            Err(fault) if *fault.code() == disk::MISSING => wrong.push(format!("{name} is missing")),
            Err(fault) if *fault.code() == UNLISTABLE => wrong.push(fault.to_string()),
            Err(fault) => return Err(fault),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let more = wrong.len().saturating_sub(NAMED_MAX);
    wrong.truncate(NAMED_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    Err(ALTERED
        .fault(format!("the signature over the list is good, but {}{more}", wrong.join(", ")))
        .hint("take the files as they were delivered, and none beside them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_as_we_write_them_are_read() {
        let digest = "a".repeat(96);
        let line = |name: &str| format!("{digest}  {name}\n");
        assert_eq!(parse(&[line("a"), line("b/c")].concat().into_bytes()).unwrap().len(), 2);
        assert_eq!(parse(b"").unwrap().len(), 0);
        for (wrong, why) in [
            ([line("b"), line("a")].concat(), "rise"),
            ([line("a"), line("a")].concat(), "each is there once"),
            (line("../a"), "straight down"),
            (line("/a"), "straight down"),
            (line("a\\nb"), "backslash"),
            (line("a").replace("  ", " *"), "no digest and name"),
            (line("a").replace('a', "A"), "lower-case"),
            (line("a").trim_end().to_owned(), "does not end"),
            ("# a comment\n".to_owned(), "no digest"),
        ] {
            let fault = parse(wrong.as_bytes()).unwrap_err();
            assert!(fault.message().contains(why), "{wrong}: {fault}");
        }
    }
}
