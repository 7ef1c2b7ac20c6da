//! The review of a federation: every document as its kind reviews it, on every core, and then all of them together.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::cards::{Card, Cards, Place, Waiting};
use super::names::Names;
use super::tree::{Beside, Tree, parts, timeless};
use super::{Input, listed, opened, server};
use crate::artefact::openid::Form;
use crate::artefact::openid::identifier;
use crate::artefact::openid::signing::{self, LIFETIME, thumbprints};
use crate::artefact::{COMPOSED, Members, Prepared, Surroundings, Terms, VaultKey, jwt};
use crate::base::bytes::Digest;
use crate::base::clock::Span;
use crate::base::cores;
use crate::base::disk::{CHANGED, Document, Pending};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::text::Texts;
use crate::format::json::{Map, Value};
use crate::key::Line;
use crate::policy::{Differs, Examined, Examiner, Facts, Finding, Last, Print, Profile, Standard};

/// The fact that the brake goes by.
const SUBORDINATES: &str = "subordinates";

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
    let shelf = Waiting::new(spare)?;
    let profile = terms.profile.untold();
    let work = Work { folder, shelf: &shelf, profile: &profile };
    let allowed = |input: Result<Input, Fault>| {
        let input = input?;
        terms.profile.allow(input.form.name(), &terms.key.line)?;
        Ok(input)
    };
    let mut list = listed(document).map(allowed).peekable();
    let anchor = list.next().unwrap_or_else(|| Err(INTERNAL.fault("the list is empty")))?;
    let own = work.prepared(anchor, terms, |own| {
        let claims = parts(&own.octets().concat()).map(|(_, claims)| claims).unwrap_or_default();
        Ok((claims, own.facts().clone()))
    })?;
    let ((claims, mut facts), first) = own;
    let names = Names::promised(&terms.profile.openid.entity_id, &claims)?;
    let mut together = Together::new(terms, claims, facts.clone());
    let mut meeting = Meeting::new(&names, &shelf, terms, record);
    meeting.take(first)?;
    let is_statement = |input: &Result<Input, Fault>| {
        input.as_ref().is_ok_and(|input| input.form == Form::SubordinateStatement)
    };
    let statements = std::iter::from_fn(|| list.next_if(is_statement));
    work.each(statements, &together.terms(terms), &mut |one| meeting.take(one))?;
    together.subjects = meeting.subjects.take();
    let with = together.terms(terms);
    work.each(list, &with, &mut |one| meeting.take(one))?;

    facts.add(SUBORDINATES, meeting.statements.to_string());
    let Met { places, forms, news, examined } = meeting.examined(&facts, terms)?;
    facts.add_with("documents", places.len().to_string(), "each signed on its own");
    let cards = Arc::new(Cards::new(names, shelf, places, news)?);
    let beside = beside(&cards, &forms)?;
    Ok(Tree {
        facts,
        examined,
        digest: document.digest()?,
        public: terms.public.clone(),
        scheme: jwt::scheme(terms.public, &terms.profile.openid.alg)?,
        limits: terms.profile.openid.clone(),
        now: terms.now,
        members: cards.clone(),
        cards,
        beside,
    })
}

/// What stands in the tree unsigned.
fn beside(cards: &Cards, forms: &[Form]) -> Result<Vec<Beside>, Fault> {
    let mut subjects = Texts::default();
    let mut take = |card: Card| {
        if card.form() == Form::SubordinateStatement {
            subjects.push(&card.subject);
        }
        Ok(())
    };
    cores::stream((0..Members::count(cards)).map(Ok), &|place| cards.card(place), &mut take)?;
    let sorted: Vec<&str> = subjects.sorted().into_iter().map(|place| subjects.get(place)).collect();
    Ok(server::beside(&cards.names, &sorted, forms))
}

/// One document that was reviewed.
struct Reviewed {
    form: Form,
    card: Card,
    place: Place,
    keys: Vec<String>,
    /// Those that serve the protocols of its subject.
    protocols: Vec<String>,
    print: Print,
    findings: Vec<Finding>,
    /// Whether what it says is not what was signed last.
    is_news: bool,
}

struct Work<'a> {
    folder: &'a Path,
    /// Where documents wait.
    shelf: &'a Waiting,
    /// The profile, whose settings the batch as a whole tells.
    profile: &'a Profile,
}

impl Work<'_> {
    /// Reviews documents on every core, and hands them on in their order.
    fn each(
        &self,
        inputs: impl Iterator<Item = Result<Input, Fault>> + Send,
        terms: &Terms<'_>,
        take: &mut dyn FnMut(Reviewed) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        cores::stream(inputs, &|input| Ok(self.prepared(input, terms, |_| Ok(()))?.1), take)
    }

    /// Reviews a document as its kind does, and keeps what would be signed.
    fn prepared<T>(
        &self,
        input: Input,
        terms: &Terms<'_>,
        then: impl FnOnce(&dyn Prepared) -> Result<T, Fault>,
    ) -> Result<(T, Reviewed), Fault> {
        let mut record = Vec::new();
        let (subject, protocols, (said, octets, found)) =
            self.with(&input, terms, Some(&mut record), |prepared| {
                let octets = prepared.octets().concat();
                let (_, claims) = parts(&octets).ok_or_else(|| INTERNAL.fault("no claims"))?;
                let keys = thumbprints(prepared.facts())?;
                let lifetime = prepared.facts().value(LIFETIME).map(str::to_owned);
                let print = print(claims, keys.clone(), lifetime.as_deref());
                let examined = prepared.examined();
                let is_news = examined.difference.as_ref().is_none_or(|difference| !difference.is_none());
                let mut findings = examined.findings.clone();
                // A second run in the same second has nothing to sign: what says the same stands.
                findings.retain(|finding| is_news || finding.rule.id != "openid.iat.order");
                let lifetime = lifetime.and_then(|text| Span::parse(&text).ok());
                Ok((then(prepared)?, octets, (keys, print, findings, is_news, lifetime)))
            })?;
        let (keys, print, findings, is_news, lifetime) = found;
        let form = input.form;
        let card = Card::new(form, input.name, subject, keys.len(), octets.len()).lasting(lifetime);
        let place = Place::of(self.shelf, &card, &octets, &record)?;
        Ok((said, Reviewed { form, card, place, keys, protocols, print, findings, is_news }))
    }

    /// Opens a document, makes sure that it is the one that was listed, and prepares it. Yields whom it is about, the keys that
    /// serve the protocols of that, and what is made of it then.
    fn with<T>(
        &self,
        input: &Input,
        terms: &Terms<'_>,
        record: Option<&mut dyn Write>,
        then: impl FnOnce(&dyn Prepared) -> Result<T, Fault>,
    ) -> Result<(String, Vec<String>, T), Fault> {
        let document = opened(self.folder, input.form, &input.name)?;
        if document.digest()? != input.digest {
            return Err(CHANGED
                .fault(format!("{}, or a file that it names, changed while it was read", input.name))
                .hint("wait until nobody writes to the folder"));
        }
        let at = |fault: Fault| fault.at(&input.name);
        let decided = signing::decided(input.form, &document).map_err(at)?;
        let subject = decided.subject().map_err(at)?;
        let last = terms.vault.last(&terms.key.line, input.form.name(), &subject)?;
        let terms = Terms { profile: self.profile, ..again(terms, terms.vault, last.as_ref()) };
        let (prepared, protocols) = decided.prepare(&document, &terms, record).map_err(at)?;
        Ok((subject, protocols, then(prepared.as_ref()).map_err(at)?))
    }
}

/// The same terms with other surroundings and another past.
fn again<'a>(terms: &Terms<'a>, vault: &'a dyn Surroundings, last: Option<&'a Last>) -> Terms<'a> {
    Terms { last, vault, ..*terms }
}

/// What stands around a document that is signed together with others.
struct Together<'a> {
    outer: &'a dyn Surroundings,
    here: &'a Line,
    claims: Map<String, Value>,
    configuration: Arc<Vec<(Line, Facts)>>,
    subjects: Hashes,
}

impl<'a> Together<'a> {
    fn new(terms: &Terms<'a>, claims: Map<String, Value>, facts: Facts) -> Self {
        let here = &terms.key.line;
        let configuration = Arc::new(vec![(here.clone(), facts)]);
        Self { outer: terms.vault, here, claims, configuration, subjects: Hashes::default() }
    }

    fn terms<'t>(&'t self, terms: &Terms<'t>) -> Terms<'t> {
        again(terms, self, None)
    }
}

/// Whom statements are about, as hashes of 64 bits under a key that is drawn for each run: nobody can choose two that fall
/// together.
#[derive(Default)]
struct Hashes {
    hash: RandomState,
    all: HashSet<u64>,
}

impl Hashes {
    fn add(&mut self, text: &str) {
        self.all.insert(self.hash.hash_one(text));
    }

    fn has(&self, text: &str) -> bool {
        self.all.contains(&self.hash.hash_one(text))
    }

    fn take(&mut self) -> Self {
        std::mem::take(self)
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
        if kind == Form::EntityConfiguration.name() {
            Ok(self.configuration.clone())
        } else {
            self.outer.signed(kind)
        }
    }

    fn is_subordinate(&self, here: &Line, sub: &str) -> Result<bool, Fault> {
        Ok(here == self.here && self.subjects.has(sub) || self.outer.is_subordinate(here, sub)?)
    }

    fn last(&self, line: &Line, kind: &str, subject: &str) -> Result<Option<Last>, Fault> {
        self.outer.last(line, kind, subject)
    }

    fn has_signed(&self, line: &Line, kind: &str, subject: &str) -> Result<bool, Fault> {
        self.outer.has_signed(line, kind, subject)
    }

    fn holders(&self, number: &str, but: (&Line, &str)) -> Result<Vec<(Line, Facts)>, Fault> {
        self.outer.holders(number, but)
    }

    fn configuration(&self) -> Option<&Map<String, Value>> {
        Some(&self.claims)
    }
}

/// All documents of a federation, one after the other: what was found in each, what only shows between them, and how they
/// compare with the batch before.
struct Meeting<'a> {
    names: &'a Names,
    shelf: &'a Waiting,
    examiner: Examiner<'a>,
    places: Vec<Place>,
    /// The forms of which there is one document.
    forms: Vec<Form>,
    /// New and changed documents by their places, and by what differs in each.
    news: Vec<(Differs, usize)>,
    statements: usize,
    subjects: Hashes,
    /// Who has which key, by its place, and whose protocols the first of them serves. Keys stand here as hashes as subjects do.
    holders: HashMap<u64, usize>,
    served: HashMap<u64, usize>,
    /// The same of the places where subjects are.
    sites: HashMap<u64, usize>,
    hash: RandomState,
    kept: u64,
    rekeyed: u64,
}

/// What became of it.
struct Met {
    places: Vec<Place>,
    forms: Vec<Form>,
    /// The documents that are not what was signed last, the riskiest first.
    news: Vec<usize>,
    examined: Examined,
}

impl<'a> Meeting<'a> {
    fn new(names: &'a Names, shelf: &'a Waiting, terms: &Terms<'a>, record: &'a mut dyn Write) -> Self {
        let standard =
            Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
        Self {
            names,
            shelf,
            examiner: Examiner::new("federation", &[], standard, terms.last, Some(record)),
            places: vec![],
            forms: vec![],
            news: vec![],
            statements: 0,
            subjects: Hashes::default(),
            holders: HashMap::new(),
            served: HashMap::new(),
            sites: HashMap::new(),
            hash: RandomState::new(),
            kept: 0,
            rekeyed: 0,
        }
    }

    fn take(&mut self, one: Reviewed) -> Result<(), Fault> {
        let Reviewed { form, card, place, keys, protocols, print, findings, is_news } = one;
        self.examiner.adopt(&card.file, findings);
        for key in &keys {
            self.look(key, form, &card)?;
        }
        for key in &protocols {
            self.serves(key, &card)?;
        }
        let id = self.names.id(form, &card.subject);
        let differs = self.examiner.member(&id, &print);
        if form == Form::SubordinateStatement {
            self.kept += u64::from(differs.is_some());
            self.rekeyed += u64::from(differs.is_some_and(Differs::in_keys));
            self.statements += 1;
            self.subjects.add(&card.subject);
            self.alike(&card)?;
        } else if form != Form::TrustMark {
            self.forms.push(form);
        }
        if is_news && form != Form::EntityConfiguration {
            self.news.push((differs.unwrap_or(Differs::NEW), self.places.len()));
        }
        self.places.push(place);
        Ok(())
    }

    /// Looks whether a statement before is about the same place by another name.
    fn alike(&mut self, one: &Card) -> Result<(), Fault> {
        let hash = self.hash.hash_one(identifier::place(&one.subject));
        let Some(other) = self.sites.insert(hash, self.places.len()) else { return Ok(()) };
        let Some(other) = self.places.get(other) else { return Ok(()) };
        let other = other.card(self.shelf)?;
        if other.subject != one.subject {
            let detail =
                format!("{}: {} is the same place, as {} has it", one.file, other.subject, other.file);
            self.examiner.breach("openid.subject.alike", &one.subject, detail);
        }
        Ok(())
    }

    /// The document at which a key was first met.
    fn met(&self, at: Option<&usize>) -> Result<Option<Card>, Fault> {
        at.and_then(|place| self.places.get(*place)).map(|place| place.card(self.shelf)).transpose()
    }

    /// Looks whose federation key serves the protocols of a subject; its own is told of by its own rule.
    fn serves(&mut self, key: &str, one: &Card) -> Result<(), Fault> {
        let hash = self.hash.hash_one(key);
        self.served.entry(hash).or_insert(self.places.len());
        if let Some(other) = self.met(self.holders.get(&hash))? {
            self.taken(key, (&other, one));
        }
        Ok(())
    }

    /// Tells that a federation key of one subject serves the protocols of another.
    fn taken(&mut self, key: &str, (whose, one): (&Card, &Card)) {
        if whose.subject != one.subject {
            let (file, of) = (&one.file, &whose.file);
            let detail = format!("{file}: metadata holds the key {key} of {}, as {of} has it", whose.subject);
            self.examiner.breach("openid.subject.key-taken", &one.subject, detail);
        }
    }

    /// Looks who else has a key: another subordinate, or one whose key stands in another list.
    fn look(&mut self, key: &str, form: Form, one: &Card) -> Result<(), Fault> {
        let hash = self.hash.hash_one(key);
        if form == Form::SubordinateStatement
            && let Some(other) = self.met(self.served.get(&hash))?
        {
            self.taken(key, (one, &other));
        }
        let other = self.met(self.holders.get(&hash))?;
        let (subject, detail) = match (form, other) {
            (Form::SubordinateStatement, None) => {
                self.holders.insert(hash, self.places.len());
                return Ok(());
            }
            (Form::SubordinateStatement, Some(other)) if other.subject != one.subject => {
                let Card { subject, file, .. } = other;
                let detail =
                    format!("{}: the key {key} is one of {subject}, too, as {file} has it", one.file);
                (one.subject.clone(), detail)
            }
            (Form::HistoricalKeys | Form::SignedJwkSet, Some(other)) => {
                let detail = format!("{}: the key {key} stands in {}, too", other.file, one.file);
                (other.subject, detail)
            }
            _ => return Ok(()),
        };
        self.examiner.breach("openid.subject.key-taken", &subject, detail);
        Ok(())
    }

    fn examined(mut self, facts: &Facts, terms: &Terms<'_>) -> Result<Met, Fault> {
        brake(&mut self.examiner, terms, (self.kept, self.rekeyed));
        let Self { places, forms, mut news, examiner, .. } = self;
        news.sort_by_key(|(differs, _)| std::cmp::Reverse(*differs));
        let news = news.into_iter().map(|(_, place)| place).collect();
        Ok(Met { places, forms, news, examined: examiner.finish(facts)? })
    }
}

/// What tells a document, whenever it is signed: how long it is asked to be valid, too.
fn print(mut claims: Map<String, Value>, keys: Vec<String>, lifetime: Option<&str>) -> Print {
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
    let whole = [&timeless(&claims), lifetime.unwrap_or_default().as_bytes()].concat();
    Print::of_member(parts, Digest::of(&whole).as_bytes())
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
