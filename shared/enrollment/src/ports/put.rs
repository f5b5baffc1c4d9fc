//! Result of storing something once.

/// Result of storing an item that must not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The item was stored.
    Created,
    /// The item had been stored before. Nothing was changed.
    AlreadyExists,
}
