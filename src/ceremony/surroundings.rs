//! What a vault knows beside one line, read when it is asked for, and once.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::artefact::{self, Listing, Revoked, VaultKey};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::{Class, Fault};
use crate::custody::{Catalogue, Record};
use crate::format::jose::number_of;
use crate::key::{KeyId, Line};
use crate::lifecycle::{HistoricalKey, KeyState, Stage};
use crate::policy::{Fact, Facts, Last, Profile};

/// The kind of which a line signs thousands: only what rules ask for is kept, and of keys only who has them.
const MANY: &str = "subordinate-statement";

/// The batch that has documents of that kind: its record has an item for each, by whom it is about.
const BATCH: &str = "federation";

type Signed = Arc<Vec<(Line, Facts)>>;

/// The surroundings of a document that is reviewed with this vault.
pub(super) struct Surroundings<'a> {
    catalogue: &'a Catalogue,
    keys: OnceLock<Arc<Vec<VaultKey>>>,
    profiles: OnceLock<Arc<Vec<(Line, Profile)>>>,
    signed: Mutex<BTreeMap<String, Signed>>,
    holders: OnceLock<Holders>,
    /// By line and kind: what was signed about one by one, and the record of the last batch.
    past: Mutex<BTreeMap<(Line, String), Arc<Past>>>,
}

/// About whom a line signed documents of a kind.
struct Past {
    /// Digests of subjects.
    alone: HashSet<String>,
    batch: Option<Last>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            keys: OnceLock::new(),
            profiles: OnceLock::new(),
            signed: Mutex::default(),
            holders: OnceLock::new(),
            past: Mutex::default(),
        }
    }

    fn past(&self, line: &Line, kind: &str) -> Result<Arc<Past>, Fault> {
        let mut known = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (line.clone(), kind.to_owned());
        if let Some(past) = known.get(&place) {
            return Ok(past.clone());
        }
        let alone = self.catalogue.subjects(line, kind)?;
        let batch = if kind == MANY { self.catalogue.last_signed(line, BATCH, "")? } else { None };
        let past = Arc::new(Past { alone, batch });
        known.insert(place, past.clone());
        Ok(past)
    }
}

impl artefact::Surroundings for Surroundings<'_> {
    fn keys(&self) -> Result<Arc<Vec<VaultKey>>, Fault> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys.clone());
        }
        let mut keys = Vec::new();
        for line in self.catalogue.lines()? {
            let channels = match self.catalogue.carrying(&line) {
                Ok(channels) => Some(channels),
                Err(fault) if fault.code().class == Class::Ledger => return Err(fault),
                // A profile that cannot be read stops its own line, and what carries its keys.
                Err(_) => None,
            };
            for record in self.catalogue.records(&line)? {
                keys.push(key(&record, channels.as_deref())?);
            }
        }
        Ok(self.keys.get_or_init(|| Arc::new(keys)).clone())
    }

    fn certificate(&self, key: &KeyId) -> Result<Option<String>, Fault> {
        super::review::certificate(self.catalogue, &self.catalogue.record(key)?).map(Some)
    }

    fn profiles(&self) -> Result<Arc<Vec<(Line, Profile)>>, Fault> {
        if let Some(profiles) = self.profiles.get() {
            return Ok(profiles.clone());
        }
        let mut profiles = Vec::new();
        for line in self.catalogue.lines()? {
            // One that cannot be read signs nothing.
            let profile = Profile::parse(&self.catalogue.profile_text(&line)?).ok();
            profiles.extend(profile.map(|profile| (line, profile)));
        }
        Ok(self.profiles.get_or_init(|| Arc::new(profiles)).clone())
    }

    fn signed(&self, kind: &str) -> Result<Signed, Fault> {
        let mut known = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = known.get(kind) {
            return Ok(signed.clone());
        }
        let mut signed = Vec::new();
        for line in self.catalogue.lines()? {
            self.catalogue.each_last_signed(&line, kind, &mut |last| {
                let facts = last.facts();
                signed.push((
                    line.clone(),
                    if kind == MANY { facts.only(is_asked_for) } else { facts.clone() },
                ));
            })?;
        }
        let signed = Arc::new(signed);
        known.insert(kind.to_owned(), signed.clone());
        Ok(signed)
    }

    fn is_subordinate(&self, here: &Line, sub: &str) -> Result<bool, Fault> {
        let is_here =
            |line: &Line| (line.tenant(), line.environment()) == (here.tenant(), here.environment());
        let mut lines = self.catalogue.lines()?.into_iter().filter(is_here);
        Ok(lines.any(|line| self.catalogue.has_last_signed(&line, MANY, sub)))
    }

    fn last(&self, line: &Line, kind: &str, subject: &str) -> Result<Option<Last>, Fault> {
        self.catalogue.last_signed(line, kind, subject)
    }

    fn has_signed(&self, line: &Line, kind: &str, subject: &str) -> Result<bool, Fault> {
        let past = self.past(line, kind)?;
        let is_in_batch = past.batch.as_ref().is_some_and(|batch| batch.has(subject));
        Ok(is_in_batch || past.alone.contains(&Digest::of(subject.as_bytes()).to_string()))
    }

    fn carried(&self, line: &Line, kind: &str) -> Result<BTreeMap<String, BTreeSet<(Line, String)>>, Fault> {
        self.catalogue.carried(line, kind)
    }

    fn holders(&self, number: &str, but: (&Line, &str)) -> Result<Vec<(Line, Facts)>, Fault> {
        if self.holders.get().is_none() {
            let read = Holders::read(self.catalogue)?;
            self.holders.get_or_init(|| read);
        }
        let Some(holders) = self.holders.get() else { return Ok(vec![]) };
        let mut found = Vec::new();
        for (line, sub) in holders.of(number).filter(|(line, sub)| (*line, *sub) != but) {
            if let Some(last) = self.catalogue.last_signed(line, MANY, sub)? {
                found.push((line.clone(), last.facts().clone()));
            }
        }
        Ok(found)
    }
}

/// Who has which key: the number of each key of each subordinate as a hash under a key that is drawn for each run, and whose
/// statement has it. The records themselves stay on the disk.
struct Holders {
    hash: RandomState,
    lines: Vec<Line>,
    subjects: String,
    /// The hash, the line, and where the subject stands among all, sorted.
    keys: Vec<(u64, u32, Range<u32>)>,
}

impl Holders {
    fn read(catalogue: &Catalogue) -> Result<Self, Fault> {
        let lines = catalogue.lines()?;
        let (hash, mut subjects, mut keys) = (RandomState::new(), String::new(), Vec::new());
        let end = |text: &String| u32::try_from(text.len()).unwrap_or(u32::MAX);
        for (place, line) in (0..).zip(&lines) {
            let mut trouble = Ok(());
            catalogue.each_last_signed(line, MANY, &mut |last| {
                let start = end(&subjects);
                subjects.push_str(last.facts().value("sub").unwrap_or_default());
                match artefact::openid::subordinate_keys(last.facts()) {
                    Ok(own) => keys.extend(
                        own.iter()
                            .filter_map(number_of)
                            .map(|number| (hash.hash_one(number), place, start..end(&subjects))),
                    ),
                    Err(fault) => trouble = Err(fault.at(line)),
                }
            })?;
            trouble?;
        }
        keys.sort_unstable_by_key(|(number, ..)| *number);
        Ok(Self { hash, lines, subjects, keys })
    }

    /// The subjects that may have the key of this number: a record says whether they do.
    fn of(&self, number: &str) -> impl Iterator<Item = (&Line, &str)> {
        let number = self.hash.hash_one(number);
        let first = self.keys.partition_point(|(own, ..)| *own < number);
        let same = self.keys.iter().skip(first).take_while(move |(own, ..)| *own == number);
        same.filter_map(|(_, line, subject)| {
            let subject = subject.start as usize..subject.end as usize;
            Some((self.lines.get(*line as usize)?, self.subjects.get(subject)?))
        })
    }
}

/// Whether a rule asks for this of a statement about a subordinate.
fn is_asked_for(fact: &Fact) -> bool {
    matches!(fact.path.as_str(), "iss" | "sub" | "iat" | "exp" | "kid")
}

/// A key as documents speak of it: what its moves led to, a suspension aside.
fn key(record: &Record, channels: Option<&[(&'static str, BTreeSet<u32>)]>) -> Result<VaultKey, Fault> {
    let (id, state) = (record.key()?, record.state());
    let standing = state.map_or(Stage::Generated, KeyState::standing);
    let past = state.and_then(|state| HistoricalKey::of(id.version, state));
    let listing = match (standing, past.and_then(|past| past.revoked)) {
        (_, Some((at, cause))) => Listing::Revoked(Some(Revoked { at, reason: cause.name().to_owned() })),
        (Stage::Standby, _) if state.is_some_and(|state| state.published) => Listing::Listed,
        (Stage::Generated | Stage::Standby, _) => Listing::Unpublished,
        (Stage::Published | Stage::Active | Stage::Retiring | Stage::Suspended, _) => Listing::Listed,
        (Stage::Retired | Stage::Destroyed, _) if past.is_none() => Listing::Unpublished,
        (Stage::Retired | Stage::Destroyed, _) => Listing::Past(past.map(|past| past.expires)),
        (Stage::Revoked, None) => Listing::Revoked(None),
    };
    let created = Instant::parse(record.created())?;
    let is_listed = |(kind, listed): &(&'static str, BTreeSet<u32>)| (*kind, listed.contains(&id.version));
    let wanted = channels.map(|channels| channels.iter().map(is_listed).collect());
    Ok(VaultKey { id, public: record.public()?, created, listing, wanted })
}
