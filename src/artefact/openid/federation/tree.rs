//! The documents of a federation while they are signed: what was reviewed waits in a nameless file, and is signed as it is.

use std::sync::Arc;

use serde::Serializer;

use super::cards::Cards;
use crate::artefact::openid::Form;
use crate::artefact::openid::statement::date;
use crate::artefact::{Batch, Draft, Judged, Look, Members, Standing};
use crate::base::bytes::{Digest, from_base64url};
use crate::base::clock::Instant;
use crate::base::cores;
use crate::base::disk::CHANGED;
use crate::base::fault::{Fault, INTERNAL};
use crate::format::jose::{self, Jws};
use crate::format::json::{self, Limits, Map, Numbers, Value};
use crate::key::{PublicKey, Scheme, Signature};
use crate::policy::{Examined, Facts, Items, Lifetime, Openid};

/// Clocks may differ by so much before a document comes from the future.
const SKEW_SECONDS: i64 = 120;

/// What was reviewed.
pub(super) struct Tree {
    pub(super) facts: Facts,
    pub(super) examined: Examined,
    pub(super) digest: Digest,
    pub(super) public: PublicKey,
    pub(super) scheme: &'static Scheme,
    pub(super) limits: Openid,
    pub(super) now: Instant,
    /// What was reviewed, and waits as it was; the same as the batch's members, and as its items.
    pub(super) cards: Arc<Cards>,
    pub(super) members: Arc<dyn Members>,
    pub(super) beside: Vec<Beside>,
}

/// A file that nobody signs: name, media type, bytes.
pub(super) type Beside = (String, &'static str, Vec<u8>);

impl Tree {
    /// Shows each document, on every core.
    pub(super) fn show(&self, look: Look<'_>) -> Result<(), Fault> {
        let show = |at: usize| look(at, &self.members.member(at)?, self.draft(at)?.as_ref());
        cores::stream((0..self.members.count()).map(Ok), &show, &mut Ok)
    }

    fn lifetime(&self, form: Form) -> Lifetime {
        match form {
            Form::EntityConfiguration => self.limits.configuration,
            Form::TrustMark => self.limits.trust_mark,
            Form::SignedJwkSet => self.limits.jwk_set,
            _ => self.limits.subordinate,
        }
    }
}

impl Batch for Tree {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn examined(&self) -> &Examined {
        &self.examined
    }

    fn document(&self) -> Digest {
        self.digest
    }

    fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    fn beside(&self) -> Vec<(&str, &'static str, &[u8])> {
        self.beside.iter().map(|(name, kind, bytes)| (name.as_str(), *kind, bytes.as_slice())).collect()
    }

    fn record_of(&self, place: usize) -> Result<Option<(&'static str, String)>, Fault> {
        let card = self.cards.card(place)?;
        Ok(Some((card.form().name(), card.subject)))
    }

    fn record(&self, place: usize) -> Result<Vec<u8>, Fault> {
        self.cards.record(place)
    }

    fn members(&self) -> &Arc<dyn Members> {
        &self.members
    }

    fn items(&self) -> Option<Arc<dyn Items>> {
        Some(self.cards.clone())
    }

    fn names(&self, id: &str) -> Vec<String> {
        self.cards.names.path(id).into_iter().collect()
    }

    fn draft(&self, place: usize) -> Result<Box<dyn Draft + '_>, Fault> {
        let card = self.cards.card(place)?;
        let octets = self.cards.octets(place)?;
        let changed = || CHANGED.fault("what was reviewed is not what waits to be signed");
        let (head, claims) = parts(&octets).ok_or_else(changed)?;
        let (head, lifetime) = (head.to_owned(), self.lifetime(card.form()));
        let draft = jose::Draft::of_octets(octets);
        Ok(Box::new(Unsigned { tree: self, head, claims, lifetime, asked: card.lifetime, draft }))
    }
}

/// What web servers call a document of this form (OpenID Federation 1.0, section 15.2).
pub(super) const fn media_type(form: Form) -> &'static str {
    match form {
        Form::TrustMark => "application/trust-mark+jwt",
        Form::HistoricalKeys | Form::SignedJwkSet => "application/jwk-set+jwt",
        _ => "application/entity-statement+jwt",
    }
}

/// The header, as it is written, and the claims of octets that are signed.
pub(super) fn parts(octets: &[u8]) -> Option<(&str, Map<String, Value>)> {
    let (head, payload) = str::from_utf8(octets).ok()?.split_once('.')?;
    let claims = json::object(&from_base64url(payload)?, Numbers::Any, &Limits::default()).ok()?;
    Some((head, claims))
}

/// What a document says, whenever it is signed.
pub(super) fn timeless(claims: &Map<String, Value>) -> Vec<u8> {
    let timeless = claims.iter().filter(|(name, _)| !matches!(name.as_str(), "iat" | "exp"));
    let mut text = Vec::new();
    // neither do values fail to be JSON, nor a vector to take it
    let _ = serde_json::Serializer::new(&mut text).collect_map(timeless);
    text
}

/// The digest of what a document says, whenever it is signed.
pub(super) fn content(head: &str, claims: &Map<String, Value>) -> Digest {
    Digest::of(&[head.as_bytes(), b".", &timeless(claims)].concat())
}

/// Claims as they are signed.
fn written(claims: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(claims).unwrap_or_default()
}

/// A document before its signature.
struct Unsigned<'t> {
    tree: &'t Tree,
    head: String,
    claims: Map<String, Value>,
    lifetime: Lifetime,
    /// For how many seconds somebody asked.
    asked: Option<i64>,
    draft: jose::Draft,
}

impl Unsigned<'_> {
    /// How a document that says the same stands, by its dates.
    fn dated(&self, claims: &Map<String, Value>) -> Standing {
        let (now, made) = (self.tree.now, claims.get("iat").and_then(date));
        let is_early = made.is_none_or(|made| made.seconds_since(now) > SKEW_SECONDS);
        let lives = |end: Instant| made.map(|made| end.seconds_since(made));
        match (claims.get("exp").and_then(date), self.valid_until()) {
            _ if is_early => Standing::Changed,
            (None, None) => Standing::Current,
            // What would end earlier now must not stand so long: a key ends, or the profile allows less.
            (Some(theirs), Some(own)) if theirs > own => Standing::Changed,
            // Signing it anew would win nothing.
            (Some(theirs), Some(own)) if theirs == own => Standing::Current,
            // Somebody asks for another time than when it was signed.
            (Some(theirs), Some(_)) if lives(theirs) != self.asked => Standing::Changed,
            (Some(theirs), Some(own)) => {
                let margin = self.lifetime.renewal(own.seconds_since(now));
                let is_due = theirs.seconds_since(now) <= margin.seconds();
                if is_due { Standing::Expiring } else { Standing::Current }
            }
            _ => Standing::Changed,
        }
    }

    fn stands(&self, published: &[u8]) -> Option<(Standing, Option<Instant>)> {
        let text = str::from_utf8(published).ok()?;
        let jws = Jws::read(text, &[]).ok()?;
        jws.verify_with(&self.tree.public).ok()?;
        let octets = text.rsplit_once('.')?.0;
        let (head, claims) = parts(octets.as_bytes())?;
        let is_same = head == self.head
            && written(&claims) == jws.payload()
            && timeless(&claims) == timeless(&self.claims);
        let standing = if is_same { self.dated(&claims) } else { Standing::Changed };
        Some((standing, claims.get("exp").and_then(date).filter(|_| standing == Standing::Current)))
    }
}

impl Draft for Unsigned<'_> {
    fn octets(&self) -> Result<Vec<u8>, Fault> {
        Ok(self.draft.octets().to_vec())
    }

    fn content(&self) -> Result<Digest, Fault> {
        Ok(content(&self.head, &self.claims))
    }

    fn judge(&self, published: &[u8]) -> Judged {
        let (standing, valid_until) = self.stands(published).unwrap_or((Standing::Foreign, None));
        Judged { standing, valid_until }
    }

    /// Custody has verified the signature: what is left to check is that it covers what stands in the file.
    fn finish(&self, signature: &Signature) -> Result<Vec<u8>, Fault> {
        let text = self.draft.finish(signature);
        let is_whole = Jws::read(&text, &[]).is_ok_and(|jws| {
            jws.payload() == written(&self.claims) && text.as_bytes().starts_with(self.draft.octets())
        });
        if is_whole {
            Ok(text.into_bytes())
        } else {
            Err(INTERNAL.fault("the document cannot be read again"))
        }
    }

    fn valid_until(&self) -> Option<Instant> {
        self.claims.get("exp").and_then(date)
    }
}
