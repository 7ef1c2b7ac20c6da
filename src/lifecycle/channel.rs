//! Channels: the places where consumers find a key, how a new one is introduced there, and the times that this takes.

use std::fmt;
use std::str::FromStr;

use super::CADENCE;
use crate::base::clock::Span;
use crate::base::fault::Fault;

/// How consumers come to trust the next key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Carried in an artefact that is refreshed: listed beside the old key before it signs.
    PrePublish,
    /// Carried, and used by consumers to encrypt: the new key takes the old one's place in the artefact at once, and both
    /// decrypt until the last copy of the old artefact is gone.
    Replace,
    /// The old key signs the artefact that lists the new one.
    Chained,
    /// Two files of equal content, one signed by each key: the format allows one signature only.
    Double,
    /// People carry the new key to consumers.
    OutOfBand,
}

impl Method {
    /// Whether the key verifies the artefact itself, rather than being part of its content.
    pub const fn is_anchor(self) -> bool {
        matches!(self, Self::Chained | Self::Double | Self::OutOfBand)
    }

    /// Whether each key has artefacts of its own, which say nothing about the others.
    pub const fn has_own_files(self) -> bool {
        matches!(self, Self::Double | Self::OutOfBand)
    }
}

/// A kind of channel.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// A `KeyDescriptor use="signing"` in SAML metadata.
    SamlSigning,
    /// A `KeyDescriptor use="encryption"` in SAML metadata.
    SamlEncryption,
    /// The key that signs SAML metadata, pinned by consumers.
    SamlAnchor,
    /// A trust anchor of OpenID Federation.
    OpenidAnchor,
    /// A JWK set: OpenID Connect, Kubernetes service accounts.
    Jwks,
    /// A SPIFFE trust bundle.
    Spiffe,
    /// An X.509 root in trust stores.
    X509,
}

struct Row {
    kind: Kind,
    name: &'static str,
    method: Method,
    /// The kinds of documents whose signatures live there.
    documents: &'static [&'static str],
    /// The kinds of documents that list the keys of a line: for an anchor those that it signs, whoever signs them for others.
    listing: &'static [&'static str],
    /// Whether these are sets, which the line may sign itself.
    is_of_sets: bool,
}

impl Row {
    /// Whether consumers find the keys of a line in a set of this kind.
    fn has_set(&self, document: &str) -> bool {
        self.is_of_sets && self.listing.contains(&document)
    }
}

const fn row(kind: Kind, name: &'static str, method: Method) -> Row {
    Row { kind, name, method, documents: &[], listing: &[], is_of_sets: false }
}

const KINDS: [Row; 7] = [
    Row { listing: &["saml"], ..row(Kind::SamlSigning, "saml-signing", Method::PrePublish) },
    Row { listing: &["saml"], ..row(Kind::SamlEncryption, "saml-encryption", Method::Replace) },
    Row { documents: &["saml"], ..row(Kind::SamlAnchor, "saml-anchor", Method::Double) },
    Row {
        documents: &[
            "entity-configuration",
            "subordinate-statement",
            "trust-mark",
            "trust-mark-delegation",
            "historical-keys",
            "jwk-set",
            "federation",
        ],
        listing: &["entity-configuration", "federation"],
        ..row(Kind::OpenidAnchor, "openid-anchor", Method::Chained)
    },
    Row { listing: &["jwks", "kubernetes"], is_of_sets: true, ..row(Kind::Jwks, "jwks", Method::PrePublish) },
    Row { listing: &["spiffe-bundle"], is_of_sets: true, ..row(Kind::Spiffe, "spiffe", Method::PrePublish) },
    row(Kind::X509, "x509", Method::OutOfBand),
];

impl Kind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|row| row.kind)
    }

    fn row(self) -> &'static Row {
        let [first, ..] = &KINDS;
        KINDS.iter().find(|row| row.kind == self).unwrap_or(first)
    }

    /// Its name in profiles.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The kind of channel in which consumers find the key that verifies documents of this kind; pinned by hand, where
    /// documents do not introduce it.
    pub fn of_document(document: &str) -> Self {
        KINDS.iter().find(|row| row.documents.contains(&document)).map_or(Self::X509, |row| row.kind)
    }

    /// Whether documents of this kind list keys for consumers of this kind of channel to find.
    pub fn is_listed_in(self, document: &str) -> bool {
        self.row().listing.contains(&document)
    }

    /// Whether the next document of this kind, about the same, takes the place of the one before, where they never end by
    /// themselves. Others stand side by side, as releases and trust marks do.
    pub fn takes_place(document: &str) -> bool {
        document == "historical-keys" || KINDS.iter().any(|row| row.has_set(document))
    }

    /// How the next key is introduced.
    pub fn method(self) -> Method {
        self.row().method
    }

    /// The times that hold where a profile says nothing.
    pub fn timing(self) -> Timing {
        let day = Span::of_days(1);
        let common = Timing {
            period: Span::of_days(7),
            delay: Span::of_days(2),
            refresh: day,
            cache: None,
            failures: 2,
            validity: Some(Span::of_days(14)),
            objects: Span::of_seconds(0),
            skew: Span::of_seconds(300),
            publish_safety: day,
            retire_safety: day,
            distribution: Span::of_seconds(0),
            notice: Span::of_seconds(0),
            strict: self.method().is_anchor(),
        };
        let hours = |count: i64| Span::of_seconds(count * 3_600);
        match self {
            Self::SamlSigning => Timing { objects: Span::of_seconds(300), ..common },
            Self::SamlEncryption | Self::OpenidAnchor => common,
            Self::SamlAnchor => {
                Timing { distribution: Span::of_days(30), notice: Span::of_days(30), ..common }
            }
            Self::Jwks => Timing { validity: None, failures: 0, objects: day, ..common },
            Self::Spiffe => Timing { validity: None, objects: hours(1), ..common },
            Self::X509 => Timing { validity: None, distribution: Span::of_days(90), ..common },
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::all().find(|kind| kind.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(Self::name).collect();
            CADENCE
                .fault(format!("there is no kind of channel '{text}'"))
                .hint(format!("take one of {}", names.join(", ")))
        })
    }
}

/// The times of a channel. The letters are those of RFC 7583 and of the manual.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timing {
    /// P: from one ceremony to the next.
    pub period: Span,
    /// D: the longest time from signing until the artefact is seen at its last publication point.
    pub delay: Span,
    /// R: the longest refresh interval of a consumer.
    pub refresh: Span,
    /// C: what the artefact says of caching: cacheDuration, max-age, refresh hint.
    pub cache: Option<Span>,
    /// k: how many failed refreshes in a row a consumer survives.
    pub failures: u32,
    /// V: how long an artefact is valid; none where the format has no such thing.
    pub validity: Option<Span>,
    /// O: the longest life of what the key signs elsewhere, and no inventory sees: assertions, tokens.
    pub objects: Span,
    /// S: the skew of clocks.
    pub skew: Span,
    /// Pp: added before a key is activated.
    pub publish_safety: Span,
    /// Pr: added before a key is retired.
    pub retire_safety: Span,
    /// A: how long people take to carry an anchor to every consumer.
    pub distribution: Span,
    /// A2: how long the old key goes on signing its own file after the switch, in a double publication.
    pub notice: Span,
    /// Whether to wait until every artefact without the key has expired, rather than trust that consumers refresh.
    pub strict: bool,
}

impl Timing {
    /// Refuses times below zero, and those without which nothing can be computed.
    pub fn check(&self) -> Result<(), Fault> {
        let zero = Span::of_seconds(0);
        let positive = [
            ("the ceremony period", Some(self.period)),
            ("the refresh interval", Some(self.refresh)),
            ("the cache duration", self.cache),
            ("the validity", self.validity),
        ];
        let wrong = positive.into_iter().find(|(_, span)| span.is_some_and(|span| span <= zero));
        let others = [
            self.delay,
            self.objects,
            self.skew,
            self.publish_safety,
            self.retire_safety,
            self.distribution,
            self.notice,
        ];
        match wrong {
            Some((name, _)) => Err(CADENCE.fault(format!("{name} has to be above zero"))),
            None if others.iter().any(|span| *span < zero) => {
                Err(CADENCE.fault("no time of a channel may be below zero"))
            }
            None => Ok(()),
        }
    }
}

/// A place where consumers find the keys of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Channel {
    /// Its name in the profile.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its times.
    pub timing: Timing,
    /// The publication points, by URL: a key is seen when each of them shows it. None named: any one will do.
    pub points: Vec<String>,
}

impl Channel {
    /// A channel with the times of its kind.
    pub fn new(kind: Kind) -> Self {
        Self { name: kind.name().to_owned(), kind, timing: kind.timing(), points: Vec::new() }
    }

    /// The channel of a line in which signatures on documents of this kind live: the one for them, or, of a set, that in which
    /// consumers find its keys; none where the line names no such channel.
    pub fn of<'a>(channels: &'a [Self], document: &str) -> Option<&'a Self> {
        let kind = Kind::of_document(document);
        let is_in = |channel: &&Self| channel.kind.row().has_set(document);
        channels.iter().find(|channel| channel.kind == kind).or_else(|| channels.iter().find(is_in))
    }

    /// How long a consumer that refreshes keeps what it fetched, without failures: the refresh hint of SPIFFE alone where
    /// there is one, otherwise the longer of C and R.
    pub fn interval(&self) -> Span {
        match (self.kind, self.timing.cache) {
            (Kind::Spiffe, Some(hint)) => hint,
            (_, Some(cache)) => cache.max(self.timing.refresh),
            (_, None) => self.timing.refresh,
        }
    }

    /// H, the cache bound: the interval, and as many more as refreshes may fail.
    pub fn cache_bound(&self) -> Span {
        let times = i64::from(self.timing.failures).saturating_add(1);
        Span::of_seconds(self.interval().seconds().saturating_mul(times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_written_and_their_times_hold() {
        for kind in Kind::all() {
            assert_eq!(kind.name().parse::<Kind>().unwrap(), kind);
            assert!(kind.timing().check().is_ok(), "{kind}");
            assert_eq!(
                kind.timing().strict,
                kind.method().is_anchor(),
                "strict for anchors, normal for carried keys"
            );
        }
        assert!(Kind::OpenidAnchor.is_listed_in("entity-configuration"));
        assert!(!Kind::OpenidAnchor.is_listed_in("jwk-set"), "it holds keys of protocols");
        assert!(Kind::takes_place("jwks") && Kind::takes_place("historical-keys"));
        assert!(!Kind::takes_place("bundle") && !Kind::takes_place("trust-mark"));
        assert!(!Kind::takes_place("federation"), "its trust marks stay as good as they were");
        let channels = [Channel::new(Kind::Jwks), Channel::new(Kind::X509)];
        let of = |channels, document| Channel::of(channels, document).map(|channel| channel.kind);
        assert_eq!(of(&channels, "kubernetes"), Some(Kind::X509));
        assert_eq!(
            [of(&channels[..1], "kubernetes"), of(&channels[..1], "bundle")],
            [Some(Kind::Jwks), None]
        );
        assert_eq!("dns".parse::<Kind>().unwrap_err().code(), &CADENCE);
        let zero = Span::of_seconds(0);
        let timing = Kind::Jwks.timing();
        for wrong in [
            Timing { period: zero, ..timing },
            Timing { refresh: zero, ..timing },
            Timing { cache: Some(zero), ..timing },
            Timing { skew: Span::of_seconds(-1), ..timing },
        ] {
            assert_eq!(wrong.check().unwrap_err().code(), &CADENCE);
        }
    }

    #[test]
    fn the_cache_bound_follows_the_kind() {
        let bound = |kind, cache, failures| {
            let mut channel = Channel::new(kind);
            (channel.timing.cache, channel.timing.failures) = (cache, failures);
            channel.cache_bound()
        };
        let hours = |count: i64| Span::of_seconds(count * 3_600);
        assert_eq!(bound(Kind::SamlSigning, Some(hours(6)), 2), Span::of_days(3));
        assert_eq!(bound(Kind::Jwks, Some(hours(36)), 0), hours(36));
        assert_eq!(bound(Kind::Spiffe, Some(hours(1)), 2), hours(3), "the hint alone");
        assert_eq!(bound(Kind::Spiffe, None, 2), Span::of_days(3), "no hint: the refresh interval");
        assert_eq!(bound(Kind::Jwks, Some(Span::of_seconds(i64::MAX)), u32::MAX).seconds(), i64::MAX);
    }
}
