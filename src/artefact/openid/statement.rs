//! Signed documents of a federation: which there are, what each has to say, and one of them with its claims.

use std::sync::OnceLock;

use super::{STATEMENT, checks};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::{Header, JwkSet, Jws, PRIVATE};
use crate::format::json::{self, Limits, Map, Numbers, Value};

/// A form of signed document (OpenID Federation 1.0, sections 3, 5.2.1, 7 and 8.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// What an entity says of itself.
    EntityConfiguration,
    /// What a superior says of its subordinate.
    SubordinateStatement,
    /// A mark that an issuer gives an entity.
    TrustMark,
    /// Leave of a mark's owner to issue it.
    TrustMarkDelegation,
    /// Whether a mark is still good.
    TrustMarkStatus,
    /// Keys that an entity does not use any more.
    HistoricalKeys,
    /// The keys of an entity's protocol, behind `signed_jwks_uri`.
    SignedJwkSet,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 7] = [
        Self::EntityConfiguration,
        Self::SubordinateStatement,
        Self::TrustMark,
        Self::TrustMarkDelegation,
        Self::TrustMarkStatus,
        Self::HistoricalKeys,
        Self::SignedJwkSet,
    ];

    /// What it is called, here and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EntityConfiguration => "entity-configuration",
            Self::SubordinateStatement => "subordinate-statement",
            Self::TrustMark => "trust-mark",
            Self::TrustMarkDelegation => "trust-mark-delegation",
            Self::TrustMarkStatus => "trust-mark-status",
            Self::HistoricalKeys => "historical-keys",
            Self::SignedJwkSet => "jwk-set",
        }
    }

    /// The `typ` of its header.
    pub const fn typ(self) -> &'static str {
        match self {
            Self::EntityConfiguration | Self::SubordinateStatement => "entity-statement+jwt",
            Self::TrustMark => "trust-mark+jwt",
            Self::TrustMarkDelegation => "trust-mark-delegation+jwt",
            Self::TrustMarkStatus => "trust-mark-status-response+jwt",
            Self::HistoricalKeys | Self::SignedJwkSet => "jwk-set+jwt",
        }
    }

    /// The claims it must have.
    pub const fn required(self) -> &'static [&'static str] {
        match self {
            Self::EntityConfiguration | Self::SubordinateStatement => &["iss", "sub", "iat", "exp", "jwks"],
            Self::TrustMark | Self::TrustMarkDelegation => &["iss", "sub", "trust_mark_type", "iat"],
            Self::TrustMarkStatus => &["iss", "iat", "trust_mark", "status"],
            Self::HistoricalKeys => &["iss", "iat", "keys"],
            Self::SignedJwkSet => &["keys", "iss", "sub"],
        }
    }

    /// The claims it must not have.
    pub const fn forbidden(self) -> &'static [&'static str] {
        match self {
            Self::EntityConfiguration => &[
                "metadata_policy",
                "metadata_policy_crit",
                "constraints",
                "source_endpoint",
                "aud",
                "trust_anchor",
            ],
            Self::SubordinateStatement => &[
                "authority_hints",
                "trust_anchor_hints",
                "trust_marks",
                "trust_mark_issuers",
                "trust_mark_owners",
                "aud",
                "trust_anchor",
            ],
            _ => &[],
        }
    }

    /// Whether it is one of the two entity statements.
    pub const fn is_entity_statement(self) -> bool {
        matches!(self, Self::EntityConfiguration | Self::SubordinateStatement)
    }

    /// The form that a header and claims show. A statement that lacks `iss` or `sub` is of one entity. `jwk-set+jwt` with a `sub` is a signed JWK set, without one historical keys.
    pub fn of(typ: &str, claims: &Map<String, Value>) -> Option<Self> {
        let (iss, sub) = (claims.get("iss"), claims.get("sub"));
        let is_self = iss.is_none() || sub.is_none() || iss == sub;
        Self::ALL.into_iter().find(|form| {
            form.typ() == typ
                && match form {
                    Self::EntityConfiguration => is_self,
                    Self::HistoricalKeys => !claims.contains_key("sub"),
                    _ => true,
                }
        })
    }
}

/// What a check found: the rule, and what breaks it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The rule's stable name, one of the table of rules.
    pub rule: &'static str,
    /// What was found. Foreign text.
    pub detail: String,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.detail, self.rule)
    }
}

/// A document of a federation with its claims; signed, or about to be.
#[derive(Clone, Debug)]
pub struct Statement {
    form: Form,
    claims: Map<String, Value>,
    jws: Option<Jws>,
    /// Read when somebody asks for them, and once.
    keys: OnceLock<Result<JwkSet, Fault>>,
}

impl Statement {
    /// Reads a compact JWS of any form. Its signature is not verified and its claims are not checked.
    ///
    /// # Errors
    ///
    /// Those of [`Jws::read`] and of the strict JSON reader, and `openid.statement` when its `typ` is none of a federation.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let read = Jws::read(text.trim_ascii_end(), &[]).and_then(|jws| {
            let claims = json::object(jws.payload(), Numbers::Any, &Limits::default())?;
            Ok((jws, claims))
        });
        let (jws, claims) = read.map_err(|fault| match fault.way_out() {
            Some(hint) if fault.code() == &PRIVATE => {
                PRIVATE.fault(format!("{fault} [openid.key.private]")).hint(hint)
            }
            _ => fault,
        })?;
        let typ = jws.header().typ();
        let form = typ.and_then(|typ| Form::of(typ, &claims)).ok_or_else(|| {
            let typ = typ.map_or("no typ".to_owned(), |typ| format!("the typ '{typ}'"));
            STATEMENT
                .fault(format!(
                    "the header has {typ}, which no document of a federation has [openid.header.typ]"
                ))
                .hint("have it signed anew with the typ of its form: others refuse it too")
        })?;
        Ok(Self { form, claims, jws: Some(jws), keys: OnceLock::new() })
    }

    /// A document of this form that is yet to be signed.
    pub const fn new(form: Form, claims: Map<String, Value>) -> Self {
        Self { form, claims, jws: None, keys: OnceLock::new() }
    }

    /// Its form.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Its claims.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Its claims, and nothing else of it.
    pub fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    /// Its header and signature, when it is signed.
    pub const fn jws(&self) -> Option<&Jws> {
        self.jws.as_ref()
    }

    /// Its header, when it is signed.
    pub fn header(&self) -> Option<&Header> {
        self.jws.as_ref().map(Jws::header)
    }

    /// A claim.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// A claim that is a string; nothing when it is absent or something else.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Who says it.
    pub fn iss(&self) -> &str {
        self.text("iss")
    }

    /// Of whom it is said.
    pub fn sub(&self) -> &str {
        self.text("sub")
    }

    /// A claim that is a NumericDate (RFC 7519, section 2), without its fraction.
    pub fn date(&self, name: &str) -> Option<Instant> {
        date(self.get(name)?)
    }

    /// The keys of the claim `jwks`, or of `keys` in a set of keys.
    ///
    /// # Errors
    ///
    /// Those of [`JwkSet::read`].
    pub fn keys(&self) -> Result<JwkSet, Fault> {
        let read = || match self.form {
            Form::HistoricalKeys | Form::SignedJwkSet => JwkSet::read(&Value::Object(self.claims.clone())),
            _ => JwkSet::read(self.get("jwks").unwrap_or(&Value::Null)),
        };
        self.keys.get_or_init(read).clone()
    }

    /// Everything about it that breaks a rule, judged at this time by what it says alone. The signature is not looked at.
    pub fn check(&self, at: Instant) -> Vec<Found> {
        checks::check(self, at)
    }
}

/// A NumericDate without its fraction.
pub(super) fn date(value: &Value) -> Option<Instant> {
    #[expect(clippy::cast_possible_truncation, reason = "the reader takes numbers up to 2^53 only")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))?;
    Instant::from_unix(seconds).ok()
}
