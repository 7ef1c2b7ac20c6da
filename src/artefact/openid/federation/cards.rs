//! The documents of a federation between their review and the end: each waits on a shelf with a card that says what it is, and
//! in memory only its place stays.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use serde::{Deserialize, Serialize};

use super::names::Names;
use super::tree::media_type;
use crate::artefact::openid::Form;
use crate::artefact::{BATCH, COMPOSED, Member, Members};
use crate::base::clock::Span;
use crate::base::cores;
use crate::base::disk::Document;
use crate::base::fault::{Fault, INTERNAL};
use crate::base::shelf::Shelf;
use crate::policy::{Fact, Items, Last};

/// What a document is, beside what it says.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Card {
    form: String,
    /// Its path below the folder of the operator.
    pub(super) file: String,
    /// What it is about, as its kind says.
    pub(super) subject: String,
    /// How many keys it gives out.
    keys: usize,
    /// How long its octets are.
    length: u64,
    /// How long it was asked to be valid, in seconds, where it ends.
    pub(super) lifetime: Option<i64>,
}

impl Card {
    pub(super) fn new(form: Form, file: String, subject: String, keys: usize, length: usize) -> Self {
        let form = form.name().to_owned();
        Self { form, file, subject, keys, length: length as u64, lifetime: None }
    }

    pub(super) fn lasting(self, lifetime: Option<Span>) -> Self {
        Self { lifetime: lifetime.map(Span::seconds), ..self }
    }

    pub(super) fn form(&self) -> Form {
        Form::ALL.into_iter().find(|form| form.name() == self.form).unwrap_or(Form::SubordinateStatement)
    }
}

/// The parts of a document on the shelf: its card, the octets that are signed, and what the next review compares with.
const PARTS: usize = 3;
const CARD: usize = 0;
const OCTETS: usize = 1;
const RECORD: usize = 2;

/// Where documents wait.
pub(super) type Waiting = Shelf<PARTS>;

/// Where a document waits on the shelf.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

impl Place {
    /// Puts a document on the shelf.
    pub(super) fn of(shelf: &Waiting, card: &Card, octets: &[u8], record: &[u8]) -> Result<Self, Fault> {
        let card = serde_json::to_vec(card).map_err(|e| INTERNAL.fault(e.to_string()))?;
        shelf.put([&card, octets, record]).map(Self)
    }

    pub(super) fn card(self, from: &Waiting) -> Result<Card, Fault> {
        serde_json::from_slice(&from.get(self.0, CARD)?).map_err(|e| INTERNAL.fault(e.to_string()))
    }
}

/// All of them, in the order of the review.
pub(super) struct Cards {
    pub(super) names: Names,
    shelf: Waiting,
    places: Vec<Place>,
    /// Those that are new or changed, the riskiest first.
    news: Vec<usize>,
}

impl Cards {
    /// Gives every document its name in the tree. Refuses two documents under one name, and one that has none.
    pub(super) fn new(
        names: Names,
        shelf: Waiting,
        places: Vec<Place>,
        news: Vec<usize>,
    ) -> Result<Self, Fault> {
        let cards = Self { names, shelf, places, news };
        cards.check_paths()?;
        Ok(cards)
    }

    pub(super) fn card(&self, place: usize) -> Result<Card, Fault> {
        self.place(place)?.card(&self.shelf)
    }

    /// The octets that are signed.
    pub(super) fn octets(&self, place: usize) -> Result<Vec<u8>, Fault> {
        self.shelf.get(self.place(place)?.0, OCTETS)
    }

    /// What the next review compares with.
    pub(super) fn record(&self, place: usize) -> Result<Vec<u8>, Fault> {
        self.shelf.get(self.place(place)?.0, RECORD)
    }

    fn place(&self, place: usize) -> Result<Place, Fault> {
        self.places.get(place).copied().ok_or_else(|| INTERNAL.fault("the batch has no such place"))
    }

    fn path(&self, card: &Card) -> Result<String, Fault> {
        let form = card.form();
        self.names.promised_path(form, &self.names.id(form, &card.subject), &card.file)
    }

    /// Paths stand here as hashes of 64 bits under a key of this run; where two are the same, the cards say it.
    fn check_paths(&self) -> Result<(), Fault> {
        let (hash, mut all, mut folders) = (RandomState::new(), Vec::new(), BTreeMap::new());
        let mut take = |(place, path): (usize, String)| {
            for (end, _) in path.match_indices('/') {
                let folder = path.get(..end).unwrap_or_default();
                if !folders.contains_key(folder) {
                    folders.insert(folder.to_owned(), place);
                }
            }
            all.push((hash.hash_one(&path), place));
            Ok(())
        };
        let path = |place: usize| Ok((place, self.path(&self.card(place)?)?));
        cores::stream((0..self.places.len()).map(Ok), &path, &mut take)?;
        all.sort_unstable();
        let list = self.names.list.as_deref();
        for pair in all.windows(2) {
            let [(one, first), (other, second)] = pair else { continue };
            let (first, second) = (self.card(*first)?, self.card(*second)?);
            if one == other && self.path(&first)? == self.path(&second)? {
                return Err(twice(&first.file, &second, &self.path(&second)?));
            }
        }
        let of = |path: &str| {
            let hash = hash.hash_one(path);
            let first = all.partition_point(|(own, _)| *own < hash);
            all.get(first).filter(|(own, _)| *own == hash).map(|(_, place)| *place)
        };
        if let Some((list, place)) = list.and_then(|list| Some((list, of(list)?))) {
            return Err(twice("the list of subordinates", &self.card(place)?, list));
        }
        for (folder, within) in folders {
            let other = match of(&folder) {
                Some(place) => self.card(place)?.file,
                None if list == Some(&*folder) => "the list of subordinates".to_owned(),
                None => continue,
            };
            let within = self.card(within)?;
            let (path, file) = (self.path(&within)?, within.file);
            return Err(COMPOSED
                .fault(format!("{other} and {file} cannot stand in one tree: {path} lies within a file"))
                .hint("give the endpoints of the configuration other paths"));
        }
        Ok(())
    }
}

fn twice(other: &str, card: &Card, path: &str) -> Fault {
    let Card { file, subject, .. } = card;
    let about = if subject.is_empty() { card.form().name() } else { subject };
    BATCH
        .fault(format!("{other} and {file} are both about {about}, and would be one file: {path}"))
        .hint("a name stands for one document: take one of the two out")
}

impl Members for Cards {
    fn count(&self) -> usize {
        self.places.len()
    }

    fn member(&self, place: usize) -> Result<Member, Fault> {
        let card = self.card(place)?;
        let id = self.names.id(card.form(), &card.subject).into();
        let names = [self.path(&card)?].into();
        Ok(Member { id, names, media_type: media_type(card.form()), length: card.length })
    }
}

impl Items for Cards {
    fn count(&self) -> usize {
        self.places.len()
    }

    fn item(&self, place: usize) -> Result<Fact, Fault> {
        let card = self.card(place)?;
        let form = card.form();
        let path = if form == Form::SubordinateStatement { "entity" } else { "document" };
        let value = self.names.id(form, &card.subject);
        let remark = match card.keys {
            0 => card.file,
            count => format!("{}, keys: {count}", card.file),
        };
        Ok(Fact { path: path.to_owned(), value, remark: Some(remark) })
    }

    fn news(&self) -> usize {
        self.news.len()
    }

    /// The record tells what a document says.
    fn said(&self, number: usize) -> Result<Vec<Fact>, Fault> {
        let place = *self.news.get(number).ok_or_else(|| INTERNAL.fault("there is no such news"))?;
        let (card, record) = (self.card(place)?, self.record(place)?);
        let id = self.names.id(card.form(), &card.subject);
        let last = Last::read(Document::from_bytes("what waits", record))?;
        let said = last.facts().iter().filter(|fact| !fact.is_noted());
        Ok(said.map(|fact| Fact { path: format!("{id} {}", fact.path), ..fact.clone() }).collect())
    }
}
