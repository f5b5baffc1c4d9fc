//! Lists that are read a page at a time.

/// Where a list goes on. Only the store that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is in it.
    pub entries: Vec<T>,
    /// Where it goes on; `None` at its end.
    pub next: Option<Cursor>,
}
