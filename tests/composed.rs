//! What an operator composes in TOML: whatever files are put in above it, an error is told by the line that the operator wrote.

use std::fs;

use crate::support::every::{self, DOCUMENTS, LINE};

#[test]
fn an_error_is_told_by_the_operators_own_line_whatever_was_put_in_above() {
    let folder = every::vault("p384", "ES384");
    assert_eq!(
        every::sign(&folder, "entity-configuration", "configuration.json", "entity-configuration.out").code,
        0
    );
    let key = "[[keys]]\n# a key in many lines\nfile = \"other.pub\"\n";
    let mut tried = 0;
    for (kind, document) in DOCUMENTS.iter().filter(|(_, document)| document.contains(".toml")) {
        let good = String::from_utf8(folder.read(document)).unwrap();
        for wrong in ["colour = \"red\"", "kid = 7"] {
            // Below a key of its own, or in the second line, below the file that the first one names.
            let text = match good.split_once('\n') {
                Some((first, rest)) if first.ends_with(".jwt\"") => format!("{first}\n{wrong}\n{rest}"),
                _ if good.contains("[[keys]]") => format!("{good}{key}{wrong}\n"),
                _ => {
                    format!("anchor = \"entity-configuration.out\"\n{wrong}\n{}", good.replace("anchor", "#"))
                }
            };
            let line = text.lines().take_while(|line| !wrong.starts_with(line)).count() + 1;
            assert!(text.lines().nth(line - 1).unwrap().starts_with(&wrong[..5]), "{text}");
            for end in ["\n", "\r\n"] {
                fs::write(folder.path("wrong.toml"), text.replace('\n', end)).unwrap();
                let ran = folder.fedroot(&["review", kind, "wrong.toml", "--key", LINE, "--vault", "V"]);
                let told =
                    ran.stderr.contains(&format!("line {line}: ")) && ran.stderr.contains("wrong.toml");
                assert!(ran.code == 2 && told, "{kind}, line {line} of\n{text}\n{}", ran.stderr);
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 12 * 4, "a kind was left out");
}

/// What JSON would not be read with is not signed when it stands in TOML: a verifier could not read it.
#[test]
fn toml_is_read_as_strictly_as_json() {
    let folder = every::vault("p384", "ES384");
    let deep = format!("x = {}{}", "[".repeat(60), "]".repeat(60));
    let sign = |kind: &str, text: &str| {
        fs::write(folder.path("bad.toml"), text).unwrap();
        every::sign(&folder, kind, "bad.toml", "out")
    };
    let configuration = String::from_utf8(folder.read("configuration.json")).unwrap();
    let configuration: toml::Table = serde_json::from_str(&configuration).unwrap();
    let configuration = toml::to_string(&configuration).unwrap();
    let software = String::from_utf8(folder.read("software.toml")).unwrap();
    let spiffe = String::from_utf8(folder.read("spiffe.toml")).unwrap();
    for (value, told) in [
        ("x = 9223372036854775807", "metadata.openid_provider.x: 9223372036854775807 is beyond 2^53 - 1"),
        ("x = -9007199254740992", "beyond 2^53 - 1"),
        ("x = 1e300", "is no whole number"),
        ("x = 1.5", "1.5 is no whole number"),
        ("x = nan", "is no whole number"),
        ("x = [1979-05-27]", "metadata.openid_provider.x[0]: a date stands there without quotes"),
        (deep.as_str(), "within each other"),
    ] {
        let ran =
            sign("entity-configuration", &format!("{configuration}\n[metadata.openid_provider]\n{value}\n"));
        assert!(ran.code == 2 && ran.stderr.contains(told), "{value}: {}", ran.stderr);
        let value = value.replace("x =", "default_max_age =");
        let ran = sign("software-statement", &format!("{software}{value}\n"));
        assert_eq!(ran.code, 2, "{value}: {}", ran.stderr);
    }
    for sequence in ["9007199254740992", "9223372036854775807"] {
        let ran = sign("spiffe-bundle", &format!("sequence = {sequence}\n{spiffe}"));
        assert!(ran.code == 2 && ran.stderr.contains("sequence: "), "{}", ran.stderr);
    }
    let exact = format!("{configuration}\n[metadata.openid_provider]\nx = 9007199254740991\n");
    let ran = sign("entity-configuration", &exact);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let verify = ["verify", "entity-configuration", "out", "--trust", "all.pub"];
    assert_eq!(folder.fedroot(&verify).code, 0);
}

#[test]
fn what_cannot_be_meant_is_told_and_not_mended_in_silence() {
    let folder = every::vault("p384", "ES384");
    let provisioning = String::from_utf8(folder.read("provisioning.toml")).unwrap();
    for (kind, text, told) in [
        ("entity-configuration", "\u{feff}{\"metadata\": {}}".to_owned(), "byte order mark"),
        (
            "provisioning-authorisation",
            format!("{provisioning}use = \"enc\"\n"),
            "the use of the key is 'enc'",
        ),
        ("oob-keys", "[[keys]]\nfile = \"other.pub\"\nuse = \"enc\"\n".into(), "the use of the key is 'enc'"),
        (
            "provisioning-authorisation",
            format!("not_before = \"2020-01-01T00:00:00Z\"\n{provisioning}"),
            "not_before is 2020-01-01T00:00:00Z",
        ),
    ] {
        fs::write(folder.path("bad"), text).unwrap();
        let ran = every::sign(&folder, kind, "bad", "out");
        assert!(ran.code == 2 && ran.stderr.contains(told), "{kind}: {}", ran.stderr);
    }
}
