//! What a stranger finds in a published tree: the configuration, and every document where it belongs, signed with a key of it.
//! Of each only what the rest is held against stays.

use std::path::Path;

use super::names::Names;
use super::tree::{self, media_type, parts};
use super::{PLACES, server};
use crate::artefact::openid::{Form, Statement, signing, trust_mark};
use crate::artefact::published::{Entry, Published, Status, Wrong};
use crate::artefact::{ALTERED, Verified};
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, JwkSet};
use crate::key::PublicKey;
use crate::policy::Facts;

/// What mends a tree.
const MEND: &str =
    "take the tree as `fedroot sign federation` wrote it; a second run mends it where the key is";

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
struct Stranger<'d> {
    tree: Published<'d>,
    configuration: Statement,
    entity: String,
    keys: JwkSet,
    names: Names,
}

/// What was found in it.
#[derive(Default)]
struct Found {
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

/// Verifies a tree as `sign federation` writes it.
///
/// # Errors
///
/// Those of the configuration, whose signature is the only one that is trusted by itself; `verify.altered` for everything else
/// that is not as it was written.
pub(super) fn verify(index: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
    let tree = Published::open(index)?;
    let path = Names::default().path("").unwrap_or_default();
    let text = tree.read(&path)?;
    let document = Document::from_path(&tree.root().join(&path), text.clone());
    let verified = signing::verify(Form::EntityConfiguration, &document, trust)?;
    let configuration = Statement::read(str::from_utf8(&text).unwrap_or_default())?;
    let entity = configuration.iss().to_owned();
    let names = Names::promised(&entity, configuration.claims())?;
    let keys = configuration.keys()?;
    let stranger = Stranger { tree, configuration, entity, keys, names };
    let root = stranger.tree.root().display();
    let (found, wrong) = stranger.look()?;
    wrong.check(&format!("{root}: the configuration is good, but "), MEND)?;
    let mut facts = Facts::default();
    facts.add("issuer", &stranger.entity);
    facts.add("subordinates", found.subjects.len().to_string());
    facts.add("trust marks", found.marks.to_string());
    for key in thumbprints(&stranger.keys) {
        facts.add("key", key);
    }
    let (end, first) = found.first.unzip();
    facts.add("valid until", end.map_or_else(|| "for ever".to_owned(), |end| end.to_string()));
    let (missing, count) = (stranger.missing(), stranger.tree.count());
    let of_files = [("files", count.into()), ("gone", found.gone.into())];
    let unjudged = (found.unjudged > 0).then(|| ("trust_marks_not_judged", found.unjudged.into()));
    let promised = (!missing.is_empty()).then(|| ("promised_and_missing", missing.join(", ").into()));
    let first = first.map(|first| (Verified::FIRST_TO_END, first.into()));
    Ok(Verified {
        facts,
        covers: format!("all {count} files of {root}, and there are no others"),
        coverage: of_files.into_iter().chain(unjudged).chain(promised).chain(first).collect(),
        commands: None,
        key: verified.key,
        scheme: verified.scheme,
        valid_from: found.made,
        valid_until: end,
    })
}

impl Stranger<'_> {
    /// Looks at every document of the index and at every file of the tree.
    fn look(&self) -> Result<(Found, Wrong), Fault> {
        let mut found = Found::default();
        let mut take = |entry: Entry, seen: Option<Option<Seen>>| match seen {
            Some(seen) => found.take(&entry, seen),
            None => found.spoiled.push(entry.name().to_owned()),
        };
        let mut wrong = self.tree.look(&|entry, bytes| self.judge(entry, bytes), &mut take)?;
        self.compare(&mut found, &mut wrong)?;
        Ok((found, wrong))
    }

    /// What a document says that is where it belongs.
    fn judge(&self, entry: &Entry, bytes: Vec<u8>) -> Result<Option<Seen>, Fault> {
        if entry.names.len() != 1 {
            return Err(ALTERED.fault("is described wrongly in the index: it has one name"));
        }
        if entry.status == Status::Unsigned {
            return Ok(None);
        }
        let text = String::from_utf8(bytes).map_err(|_| ALTERED.fault("is not text"))?;
        let statement =
            Statement::read(&text).map_err(|fault| ALTERED.fault(format!("cannot be read: {fault}")))?;
        let (form, sub) = (statement.form(), statement.sub());
        let subject = match form {
            Form::TrustMark => format!("{} {sub}", statement.text("trust_mark_type")),
            _ => sub.to_owned(),
        };
        let id = self.names.id(form, &subject);
        let is_published = PLACES.iter().any(|(_, own)| *own == form) && statement.iss() == self.entity;
        if !is_published || id != entry.id || entry.names != self.names.path(&id).as_slice() {
            let (name, iss) = (form.name(), statement.iss());
            return Err(
                ALTERED.fault(format!("is in the wrong place: it is a {name} of {iss} about {subject}"))
            );
        }
        let kid = statement.header().and_then(|header| header.kid()).unwrap_or_default();
        let key = self.keys.find(kid).ok_or_else(|| {
            ALTERED.fault(format!("is signed with the key '{kid}', which the configuration does not list"))
        })?;
        let key = std::slice::from_ref(key.key());
        let document = Document::from_path(Path::new(entry.name()), text.clone().into_bytes());
        let not_good = |fault: &dyn std::fmt::Display| ALTERED.fault(format!("is not good: {fault}"));
        signing::verify(form, &document, key).map_err(|fault| not_good(&fault))?;
        let is_mark = form == Form::TrustMark && entry.status != Status::Gone;
        let is_unjudged = is_mark && !self.lets(&statement).map_err(|why| not_good(&why))?;
        let (made, end) = (statement.date("iat"), statement.date("exp"));
        let content = text.rsplit_once('.').and_then(|(octets, _)| parts(octets.as_bytes()));
        let content = content.map(|(head, claims)| tree::content(head, &claims));
        let end_text = end.map(|end| end.to_string());
        let is_content = |told: &str| content.is_some_and(|own| own.to_string() == told);
        entry.check_described(media_type(form), end_text.as_deref(), is_content)?;
        let keys = match form {
            Form::HistoricalKeys | Form::SignedJwkSet => {
                let keys = statement.keys();
                thumbprints(&keys.map_err(|fault| ALTERED.fault(format!("has unfit keys: {fault}")))?)
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
            Ok(Some(why)) => Err(why),
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// What only shows between the documents.
    fn compare(&self, found: &mut Found, wrong: &mut Wrong) -> Result<(), Fault> {
        found.subjects.sort_unstable();
        if !found.forms.contains(&Form::EntityConfiguration) {
            wrong.add("the index does not have the configuration");
        }
        let subjects: Vec<&str> = found.subjects.iter().map(String::as_str).collect();
        for (name, _, expected) in server::beside(&self.names, &subjects, &found.forms) {
            if found.spoiled.contains(&name) {
                continue;
            }
            if !found.unsigned.contains(&name) {
                wrong.add(format!("{name} is not in the index"));
            } else if self.tree.read(&name)? != expected {
                wrong.add(format!("{name} does not say what the signed documents say"));
            }
            found.unsigned.retain(|own| *own != name);
        }
        found.unsigned.drain(..).for_each(|name| wrong.add(format!("{name} is signed by nobody")));
        let own = thumbprints(&self.keys);
        for (keys, what) in
            [(&found.historical, "is no longer used"), (&found.protocol, "is for other protocols")]
        {
            for key in keys.iter().filter(|key| own.contains(key)) {
                wrong.add(format!("the key {key} of the configuration {what}, as another file says"));
            }
        }
        Ok(())
    }

    /// What the configuration promises and nobody wrote. It is not wrong: an endpoint may answer elsewhere.
    fn missing(&self) -> Vec<String> {
        let promised = [&self.names.history, &self.names.keys];
        promised.into_iter().flatten().filter(|name| !self.tree.has(name)).cloned().collect()
    }
}

impl Found {
    fn take(&mut self, entry: &Entry, seen: Option<Seen>) {
        let name = entry.name().to_owned();
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

fn thumbprints(keys: &JwkSet) -> Vec<String> {
    keys.keys.iter().map(Jwk::thumbprint).collect()
}
