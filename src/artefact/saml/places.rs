//! Where in an entity its extensions stand: consumers look for each in one place only, and pass over it elsewhere.

use super::MD;
use super::element::Element;
use crate::format::xml::StartTag;
use crate::policy::Entity;

/// Watches which elements are open around an extension.
#[derive(Default)]
pub(super) struct Places {
    /// How deep the open `md:Extensions` are, the innermost last.
    extensions: Vec<usize>,
    /// The extensions that stood in that one.
    seen: Vec<Element>,
}

impl Places {
    /// Takes in the start of an element of this entity, that is so deep, as its open role is; tells of an extension that stands where it does not belong.
    pub(super) fn start(
        &mut self,
        tag: StartTag<'_>,
        element: Element,
        (entity_depth, role): (usize, Option<usize>),
        entity: &Entity,
    ) -> Option<String> {
        let depth = tag.depth();
        let is_in = |parent: usize| depth == parent + 2 && self.extensions.last() == Some(&(parent + 1));
        let in_role = |names: &[&str]| {
            let role = role.and_then(|at| Some((at, entity.roles.last()?)));
            role.is_some_and(|(at, role)| is_in(at) && names.contains(&role.name.as_str()))
        };
        let belongs = match element {
            Element::Extensions => {
                self.extensions.push(depth);
                self.seen.clear();
                return None;
            }
            Element::EntityAttributes | Element::RegistrationInfo | Element::PublicationInfo => {
                if is_in(entity_depth) { "" } else { "the Extensions of an entity" }
            }
            Element::UiInfo if in_role(&["IDPSSODescriptor", "SPSSODescriptor"]) => "",
            Element::UiInfo => "the Extensions of an identity or service provider",
            Element::DiscoHints if in_role(&["IDPSSODescriptor"]) => "",
            Element::DiscoHints => "the Extensions of an identity provider",
            Element::Metadata if tag.namespace() != MD && !role.is_some_and(is_in) => {
                "the Extensions of a role"
            }
            Element::FederationEndpoint if role.is_none_or(|role| depth != role + 1) => "a role",
            Element::Algorithm
                if tag.namespace() != MD && self.extensions.last().map(|at| at + 1) != Some(depth) =>
            {
                "Extensions"
            }
            Element::Misspelt => return Some(format!("{} is no element of its namespace", tag.name())),
            _ => return None,
        };
        let (name, at) = (tag.name(), tag.position());
        if !belongs.is_empty() {
            return Some(format!("{name} stands outside {belongs}, at {at}"));
        }
        let is_again = self.seen.contains(&element);
        if !is_again {
            self.seen.push(element);
        }
        is_again.then(|| format!("{name} stands a second time in its Extensions, at {at}"))
    }

    /// Takes in the end of the element at this depth.
    pub(super) fn end(&mut self, depth: usize) {
        self.extensions.pop_if(|open| *open == depth);
    }
}
