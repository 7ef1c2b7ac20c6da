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
