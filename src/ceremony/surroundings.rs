//! What a vault knows beside one line, read when it is asked for, and once.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::artefact::{self, Listing, VaultKey};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::custody::{Catalogue, Record};
use crate::key::Line;
use crate::lifecycle::Stage;
use crate::policy::{Facts, Profile};

type Signed = Rc<Vec<(Line, Facts)>>;

/// The surroundings of a document that is reviewed with this vault.
pub(super) struct Surroundings<'a> {
    catalogue: &'a Catalogue,
    keys: OnceCell<Rc<Vec<VaultKey>>>,
    profiles: OnceCell<Rc<Vec<(Line, Profile)>>>,
    signed: RefCell<BTreeMap<String, Signed>>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        Self { catalogue, keys: OnceCell::new(), profiles: OnceCell::new(), signed: RefCell::default() }
    }
}

impl artefact::Surroundings for Surroundings<'_> {
    fn keys(&self) -> Result<Rc<Vec<VaultKey>>, Fault> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys.clone());
        }
        let mut keys = Vec::new();
        for line in self.catalogue.lines()? {
            for record in self.catalogue.records(&line)? {
                keys.push(key(&record)?);
            }
        }
        Ok(self.keys.get_or_init(|| Rc::new(keys)).clone())
    }

    fn profiles(&self) -> Result<Rc<Vec<(Line, Profile)>>, Fault> {
        if let Some(profiles) = self.profiles.get() {
            return Ok(profiles.clone());
        }
        let mut profiles = Vec::new();
        for line in self.catalogue.lines()? {
            let profile = Profile::parse(&self.catalogue.profile_text(&line)?)
                .map_err(|fault| fault.at(format_args!("the profile of {line}")))?;
            profiles.push((line, profile));
        }
        Ok(self.profiles.get_or_init(|| Rc::new(profiles)).clone())
    }

    fn signed(&self, kind: &str) -> Result<Signed, Fault> {
        if let Some(signed) = self.signed.borrow().get(kind) {
            return Ok(signed.clone());
        }
        let mut signed = Vec::new();
        for line in self.catalogue.lines()? {
            for last in self.catalogue.all_last_signed(&line, kind)? {
                signed.push((line.clone(), last.facts().clone()));
            }
        }
        let signed = Rc::new(signed);
        self.signed.borrow_mut().insert(kind.to_owned(), signed.clone());
        Ok(signed)
    }
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
