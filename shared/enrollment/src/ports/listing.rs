//! Lists that are read a page at a time.

/// Position in a list. Only the store that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Entries of the page.
    pub entries: Vec<T>,
    /// Position of the next page; `None` on the last one.
    pub next: Option<Cursor>,
}
