//! What a group hands down to each entity in it: put together once, and shared by all of them.

use std::sync::Arc;

use super::content::Content;
use crate::policy::{Entity, Inherited, Registration};

/// What each entity of a group begins with.
pub(super) struct Inheritance {
    /// What it is given; nothing where no group says anything.
    pub(super) given: Option<Arc<Inherited>>,
    /// Who registered it, unless it says so itself.
    pub(super) registrations: Vec<Registration>,
    /// Whether the group says more than is looked at.
    pub(super) is_cut: bool,
    /// How the digest of what it says begins.
    pub(super) content: Content,
}

impl Inheritance {
    /// From a group that says this, with what it was given itself, and from what tells that group.
    pub(super) fn of(group: &Entity, is_cut: bool, around: &[u8]) -> Self {
        let Entity { attributes, authorities, registrations, .. } = group;
        let mut content = Content::default();
        content.absorb(around);
        for registration in registrations {
            content.absorb(registration.authority.as_deref().unwrap_or_default().as_bytes());
            content.absorb(&[2]);
        }
        for (name, value) in group.attributes() {
            for bytes in [name.as_bytes(), &[0], value.as_bytes(), &[2]] {
                content.absorb(bytes);
            }
        }
        for authority in group.authorities() {
            content.absorb(&authority.told);
            for digest in authority.readable().filter_map(|certificate| certificate.digest) {
                content.absorb(digest.as_bytes());
            }
        }
        let mut given = group.inherited.clone();
        if !attributes.is_empty() || !authorities.is_empty() {
            let given = Arc::make_mut(given.get_or_insert_default());
            given.attributes.extend_from_slice(attributes);
            given.authorities.extend_from_slice(authorities);
        }
        Self { given, registrations: registrations.clone(), is_cut, content }
    }
}
