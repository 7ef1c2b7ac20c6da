//! The review of a federation: every document as its kind reviews it, on every core, and then all of them together.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::names::Names;
use super::tree::{Place, Tree, parts, timeless};
use super::{Input, kind_of, listed, opened, server};
use crate::artefact::openid::Form;
use crate::artefact::openid::signing::thumbprints;
use crate::artefact::{BATCH, COMPOSED, Member, Prepared, Surroundings, Terms, VaultKey, digest_of, jwt};
use crate::base::bytes::Digest;
use crate::base::cores;
use crate::base::disk::{self, CHANGED, Document, Pending};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::random;
use crate::format::json::{Map, Value};
use crate::key::Line;
use crate::policy::{Examined, Examiner, Fact, Facts, Finding, Last, Print, Profile, Standard};

/// The fact that the brake goes by.
const SUBORDINATES: &str = "subordinates";
/// New and changed documents that are told in full; `fedroot review` of one of them tells it, too.
const TOLD_MAX: usize = 50;

/// Reviews the documents of a list.
pub(super) fn review(
    document: &Document,
    terms: &Terms<'_>,
    spare: Pending,
    record: &mut dyn Write,
) -> Result<Tree, Fault> {
    let folder = document.path().ok_or_else(|| {
        COMPOSED.fault("a federation is a folder, not a stream").hint("name the folder with anchor.toml")
    })?;
    let inputs = listed(document)?;
    let (anchor, others) = inputs.split_first().ok_or_else(|| INTERNAL.fault("the list is empty"))?;
    for input in &inputs {
        terms.profile.allow(input.form.name(), &terms.key.line)?;
    }
    let work = Work { folder, spare: Mutex::new(Spare { file: spare, length: 0 }) };
    let own = work.prepared(anchor, terms, |own| {
        let claims = parts(own.octets()).map(|(_, claims)| claims).unwrap_or_default();
        Ok((claims, own.facts().clone()))
    })?;
    let ((claims, mut facts), first) = own;
    let names = Names::promised(&terms.profile.openid.entity_id, &claims)?;
    let mut together = Together::new(terms, claims, facts.clone());
    let mut reviewed = vec![first];
    let (statements, rest): (Vec<&Input>, Vec<&Input>) =
        others.iter().partition(|input| input.form == Form::SubordinateStatement);
    reviewed.extend(work.all(&statements, &together.terms(terms))?);
    if !rest.is_empty() {
        together.learn(reviewed.iter().filter(|one| one.form == Form::SubordinateStatement), terms)?;
    }
    let with = together.terms(terms);
    reviewed.extend(work.all(&rest, &with)?);

    let count = reviewed.iter().filter(|one| one.form == Form::SubordinateStatement).count();
    facts.add(SUBORDINATES, count.to_string());
    let examined = examine(&mut reviewed, &facts, &names, terms, record)?;
    tell(&mut facts, &reviewed, &inputs, &names, &work, &with)?;
    let (members, places) = lay_out(reviewed, &names)?;
    let of_statements = places.iter().filter(|place| place.form == Form::SubordinateStatement);
    let mut subjects: Vec<&str> = of_statements.map(|place| place.subject.as_str()).collect();
    subjects.sort_unstable();
    let forms: Vec<Form> = inputs.iter().map(|input| input.form).collect();
    let beside = server::beside(&names, &subjects, &forms);
    Ok(Tree {
        facts,
        examined,
        digest: digest_of(document)?,
        public: terms.public.clone(),
        scheme: jwt::scheme(terms.public, &terms.profile.openid.alg)?,
        limits: terms.profile.openid.clone(),
        now: terms.now,
        names,
        members,
        places,
        beside,
        spare: work
            .spare
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .file
            .document("what was reviewed")?,
    })
}

/// One document that was reviewed.
struct Reviewed {
    form: Form,
    file: String,
    subject: String,
    keys: Vec<String>,
    print: Print,
    findings: Vec<Finding>,
    /// Whether it is not what was signed last.
    is_news: bool,
    octets: Range<u64>,
    record: Range<u64>,
}

/// Where documents wait.
struct Spare {
    file: Pending,
    length: u64,
}

struct Work<'a> {
    folder: &'a Path,
    spare: Mutex<Spare>,
}

impl Work<'_> {
    fn all(&self, inputs: &[&Input], terms: &Terms<'_>) -> Result<Vec<Reviewed>, Fault> {
        cores::each(inputs.len(), &|at| {
            let input = inputs.get(at).ok_or_else(|| INTERNAL.fault("a document is gone"))?;
            Ok(self.prepared(input, terms, |_| Ok(()))?.1)
        })
    }

    /// Reviews a document as its kind does, and keeps what would be signed.
    fn prepared<T>(
        &self,
        input: &Input,
        terms: &Terms<'_>,
        then: impl FnOnce(&dyn Prepared) -> Result<T, Fault>,
    ) -> Result<(T, Reviewed), Fault> {
        let (mut record, name) = (Vec::new(), &input.name);
        let (said, mut reviewed, octets) =
            self.with(input, terms, Some(&mut record), |prepared, subject| {
                let (_, mut claims) = parts(prepared.octets()).ok_or_else(|| INTERNAL.fault("no claims"))?;
                let keys = thumbprints(prepared.facts())?;
                let print = print(&mut claims, keys.clone());
                let examined = prepared.examined();
                let is_news = examined.difference.as_ref().is_none_or(|difference| !difference.is_none());
                let mut findings = examined.findings.clone();
                // A second run in the same second has nothing to sign: what says the same stands.
                findings.retain(|finding| is_news || finding.rule.id != "openid.iat.order");
                let reviewed = Reviewed {
                    form: input.form,
                    file: name.clone(),
                    subject,
                    keys,
                    print,
                    findings,
                    is_news,
                    octets: 0..0,
                    record: 0..0,
                };
                Ok((then(prepared)?, reviewed, prepared.octets().to_vec()))
            })?;
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        reviewed.octets = spare.keep(&octets)?;
        reviewed.record = spare.keep(&record)?;
        Ok((said, reviewed))
    }

    /// Opens a document, makes sure that it is the one that was listed, and prepares it.
    fn with<T>(
        &self,
        input: &Input,
        terms: &Terms<'_>,
        record: Option<&mut dyn Write>,
        then: impl FnOnce(&dyn Prepared, String) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let kind = kind_of(input.form);
        let document = opened(self.folder, input.form, &input.name)?;
        if digest_of(&document)? != input.digest {
            return Err(CHANGED
                .fault(format!("{}, or a file that it names, changed while it was read", input.name))
                .hint("wait until nobody writes to the folder"));
        }
        let at = |fault: Fault| fault.at(&input.name);
        let subject = kind.subject(&document).map_err(at)?;
        let last = terms.vault.last(&terms.key.line, kind.name(), &subject)?;
        let terms = again(terms, terms.vault, last.as_ref());
        let prepared = kind.prepare(&document, &terms, &mut random::system(), record).map_err(at)?;
        then(prepared.as_ref(), subject).map_err(at)
    }
}

impl Spare {
    fn keep(&mut self, bytes: &[u8]) -> Result<Range<u64>, Fault> {
        let start = self.length;
        self.file.write_all(bytes).map_err(|e| disk::fault("write", "what was reviewed".as_ref(), &e))?;
        self.length += bytes.len() as u64;
        Ok(start..self.length)
    }
}

/// The same terms with other surroundings and another past.
fn again<'a>(terms: &Terms<'a>, vault: &'a dyn Surroundings, last: Option<&'a Last>) -> Terms<'a> {
    Terms {
        key: terms.key,
        public: terms.public,
        certificate: terms.certificate,
        profile: terms.profile,
        now: terms.now,
        last,
        vault,
        released: terms.released,
    }
}

/// What stands around a document that is signed together with others.
struct Together<'a> {
    outer: &'a dyn Surroundings,
    claims: Map<String, Value>,
    configuration: Arc<Vec<(Line, Facts)>>,
    statements: Option<Arc<Vec<(Line, Facts)>>>,
}

impl<'a> Together<'a> {
    fn new(terms: &Terms<'a>, claims: Map<String, Value>, facts: Facts) -> Self {
        let configuration = Arc::new(vec![(terms.key.line.clone(), facts)]);
        Self { outer: terms.vault, claims, configuration, statements: None }
    }

    fn terms<'t>(&'t self, terms: &Terms<'t>) -> Terms<'t> {
        again(terms, self, None)
    }

    /// Learns whom statements are about.
    fn learn<'r>(
        &mut self,
        statements: impl Iterator<Item = &'r Reviewed>,
        terms: &Terms<'_>,
    ) -> Result<(), Fault> {
        let is_asked_for = |fact: &Fact| matches!(fact.path.as_str(), "sub" | "iat" | "kid");
        let signed = self.outer.signed(Form::SubordinateStatement.name())?;
        let mut all: Vec<(Line, Facts)> =
            signed.iter().map(|(line, facts)| (line.clone(), facts.only(is_asked_for))).collect();
        all.extend(statements.map(|one| {
            let mut facts = Facts::default();
            facts.add("sub", &one.subject);
            (terms.key.line.clone(), facts)
        }));
        self.statements = Some(Arc::new(all));
        Ok(())
    }
}

impl Surroundings for Together<'_> {
    fn keys(&self) -> Result<Arc<Vec<VaultKey>>, Fault> {
        self.outer.keys()
    }

    fn profiles(&self) -> Result<Arc<Vec<(Line, Profile)>>, Fault> {
        self.outer.profiles()
    }

    fn signed(&self, kind: &str) -> Result<Arc<Vec<(Line, Facts)>>, Fault> {
        match &self.statements {
            _ if kind == Form::EntityConfiguration.name() => Ok(self.configuration.clone()),
            Some(statements) if kind == Form::SubordinateStatement.name() => Ok(statements.clone()),
            _ => self.outer.signed(kind),
        }
    }

    fn last(&self, line: &Line, kind: &str, subject: &str) -> Result<Option<Last>, Fault> {
        self.outer.last(line, kind, subject)
    }

    fn holders(&self, number: &str, but: (&Line, &str)) -> Result<Vec<(Line, Facts)>, Fault> {
        self.outer.holders(number, but)
    }

    fn configuration(&self) -> Option<&Map<String, Value>> {
        Some(&self.claims)
    }
}

/// Puts together what was found in each document, finds what only shows between them, and compares with the batch before.
fn examine(
    reviewed: &mut [Reviewed],
    facts: &Facts,
    names: &Names,
    terms: &Terms<'_>,
    record: &mut dyn Write,
) -> Result<Examined, Fault> {
    let standard =
        Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
    let mut examiner = Examiner::new("federation", &[], standard, terms.last, Some(record));
    let (mut kept, mut rekeyed) = (0, 0);
    let found: Vec<_> = reviewed.iter_mut().map(|one| std::mem::take(&mut one.findings)).collect();
    let mut holders: HashMap<&str, (&str, &str)> = HashMap::new();
    for (one, found) in reviewed.iter().zip(found) {
        let is_statement = one.form == Form::SubordinateStatement;
        examiner.adopt(&one.file, found);
        for key in one.keys.iter().filter(|_| is_statement) {
            let own = (one.subject.as_str(), one.file.as_str());
            let (other, file) = *holders.entry(key).or_insert(own);
            if other != one.subject {
                let detail = format!("{}: the key {key} is one of {other}, too, as {file} has it", one.file);
                examiner.breach("openid.subject.key-taken", &one.subject, detail);
            }
        }
        let differs = examiner.member(&names.id(one.form, &one.subject), &one.print);
        if let Some(differs) = differs.filter(|_| is_statement) {
            kept += 1;
            rekeyed += u64::from(differs);
        }
    }
    brake(&mut examiner, terms, (kept, rekeyed));
    examiner.finish(facts)
}

/// What tells a document, whenever it is signed.
fn print(claims: &mut Map<String, Value>, keys: Vec<String>) -> Print {
    claims.remove("jwks");
    let texts = |names: &[&str]| -> Vec<String> {
        names.iter().filter_map(|name| Some(format!("{name}\0{}", claims.get(*name)?))).collect()
    };
    let parts = [
        keys,
        texts(&["metadata_policy", "metadata_policy_crit"]),
        texts(&["constraints"]),
        texts(&["metadata"]),
        texts(&["trust_mark_issuers", "trust_mark_owners", "trust_marks"]),
    ];
    Print::of_member(parts, Digest::of(timeless(std::mem::take(claims)).as_bytes()).as_bytes())
}

/// Stops sudden change: of those that statements were signed about, so many are still here, and so many have other keys.
fn brake(examiner: &mut Examiner<'_>, terms: &Terms<'_>, (kept, rekeyed): (u64, u64)) {
    let Some(brake) = &terms.profile.brake else { return };
    let before = terms.last.and_then(|last| last.facts().value(SUBORDINATES)?.parse::<u64>().ok());
    let before = before.unwrap_or_default();
    let (gone, max) = (before.saturating_sub(kept), brake.removed_percent_max);
    if gone * 100 > before * max {
        let detail = format!("{gone} of {before} subordinates are gone; the brake allows {max} %");
        examiner.breach("federation.brake.removed", "", detail);
    }
    if rekeyed > brake.keys_changed_max {
        let max = brake.keys_changed_max;
        let detail = format!("the keys of {rekeyed} subordinates differ; the brake allows {max}");
        examiner.breach("federation.brake.keys", "", detail);
    }
}

/// Tells of every document that it is there, and what the new and the changed ones say.
fn tell(
    facts: &mut Facts,
    reviewed: &[Reviewed],
    inputs: &[Input],
    names: &Names,
    work: &Work<'_>,
    terms: &Terms<'_>,
) -> Result<(), Fault> {
    facts.add_with("documents", reviewed.len().to_string(), "each signed on its own");
    for one in reviewed {
        let path = if one.form == Form::SubordinateStatement { "entity" } else { "document" };
        let remark = match one.keys.len() {
            0 => one.file.clone(),
            count => format!("{}, keys: {count}", one.file),
        };
        facts.add_with(path, names.id(one.form, &one.subject), remark);
    }
    let mut news = reviewed.iter().filter(|one| one.is_news && one.form != Form::EntityConfiguration);
    for one in news.by_ref().take(TOLD_MAX) {
        let Some(input) = inputs.iter().find(|input| input.name == one.file) else { continue };
        let id = names.id(one.form, &one.subject);
        let said = work.with(input, terms, None, |prepared, _| Ok(prepared.facts().clone()))?;
        for fact in said.iter() {
            let path = format!("{id} {}", fact.path);
            match &fact.remark {
                Some(remark) => facts.add_with(path, &fact.value, remark),
                None => facts.add(path, &fact.value),
            }
        }
    }
    let more = news.count();
    if more > 0 {
        facts.add(
            "more",
            format!("{more} more new or changed documents; `fedroot review` tells each of them"),
        );
    }
    Ok(())
}

/// Gives every document its name in the tree. Refuses two documents under one name.
fn lay_out(reviewed: Vec<Reviewed>, names: &Names) -> Result<(Vec<Member>, Vec<Place>), Fault> {
    let mut paths: BTreeMap<String, String> = BTreeMap::new();
    let list = names.list.clone().map(|path| (path, "the list of subordinates".to_owned()));
    paths.extend(list);
    let (mut members, mut places) = (Vec::new(), Vec::new());
    for Reviewed { form, file, subject, octets, record, .. } in reviewed {
        let id = names.id(form, &subject);
        let path = names.promised_path(form, &id, &file)?;
        if let Some(other) = paths.get(&path) {
            let what = format!("{other} and {file} are both about {subject}, and would be one file: {path}");
            return Err(BATCH.fault(what).hint("a name stands for one document: take one of the two out"));
        }
        paths.insert(path.clone(), file);
        members.push(Member { id: id.into(), names: [path].into(), length: octets.end - octets.start });
        places.push(Place { form, subject, octets, record });
    }
    Names::check(&paths)?;
    Ok((members, places))
}
