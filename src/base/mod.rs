//! What everything stands on: bytes, time, disk, secrets, text and faults. Knows nothing of keys or federations.

pub mod append;
pub mod below;
pub mod bytes;
pub mod clock;
pub mod cores;
pub mod descriptor;
pub mod disk;
pub mod document;
pub mod fault;
pub mod gzip;
pub mod marks;
pub mod random;
pub mod recipient;
pub mod secret;
pub mod shelf;
pub mod staging;
pub mod text;
pub mod tree;
pub mod words;
