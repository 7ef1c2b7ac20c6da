//! A document of this line before its signature: the claims that the tool supplies, the rules that need the line, its
//! profile, the vault and what was signed before.

use std::io::Write;

use super::known;
use crate::artefact::jwt::{self, Jwt, Shape};
use crate::artefact::openid::{Form, Statement};
use crate::artefact::{COMPOSED, Listing, Prepared, Terms};
use crate::base::clock::{Instant, Span};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::{jwk_as, thumbprint};
use crate::format::json::{Map, Value};
use crate::key::{Environment, Hash, PublicKey, Scheme};
use crate::policy::{FOREVER, Facts, Lifetime, Openid, PROFILE, RULES};

/// The kinds of documents that the keys of an entity's configuration verify.
pub(super) const SIGNED: [Form; 6] = [
    Form::EntityConfiguration,
    Form::SubordinateStatement,
    Form::TrustMark,
    Form::TrustMarkDelegation,
    Form::HistoricalKeys,
    Form::SignedJwkSet,
];

/// Under this path the facts tell how long the document was asked to be valid.
pub(in crate::artefact::openid) const LIFETIME: &str = "lifetime";

/// A breach: the rule, whom it is about, and what was found.
pub(super) type Breach = (&'static str, String, String);

/// A document of this line before its signature.
pub(super) struct Draft<'t> {
    pub(super) terms: &'t Terms<'t>,
    form: Form,
    scheme: &'static Scheme,
    claims: Map<String, Value>,
    /// What the key that signs is called.
    kid: String,
    /// Whom the findings are about, for waivers.
    subject: String,
    lifetime: Option<Lifetime>,
    exp: Option<(Instant, String)>,
    shown: Facts,
    breaches: Vec<Breach>,
    /// The thumbprints of the keys that serve the protocols of the subject.
    pub(super) protocols: Vec<String>,
}

impl<'t> Draft<'t> {
    /// A document that the line's entity issues, about `sub` where its form has one.
    ///
    /// # Errors
    ///
    /// `profile.malformed` when the profile names no entity, or an algorithm that the key does not have.
    pub(super) fn new(form: Form, terms: &'t Terms<'t>, sub: Option<&str>) -> Result<Self, Fault> {
        let own = entity_id(terms)?;
        let scheme = jwt::scheme(terms.public, &terms.profile.openid.alg)?;
        let mut claims = Map::new();
        claims.insert("iss".into(), own.into());
        claims.extend(sub.map(|sub| ("sub".to_owned(), sub.into())));
        claims.insert("iat".into(), terms.now.unix().into());
        let subject = sub.unwrap_or(own).to_owned();
        let (lifetime, exp) = (None, None);
        Ok(Self {
            terms,
            form,
            scheme,
            claims,
            kid: thumbprint(terms.public),
            subject,
            lifetime,
            exp,
            shown: Facts::default(),
            breaches: vec![],
            protocols: vec![],
        })
    }

    /// Sets `exp`: as long as the operator says, or as the profile has it.
    pub(super) fn valid_for(&mut self, lifetime: Lifetime, asked: Option<&str>) -> Result<(), Fault> {
        self.lifetime = Some(lifetime);
        let may_be_forever = matches!(self.form, Form::TrustMark | Form::TrustMarkDelegation);
        let (span, why) = match asked {
            Some(FOREVER) if may_be_forever => {
                self.shown.add(LIFETIME, FOREVER);
                return Ok(());
            }
            Some(text) => (Span::parse(text)?, "the document asks for it"),
            None => (lifetime.usual, "from the profile"),
        };
        // The end is another one each time: what is asked for is what changes.
        self.shown.add(LIFETIME, span.to_string());
        self.end_at(self.terms.now.after(span)?, why);
        Ok(())
    }

    /// Brings the end forward to this time, if it is later.
    pub(super) fn end_by(&mut self, end: Instant, why: &str) {
        if self.exp.as_ref().is_none_or(|(own, _)| *own > end) {
            self.end_at(end, why);
        }
    }

    fn end_at(&mut self, end: Instant, why: &str) {
        self.claims.insert("exp".into(), end.unix().into());
        self.exp = Some((end, why.to_owned()));
    }

    /// When it ends.
    pub(super) fn exp(&self) -> Option<Instant> {
        self.exp.as_ref().map(|(end, _)| *end)
    }

    /// Adds a claim, if there is something to say.
    pub(super) fn claim(&mut self, name: &str, value: Option<impl Into<Value>>) {
        self.claims.extend(value.map(|value| (name.to_owned(), value.into())));
    }

    /// Adds claims that the standard does not define. `nbf` is none of them: a statement is valid from `iat` on, and who reads
    /// `nbf` and who does not would disagree.
    ///
    /// # Errors
    ///
    /// `document.composed` for one that is there already or that the tool supplies, and for `nbf`.
    pub(super) fn others(&mut self, claims: Map<String, Value>) -> Result<(), Fault> {
        for (name, value) in claims {
            if name == "nbf" {
                return Err(COMPOSED
                    .fault("claims.nbf: what is signed here is valid from the moment it is signed")
                    .hint("leave it out, and bring the document out when it is to be valid"));
            }
            if super::super::checks::STANDARD.contains(&name.as_str()) || self.claims.contains_key(&name) {
                return Err(COMPOSED
                    .fault(format!("claims.{name}: the standard defines this claim, and it is not set here"))
                    .hint("under [claims] stands what the standard does not define"));
            }
            self.claims.insert(name, value);
        }
        Ok(())
    }

    /// Shows something beside the claims.
    pub(super) fn show(&mut self) -> &mut Facts {
        &mut self.shown
    }

    /// Notes a breach of a rule.
    pub(super) fn breach(&mut self, rule: &'static str, detail: impl Into<String>) {
        self.breaches.push((rule, self.subject.clone(), detail.into()));
    }

    /// Notes one if it is so.
    pub(super) fn when(&mut self, is_so: bool, rule: &'static str, detail: impl FnOnce() -> String) {
        if is_so {
            self.breach(rule, detail());
        }
    }

    /// Notes what a document beside the input breaks.
    pub(super) fn adopt(&mut self, place: &str, statement: &Statement) {
        for found in statement.check(self.terms.now) {
            self.breach(found.rule, format!("{place}: {}", found.detail));
        }
    }

    /// The limits of the line.
    pub(super) fn limits(&self) -> &'t Openid {
        &self.terms.profile.openid
    }

    /// The keys of the line that documents list, as its configuration has them: each bound to one algorithm.
    pub(super) fn own_keys(&self) -> Result<Vec<Value>, Fault> {
        let alg = &self.limits().alg;
        let mut keys: Vec<PublicKey> = Vec::new();
        for key in self.terms.vault.keys()?.iter() {
            if key.id.line == self.terms.key.line && key.listing == Listing::Listed {
                keys.push(key.public.clone());
            }
        }
        if !keys.contains(self.terms.public) {
            keys.push(self.terms.public.clone());
        }
        let written = |key: &PublicKey| {
            let scheme = key.jose_scheme(alg).unwrap_or_else(|| key.algorithm().scheme(Hash::Sha256));
            jwk_as(key, &thumbprint(key), scheme)
        };
        Ok(keys.iter().map(written).collect())
    }

    /// What the line said last in its configuration.
    pub(super) fn own_configuration(&self) -> Result<Option<Facts>, Fault> {
        let signed = self.terms.vault.signed(Form::EntityConfiguration.name())?;
        Ok(signed.iter().find(|(line, _)| *line == self.terms.key.line).map(|(_, facts)| facts.clone()))
    }

    /// Judges the whole and readies it.
    pub(super) fn finish(
        mut self,
        document: &Document,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared>, Fault> {
        self.bound()?;
        self.published()?;
        self.dates();
        self.names_apart()?;
        let statement = Statement::new(self.form, self.claims);
        let found = statement.check(self.terms.now);
        let found = found.into_iter().map(|found| (found.rule, self.subject.clone(), found.detail));
        self.breaches.extend(found);
        let claims = statement.into_claims();
        let why = self.exp.as_ref().map_or("", |(_, why)| why.as_str());
        let header = [("alg", self.scheme.jose), ("kid", self.kid.as_str())];
        let mut facts = known::facts(self.form, &header, Some(why), &claims);
        facts.append(self.shown);
        let shape = Shape { kind: self.form.name(), typ: self.form.typ(), groups: &["openid"] };
        let jwt =
            Jwt::with(&shape, document, self.terms, self.scheme, claims, (facts, self.breaches), record)?;
        Ok(Box::new(jwt))
    }

    /// What the review computes stands under names that no claim has.
    fn names_apart(&self) -> Result<(), Fault> {
        let name = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
        match self.shown.iter().map(|fact| name(&fact.path)).find(|name| self.claims.contains_key(name)) {
            None => Ok(()),
            Some(name) => Err(COMPOSED
                .fault(format!("claims.{name}: the review calls something else by this name"))
                .hint("give the claim another name")),
        }
    }

    /// The entity and the algorithm are bound to the line, and the line to its environment.
    fn bound(&mut self) -> Result<(), Fault> {
        let (own, line) = (entity_id(self.terms)?.to_owned(), &self.terms.key.line);
        for (other, profile) in self.terms.vault.profiles()?.iter() {
            self.when(other != line && profile.openid.entity_id == own, "openid.entity.shared", || {
                format!("the line {other} signs for {own} too")
            });
        }
        for key in self.terms.vault.keys()?.iter() {
            self.when(key.id.line != *line && key.public == *self.terms.public, "openid.key.shared", || {
                format!("the key is {} too", key.id)
            });
        }
        if line.environment() != Environment::Prod {
            for id in [own.clone(), self.subject.clone()] {
                let is_real = self.limits().production.contains(&id);
                self.when(is_real, "openid.entity.environment", || {
                    format!(
                        "{id} belongs to the real federation, and {line} is a {} line",
                        line.environment()
                    )
                });
            }
        }
        let Some(last) = self.terms.last.map(|last| last.facts().clone()) else { return Ok(()) };
        let before = last.value("iss").unwrap_or_default();
        self.when(before != own, "openid.entity.changed", || {
            format!("the line signed for {before}, and now for {own}")
        });
        let is_same_key = last.value("kid") == Some(&self.kid);
        let (before, now) = (last.value("alg").unwrap_or_default().to_owned(), self.scheme.jose);
        self.when(is_same_key && before != now, "openid.alg.changed", || {
            format!("the key signed with {before}, and now with {now}")
        });
        Ok(())
    }

    /// The names of the vault's keys that are revoked.
    pub(super) fn revoked(&self) -> Result<Vec<String>, Fault> {
        let keys = self.terms.vault.keys()?;
        let revoked = keys.iter().filter(|key| matches!(key.listing, Listing::Revoked(_)));
        Ok(revoked.map(|key| thumbprint(&key.public)).collect())
    }

    /// Nobody trusts a key that no configuration listed before it signs. But where the key that signed the last one is revoked,
    /// it must not introduce another: then the configuration of its successor comes first, and people bring it.
    fn published(&mut self) -> Result<(), Fault> {
        let Some(last) = self.own_configuration()? else {
            let is_first = self.form == Form::EntityConfiguration;
            self.when(!is_first, "openid.configuration.none", || {
                "the line has signed no configuration of its entity yet".into()
            });
            return Ok(());
        };
        let kid = self.kid.clone();
        let listed = known::thumbprints(&known::keys(&last, "jwks")?);
        let revoked = self.revoked()?;
        let signer = last.value("kid").unwrap_or_default();
        let is_first = self.form == Form::EntityConfiguration && revoked.iter().any(|kid| kid == signer);
        self.when(!listed.contains(&kid) && !is_first, "openid.key.unpublished", || {
            format!("the configuration signed last does not list the key {kid}")
        });
        Ok(())
    }

    fn dates(&mut self) {
        let is_endless = self.exp().is_none();
        if let Some(lifetime) = self.lifetime.filter(|own| is_endless && !own.is_unlimited()) {
            self.breach(
                "openid.exp.long",
                format!("it would never end; the profile allows {}", lifetime.max),
            );
        }
        if let (Some(end), Some(lifetime)) = (self.exp(), self.lifetime) {
            let seconds = end.seconds_since(self.terms.now);
            let (min, max) = (lifetime.min, lifetime.max);
            self.when(seconds > max.seconds(), "openid.exp.long", || {
                format!("it would be valid until {end}; the profile allows {max}")
            });
            self.when(seconds < min.seconds(), "openid.exp.short", || {
                format!("it would be valid until {end}; the profile wants {min} at least")
            });
        }
        if let (Some(end), Some(key)) = (self.exp(), self.terms.ends) {
            self.when(end > key, "openid.exp.key", || {
                format!("it would be valid until {end}, and {} is planned to end at {key}", self.terms.key)
            });
        }
        let Some(last) = self.terms.last.map(crate::policy::Last::facts) else { return };
        let (iat, exp) = (known::time(last, "iat"), known::time(last, "exp"));
        if let Some(before) = iat.filter(|before| *before >= self.terms.now) {
            let now = self.terms.now;
            self.breach("openid.iat.order", format!("the one before was made at {before}, and it is {now}"));
        }
        if let (Some(before), Some(end)) = (exp, self.exp()) {
            self.when(end < before, "openid.exp.earlier", || {
                format!("it would end at {end}; the one before ends at {before}")
            });
        }
    }
}

/// The entity that the line signs for.
fn entity_id<'a>(terms: &Terms<'a>) -> Result<&'a str, Fault> {
    let own = terms.profile.openid.entity_id.as_str();
    if own.is_empty() {
        return Err(PROFILE
            .fault(format!("the profile of {} does not say for which entity it signs", terms.key.line))
            .hint("set entity_id under [openid] in the profile"));
    }
    Ok(own)
}

/// What weighs so much that a document beside the input is not used.
pub(super) fn is_blocking(rule: &str) -> bool {
    RULES.iter().any(|own| own.id == rule && own.severity == crate::policy::Severity::Block)
}
