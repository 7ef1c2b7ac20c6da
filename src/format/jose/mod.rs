//! JOSE: JSON Web Keys.

mod jwk;

pub use jwk::{jwk, thumbprint};
