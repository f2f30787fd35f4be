//! Ordered reading of records with what is staged laid over them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter::Peekable;

use fjall::Slice;

use super::error::StateError;

/// What is known of a key: its record, or that it has none.
pub type Known = Option<Slice>;

/// Records that a block writes, by state key; None deletes.
pub type Overlay = BTreeMap<Slice, Known>;

/// A record: state key and value.
pub type Record = (Slice, Slice);

/// Up to `limit` records of two ordered sources; where both have a key, what is staged counts.
///
/// Both sources run in the order of the scan.
pub fn merge<'a>(
    stored: impl Iterator<Item = Result<Record, StateError>>,
    staged: impl Iterator<Item = (&'a Slice, &'a Known)>,
    limit: usize,
    reverse: bool,
) -> Result<Vec<Record>, StateError> {
    let (mut stored, mut staged) = (stored.peekable(), staged.peekable());
    let mut found = Vec::new();
    while found.len() < limit {
        let Some((key, value)) = next_of(&mut stored, &mut staged, reverse)? else {
            break;
        };
        found.extend(value.map(|value| (key, value)));
    }
    Ok(found)
}

/// The next key, with None for a record that the block deletes; None at the end.
fn next_of<'a>(
    stored: &mut Peekable<impl Iterator<Item = Result<Record, StateError>>>,
    staged: &mut Peekable<impl Iterator<Item = (&'a Slice, &'a Known)>>,
    reverse: bool,
) -> Result<Option<(Slice, Known)>, StateError> {
    let order = match (stored.peek(), staged.peek()) {
        (Some(Ok((stored_key, _))), Some((staged_key, _))) => {
            let order = stored_key.as_ref().cmp(staged_key.as_ref());
            if reverse { order.reverse() } else { order }
        }
        (Some(_), _) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => return Ok(None),
    };
    if order == Ordering::Less {
        return Ok(stored.next().transpose()?.map(|(key, value)| (key, Some(value))));
    }
    if order == Ordering::Equal {
        stored.next().transpose()?;
    }
    Ok(staged.next().map(|(key, value)| (key.clone(), value.clone())))
}
