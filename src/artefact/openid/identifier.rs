//! Entity Identifiers and URLs (OpenID Federation 1.0, section 1.2), and the names that constraints allow (section 6.2.2).

use core::net::Ipv6Addr;

/// Longer identifiers are refused.
const CHARS_MAX: usize = 2_048;

/// Why a text is no Entity Identifier: https, a host, perhaps a port and a path, neither query nor fragment.
pub(in crate::artefact) fn not_an_identifier(text: &str) -> Option<&'static str> {
    not_a_url(text).or_else(|| text.contains('?').then_some("it has a query"))
}

/// Why a text is no URL that a federation may publish: https, a host, no fragment, no user.
pub(in crate::artefact) fn not_a_url(text: &str) -> Option<&'static str> {
    let Some(rest) = text.strip_prefix("https://") else { return Some("it does not begin with https://") };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = split(authority);
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let checks = [
        (text.len() > CHARS_MAX, "it has more than 2048 characters"),
        (!text.chars().all(is_plain), "it holds a character that must be escaped"),
        (text.contains('#'), "it has a fragment"),
        (authority.contains('@'), "it has a user"),
        (host.is_empty(), "it has no host"),
        (
            match is_address {
                Some(address) => {
                    !address.contains(':')
                        || !address.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c))
                }
                None => !host.chars().all(is_name) || host.starts_with('.') || host.contains(".."),
            },
            "its host is not a name",
        ),
        (host.ends_with('.'), "its host ends with a dot, under which no other name is the same"),
        (
            // a sign before it would be read as part of a number
            port.is_some_and(|port| {
                port.starts_with('+') || port.parse::<u16>().map_or(true, |port| port == 0)
            }),
            "its port is not a number",
        ),
    ];
    checks.into_iter().find_map(|(is_so, why)| is_so.then_some(why))
}

fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.rfind(':').filter(|at| !authority.get(*at..).unwrap_or_default().contains(']')) {
        Some(at) => {
            let (host, port) = authority.split_at(at);
            (host, port.strip_prefix(':'))
        }
        None => (authority, None),
    }
}

/// Where an entity publishes what it says of itself: the same for identifiers of which one is only another spelling (RFC 3986,
/// section 6.2; OpenID Federation 1.0, section 9).
pub(super) fn place(identifier: &str) -> String {
    let rest = identifier.strip_prefix("https://").unwrap_or(identifier);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = split(authority);
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')?.parse::<Ipv6Addr>().ok());
    let host = address.map_or_else(|| host.to_ascii_lowercase(), |address| format!("[{address}]"));
    let port = port.and_then(|port| port.parse::<u16>().ok()).filter(|port| *port != 443);
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    format!("{host}{port}{}", normal(path))
}

/// A path without dot segments and what is escaped for nothing, and without a slash at its end (RFC 3986, sections 6.2.2.2 and
/// 6.2.2.3).
fn normal(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, from)) = rest.split_once('%') {
        plain += before;
        let octet = from.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match octet.map(|octet| (octet, char::from(octet))) {
            Some((_, c)) if c.is_ascii_alphanumeric() || "-._~".contains(c) => {
                plain.push(c);
                from.get(2..)
            }
            Some((octet, _)) => {
                plain += &format!("%{octet:02X}");
                from.get(2..)
            }
            None => {
                plain.push('%');
                Some(from)
            }
        }
        .unwrap_or_default();
    }
    plain += rest;
    let mut segments = Vec::new();
    for segment in plain.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    segments.iter().map(|segment| format!("/{segment}")).collect::<String>().trim_end_matches('/').to_owned()
}

/// The host of an identifier that is one.
fn host(identifier: &str) -> &str {
    let rest = identifier.strip_prefix("https://").unwrap_or_default();
    split(rest.split(['/', '?', '#']).next().unwrap_or_default()).0
}

/// Whether the host of an identifier is an address and no name: in brackets, or a number at its end, as everybody who opens
/// URLs reads it (WHATWG URL, "ends in a number checker").
pub(super) fn is_address(identifier: &str) -> bool {
    let host = host(identifier);
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_hex = |digits: &str| digits.chars().all(|c| c.is_ascii_hexdigit());
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    host.starts_with('[')
        || hex.is_some_and(is_hex)
        || !last.is_empty() && last.chars().all(|c| c.is_ascii_digit())
}

/// Whether the host of an identifier is the one of the constraint, or below it when it begins with a dot
/// (RFC 5280, section 4.2.1.10, for URIs).
pub(super) fn is_within(identifier: &str, constraint: &str) -> bool {
    let (host, constraint) = (host(identifier).to_ascii_lowercase(), constraint.to_ascii_lowercase());
    if constraint.starts_with('.') {
        return host.len() > constraint.len() && host.ends_with(&constraint);
    }
    host == constraint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_identifier_are_one_place() {
        for same in ["https://a.example", "https://a.example/", "https://A.Example", "https://a.example:443/"]
        {
            assert_eq!(place(same), "a.example", "{same}");
        }
        assert_eq!(place("https://A.example:0443/x/"), "a.example/x");
        for same in ["/x", "/./x", "/y/../x/.", "/../x/", "/%78", "/%2e%2E/x"] {
            assert_eq!(place(&format!("https://a.example:08443{same}")), "a.example:8443/x", "{same}");
        }
        for same in ["https://a.example/..", "https://a.example/a/..", "https://a.example/."] {
            assert_eq!(place(same), "a.example", "{same}");
        }
        assert_eq!(place("https://a.example/a%2fb%"), "a.example/a%2Fb%");
        assert_eq!(place("https://[0:0:0:0:0:0:0:A]/x"), place("https://[::a]/x"));
        for other in
            ["https://a.example/x", "https://a.example/X", "https://a.example:8443", "https://b.example"]
        {
            let all = [
                "https://a.example",
                "https://a.example/x",
                "https://a.example/X",
                "https://a.example:8443",
                "https://b.example",
            ];
            assert_eq!(all.iter().filter(|one| place(one) == place(other)).count(), 1, "{other}");
        }
    }

    #[test]
    fn identifiers_are_plain_https_urls() {
        for good in [
            "https://a.example",
            "https://a.example:8443/x/y",
            "https://a_b.example/",
            "https://[2001:db8::1]:443/",
        ] {
            assert_eq!(not_an_identifier(good), None, "{good}");
        }
        for bad in [
            "",
            "a.example",
            "http://a.example",
            "HTTPS://a.example",
            "https://",
            "https:///x",
            "https://a.example?x",
            "https://a.example#x",
            "https://u@a.example",
            "https://a b.example",
            "https://a.example/\u{e9}",
            "https://a.example:x",
            "https://a.example:0",
            "https://a.example:70000",
            "https://[::g]",
            "https://a..example",
            "https://a.example/\\x",
            "https://a.example\n",
            "https://:443",
            "https://a.example.",
            "https://a.example.:8443/x",
            "https://a.example./",
        ] {
            assert!(not_an_identifier(bad).is_some(), "{bad}");
        }
        assert_eq!(not_a_url("https://a.example/x?y=1"), None);
    }

    #[test]
    fn an_address_is_no_name() {
        for address in [
            "https://[::1]",
            "https://127.0.0.1:1/x",
            "https://0x7f000001",
            "https://a.0X7F",
            "https://2130706433",
        ] {
            assert!(is_address(address) && not_an_identifier(address).is_none(), "{address}");
        }
        for name in ["https://a.example", "https://1.example", "https://a.0x7g", "https://a.1a/0x7f"] {
            assert!(!is_address(name), "{name}");
        }
    }

    #[test]
    fn constraints_name_a_host_or_everything_below_one() {
        for (identifier, constraint, expected) in [
            ("https://a.example.org/x", ".example.org", true),
            ("https://A.EXAMPLE.ORG:8443", ".example.ORG", true),
            ("https://example.org", ".example.org", false),
            ("https://example.org", "example.org", true),
            ("https://a.example.org", "example.org", false),
            ("https://badexample.org", ".example.org", false),
            ("https://evil.test/.example.org", ".example.org", false),
        ] {
            assert_eq!(is_within(identifier, constraint), expected, "{identifier} {constraint}");
        }
    }
}
