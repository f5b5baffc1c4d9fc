//! Paths into a JSON payload: `$`, `$.name.name`, `$['name']`, with at most one `[*]`.

use serde_json::{Map, Value};

use super::FieldEncryptionError;

/// Longest path, in bytes.
const MAX_PATH: usize = 1024;

/// Path into a payload. A leading `$.` may be missing, as in the libraries for Python and Node.js.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

/// Pair of paths: a value is taken from one, the result is put at the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathMapping {
    from: JsonPath,
    to: JsonPath,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    /// `[*]`: each element of a list.
    Each,
    /// One element of a list, in place of [`Step::Each`].
    Element(usize),
}

impl JsonPath {
    /// Parses a path.
    pub fn parse(text: &str) -> Result<Self, FieldEncryptionError> {
        if text.is_empty() || text.len() > MAX_PATH {
            return Err(FieldEncryptionError::Path);
        }
        let rest = text.strip_prefix('$');
        let starts_with_name = rest.is_none();
        let steps = steps(rest.unwrap_or(text), starts_with_name).ok_or(FieldEncryptionError::Path)?;
        if steps.iter().filter(|step| **step == Step::Each).count() > 1 {
            return Err(FieldEncryptionError::Path);
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }

    pub(super) fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// Steps before `[*]`, if there is one.
    fn list(&self) -> Option<&[Step]> {
        let each = self.steps.iter().position(|step| *step == Step::Each)?;
        Some(&self.steps[..each])
    }

    fn with_element(&self, index: usize) -> Self {
        let step = |step: &Step| match step {
            Step::Each => Step::Element(index),
            other => other.clone(),
        };
        Self {
            text: self.text.clone(),
            steps: self.steps.iter().map(step).collect(),
        }
    }

    /// Removes the value from a payload and returns it. In place of the whole payload, and of an element of a list, an
    /// empty object remains.
    pub(super) fn take(&self, payload: &mut Value) -> Option<Value> {
        let empty = || Value::Object(Map::new());
        let Some((last, above)) = self.steps.split_last() else {
            return Some(std::mem::replace(payload, empty()));
        };
        match (last, find(payload, above)?) {
            (Step::Name(name), Value::Object(members)) => members.remove(name),
            (Step::Element(index), Value::Array(elements)) => {
                Some(std::mem::replace(elements.get_mut(*index)?, empty()))
            }
            _ => None,
        }
    }

    pub(super) fn get_mut<'a>(&self, payload: &'a mut Value) -> Option<&'a mut Value> {
        find(payload, &self.steps)
    }

    /// Returns the object at the path. A missing one is made if there is an object above it.
    pub(super) fn object<'a>(
        &self,
        payload: &'a mut Value,
    ) -> Result<&'a mut Map<String, Value>, FieldEncryptionError> {
        let value = self.slot(payload)?;
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        value.as_object_mut().ok_or_else(|| self.not_an_object())
    }

    /// Puts a value at the path. An object is merged into one that is there already.
    pub(super) fn put(&self, payload: &mut Value, value: Value) -> Result<(), FieldEncryptionError> {
        match (self.slot(payload)?, value) {
            (Value::Object(there), Value::Object(members)) => there.extend(members),
            (slot, value) => *slot = value,
        }
        Ok(())
    }

    pub(super) fn not_an_object(&self) -> FieldEncryptionError {
        FieldEncryptionError::NotAnObject {
            path: self.text.clone(),
        }
    }

    /// Place for a value: what is there, or a new `null` in the object above.
    fn slot<'a>(&self, payload: &'a mut Value) -> Result<&'a mut Value, FieldEncryptionError> {
        let Some((last, above)) = self.steps.split_last() else {
            return Ok(payload);
        };
        let no_parent = || FieldEncryptionError::NoParent {
            path: self.text.clone(),
        };
        match (last, find(payload, above).ok_or_else(no_parent)?) {
            (Step::Name(name), Value::Object(members)) => {
                Ok(members.entry(name.clone()).or_insert(Value::Null))
            }
            (Step::Element(index), Value::Array(elements)) => elements.get_mut(*index).ok_or_else(no_parent),
            _ => Err(self.not_an_object()),
        }
    }
}

impl PathMapping {
    /// Parses both paths. If one has `[*]`, the other has it at the same place, and each element of the list is
    /// processed by itself.
    pub fn parse(from: &str, to: &str) -> Result<Self, FieldEncryptionError> {
        let (from, to) = (JsonPath::parse(from)?, JsonPath::parse(to)?);
        if from.list() != to.list() {
            return Err(FieldEncryptionError::Wildcards);
        }
        Ok(Self { from, to })
    }

    /// Pairs of paths without `[*]`: one, or one for each element of the list.
    pub(super) fn pairs(
        &self,
        payload: &mut Value,
    ) -> Result<Vec<(JsonPath, JsonPath)>, FieldEncryptionError> {
        let Some(list) = self.from.list() else {
            return Ok(vec![(self.from.clone(), self.to.clone())]);
        };
        match find(payload, list) {
            None => Ok(Vec::new()),
            Some(Value::Array(elements)) => Ok((0..elements.len())
                .map(|index| (self.from.with_element(index), self.to.with_element(index)))
                .collect()),
            Some(_) => Err(FieldEncryptionError::NotAList {
                path: self.from.text.clone(),
            }),
        }
    }
}

fn find<'a>(payload: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    steps.iter().try_fold(payload, |value, step| match step {
        Step::Name(name) => value.get_mut(name),
        Step::Element(index) => value.get_mut(index),
        Step::Each => None,
    })
}

/// Steps after the `$`. A name follows a point, a `]` (as Mastercard's example `$.list[*]name` has it), or nothing
/// where the `$` is missing.
fn steps(mut rest: &str, mut may_name: bool) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[*]") {
            steps.push(Step::Each);
            (rest, may_name) = (after, true);
            continue;
        }
        if let Some(quoted) = rest.strip_prefix("['") {
            let (name, after) = quoted.split_once("']")?;
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            (rest, may_name) = (after, false);
            continue;
        }
        let name = match rest.strip_prefix('.') {
            Some(name) => name,
            None if may_name => rest,
            None => return None,
        };
        let (name, after) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
        if name.is_empty() || name.contains(['$', ']', '*']) {
            return None;
        }
        steps.push(Step::Name(name.to_owned()));
        (rest, may_name) = (after, false);
    }
    Some(steps)
}
