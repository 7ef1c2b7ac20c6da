//! What a vault knows beside one line, read when it is asked for, and once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;

use crate::artefact::{self, Listing, VaultKey};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::custody::{Catalogue, Record};
use crate::key::Line;
use crate::lifecycle::Stage;
use crate::policy::{Fact, Facts, Last, Profile};

/// The kind of which a line signs thousands: only what rules ask for is kept.
const MANY: &str = "subordinate-statement";

type Signed = Arc<Vec<(Line, Facts)>>;

/// The surroundings of a document that is reviewed with this vault.
pub(super) struct Surroundings<'a> {
    catalogue: &'a Catalogue,
    keys: OnceLock<Arc<Vec<VaultKey>>>,
    profiles: OnceLock<Arc<Vec<(Line, Profile)>>>,
    signed: Mutex<BTreeMap<String, Signed>>,
    /// The numbers of the keys of subordinates, and which of the signed statements have them.
    holders: OnceLock<HashMap<String, Vec<usize>>>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            keys: OnceLock::new(),
            profiles: OnceLock::new(),
            signed: Mutex::default(),
            holders: OnceLock::new(),
        }
    }
}

impl artefact::Surroundings for Surroundings<'_> {
    fn keys(&self) -> Result<Arc<Vec<VaultKey>>, Fault> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys.clone());
        }
        let mut keys = Vec::new();
        for line in self.catalogue.lines()? {
            for record in self.catalogue.records(&line)? {
                keys.push(key(&record)?);
            }
        }
        Ok(self.keys.get_or_init(|| Arc::new(keys)).clone())
    }

    fn profiles(&self) -> Result<Arc<Vec<(Line, Profile)>>, Fault> {
        if let Some(profiles) = self.profiles.get() {
            return Ok(profiles.clone());
        }
        let mut profiles = Vec::new();
        for line in self.catalogue.lines()? {
            let profile = Profile::parse(&self.catalogue.profile_text(&line)?)
                .map_err(|fault| fault.at(format_args!("the profile of {line}")))?;
            profiles.push((line, profile));
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

    fn last(&self, line: &Line, kind: &str, subject: &str) -> Result<Option<Last>, Fault> {
        self.catalogue.last_signed(line, kind, subject)
    }

    fn holders(&self, number: &str) -> Result<Vec<(Line, Facts)>, Fault> {
        let signed = self.signed(MANY)?;
        let holders = self.holders.get_or_init(|| index(&signed));
        let places = holders.get(number).into_iter().flatten();
        Ok(places.filter_map(|place| signed.get(*place).cloned()).collect())
    }
}

/// Whether a rule asks for this of a statement about a subordinate.
fn is_asked_for(fact: &Fact) -> bool {
    matches!(fact.path.as_str(), "iss" | "sub" | "iat" | "exp" | "kid") || is_key(fact)
}

fn is_key(fact: &Fact) -> bool {
    fact.path.starts_with("jwks[")
}

fn index(signed: &[(Line, Facts)]) -> HashMap<String, Vec<usize>> {
    let mut holders: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, (_, facts)) in signed.iter().enumerate() {
        for fact in facts.iter().filter(|fact| is_key(fact)) {
            let key: Value = serde_json::from_str(&fact.value).unwrap_or_default();
            let number = key.get("x").or(key.get("n")).and_then(Value::as_str);
            holders.entry(number.unwrap_or_default().to_owned()).or_default().push(place);
        }
    }
    holders
}

fn key(record: &Record) -> Result<VaultKey, Fault> {
    let listing = match record.stage() {
        Stage::Generated | Stage::Standby => Listing::Unpublished,
        Stage::Published | Stage::Active | Stage::Retiring | Stage::Suspended => Listing::Listed,
        Stage::Retired | Stage::Destroyed => Listing::Past(None),
        Stage::Revoked => Listing::Revoked(None),
    };
    let created = Instant::parse(record.created())?;
    Ok(VaultKey { id: record.key()?, public: record.public()?, created, listing })
}
