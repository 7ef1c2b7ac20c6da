//! Rules about names and texts: what people read, and take for something else.

use super::addresses::{authority, is_punycode};
use super::{has_space, host, when};
use crate::policy::finding::Check;
use crate::policy::likeness::{code_point, first_odd, mixes_scripts, passes_for};
use crate::policy::{Entity, Rule, Severity};

use Severity::{Block, Note, Warn};

const METADATA: &str = "SAML V2.0 Metadata, section 2.3.2";
const UTS39: &str = "Unicode Technical Standard 39; RFC 3986, section 2";

/// Longer texts are shown by nobody.
const TEXT_CHARS_MAX: usize = 1_000;
const NAME_CHARS_MAX: usize = 200;

pub(super) static ROWS: &[Rule] = &[
    Rule::saml(
        "saml.entity-id.missing",
        Block,
        "every entity has an entityID",
        "give the entity its entityID",
        METADATA,
        Check::Entity(|entity, _| {
            when(entity.id.trim().is_empty(), || {
                format!("an EntityDescriptor without entityID, at {}", entity.place)
            })
        }),
    )
    .lenient(),
    Rule::saml(
        "saml.entity-id.duplicate",
        Block,
        "an entityID stands only once in a document",
        "take one of the entities out: consumers take either",
        "SAML V2.0 Metadata, section 2.3.1",
        Check::Entity(|entity, scene| {
            when(scene.seen.is_duplicate, || format!("it stands again at {}", entity.place))
        }),
    )
    .lenient(),
    Rule::saml(
        "saml.entity-id.lookalike",
        Warn,
        "no entityID looks like another one",
        "ask both registrants: case, a slash, a port or letters that look alike tell them apart, and people do not",
        UTS39,
        Check::Entity(|entity, scene| {
            let told = |line| format!("at {}, it looks like the entityID on line {line}", entity.place);
            scene.seen.lookalike.map(told).into_iter().collect()
        }),
    ),
    Rule::saml(
        "saml.entity-id.not-uri",
        Warn,
        "an entityID is a URI: https, http or urn",
        "have it registered anew under a URI of its own domain",
        METADATA,
        Check::Entity(|entity, _| {
            let uri = &entity.id;
            let is_uri = uri.starts_with("urn:") || host(uri).is_some() && is_web(uri);
            when(!uri.trim().is_empty() && !is_uri, || "the entityID is no https, http or urn URI".into())
        }),
    ),
    Rule::saml(
        "saml.entity-id.unusual",
        Warn,
        "an entityID is a plain URI: ASCII, no user, fragment, dot segments, needless port, escapes or punycode",
        "have it registered anew in its plain form",
        UTS39,
        Check::Entity(|entity, _| {
            let mut found: Vec<String> =
                unusual(&entity.id).map(|why| format!("the entityID has {why}")).collect();
            found.extend(when(!entity.id.is_ascii(), || {
                format!("the entityID has letters outside ASCII ({})", foreign(&entity.id))
            }));
            found
        }),
    ),
    Rule::saml(
        "saml.entity-id.too-long",
        Block,
        "an entityID has at most 1024 characters",
        "take the entity out, or have it registered anew: who validates against the schema drops the whole document",
        METADATA,
        Check::Entity(|entity, _| {
            let length = entity.id.chars().count();
            when(length > Entity::ID_CHARS_MAX, || format!("the entityID has {length} characters"))
        }),
    )
    .firm(),
    Rule::saml(
        "saml.entity-id.white-space",
        Block,
        "no white space stands in an entityID",
        "take it out: some consumers trim it, others do not, and they do not mean the same entity",
        "RFC 3986, section 2",
        Check::Entity(|entity, _| {
            let blank = !entity.id.trim().is_empty() && has_space(&entity.id);
            when(blank, || "white space in the entityID".into())
        }),
    )
    .lenient(),
    Rule::saml(
        "saml.text.invisible",
        Warn,
        "no control, invisible or direction-changing characters stand in a text or an attribute",
        "have them taken out: what is read is not what is there",
        UTS39,
        Check::Reader,
    ),
    Rule::saml(
        "saml.text.mixed-scripts",
        Warn,
        "no word mixes Latin letters with Greek or Cyrillic ones",
        "look at the letters one by one: such words are made to be mistaken",
        UTS39,
        Check::Entity(|entity, _| {
            let mixed = entity.texts().filter(|text| mixes_scripts(&text.value));
            mixed
                .map(|text| {
                    format!(
                        "{} mixes scripts within a word: {} ({})",
                        text.what,
                        text.value,
                        foreign(&text.value)
                    )
                })
                .collect()
        }),
    ),
    Rule::saml(
        "saml.text.homograph",
        Warn,
        "no name consists of letters that all pass for Latin ones",
        "look at the letters one by one: in another script it spells something else than it seems to",
        UTS39,
        Check::Entity(|entity, _| {
            let names = entity.texts().filter_map(|text| Some((text, passes_for(&text.value)?)));
            names
                .map(|(text, latin)| {
                    format!("{} '{}' passes for '{latin}' ({})", text.what, text.value, foreign(&text.value))
                })
                .collect()
        }),
    ),
    Rule::saml(
        "saml.text.unusual",
        Note,
        "names are written with plain spaces and plain letters",
        "write a plain space, and letters of the script itself: what looks the same does not compare the same",
        UTS39,
        Check::Entity(|entity, _| {
            let odd = entity.texts().filter_map(|text| Some((text, first_odd(&text.value)?)));
            odd.map(|(text, c)| format!("{} holds {}", text.what, code_point(c))).collect()
        }),
    ),
    Rule::saml(
        "saml.text.too-long",
        Note,
        "names have at most 200 characters, descriptions at most 1000",
        "ask for a shorter one: discovery services cut it anywhere",
        "SAML V2.0 Metadata Extensions for Login and Discovery User Interface, section 2.1",
        Check::Entity(|entity, _| {
            let long = entity.texts().filter_map(|text| {
                let max = if text.what.contains("Name") { NAME_CHARS_MAX } else { TEXT_CHARS_MAX };
                let length = if text.value.len() > max { text.value.chars().count() } else { 0 };
                (length > max).then(|| format!("{} has {length} characters", text.what))
            });
            long.collect()
        }),
    ),
    Rule::saml(
        "saml.text.comment",
        Block,
        "no comment stands inside a value",
        "take the comment out: it is not signed, and readers cut the value there",
        "CERT VU#475445; Exclusive XML Canonicalization, section 2",
        Check::Reader,
    )
    .lenient(),
    Rule::saml(
        "saml.text.mixed",
        Block,
        "a value is one text: no element, instruction or CDATA section stands inside it",
        "write it as one text: readers that take the first piece read another value than those that take all",
        "XML 1.0, section 3.2.2; DOM, Text.wholeText; CERT VU#475445",
        Check::Reader,
    )
    .lenient(),
    Rule::saml(
        "saml.attribute.newline",
        Note,
        "no literal line break or tab stands in an attribute's value",
        "write spaces: some signature libraries do not normalise them and refuse the signature",
        "XML 1.0, section 3.3.3",
        Check::Reader,
    ),
    Rule::saml(
        "saml.qname.content",
        Warn,
        "no prefix is used in content only, as in xsi:type",
        "declare it where an element uses it: its declaration is not part of what is signed",
        "Exclusive XML Canonicalization, section 1.3",
        Check::Reader,
    ),
];

/// The first characters outside ASCII, by their numbers: what looks alike does not read alike.
pub(super) fn foreign(text: &str) -> String {
    let mut points: Vec<String> = text.chars().filter(|c| !c.is_ascii()).map(code_point).collect();
    points.dedup();
    points.truncate(8);
    points.join(" ")
}

fn is_web(uri: &str) -> bool {
    let scheme = uri.split("://").next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

fn unusual(uri: &str) -> impl Iterator<Item = &'static str> {
    let path = uri.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority(uri);
    let host = host(uri).unwrap_or_default();
    let checks = [
        (authority.contains('@'), "a user name"),
        (uri.contains('\\'), "a backslash"),
        (uri.contains('#'), "a fragment"),
        (uri.ends_with('?'), "an empty query"),
        (path.contains("/../") || path.contains("/./"), "dot segments"),
        (host.ends_with('.'), "a host that ends with a dot"),
        (host.bytes().any(|byte| byte.is_ascii_uppercase()), "capitals in its host"),
        (is_punycode(host), "punycode in its host"),
        (authority.ends_with(":443") || authority.ends_with(":80"), "a port that goes without saying"),
        (needless_escape(uri), "a needless percent escape"),
    ];
    checks.into_iter().filter_map(|(is_so, why)| is_so.then_some(why))
}

/// Whether a letter or digit is written as a percent escape.
fn needless_escape(uri: &str) -> bool {
    let escapes = uri.split('%').skip(1).filter_map(|rest| u8::from_str_radix(rest.get(..2)?, 16).ok());
    escapes.into_iter().any(|byte| byte.is_ascii_alphanumeric())
}
