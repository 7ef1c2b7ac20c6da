//! Foreign text never reaches a terminal as anything but text, wherever it is shown: one value, one line, no control byte.

use std::fmt::Write;
use std::fs;

use crate::support::{Folder, Ran, corpus};

/// Our own strings; the corpus has more.
const STRINGS: [&str; 8] = [
    "\u{1b}[2Jgone",
    "two\nlines",
    "back\rspace\u{8}",
    "bell\u{7}\u{9b}31m",
    "\u{202e}desrever",
    "zero\u{200b}width\u{feff}",
    "line\u{2028}separator",
    "\u{1b}]0;title\u{7}",
];

/// Whether the bytes are printable text and our own line feeds only.
pub(crate) fn harmless(shown: &str) -> bool {
    shown.chars().all(|c| {
        c == '\n' || !(c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'))
    })
}

fn check(site: &str, string: &str, ran: &Ran, faults: &mut String) {
    for (stream, shown) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        if !harmless(shown) {
            writeln!(faults, "{site}, {stream}: {string:?} came through: {shown:?}").unwrap();
        }
    }
}

fn escape_xml(string: &str) -> String {
    let mut escaped = String::new();
    for c in string.chars() {
        match c {
            '\t' | '\n' | '\r' => write!(escaped, "&#{};", c as u32).unwrap(),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Shows the string at every place that shows foreign text.
fn at_every_site(folder: &Folder, string: &str, faults: &mut String) {
    let metadata = |root: &str, child: &str| {
        format!(
            "<{root} xmlns='urn:oasis:names:tc:SAML:2.0:metadata' Name=\"{0}\"><EntityDescriptor entityID=\"{0}\" {child}='{0}'/></{root}>",
            escape_xml(string).replace('\'', "&apos;")
        )
    };
    let review = |file: &str| {
        folder.fedroot(&["review", "saml", file, "--key", "example.org/sandbox/metadata", "--vault", "V"])
    };
    fs::write(folder.path("h.xml"), metadata("EntitiesDescriptor", "validUntil")).unwrap();
    check("review", string, &review("h.xml"), faults);
    fs::write(folder.path("h.xml"), metadata(&format!("a{string}"), "x")).unwrap();
    check("xml error", string, &review("h.xml"), faults);
    if !string.contains('\0') {
        check("file name", string, &review(string), faults);
        check("argument", string, &folder.fedroot(&[string]), faults);
        check("value", string, &folder.fedroot(&["sign", string, "x", "--key", string]), faults);
        check("json error", string, &folder.fedroot(&["review", string, "--json"]), faults);
        check("trust", string, &folder.fedroot(&["verify", "saml", "h.xml", "--trust", string]), faults);
        check("vault", string, &folder.fedroot(&["key", "list", "--vault", string]), faults);
        let denied = [
            "sign",
            "saml",
            "h.xml",
            "--key",
            "example.org/sandbox/metadata",
            "--output",
            "o.xml",
            "--vault",
            "V",
            "--reason",
        ];
        check("denied", string, &folder.fedroot(&[&denied[..], &[string]].concat()), faults);
    }
    fs::write(folder.path("p.toml"), format!("version = 1\n\"{}\" = 1\n", string.escape_debug())).unwrap();
    let profile = [
        "key",
        "generate",
        "example.org/sandbox/x",
        "--algorithm",
        "p384",
        "--profile",
        "p.toml",
        "--vault",
        "V",
    ];
    check("profile", string, &folder.fedroot(&profile), faults);
}

#[test]
fn hostile_text_is_harmless_at_every_site() {
    let folder = Folder::with_vault();
    let mut strings: Vec<String> = STRINGS.map(str::to_owned).to_vec();
    if let Some(corpus) = corpus("hostile_text_is_harmless_at_every_site (its 76 foreign strings)") {
        let lines = fs::read_to_string(corpus.join("bad/terminal/strings.jsonl")).unwrap();
        for line in lines.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let bytes = fedroot::base::bytes::from_hex(value["hex"].as_str().unwrap()).unwrap();
            strings.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        assert!(strings.len() > 70);
    }
    let mut faults = String::new();
    for string in &strings {
        at_every_site(&folder, string, &mut faults);
    }
    let shown = folder.good(&["ledger", "show", "--identity", "auditor.key", "--vault", "V"]);
    check("ledger show", "all of them", &shown, &mut faults);
    let json = folder.good(&["ledger", "show", "--identity", "auditor.key", "--vault", "V", "--json"]);
    assert!(json.stdout.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "JSON is ASCII");
    assert!(faults.is_empty(), "{faults}");
}
