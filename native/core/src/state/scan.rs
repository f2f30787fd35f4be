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

/// Records with those of one staged block laid over them; where both have a key, what is staged counts.
///
/// Both sources run in the order of the scan.
pub struct Laid<'staged, S, T>
where
    S: Iterator<Item = Result<Record, StateError>>,
    T: Iterator<Item = (&'staged Slice, &'staged Known)>,
{
    below: Peekable<S>,
    staged: Peekable<T>,
    reverse: bool,
}

impl<'staged, S, T> Laid<'staged, S, T>
where
    S: Iterator<Item = Result<Record, StateError>>,
    T: Iterator<Item = (&'staged Slice, &'staged Known)>,
{
    /// Lay `staged` over `below`; both are descending when `reverse`.
    pub fn new(below: S, staged: T, reverse: bool) -> Self {
        Self { below: below.peekable(), staged: staged.peekable(), reverse }
    }
}

impl<'staged, S, T> Iterator for Laid<'staged, S, T>
where
    S: Iterator<Item = Result<Record, StateError>>,
    T: Iterator<Item = (&'staged Slice, &'staged Known)>,
{
    type Item = Result<Record, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match next_of(&mut self.below, &mut self.staged, self.reverse).transpose()? {
                Ok((key, Some(value))) => return Some(Ok((key, value))),
                Ok((_, None)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The next key, with None for a record that the block deletes; None at the end.
fn next_of<'a>(
    below: &mut Peekable<impl Iterator<Item = Result<Record, StateError>>>,
    staged: &mut Peekable<impl Iterator<Item = (&'a Slice, &'a Known)>>,
    reverse: bool,
) -> Result<Option<(Slice, Known)>, StateError> {
    let order = match (below.peek(), staged.peek()) {
        (Some(Ok((key, _))), Some((staged_key, _))) => {
            let order = key.as_ref().cmp(staged_key.as_ref());
            if reverse { order.reverse() } else { order }
        }
        (Some(_), _) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => return Ok(None),
    };
    if order == Ordering::Less {
        return Ok(below.next().transpose()?.map(|(key, value)| (key, Some(value))));
    }
    if order == Ordering::Equal {
        below.next().transpose()?;
    }
    Ok(staged.next().map(|(key, value)| (key.clone(), value.clone())))
}
