//! The names of single entities: what a client of the Metadata Query Protocol asks for (draft-young-md-query, section
//! 3.2.1; draft-young-md-query-saml, sections 2.2.1 and 2.2.2).

use sha1::{Digest as _, Sha1};

use crate::base::bytes::hex;
use crate::base::disk::NAME_BYTES_MAX;
use crate::base::text::percent_encoded;

/// What web servers call it (draft-young-md-query-saml, section 3.1.2).
pub(super) const MEDIA_TYPE: &str = "application/samlmetadata+xml";

/// The file names of an entity: its percent-encoded identifier, where that is not too long for a file system, and `{sha1}`
/// with the hash of the identifier. The hash is a name here and protects nothing.
pub(super) fn names(id: &str) -> Vec<String> {
    let hash = format!("entities/{{sha1}}{}", hex(&Sha1::digest(id.as_bytes())));
    let encoded = percent_encoded(id);
    if encoded.len() > NAME_BYTES_MAX { vec![hash] } else { vec![format!("entities/{encoded}"), hash] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_clients_ask_for() {
        // The example of draft-young-md-query-saml, section 2.2.2.
        assert_eq!(
            names("http://example.org/service"),
            [
                "entities/http%3A%2F%2Fexample.org%2Fservice",
                "entities/{sha1}11d72e8cf351eb6c75c721e838f469677ab41bdb"
            ]
        );
        for (id, name) in [
            ("..", "%2E."),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
            (".htaccess", "%2Ehtaccess"),
            ("a b+c", "a%20b%2Bc"),
            ("100%", "100%25"),
            ("urn:x-ü", "urn%3Ax-%C3%BC"),
            ("{sha1}00", "%7Bsha1%7D00"),
            ("a~b_c-d.e", "a~b_c-d.e"),
        ] {
            assert_eq!(names(id)[0], format!("entities/{name}"), "{id}");
        }
    }

    #[test]
    fn a_name_that_no_file_system_takes_is_left_out() {
        assert_eq!(names(&"a".repeat(255)).len(), 2);
        let long = names(&"a".repeat(256));
        assert!(long.len() == 1 && long[0].starts_with("entities/{sha1}"), "{long:?}");
    }
}
