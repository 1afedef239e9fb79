//! Records of ours: JSON that another run reads again.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a record; `None` if it is none of this kind.
///
/// By way of a tree: a parser for each type would take more room than all of them are worth.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let tree: Value = serde_json::from_slice(bytes).ok()?;
    T::deserialize(tree).ok()
}
