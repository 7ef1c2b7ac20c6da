//! What a review shows of what changed: the values that would be signed, not only that something differs.

use std::fs;

use serde_json::Value;

use crate::hostile::harmless;
use crate::page::{self, HOSTILE, escaped};
use crate::support::{Folder, LINE, Ran, peers};

const NAMESPACES: &str = "xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
    xmlns:u=\"urn:oasis:names:tc:SAML:metadata:ui\" xmlns:s=\"urn:mace:shibboleth:metadata:1.0\"";
const SAML: &str = "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"";
const BINDING: &str = "Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"";

fn key(certificate: &str) -> String {
    format!(
        "<KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate>\
         </ds:X509Data></ds:KeyInfo></KeyDescriptor>"
    )
}

/// An identity provider with these scopes and this inside.
fn idp(name: &str, scopes: &[&str], inside: &str) -> String {
    let scopes: String = scopes.iter().map(|scope| format!("<s:Scope>{scope}</s:Scope>")).collect();
    format!(
        "<EntityDescriptor entityID=\"https://{name}.example/idp\"><IDPSSODescriptor {SAML}><Extensions>{scopes}</Extensions>\
         {inside}<SingleSignOnService {BINDING} Location=\"https://{name}.example/sso\"/></IDPSSODescriptor></EntityDescriptor>"
    )
}

/// A service provider with these settings and these endpoints.
fn sp(name: &str, settings: &str, endpoints: &[&str]) -> String {
    let endpoint = |(number, place): (usize, &&str)| {
        format!("<AssertionConsumerService {BINDING} Location=\"{place}\" index=\"{number}\"/>")
    };
    let endpoints: String = endpoints.iter().enumerate().map(endpoint).collect();
    format!(
        "<EntityDescriptor entityID=\"https://{name}.example/sp\"><SPSSODescriptor {SAML}{settings}>{endpoints}\
         </SPSSODescriptor></EntityDescriptor>"
    )
}

fn write(folder: &Folder, file: &str, entities: &[String]) {
    let all = entities.concat();
    fs::write(folder.path(file), format!("<EntitiesDescriptor {NAMESPACES}>{all}</EntitiesDescriptor>"))
        .unwrap();
}

/// A vault whose line has signed these entities.
fn signed(entities: &[String]) -> Folder {
    let folder = Folder::with_one_line();
    write(&folder, "before.xml", entities);
    let rest = ["--key", LINE, "--identity", "auditor.key", "--output", "out.xml", "--vault", "V"];
    folder.good(&[&["sign", "saml", "before.xml"], &rest[..]].concat());
    folder
}

fn review(folder: &Folder, more: &[&str]) -> Ran {
    folder.fedroot(&[&["review", "saml", "next.xml", "--key", LINE, "--vault", "V"], more].concat())
}

/// The review of these entities: as JSON, as text, and as a page.
fn reviewed(folder: &Folder, entities: &[String]) -> (Value, String, String) {
    write(folder, "next.xml", entities);
    fs::remove_file(folder.path("page.html")).ok();
    let json = review(folder, &["--json", "--html", "page.html"]).stdout;
    let page = String::from_utf8(folder.read("page.html")).unwrap();
    (serde_json::from_str(&json).unwrap(), review(folder, &[]).stdout, page)
}

/// Of a change: the entity, what became of it, and its values, `+` in front of new ones and `=` in front of those as before.
fn told(json: &Value) -> Vec<(String, Vec<String>)> {
    let value = |value: &Value| {
        let is_new = match value["new"].as_bool() {
            Some(true) => "+",
            Some(false) => "=",
            None => "",
        };
        format!("{is_new}{} {}", value["part"].as_str().unwrap(), value["value"].as_str().unwrap())
    };
    let change = |change: &Value| {
        assert_eq!(change["untold"], 0);
        let name = format!("{} {}", change["what"].as_str().unwrap(), change["entity"].as_str().unwrap());
        (name, change["now"].as_array().unwrap().iter().map(value).collect())
    };
    json["changes"]["entities"].as_array().unwrap().iter().map(change).collect()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_new_values_are_shown_and_which_of_them_are_new() {
    let base = [
        sp("logo", "", &["https://logo.example/acs"]),
        idp("scope", &["scope.example"], ""),
        idp("more", &["a.example", "b.example"], ""),
        idp("none", &["none.example"], ""),
        sp("where", "", &["https://where.example/1"]),
    ];
    let folder = signed(&base);
    let [_, _, _, _, stays] = &base;
    let (json, text, page) = reviewed(
        &folder,
        &[
            sp("logo", " WantAssertionsSigned=\"false\"", &["https://logo.example/acs"]),
            idp("scope", &["victim.example"], ""),
            idp("more", &["a.example", "evil.example", "b.example"], ""),
            idp("none", &[], ""),
            stays.clone(),
            sp("new", "", &["https://new.example/acs"]),
            idp("new", &["new.example"], ""),
        ],
    );
    let change = |name: &str, values: &[&str]| (name.to_owned(), strings(values));
    // A new identity provider stands beside changed scopes: it speaks of people, too.
    assert_eq!(
        told(&json),
        [
            change("changed https://scope.example/idp", &["scopes victim.example"]),
            change(
                "changed https://more.example/idp",
                &["+scopes evil.example", "=scopes a.example", "=scopes b.example"]
            ),
            change("changed https://none.example/idp", &[]),
            change(
                "added https://new.example/idp",
                &["endpoints https://new.example/sso", "scopes new.example", "roles IDPSSODescriptor"]
            ),
            change("changed https://logo.example/sp", &["+roles false", "=roles SPSSODescriptor"]),
            change(
                "added https://new.example/sp",
                &["endpoints https://new.example/acs", "roles SPSSODescriptor"]
            ),
        ]
    );
    for line in [
        "    scopes             now: IDPSSODescriptor  victim.example\n",
        "    scopes             new: IDPSSODescriptor  evil.example\n    scopes             as before: IDPSSODescriptor  a.example\n",
        "  ~ scopes             https://none.example/idp\n    scopes             none any more\n",
        "    scopes             IDPSSODescriptor  new.example\n",
        "    roles              new: SPSSODescriptor WantAssertionsSigned  false\n",
        "\n  'now' stands before all values of a part of which nobody can tell which are new",
    ] {
        assert!(text.contains(line), "{line} is missing: {text}");
    }
    for item in [
        "<li>scopes: <small>now</small> IDPSSODescriptor <code>victim.example</code></li>",
        "<li>scopes: <b>new</b> IDPSSODescriptor <code>evil.example</code></li>",
        "<li>scopes: <small>as before</small> IDPSSODescriptor <code>a.example</code></li>",
        "<li>scopes: none any more</li>",
        "<li>roles: <b>new</b> SPSSODescriptor WantAssertionsSigned <code>false</code></li>",
    ] {
        assert!(page.contains(item), "{item} is missing: {page}");
    }
    assert!(!text.contains("https://where.example/1"), "what did not change is not shown: {text}");
    let again: Value = serde_json::from_str(&review(&folder, &["--json"]).stdout).unwrap();
    assert_eq!(again["request"], json["request"], "an equal document is an equal request");
    assert_eq!(again["changes"], json["changes"]);
}

#[test]
fn keys_are_shown_as_openssl_shows_them() {
    if !peers("keys_are_shown_as_openssl_shows_them", &["openssl"]) {
        return;
    }
    let make = |folder: &Folder, name: &str| {
        let made = folder.shell(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -days 900 -keyout {name}.key -out {name}.pem && \
             openssl x509 -in {name}.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r"
        ));
        assert_eq!(made.code, 0, "{}", made.stderr);
        let pem = String::from_utf8(folder.read(&format!("{name}.pem"))).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        (key(&body), format!("sha256:{}", made.stdout.split(' ').next().unwrap()))
    };
    let scratch = Folder::empty();
    let [(first, one), (second, two), (third, three)] =
        ["one", "two", "three"].map(|name| make(&scratch, name));
    let base = [idp("a", &[], &first), idp("b", &[], &first)];
    let folder = signed(&base);
    let next = [idp("a", &[], &(first + &second)), idp("b", &[], &third)];
    let (json, text, page) = reviewed(&folder, &next);
    assert_eq!(
        told(&json),
        [
            ("changed https://a.example/idp".into(), vec![format!("+keys {two}"), format!("=keys {one}")]),
            ("changed https://b.example/idp".into(), vec![format!("keys {three}")]),
        ]
    );
    let line = format!(
        "    keys               new: IDPSSODescriptor signing  {two}  (P-256, its certificate ends 20"
    );
    assert!(text.contains(&line), "{text}");
    assert!(text.contains("SHA-256 of its SubjectPublicKeyInfo"), "{text}");
    assert!(page.contains(&three) && page.contains("openssl dgst -sha256"), "{page}");
}

#[test]
fn what_is_riskiest_keeps_its_values_however_much_else_changes() {
    let long = format!("https://x.example/{}/", "a".repeat(600));
    let places: Vec<String> = (0..8).map(|number| format!("{long}{number}")).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let mut many: Vec<String> = (0..500).map(|number| sp(&format!("n{number}"), "", &places)).collect();
    let folder = signed(&many[..1]);
    many.push(idp("last", &["victim.example"], ""));
    let (json, text, page) = reviewed(&folder, &many);
    let changes = json["changes"]["entities"].as_array().unwrap();
    assert_eq!((changes.len(), &json["changes"]["unlisted"]), (500, &0.into()));
    assert_eq!(changes[0]["entity"], "https://last.example/idp");
    assert_eq!(changes[0]["now"][1]["value"], "victim.example");
    let bytes: usize = changes.iter().map(|change| change["now"].to_string().len()).sum();
    assert!(((1 << 20)..(3 << 20)).contains(&bytes), "{bytes} bytes of values");
    let of_last = (changes[499]["now"].as_array().unwrap().len(), &changes[499]["untold"]);
    assert_eq!(of_last, (0, &9.into()), "what is not there is counted");
    assert!(text.contains("victim.example") && page.contains("victim.example"));
    let values = text.lines().filter(|line| line.starts_with("    ")).count();
    assert!(values <= 60, "{values} lines of values are more than a screen");
    assert!(text.contains("  … 480 more entities, in --json\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() < 400), "{text}");
}

#[test]
fn values_are_shown_and_not_obeyed() {
    let folder = signed(&[idp("a", &["a.example"], ""), sp("b", "", &["https://b.example/acs"])]);
    let texts: Vec<String> = HOSTILE.iter().map(|text| escaped(text)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let settings: String = format!(" errorURL=\"{}\"", texts.join(" "));
    let entities = [idp("a", &texts, ""), sp("b", &settings, &texts), sp("c", &settings, &texts)];
    let (json, text, page) = reviewed(&folder, &entities);
    assert_eq!(json["changes"]["entities"].as_array().unwrap().len(), 3);
    assert!(harmless(&text), "{text}");
    assert!(
        text.contains("scopes             now: IDPSSODescriptor  <script>alert(1)</script>"),
        "the text itself is shown: {text}"
    );
    assert!(page.contains("<li>scopes: <small>now</small> IDPSSODescriptor <code>&lt;script&gt;alert(1)&lt;/script&gt;</code></li>"), "{page}");
    page::check(&page);
}

#[test]
fn an_entity_id_longer_than_the_schema_allows_is_refused_and_clipped() {
    let folder = signed(&[sp("a", "", &["https://a.example/acs"])]);
    let longest = "x".repeat(1_024 - "https://.example/sp".len());
    let (json, ..) = reviewed(&folder, &[sp(&longest, "", &["https://a.example/acs"])]);
    let name = format!("https://{longest}.example/sp");
    assert_eq!((&json["ok"], &json["changes"]["entities"][1]["entity"]), (&true.into(), &name.into()));
    let entities: Vec<String> = (0..5)
        .map(|number| sp(&format!("{}{number}", "x".repeat(300_000)), "", &["https://a.example/acs"]))
        .collect();
    let (json, text, page) = reviewed(&folder, &entities);
    assert_eq!(json["code"], "review.refused");
    assert!(json["message"].as_str().unwrap().contains("saml.entity-id.too-long"), "{}", json["message"]);
    for (what, shown) in [("text", &text), ("page", &page), ("JSON", &json.to_string().replace("\",", "\n"))]
    {
        let longest = shown.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest < 4_500, "{what}: a line of {longest} characters");
    }
    let rest = ["--key", LINE, "--identity", "auditor.key", "--vault", "V"];
    for target in [["--output", "long.xml"], ["--split", "long"]] {
        let ran = folder.fedroot(&[&["sign", "saml", "next.xml"], &rest[..], &target[..]].concat());
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("an entityID has 3000") || ran.stderr.contains("the entityID has 3000"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.lines().all(|line| line.chars().count() < 4_500));
        assert!(!folder.path(target[1]).exists());
    }
}
