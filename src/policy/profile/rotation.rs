//! How keys of a line are rotated, and where consumers find them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::wrong;
use crate::base::clock::Span;
use crate::base::fault::Fault;

/// How keys of the line are rotated.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rotation {
    /// How many persons a move needs that starts a key or ends it for good.
    pub quorum: u32,
    /// How long a key is kept that is retired or revoked, before it may be destroyed.
    #[serde(serialize_with = "super::write_span", deserialize_with = "read_time")]
    pub retention: Span,
    /// How long a key is active before the next one is made, for the plan; none plans one rotation, at once.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub lifetime: Option<Span>,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { quorum: 1, retention: Span::of_seconds(0), lifetime: None }
    }
}

/// A channel: a place where consumers find the keys of the line. What is not said comes from its kind, and validity and cache
/// duration of documents that the line signs from the profile's limits for them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Its kind, such as `saml-anchor`.
    pub kind: String,
    /// The publication points, by URL: a key is seen when each of them shows it. None named: any one will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<String>,
    /// P: from one ceremony to the next.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub period: Option<Span>,
    /// D: the longest time from signing until the artefact is seen at its last publication point.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub delay: Option<Span>,
    /// R: the longest refresh interval of a consumer.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub refresh: Option<Span>,
    /// C: what artefacts say of caching.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub cache: Option<Span>,
    /// k: how many failed refreshes in a row a consumer survives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<u32>,
    /// V: how long an artefact is valid.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub validity: Option<Span>,
    /// O: the longest life of what the key signs elsewhere: assertions, tokens.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub objects: Option<Span>,
    /// S: the skew of clocks.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub skew: Option<Span>,
    /// Pp: added before a key is activated.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub publish_safety: Option<Span>,
    /// Pr: added before a key is retired.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub retire_safety: Option<Span>,
    /// A: how long people take to carry an anchor to every consumer.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub distribution: Option<Span>,
    /// A2: how long the old key goes on signing its own file after the switch, in a double publication.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_times",
        deserialize_with = "read_times"
    )]
    pub notice: Option<Span>,
    /// Whether to wait until every artefact without the key has expired, rather than trust that consumers refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// Whether this is a place that a file is fetched from: a URL of any scheme.
pub fn is_place(text: &str) -> bool {
    let is_scheme = |scheme: &str| scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let has_host = |rest: &str| rest.split('/').next().is_some_and(|host| !host.is_empty());
    let is_plain = text.chars().all(|c| c.is_ascii_graphic());
    text.split_once("://")
        .is_some_and(|(scheme, rest)| is_plain && !scheme.is_empty() && is_scheme(scheme) && has_host(rest))
}

pub(super) fn check(rotation: &Rotation, channels: &[Channel]) -> Result<(), Fault> {
    if rotation.quorum == 0 {
        return wrong("[rotation] quorum is 0: nobody would have to agree");
    }
    let plain =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    for (place, channel) in channels.iter().enumerate() {
        if !plain(&channel.name) {
            return wrong(&format!("[[channels]] '{}' cannot name a channel", channel.name));
        }
        if channels.iter().take(place).any(|before| before.name == channel.name) {
            return wrong(&format!("[[channels]] '{}' is there twice", channel.name));
        }
        if let Some(point) = channel.points.iter().find(|point| !is_place(point)) {
            return wrong(&format!(
                "[[channels]] '{}': '{point}' is no URL: write it as https://md.example.org/federation.xml",
                channel.name
            ));
        }
    }
    Ok(())
}

/// A duration, and also none at all: `PT0S`.
fn read_time<'de, D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
    match String::deserialize(from)?.as_str() {
        "PT0S" => Ok(Span::of_seconds(0)),
        text => Span::parse(text).map_err(D::Error::custom),
    }
}

fn read_times<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Span>, D::Error> {
    read_time(from).map(Some)
}

#[expect(clippy::ref_option, reason = "serde's shape")]
fn write_times<S: Serializer>(span: &Option<Span>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&span.unwrap_or(Span::of_seconds(0)))
}
