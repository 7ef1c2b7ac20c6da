//! What an address leads to, by its text alone.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::host;
use crate::base::bytes::{from_hex, from_public_base64};

/// What [`oddities`] says of an authority whose port no connection can be made to.
pub(super) const NO_PORT: &str = "a port that is none";

/// Whether a browser would run it, and not go there: it passes over control characters and blanks in front.
pub(crate) fn is_script(uri: &str) -> bool {
    if uri.starts_with("https:") || uri.starts_with("http:") {
        return false;
    }
    let plain = uri.chars().filter(|c| !c.is_ascii_control()).skip_while(|c| c.is_whitespace());
    let plain = plain.take(16).collect::<String>().to_ascii_lowercase();
    ["javascript:", "vbscript:", "data:"].iter().any(|scheme| plain.starts_with(scheme))
}

/// Whether an image in a `data:` URL is a drawing (SVG) that does something, once somebody opens it by itself.
pub(super) fn is_acting(logo: &str) -> bool {
    let head = logo.trim_start().split(',').next().unwrap_or_default().to_ascii_lowercase();
    let body = logo.split_once(',').map_or("", |(_, body)| body);
    if !head.starts_with("data:image/svg") {
        return false;
    }
    let is_coded = head.split(';').any(|part| part.trim() == "base64");
    let drawing = if is_coded { from_public_base64(body) } else { Some(unescaped(body)) };
    // what cannot be read, or is too long to be looked through, is none that is known to be at rest
    let Some(drawing) = drawing.filter(|_| logo.len() < LOGO_BYTES_MAX) else { return true };
    let drawing = String::from_utf8_lossy(&drawing).to_ascii_lowercase();
    let mut handlers = drawing.match_indices("on").filter(|(at, _)| {
        let (before, behind) = drawing.split_at(*at);
        let behind = behind.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        before.ends_with(|c: char| c.is_whitespace() || "\"'/".contains(c))
            && behind.len() + 2 < drawing.len() - at
            && behind.trim_start().starts_with('=')
    });
    ["<script", ":script", "javascript:", "<!entity"].iter().any(|what| drawing.contains(what))
        || handlers.next().is_some()
}

/// Longer ones are not looked through.
const LOGO_BYTES_MAX: usize = 64 * 1024;

/// What percent-encoding stands for (RFC 3986, section 2.1).
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let byte = behind.get(..2).and_then(from_hex);
        rest = if byte.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
        bytes.extend(byte.unwrap_or_else(|| b"%".to_vec()));
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// What makes people, or programs, take a location for another one.
pub(super) fn oddities(uri: &str) -> impl Iterator<Item = &'static str> {
    let host = host(uri).unwrap_or_default();
    let authority = authority(uri);
    let checks = [
        (authority.contains('@'), "a user name"),
        (has_no_port(authority, host), NO_PORT),
        (uri.contains('\\'), "a backslash"),
        (uri.contains('#'), "a fragment"),
        (!uri.is_ascii(), "letters outside ASCII"),
        (is_punycode(host), "punycode in its host"),
        (host.contains('%'), "an escape in its host"),
    ];
    checks.into_iter().filter_map(|(is_so, why)| is_so.then_some(why))
}

/// What stands between `scheme://` and the path.
pub(super) fn authority(uri: &str) -> &str {
    uri.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(""))
}

/// Whether a label of a host stands for letters outside ASCII (RFC 3492).
pub(super) fn is_punycode(host: &str) -> bool {
    host.split('.').any(|label| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")))
}

fn has_no_port(authority: &str, host: &str) -> bool {
    let behind = authority.rsplit('@').next().and_then(|place| place.strip_prefix(host)).unwrap_or_default();
    !behind.is_empty()
        && !behind.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse().is_ok_and(|port: u16| port > 0)
        })
}

/// Whether a host is this machine or one of a private network, however it is written (RFC 1918, RFC 4193, RFC 6761).
pub(super) fn is_local(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address = address.split('%').next().unwrap_or_default();
        return address.parse().is_ok_and(is_local_6);
    }
    if let Some(address) = ipv4(host) {
        return is_local_4(address);
    }
    let name = host.trim_end_matches('.').as_bytes();
    let ends_with = |ending: &[u8]| {
        let (_, end) = name.split_at(name.len().saturating_sub(ending.len()));
        end.eq_ignore_ascii_case(ending)
    };
    let endings: [&[u8]; 7] =
        [b".localhost", b".local", b".internal", b".lan", b".test", b".invalid", b".home.arpa"];
    !name.contains(&b'.') || endings.into_iter().any(ends_with)
}

fn is_local_4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    matches!((first, second), (0 | 10 | 127, _) | (192, 168) | (169, 254) | (172, 16..=31) | (100, 64..=127))
}

/// An address that is mapped from IPv4, the loopback address and the one of all zeros among them, is what it is mapped from.
fn is_local_6(address: Ipv6Addr) -> bool {
    let [first, ..] = address.segments();
    address.to_ipv4().is_some_and(is_local_4) || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
}

/// An IPv4 address as browsers read it (WHATWG URL, the IPv4 parser): fewer than four numbers, octal and hexadecimal ones too.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if !host.rsplit('.').next()?.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let numbers: Option<Vec<u64>> = host.split('.').map(number).collect();
    let numbers = numbers?;
    let (last, others) = numbers.split_last()?;
    let room = 4_usize.checked_sub(others.len()).filter(|room| *room > 0)?;
    if others.iter().any(|number| *number > 255) || *last >> (8 * room) != 0 {
        return None;
    }
    let places = [24, 16, 8];
    let value = others.iter().zip(places).fold(*last, |value, (number, place)| value | number << place);
    Some(Ipv4Addr::from(u32::try_from(value).ok()?))
}

fn number(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hex, text.strip_prefix('0')) {
        (Some(""), _) => ("0", 16),
        (Some(hex), _) => (hex, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        (None, _) => (text, 10),
    };
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u64::from_str_radix(digits, radix).ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::base64;

    #[test]
    fn local_addresses_are_known_however_they_are_written() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "idp",
            "idp.local",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0177.0.0.1",
            "2130706433",
            "0x7f000001",
            "0",
            "0x",
            "10.0.0.1",
            "172.31.1.1",
            "192.168.1.1",
            "192.168.257",
            "100.64.0.1",
            "127.0.0.1.",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "[fe80::1%25eth0]",
            "[fe90::1]",
            "[febf::1]",
            "[fd00::1]",
            "[FC00::]",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "idp.example.org",
            "8.8.8.8",
            "0x08.8",
            "134744072",
            "172.32.0.1",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.256",
            "0x7g.1",
            "+1.2.3.4",
            "1.+2",
            "[2001:db8::1]",
            "[::ffff:8.8.8.8]",
            "[fec0::1]",
            "4chan.example",
            "x.3com",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn what_is_odd_about_a_location_is_told() {
        let told = |uri| oddities(uri).collect::<Vec<_>>();
        for (uri, why) in [
            ("https://idp.example.org@evil.example/", "a user name"),
            ("https://idp.example.org:99999/", "a port that is none"),
            ("https://idp.example.org:/", "a port that is none"),
            ("https://idp.example.org:0/", "a port that is none"),
            ("https://idp.example.org:+80/", "a port that is none"),
            ("https://[::1]x/", "a port that is none"),
            ("https://idp.example.org\\@x/", "a user name"),
            ("https://idp.example.org/\\x", "a backslash"),
            ("https://idp.example.org/#x", "a fragment"),
            ("https://idp.ex\u{430}mple.org/", "letters outside ASCII"),
            ("https://idp.XN--exmple-4nf.org/", "punycode in its host"),
            ("https://idp%2eexample.org/", "an escape in its host"),
        ] {
            assert!(told(uri).contains(&why), "{uri}: {:?}", told(uri));
        }
        for plain in [
            "https://idp.example.org:8443/sso?x=@:y",
            "https://[2001:db8::1]:443/",
            "https://idp.example.org",
        ] {
            assert!(told(plain).is_empty(), "{plain}: {:?}", told(plain));
        }
        for script in [
            "javascript:x",
            " \tJava\nScript:x",
            &format!("{}javascript:x", " ".repeat(99)),
            "data:text/html,x",
            "vbscript:x",
        ] {
            assert!(is_script(script), "{script:?}");
        }
        assert!(!is_script("https://example.org/javascript:x") && !is_script("www.example.org"));
        assert!(!is_script("geo:52.1,4.3") && !is_script("mailto:a@b.example"));
    }

    #[test]
    fn a_drawing_that_does_something_is_told_from_one_at_rest() {
        let coded = |drawing: &str| format!("data:image/svg+xml;base64,{}", base64(drawing.as_bytes()));
        let long = format!("data:image/svg+xml,<svg>{}</svg>", " ".repeat(LOGO_BYTES_MAX));
        for bad in [
            "data:image/svg+xml,<svg onload='x()'/>",
            "data:image/svg+xml;utf8,%3Csvg%20%6fnload%20=%22x()%22/%3E",
            " DATA:image/SVG+xml,<svg><SCRIPT>x</SCRIPT></svg>",
            "data:image/svg+xml,<svg><a xlink:href='javascript:x'/></svg>",
            "data:image/svg+xml;base64,no*base64",
            &coded("<svg/onload=x()>"),
            &coded("<svg><s:script xmlns:s='http://www.w3.org/2000/svg'/></svg>"),
            &coded("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>"),
            &long,
        ] {
            assert!(is_acting(bad), "{bad}");
        }
        for good in [
            "data:image/png;base64,AAAA",
            "https://example.org/logo.svg",
            "data:image/svg+xml,<svg><text>on = 100%</text><g font='a'/></svg>",
            &coded("<svg xmlns='http://www.w3.org/2000/svg' version='1.1'><path d='M0 0'/></svg>"),
        ] {
            assert!(!is_acting(good), "{good}");
        }
    }
}
