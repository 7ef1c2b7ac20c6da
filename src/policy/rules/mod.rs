//! The table of rules: one function and one row each, by what they look at.

mod addresses;
mod bundle;
mod document;
mod endpoints;
mod extensions;
mod federation;
mod grant;
mod jwks;
mod keys;
mod kubernetes;
mod names;
mod openid;
mod openid_signing;
mod scopes;
mod software;
mod spiffe;
mod subordinates;

pub(crate) use self::addresses::is_script;
use std::borrow::Cow;

use memchr::{memchr, memchr3, memrchr};

use super::Rule;
use super::likeness::is_graphic;

/// Every rule, by group.
pub struct Rules(&'static [&'static [Rule]]);

/// Every rule.
pub static RULES: Rules = Rules(&[
    document::ROWS,
    names::ROWS,
    keys::ROWS,
    endpoints::ROWS,
    scopes::ROWS,
    federation::ROWS,
    extensions::ROWS,
    bundle::ROWS,
    jwks::ROWS,
    kubernetes::ROWS,
    spiffe::ROWS,
    openid::ROWS,
    openid_signing::ROWS,
    subordinates::ROWS,
    grant::ROWS,
    software::ROWS,
]);

impl Rules {
    /// All of them, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &'static Rule> + use<> {
        self.0.iter().copied().flatten()
    }
}

/// The protocol of SAML 2.0, as roles say that they support it.
const SAML_2: &str = "urn:oasis:names:tc:SAML:2.0:protocol";

/// One breach, or none.
fn when(is_breach: bool, detail: impl FnOnce() -> String) -> Vec<String> {
    if is_breach { vec![detail()] } else { Vec::new() }
}

/// Whether something stands twice. Tells it without a table: there are few of anything in an entity.
fn has_twins<T: Ord>(of: impl Iterator<Item = T>) -> bool {
    let mut all: Vec<T> = of.collect();
    all.sort_unstable();
    all.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

/// What stands between `scheme://` and the path, without a port; nothing when there is no such thing.
fn host(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("https://").or_else(|| uri.split_once("://").map(|(_, rest)| rest))?;
    let end = memchr3(b'/', b'?', b'#', rest.as_bytes()).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    if memchr3(b'@', b':', b'[', authority.as_bytes()).is_none() {
        return Some(authority).filter(|host| !host.is_empty());
    }
    let host = authority.get(memrchr(b'@', authority.as_bytes()).map_or(0, |at| at + 1)..)?;
    let end =
        if host.starts_with('[') { host.find(']').map(|end| end + 1) } else { memchr(b':', host.as_bytes()) };
    host.get(..end.unwrap_or(host.len())).filter(|host| !host.is_empty())
}

/// Whether there is white space in a text; most have only what is printable in ASCII.
fn has_space(text: &str) -> bool {
    !is_graphic(text) && text.contains(char::is_whitespace)
}

/// Suffixes of two labels under which anybody registers names, sorted. Not all there are: those of academic federations.
const PUBLIC_SUFFIXES: &[&str] = &[
    "ac.at", "ac.cn", "ac.cr", "ac.il", "ac.in", "ac.ir", "ac.jp", "ac.ke", "ac.kr", "ac.ma", "ac.nz",
    "ac.rs", "ac.th", "ac.tz", "ac.ug", "ac.uk", "ac.za", "ac.zm", "asso.fr", "co.at", "co.il", "co.in",
    "co.jp", "co.kr", "co.nz", "co.uk", "co.za", "com.ar", "com.au", "com.br", "com.cn", "com.co", "com.mx",
    "com.my", "com.pl", "com.sg", "com.tr", "com.ua", "edu.ar", "edu.au", "edu.br", "edu.cn", "edu.co",
    "edu.ec", "edu.ge", "edu.hk", "edu.in", "edu.it", "edu.mx", "edu.my", "edu.ng", "edu.pe", "edu.pl",
    "edu.rs", "edu.sg", "edu.tr", "edu.tw", "edu.ua", "go.jp", "gob.mx", "gov.au", "gov.br", "gov.in",
    "gov.uk", "gv.at", "net.au", "nhs.uk", "or.at", "or.jp", "org.au", "org.br", "org.nz", "org.uk",
    "org.za", "sch.uk",
];

/// The longest of them.
const SUFFIX_BYTES_MAX: usize = "asso.fr".len();

/// Whether anybody can register names below this domain.
fn is_public_suffix(domain: &str) -> bool {
    let domain = domain.trim_matches('.');
    if memchr(b'.', domain.as_bytes()).is_none() {
        return true;
    }
    let lower = || domain.bytes().map(|byte| byte.to_ascii_lowercase());
    domain.len() <= SUFFIX_BYTES_MAX
        && PUBLIC_SUFFIXES.binary_search_by(|suffix| suffix.bytes().cmp(lower())).is_ok()
}

/// The registered domain of a host, as far as names tell: one label more than its public suffix.
fn site(host: &str) -> Cow<'_, str> {
    let host = host.trim_end_matches('.');
    let below = host.match_indices('.').map(|(dot, _)| host.get(dot + 1..).unwrap_or_default());
    let owned = std::iter::once(host).chain(below).take_while(|domain| !is_public_suffix(domain));
    let site = owned.last().unwrap_or(host);
    if site.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(site.to_ascii_lowercase())
    } else {
        Cow::Borrowed(site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own_and_say_where_they_come_from() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.iter().count());
        assert!(names.len() >= 35);
        for rule in RULES.iter() {
            assert!(rule.id.starts_with(rule.kind), "{}", rule.id);
            for text in [rule.sentence, rule.remedy, rule.source] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}", rule.id);
            }
        }
    }

    #[test]
    fn hosts_and_sites() {
        for (uri, expected) in [
            ("https://idp.example.org/x", Some("idp.example.org")),
            ("https://user@host.example:8443?x", Some("host.example")),
            ("https://[::1]:8080/", Some("[::1]")),
            ("urn:x", None),
            ("https:///x", None),
        ] {
            assert_eq!(host(uri), expected);
        }
        assert_eq!(site("idp.cs.example.ac.uk"), "example.ac.uk");
        assert_eq!(site("IDP.example.org."), "example.org");
        assert_eq!(site("localhost"), "localhost");
        assert!(PUBLIC_SUFFIXES.is_sorted());
        for suffix in PUBLIC_SUFFIXES {
            assert!(is_public_suffix(suffix) && is_public_suffix(&suffix.to_uppercase()), "{suffix}");
            assert!(!is_public_suffix(&format!("x.{suffix}")), "{suffix}");
        }
    }
}
