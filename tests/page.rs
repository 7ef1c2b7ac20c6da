//! The review for a browser: no script, nothing from a network, no foreign markup, in a file of its own.

use std::fmt::Write;
use std::fs;

use crate::support::{Folder, corpus, every, peers};

/// Texts that would do something if they were taken for markup.
pub(crate) const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=https://evil.example/x onerror=alert(1)>",
    "'--></style><iframe src='https://evil.example'>",
    "</title><svg/onload=alert(1)>",
    "javascript:alert(1)//&lt;b&gt;",
    "\u{202e}\u{200b}lmx\u{7f}",
];

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn review(folder: &Folder, texts: &[String]) -> String {
    let mut document = String::from(
        "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" xmlns:u=\"urn:oasis:names:tc:SAML:metadata:ui\">",
    );
    for text in texts {
        let text = escaped(text);
        write!(
            document,
            "<EntityDescriptor entityID=\"{text}\"><SPSSODescriptor protocolSupportEnumeration=\"{text}\"><Extensions><u:UIInfo><u:DisplayName>{text}</u:DisplayName><u:Logo>{text}</u:Logo></u:UIInfo></Extensions><AssertionConsumerService Binding=\"{text}\" Location=\"{text}\"/></SPSSODescriptor></EntityDescriptor>"
        )
        .unwrap();
    }
    document.push_str("</EntitiesDescriptor>");
    fs::write(folder.path("h.xml"), document).unwrap();
    fs::remove_file(folder.path("h.html")).ok();
    let line = "example.org/sandbox/metadata";
    let arguments = ["review", "saml", "h.xml", "--key", line, "--vault", "V", "--html", "h.html", "--json"];
    let ran = folder.fedroot(&arguments);
    assert!([0, 3].contains(&ran.code), "{}", ran.stdout);
    String::from_utf8(folder.read("h.html")).unwrap()
}

/// The tags of a page, as a browser would see them.
fn tags(page: &str) -> Vec<&str> {
    let opened = page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    opened.filter(|tag| !tag.starts_with('/')).collect()
}

/// That a page runs and loads nothing, and shows what would show nothing.
pub(crate) fn check(page: &str) {
    let known = [
        "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "tbody",
        "tr", "th", "td", "code", "ol", "ul", "li", "b", "br", "small",
    ];
    for tag in tags(page) {
        let name = tag.split_whitespace().next().unwrap_or_default();
        assert!(known.contains(&name), "<{tag}>");
        // The policy itself names what it forbids.
        if tag.starts_with("meta http-equiv=\"Content-Security-Policy\"") {
            continue;
        }
        for attribute in [" src", " href", " on", " style", " action", "url(", "@import"] {
            assert!(!tag.contains(attribute), "<{tag}>");
        }
    }
    assert!(!page.contains("url(") && !page.contains("@import"));
    assert!(page.contains("default-src 'none'"));
    let shown = |c: char| {
        c == '\n' || !(c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'))
    };
    assert!(page.chars().all(shown), "an invisible character stands in the page");
}

#[test]
fn the_page_runs_and_loads_nothing() {
    let folder = Folder::with_vault();
    let mut texts: Vec<String> = HOSTILE.map(str::to_owned).to_vec();
    let page = review(&folder, &texts);
    check(&page);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the text itself is shown");
    let Some(corpus) = corpus("the_page_runs_and_loads_nothing (naughty strings)") else { return };
    let naughty = fs::read_to_string(corpus.join("bad/unicode/blns.json")).unwrap();
    let naughty: Vec<String> = serde_json::from_str(&naughty).unwrap();
    texts = naughty.into_iter().filter(|text| text.chars().all(|c| (' '..'\u{fffe}').contains(&c))).collect();
    assert!(texts.len() > 300);
    for share in texts.chunks(60) {
        check(&review(&folder, share));
    }
}

#[test]
fn a_browser_shows_the_page_and_asks_for_nothing() {
    if !peers("a_browser_shows_the_page_and_asks_for_nothing", &["chromium"]) {
        return;
    }
    let folder = Folder::with_vault();
    review(&folder, &HOSTILE.map(str::to_owned));
    let url = format!("file://{}", folder.path("h.html").display());
    let ran = folder
        .command("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--dump-dom", &url])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&ran.stdout);
    assert!(shown.contains("Review of saml for example.org/sandbox/metadata#1"), "{shown}");
    check(&shown);
}

/// What is signed is what was shown: a page has no end behind which more of a document stands.
#[test]
fn a_page_shows_all_that_a_document_says() {
    let folder = every::vault("p384", "ES384");
    let text = String::from_utf8(folder.read("configuration.json")).unwrap();
    let mut configuration: serde_json::Value = serde_json::from_str(&text).unwrap();
    let uris: Vec<String> = (0..3_000).map(|n| format!("https://ta.example.org/callback/{n}")).collect();
    configuration["metadata"]["openid_relying_party"]["redirect_uris"] = uris.clone().into();
    fs::write(folder.path("many.json"), configuration.to_string()).unwrap();
    let review = ["review", "entity-configuration", "many.json", "--key", every::LINE, "--vault", "V"];
    let ran = folder.fedroot(&[&review[..], &["--html", "many.html"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let page = String::from_utf8(folder.read("many.html")).unwrap();
    check(&page);
    assert!(uris.iter().all(|uri| page.contains(&format!("<td>{uri}</td>"))));
    assert!(!page.contains("in --json"));
}
