//! How signed things are written down. No opinion on what they mean.

pub mod jose;
pub mod json;
pub mod private;
pub mod x509;
pub mod xml;
