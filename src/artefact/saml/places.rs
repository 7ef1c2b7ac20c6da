//! Where in an entity its extensions stand: consumers look for each in one place only, and pass over it elsewhere.

use super::element::Element;
use crate::format::xml::StartTag;
use crate::policy::Entity;

/// Watches which elements are open around an extension.
#[derive(Default)]
pub(super) struct Places {
    /// How deep the innermost open `md:Extensions` is.
    extensions: Option<usize>,
    /// How deep the open role is.
    role: Option<usize>,
}

impl Places {
    /// Takes in the start of an element of this entity; tells of an extension that stands where it does not belong.
    pub(super) fn start(
        &mut self,
        tag: StartTag<'_>,
        element: Element,
        entity_depth: usize,
        entity: &Entity,
    ) -> Option<String> {
        let depth = tag.depth();
        let is_in = |parent: usize| depth == parent + 2 && self.extensions == Some(parent + 1);
        let in_role = |names: &[&str]| {
            let role = self.role.and_then(|at| Some((at, entity.roles.last()?)));
            role.is_some_and(|(at, role)| is_in(at) && names.contains(&role.name.as_str()))
        };
        let belongs = match element {
            Element::Extensions => {
                self.extensions = Some(depth);
                return None;
            }
            Element::Metadata if depth == entity_depth + 1 && tag.local().ends_with("Descriptor") => {
                self.role = Some(depth);
                return None;
            }
            Element::EntityAttributes | Element::RegistrationInfo | Element::PublicationInfo => {
                if is_in(entity_depth) { return None } else { "the Extensions of an entity" }
            }
            Element::UiInfo if in_role(&["IDPSSODescriptor", "SPSSODescriptor"]) => return None,
            Element::UiInfo => "the Extensions of an identity or service provider",
            Element::DiscoHints if in_role(&["IDPSSODescriptor"]) => return None,
            Element::DiscoHints => "the Extensions of an identity provider",
            Element::Misspelt => return Some(format!("{} is no element of its namespace", tag.name())),
            _ => return None,
        };
        Some(format!("{} stands outside {belongs}, at {}", tag.name(), tag.position()))
    }

    /// Takes in the end of the element at this depth.
    pub(super) fn end(&mut self, depth: usize) {
        self.extensions.take_if(|open| *open == depth);
        self.role.take_if(|open| *open == depth);
    }
}
