//! `federation`: everything that a trust anchor or an intermediate publishes, signed as one batch and laid out as a tree that
//! any web server serves as it is (OpenID Federation 1.0, sections 3, 7 and 8).

mod cards;
mod names;
mod published;
mod review;
mod server;
mod tree;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use rand_core::CryptoRng;

use super::{Form, signing};
use crate::artefact::{BATCH, Batch, COMPOSED, Kind, Look, Prepared, Terms, Verified};
use crate::base::below::Below;
use crate::base::bytes::Digest;
use crate::base::cores;
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::Fault;
use crate::base::tree::check_name;
use crate::key::PublicKey;
use crate::policy::{Openid, Profile};

pub(in crate::artefact) struct Federation;

/// What stands where in the folder, in the order of the review: the configuration first. A name that ends in `/` is a folder
/// with any number of documents.
const PLACES: [(&str, Form); 5] = [
    ("anchor", Form::EntityConfiguration),
    ("subordinates/", Form::SubordinateStatement),
    ("trust-marks/", Form::TrustMark),
    ("historical-keys", Form::HistoricalKeys),
    ("jwk-set", Form::SignedJwkSet),
];

/// What operators write documents in.
const ENDINGS: [&str; 2] = [".toml", ".json"];

/// A document of the folder. Its digest covers the files that it names, too.
struct Input {
    form: Form,
    /// Its path below the folder.
    name: String,
    digest: Digest,
}

impl Kind for Federation {
    fn name(&self) -> &'static str {
        "federation"
    }

    fn about(&self) -> &'static str {
        "all that an anchor of OpenID Federation publishes, from a folder"
    }

    fn is_tree(&self) -> bool {
        true
    }

    fn wants(&self, profile: &Profile) -> Option<&'static str> {
        profile.openid.entity_id.is_empty().then_some(Openid::ENTITY)
    }

    /// The list of the folder's documents, each with the digest of itself and of the files that it names: the digest of the
    /// request covers all of them.
    fn open(&self, path: &Path) -> Result<Document, Fault> {
        let mut list = Vec::new();
        list_into(path, &mut list)?;
        Ok(Document::from_path(path, list))
    }

    fn open_in(&self, path: &Path, scratch: &Path) -> Result<Document, Fault> {
        let mut list = Pending::beside(&scratch.join("list"))?;
        let mut to = BufWriter::new(&mut list);
        list_into(path, &mut to)?;
        to.flush().map_err(|e| disk::fault("write", path, &e))?;
        drop(to);
        Ok(list.document("the list of documents")?.from(path))
    }

    fn prepare<'d>(
        &self,
        _document: &'d Document,
        _terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
        _record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        Err(BATCH.fault("each document of a federation is signed on its own"))
    }

    fn split<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        spare: Pending,
        record: &mut dyn Write,
        look: Option<Look<'_>>,
    ) -> Result<Box<dyn Batch + 'd>, Fault> {
        let tree = review::review(document, terms, spare, record)?;
        if let Some(look) = look {
            tree.show(look)?;
        }
        Ok(Box::new(tree))
    }

    fn open_signed(&self, path: &Path) -> Result<Document, Fault> {
        crate::artefact::published::open(path)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        published::verify(document, trust)
    }
}

/// The kind that makes documents of this form.
fn kind_of(form: Form) -> &'static dyn Kind {
    match form {
        Form::EntityConfiguration => signing::ENTITY_CONFIGURATION,
        Form::TrustMark => signing::TRUST_MARK,
        Form::HistoricalKeys => signing::HISTORICAL_KEYS,
        Form::SignedJwkSet => signing::SIGNED_JWK_SET,
        _ => signing::SUBORDINATE_STATEMENT,
    }
}

/// Writes a line for each document of the folder.
fn list_into(folder: &Path, to: &mut dyn Write) -> Result<(), Fault> {
    let line =
        |(form, name): (Form, String)| Ok(format!("{}  {name}\n", opened(folder, form, &name)?.digest()?));
    let mut put = |line: String| to.write_all(line.as_bytes()).map_err(|e| disk::fault("write", folder, &e));
    cores::stream(found(folder)?.into_iter().map(Ok), &line, &mut put)
}

/// The documents of the folder. What has another name or ending is a file that documents may name.
fn found(folder: &Path) -> Result<Vec<(Form, String)>, Fault> {
    let mut found = Vec::new();
    for (place, form) in PLACES {
        let names = if place.ends_with('/') {
            below(folder, place)?
        } else {
            let names = ENDINGS.iter().map(|ending| format!("{place}{ending}"));
            names.filter(|name| disk::exists(&folder.join(name))).collect()
        };
        if let ([one, other], false) = (names.as_slice(), place.ends_with('/')) {
            return Err(COMPOSED
                .fault(format!("{}: {one} and {other} both stand there", folder.display()))
                .hint("take one of the two away"));
        }
        if form == Form::EntityConfiguration && names.is_empty() {
            return Err(COMPOSED
                .fault(format!("{}: there is no anchor.toml", folder.display()))
                .hint("it says what the entity's own configuration says"));
        }
        found.extend(names.into_iter().map(|name| (form, name)));
    }
    check_unread(folder, &found)?;
    Ok(found)
}

/// Refuses what its ending says to be a document, and stands where nobody looks for one: who wrote it believes it is signed.
/// Files that documents name have other endings, or are JSON.
fn check_unread(folder: &Path, found: &[(Form, String)]) -> Result<(), Fault> {
    let read: HashSet<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
    let is_meant = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let ending = name.rfind('.').and_then(|at| name.get(at..)).unwrap_or_default();
        let is_json = ending != ".json" && ending.eq_ignore_ascii_case(".json");
        !path.split('/').any(|part| part.starts_with('.'))
            && (is_json || ending.eq_ignore_ascii_case(".toml"))
    };
    let unread = Below::open(folder)?.strays(&|path| read.contains(path) || !is_meant(path));
    if unread.count == 0 {
        return Ok(());
    }
    Err(COMPOSED
        .fault(format!("{}: nobody reads {}", folder.display(), unread.named.join(", ")))
        .hint("documents are anchor, historical-keys and jwk-set, and those directly in subordinates/ and trust-marks/, as .toml or .json in these letters; take others away"))
}

/// The documents in a folder of the folder, by name.
fn below(folder: &Path, place: &str) -> Result<Vec<String>, Fault> {
    let path = folder.join(place);
    if !disk::exists(&path) {
        return Ok(vec![]);
    }
    let is_document =
        |name: &String| !name.starts_with('.') && ENDINGS.iter().any(|ending| name.ends_with(ending));
    let mut names: Vec<String> = disk::names(&path)?.into_iter().filter(is_document).collect();
    names.sort_unstable();
    for name in &names {
        check_name(name).map_err(|why| COMPOSED.fault(format!("{}: {name} {why}", path.display())))?;
    }
    Ok(names.into_iter().map(|name| format!("{place}{name}")).collect())
}

/// A document with the files that it names.
fn opened(folder: &Path, form: Form, name: &str) -> Result<Document, Fault> {
    kind_of(form).open(&folder.join(name))
}

/// Reads the list that [`Kind::open`] made, line by line.
fn listed(document: &Document) -> impl Iterator<Item = Result<Input, Fault>> + Send {
    let wrong = || COMPOSED.fault(format!("{} is no list of a federation's documents", document.name()));
    let input = |line: &str| {
        let (digest, name) = line.split_once("  ")?;
        let (_, form) = PLACES.into_iter().find(|(place, _)| name.starts_with(place))?;
        Some(Input { form, name: name.to_owned(), digest: digest.parse().ok()? })
    };
    let lines = BufReader::new(document.reader()).lines();
    lines.map(move |line| line.ok().and_then(|line| input(&line)).ok_or_else(wrong))
}
