//! The one view of a document: what it says, as an ordered list of paths and values. The screen, the rules, the difference,
//! the JSON and the ledger all read it, so that they cannot disagree.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::base::bytes::{Digest, from_base64, from_base64url, hex};
use crate::base::fault::Fault;

/// One thing a document says. Values are foreign text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fact {
    /// What it is about, such as `validUntil`.
    pub path: String,
    /// What the document says.
    pub value: String,
    /// What the reader should know beside it, such as the value that was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

impl Fact {
    /// What it takes up: of items there are as many as a document has, and whoever reads them bounds them.
    fn bytes(&self) -> usize {
        if self.is_item() {
            return 0;
        }
        let remark = self.remark.as_ref().map_or(0, String::len);
        self.path.len() + self.value.len() + remark + FACT_BYTES
    }

    /// Whether it names one of the many items that a document consists of.
    pub fn is_item(&self) -> bool {
        matches!(self.path.as_str(), "entity" | "file" | "document")
    }
}

/// Facts of which there are as many as a document has items. They are read when somebody asks, and not kept in memory.
pub trait Items: Send + Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The fact at a place.
    ///
    /// # Errors
    ///
    /// Those of reading it again.
    fn item(&self, place: usize) -> Result<Fact, Fault>;

    /// How many of them are new or changed, where each is a document of its own.
    fn news(&self) -> usize {
        0
    }

    /// What such a document says; the riskiest is the first.
    ///
    /// # Errors
    ///
    /// Those of reading it again.
    fn said(&self, _number: usize) -> Result<Vec<Fact>, Fault> {
        Ok(vec![])
    }
}

/// What a document says, in its order. A clone costs nothing until one of the two changes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    all: Arc<Vec<Fact>>,
    /// What they take up, see [`BYTES_MAX`].
    bytes: usize,
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.all.as_slice().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(Self::of)
    }
}

impl IntoIterator for Facts {
    type Item = Fact;
    type IntoIter = std::vec::IntoIter<Fact>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.all).into_iter()
    }
}

impl Facts {
    /// Adds a fact. A value is cut, and says so, where it is longer than anything that makes sense.
    pub fn add(&mut self, path: impl Into<String>, value: impl AsRef<str>) {
        self.push(Fact { path: path.into(), value: clip(value.as_ref()), remark: None });
    }

    /// Adds a fact whose value is read again from the record of what was signed last, so that it is not cut. Its length is up
    /// to whoever adds it.
    pub fn add_whole(&mut self, path: impl Into<String>, value: impl Into<String>) {
        self.push(Fact { path: path.into(), value: value.into(), remark: None });
    }

    /// Adds a fact with a remark.
    pub fn add_with(&mut self, path: impl Into<String>, value: impl AsRef<str>, remark: impl AsRef<str>) {
        let (value, remark) = (clip(value.as_ref()), Some(clip(remark.as_ref())));
        self.push(Fact { path: path.into(), value, remark });
    }

    fn of(all: Vec<Fact>) -> Self {
        let bytes = all.iter().map(Fact::bytes).sum();
        Self { all: Arc::new(all), bytes }
    }

    /// Adds a fact while there is room. The first for which there is none says so in its place.
    fn push(&mut self, fact: Fact) {
        if self.is_cut() {
            return;
        }
        self.bytes = self.bytes.saturating_add(fact.bytes());
        let cut = || Fact {
            path: "not told".into(),
            value: format!(
                "what stands from {} on",
                fact.path.chars().take(NAME_BYTES_MAX).collect::<String>()
            ),
            remark: Some("there is no room for it".into()),
        };
        let fact = if self.is_cut() { cut() } else { fact };
        Arc::make_mut(&mut self.all).push(fact);
    }

    /// Whether the document says more than is told.
    pub const fn is_cut(&self) -> bool {
        self.bytes > BYTES_MAX
    }

    /// Adds what a JSON value says, in its order, so that no two values are told alike: [`member`] and [`element`] are the
    /// paths, and a text is told as it is, or as JSON where it could be taken for something else. Of what nobody reads, such
    /// as the modulus of a key, a certificate or a JWT, the digest is told.
    pub fn add_json(&mut self, path: &str, value: &Value) {
        match value {
            // Paths are long where names are: none is made for what is not told.
            _ if self.is_cut() => {}
            Value::Object(members) if !members.is_empty() => {
                let is_key = members.contains_key("kty");
                for (name, inner) in members {
                    let path = member(path, name);
                    match inner {
                        Value::String(text) if is_key && name == "n" && is_modulus(text) => {
                            self.add(path, digest(text));
                        }
                        inner => self.add_json(&path, inner),
                    }
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                let names: BTreeSet<_> = elements.iter().filter_map(key_name).collect();
                let is_named = names.len() == elements.len() && names.iter().all(|name| is_name(name));
                for (number, inner) in elements.iter().enumerate() {
                    let name = key_name(inner).filter(|_| is_named);
                    self.add_json(&element(path, number, name.as_deref()), inner);
                }
            }
            Value::String(text) => self.add_in_pieces(path, &told(text)),
            other => self.add(path, other.to_string()),
        }
    }

    /// Adds a text that is signed as it stands: all of it is to be seen, piece by piece where one fact has no room for it.
    fn add_in_pieces(&mut self, path: &str, text: &str) {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((end, _)) = rest.char_indices().nth(VALUE_CHARS_MAX) {
            let cut = rest.char_indices().nth(VALUE_CHARS_MAX - 1).map_or(end, |(cut, _)| cut);
            let (piece, behind) = rest.split_at(cut);
            pieces.push(piece);
            rest = behind;
        }
        let count = pieces.len() + 1;
        for (number, piece) in pieces.into_iter().enumerate() {
            self.add(piece_path(path, number, count), format!("{piece}…"));
        }
        self.add(piece_path(path, count - 1, count), rest);
    }

    /// Those of the facts that are wanted.
    #[must_use]
    pub fn only(&self, is_wanted: impl Fn(&Fact) -> bool) -> Self {
        Self::of(self.all.iter().filter(|fact| is_wanted(fact)).cloned().collect())
    }

    /// Adds all facts of another list.
    pub fn append(&mut self, others: Self) {
        let bytes = self.bytes.saturating_add(others.bytes);
        others.into_iter().for_each(|fact| self.push(fact));
        self.bytes = bytes;
    }

    /// The first value under this path.
    pub fn value(&self, path: &str) -> Option<&str> {
        self.all.iter().find(|fact| fact.path == path).map(|fact| fact.value.as_str())
    }

    /// Every value under this path.
    pub fn values<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        self.all.iter().filter(move |fact| fact.path == path).map(|fact| fact.value.as_str())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.all.iter()
    }
}

/// Under what a piece of a text stands; the first one under its path. No path of JSON has a blank outside quotes.
fn piece_path(path: &str, number: usize, count: usize) -> String {
    if number == 0 { path.to_owned() } else { format!("{path} ({} of {count})", number + 1) }
}

/// The path of a member of a JSON object: `outer.inner`, or `outer["a.b"]` where the name could be taken for something else.
pub fn member(path: &str, name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-#:/@$".contains(c);
    if name.is_empty() || !name.chars().all(is_plain) {
        return format!("{path}[{}]", Value::from(name));
    }
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The path of an element of a JSON array: `list[0]`, or `keys[NAME]` for a key with a name of its own, so that it keeps its
/// path when others come and go.
pub fn element(path: &str, number: usize, name: Option<&str>) -> String {
    match name.filter(|name| is_name(name)) {
        Some(name) => format!("{path}[{name}]"),
        None => format!("{path}[{number}]"),
    }
}

/// Whether nobody could take it for a number, or for anything else that stands in brackets, and it is short enough for a path.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"[]\"".contains(c);
    name.len() <= NAME_BYTES_MAX && name.chars().all(is_plain) && name.chars().any(|c| !c.is_ascii_digit())
}

/// What a key in JSON is called: its `kid`, else the beginning of the digest of what it says.
fn key_name(element: &Value) -> Option<String> {
    let kid = element.get("kid").and_then(Value::as_str).map(str::to_owned);
    let digest =
        || hex(Digest::of(element.to_string().as_bytes()).as_bytes()).get(..NAME_CHARS).map(str::to_owned);
    kid.or_else(|| element.get("kty").and_then(|_| digest()))
}

/// A text of a JSON value as it is; as JSON where it could be taken for a number, a word or structure of JSON, for one of our
/// own texts, or for another one because its ends do not show.
fn told(text: &str) -> String {
    if text.len() > OPAQUE_BYTES_MIN && (is_jws(text) || is_certificate(text)) {
        return digest(text);
    }
    let could_be_json = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    let is_plain = !text.is_empty()
        && !text.starts_with(['"', ' '])
        && text.trim() == text
        && !text.starts_with("sha256:")
        && !text.contains("  (")
        && !could_be_json(text);
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

/// What stands for a text that nobody reads.
fn digest(text: &str) -> String {
    format!("{} of {} bytes", Digest::of(text.as_bytes()), text.len())
}

fn is_modulus(text: &str) -> bool {
    text.len() > OPAQUE_BYTES_MIN && from_base64url(text).is_some()
}

fn is_jws(text: &str) -> bool {
    let header = || serde_json::from_slice::<Value>(&from_base64url(text.split('.').next()?)?).ok();
    text.split('.').count() == 3
        && text.split('.').all(|part| from_base64url(part).is_some())
        && header().is_some_and(|header| header.get("alg").is_some())
}

/// A DER sequence with two octets of length, and nothing behind it (X.690, section 8.1.3).
fn is_certificate(text: &str) -> bool {
    matches!(from_base64(text).as_deref(), Some([0x30, 0x82, high, low, rest @ ..])
        if usize::from(u16::from_be_bytes([*high, *low])) == rest.len())
}

/// The most that the facts of one document take up in memory and on the screen. A path is written out for each value, so a
/// short document with a long name and many values asks for any amount; one of a megabyte in which names are what names are
/// takes half of it.
pub(super) const BYTES_MAX: usize = 16 << 20;
/// What a fact takes up beside its texts.
const FACT_BYTES: usize = 64;
/// Keys with longer names are numbered in paths.
const NAME_BYTES_MAX: usize = 256;
/// What of a digest is enough to name a key.
const NAME_CHARS: usize = 16;
/// Shorter texts are told as they are, whatever they are.
const OPAQUE_BYTES_MIN: usize = 200;
/// The most of one value that is kept. An entityID has at most 1,024 (saml-metadata-2.0-os, section 2.2.1).
const VALUE_CHARS_MAX: usize = 2_048;

/// A foreign value that cannot fill the memory or the screen. The digest tells it from others that begin the same.
pub fn clip(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        None => value.to_owned(),
        Some((end, _)) => {
            let (count, digest) = (value.chars().count(), Digest::of(value.as_bytes()));
            format!("{}… ({count} characters, {digest})", value.get(..end).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_long_text_is_left_out() {
        for length in [1, VALUE_CHARS_MAX, VALUE_CHARS_MAX + 1, 2 * VALUE_CHARS_MAX, 10_000] {
            let text: String = (0..length).map(|n| ['ä', 'b', '/', '7'][n % 4]).collect();
            let mut facts = Facts::default();
            facts.add_json("scope", &Value::from(text.as_str()));
            let whole: String = facts.iter().map(|fact| fact.value.trim_end_matches('…')).collect();
            assert_eq!(whole, text);
            let paths: BTreeSet<&str> = facts.iter().map(|fact| fact.path.as_str()).collect();
            assert!(paths.len() == facts.iter().count() && paths.contains("scope"), "{paths:?}");
            assert!(facts.iter().all(|fact| fact.value.chars().count() <= VALUE_CHARS_MAX));
        }
    }

    #[test]
    fn a_path_for_each_value_fills_no_memory() {
        let told = |json: &Value| {
            let mut facts = Facts::default();
            facts.add_json("metadata", json);
            facts
        };
        for (name, values) in [(10_000, 20_000), (300_000, 170_000), (1, 400_000)] {
            let (list, name) = (vec!["a"; values], "x".repeat(name));
            for json in [serde_json::json!({ &name: list }), serde_json::json!({ &name: { "b": list } })] {
                let facts = told(&json);
                let kept: usize = facts.iter().map(Fact::bytes).sum();
                assert!(facts.is_cut() && kept < BYTES_MAX + 1_024, "{values}: {kept} bytes");
                let end = facts.iter().last().unwrap();
                assert!(end.path == "not told" && end.value.contains(" metadata.x"), "{end:?}");
            }
        }
        let jwk = |n: usize| {
            serde_json::json!({"kid": format!("{n:064}"), "kty": "EC", "crv": "P-384", "use": "sig",
            "alg": "ES384", "x": "A".repeat(64), "y": "A".repeat(64), "x5c": ["A".repeat(800)]})
        };
        let uris =
            |count: usize| -> Value { (0..count).map(|n| format!("https://rp.example.org/{n}")).collect() };
        let ordinary: Vec<Value> = (0..10_000)
            .map(|n| serde_json::json!({"client_name": format!("service {n}"), "is_public": true}))
            .collect();
        for json in [
            serde_json::json!({ "keys": (0..1_000).map(jwk).collect::<Vec<_>>() }),
            serde_json::json!({"openid_relying_party": {"redirect_uris": uris(3_000)}}),
            serde_json::json!({"federation_entity": {"services": ordinary}}),
        ] {
            let once = told(&json);
            let (mut both, count) = (once.clone(), once.iter().count());
            both.append(once);
            assert!(
                !both.is_cut() && both.iter().count() == 2 * count,
                "claims and what is resolved of them"
            );
        }
    }

    #[test]
    fn what_is_cut_stays_cut_with_others() {
        let mut cut = Facts::default();
        cut.add_whole("a", "x".repeat(BYTES_MAX));
        let mut whole = Facts::default();
        whole.add("b", "1");
        whole.append(cut);
        assert!(whole.is_cut());
        assert_eq!(whole.iter().map(|fact| fact.path.as_str()).collect::<Vec<_>>(), ["b", "not told"]);
        // As many items as there are.
        let mut items = Facts::default();
        items.add_whole("file", "x".repeat(BYTES_MAX));
        items.add_whole("file", "y");
        assert!(!items.is_cut() && items.iter().count() == 2);
    }

    #[test]
    fn json_becomes_paths_and_values_in_its_order() {
        let json = serde_json::json!({
            "z": 1, "a": {"empty": {}, "list": ["x", null, [true]]},
            "keys": [{"kid": "k2", "n": "AA"}, {"kid": "k1"}],
            "twice": [{"kid": "k"}, {"kid": "k"}],
            "nameless": [{"kty": "EC"}, {"kid": "k"}],
        });
        let mut facts = Facts::default();
        facts.add_json("", &json);
        let told: Vec<_> = facts.iter().map(|fact| format!("{}={}", fact.path, fact.value)).collect();
        assert_eq!(
            told,
            [
                "z=1",
                "a.empty={}",
                "a.list[0]=x",
                "a.list[1]=null",
                "a.list[2][0]=true",
                "keys[k2].kid=k2",
                "keys[k2].n=AA",
                "keys[k1].kid=k1",
                "twice[0].kid=k",
                "twice[1].kid=k",
                "nameless[cb763a9b2d780bc1].kty=EC",
                "nameless[k].kid=k"
            ]
        );
    }

    /// Documents that differ, if only in their types, names or order, and how they once looked alike.
    #[test]
    fn no_two_documents_look_alike() {
        let long = |last: &str| "x".repeat(3_000) + last;
        let documents = [
            r#"{"a":{"b":"1"}}"#.to_owned(),
            r#"{"a.b":"1"}"#.into(),
            r#"{"a":{"b":1}}"#.into(),
            r#"{"a":"true"}"#.into(),
            r#"{"a":true}"#.into(),
            r#"{"a":null}"#.into(),
            r#"{"a":"null"}"#.into(),
            r#"{"a":[]}"#.into(),
            r#"{"a":"[]"}"#.into(),
            r#"{"a":{}}"#.into(),
            r#"{"a":"{}"}"#.into(),
            r#"{"a":""}"#.into(),
            r#"{"a":"\"\""}"#.into(),
            r#"{"a":" "}"#.into(),
            r#"{"a":"1"}"#.into(),
            r#"{"a":"1 "}"#.into(),
            r#"{"a":["1"]}"#.into(),
            r#"{"a[0]":"1"}"#.into(),
            r#"{"a":{"[0]":"1"}}"#.into(),
            r#"{"a":{"0":"1"}}"#.into(),
            r#"{"a":[{"kid":"0"}]}"#.into(),
            r#"{"a":{"[0]":{"kid":"0"}}}"#.into(),
            r#"{"a":[{"kid":"b"}]}"#.into(),
            format!(r#"{{"a":[{{"kid":"{}1"}}]}}"#, "b".repeat(NAME_BYTES_MAX)),
            format!(r#"{{"a":[{{"kid":"{}2"}}]}}"#, "b".repeat(NAME_BYTES_MAX)),
            r#"{"a":{"b":{"kid":"b"}}}"#.into(),
            r#"{"a":[{"kid":"b"},{"kid":"c"}]}"#.into(),
            r#"{"a":[{"kid":"c"},{"kid":"b"}]}"#.into(),
            r#"{"a":[{"kid":"b].kid"}]}"#.into(),
            r#"{"":"1"}"#.into(),
            r#"{"a":{"":"1"}}"#.into(),
            r#"{"a  1":"1"}"#.into(),
            format!(r#"{{"a":"{}"}}"#, long("1")),
            format!(r#"{{"a":"{}"}}"#, long("2")),
            format!(r#"{{"a":"{}"}}"#, digest(&long("1"))),
            format!(r#"{{"a":{{"kty":"RSA","n":"{}"}}}}"#, "A".repeat(342)),
            format!(r#"{{"a":{{"kty":"RSA","n":"{}"}}}}"#, digest(&"A".repeat(342))),
        ];
        let mut seen = std::collections::BTreeMap::new();
        for document in documents {
            let mut facts = Facts::default();
            facts.add_json("", &serde_json::from_str(&document).unwrap());
            let told: Vec<_> = facts.iter().map(|fact| format!("{:<20} {}", fact.path, fact.value)).collect();
            if let Some(other) = seen.insert(told.join("\n"), document.clone()) {
                panic!("{other} and {document} are told alike: {told:?}");
            }
        }
    }

    #[test]
    fn what_people_read_is_told_and_of_the_rest_the_digest() {
        let url = format!("https://evil.example/jwks?{}", "p".repeat(2_000));
        let jws = format!("{}.{}.AAAA", "eyJhbGciOiJFUzM4NCJ9", "A".repeat(400));
        let certificate = format!("MIIBKA{}", "A".repeat(394)); // DER: 296 octets behind four
        for (text, is_told) in [
            (url.as_str(), true),
            (&jws, false),
            (&certificate, false),
            (&"A".repeat(400), true),
            (&jws.replace("eyJ", "xyJ"), true),
        ] {
            let mut facts = Facts::default();
            facts.add_json("a", &text.into());
            assert_eq!(facts.value("a"), Some(if is_told { text.to_owned() } else { digest(text) }.as_str()));
        }
    }
}
