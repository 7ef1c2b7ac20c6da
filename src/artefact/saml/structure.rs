//! Which elements are the groups, entities and roles of a document: those that consumers find. What is reviewed and what is
//! split are told apart by this one notion.

use super::element::Element;

/// What a start tag is to the document as a whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stand {
    /// The root, or a group directly in a group.
    Group,
    /// The root, or an entity directly in a group.
    Entity,
    /// A group, an entity, or what belongs to a role, anywhere else: some consumers pass it over, others find it.
    Misplaced,
    /// Any other element.
    Part,
}

/// Follows the groups and the entity that are open.
#[derive(Default)]
pub(super) struct Structure {
    /// They stand one in the other, from the root on.
    groups: usize,
    /// How deep the open entity is.
    entity: Option<usize>,
    /// How deep the open role is.
    role: Option<usize>,
}

impl Structure {
    /// Whether an entity is open.
    pub(super) const fn is_in_entity(&self) -> bool {
        self.entity.is_some()
    }

    /// How deep the open role is.
    pub(super) const fn role(&self) -> Option<usize> {
        self.role
    }

    /// Whether an element at a depth stands directly in a role.
    pub(super) fn is_in_role(&self, depth: usize) -> bool {
        self.role.is_some_and(|role| depth == role + 1)
    }

    /// Takes a start tag at a depth in.
    pub(super) fn start(&mut self, depth: usize, element: Element) -> Stand {
        let is_in_place = self.entity.is_none() && depth == self.groups;
        match element {
            Element::Role if self.entity.is_some_and(|entity| depth == entity + 1) => {
                self.role = Some(depth);
                return Stand::Part;
            }
            Element::KeyDescriptor if self.is_in_role(depth) => return Stand::Part,
            Element::Group if is_in_place => self.groups += 1,
            Element::Entity if is_in_place => self.entity = Some(depth),
            Element::Group | Element::Entity | Element::Role | Element::KeyDescriptor => {
                return Stand::Misplaced;
            }
            _ => return Stand::Part,
        }
        if element == Element::Group { Stand::Group } else { Stand::Entity }
    }

    /// Takes the end of an element at a depth in. Yields which of the two ended, if any did.
    pub(super) fn end(&mut self, depth: usize) -> Stand {
        self.role.take_if(|own| *own == depth);
        if self.entity.take_if(|own| *own == depth).is_some() {
            return Stand::Entity;
        }
        if self.entity.is_none() && depth + 1 == self.groups {
            self.groups -= 1;
            return Stand::Group;
        }
        Stand::Part
    }
}
