//! Everything that can go wrong in the state store, by name.

use std::fmt;

/// Why the state store refused or failed.
#[derive(Debug)]
pub enum StateError {
    /// The input can never be accepted as it is (an empty key, a height that is not above the head).
    InvalidInput(String),
    /// A key or value is over its limit.
    TooLarge(String),
    /// Another process has the directory open, or the call does not fit what the store is doing.
    Conflict(String),
    /// The height is below the history that this store keeps.
    HistoryGone(String),
    /// The height is above the head.
    NotFound(String),
    /// The directory was made by another version, or for another chain hash.
    Configuration(String),
    /// Stored data is not what was written.
    Corruption(String),
    /// The store is closed, or an earlier call failed.
    Unavailable(String),
    /// There is no room to write.
    DiskFull(String),
    /// The disk is mounted read-only.
    DiskReadOnly(String),
    /// The system refused an operation on a file.
    DiskFailed(String),
}

impl StateError {
    /// What happened and what to do about it.
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidInput(message)
            | Self::TooLarge(message)
            | Self::Conflict(message)
            | Self::HistoryGone(message)
            | Self::NotFound(message)
            | Self::Configuration(message)
            | Self::Corruption(message)
            | Self::Unavailable(message)
            | Self::DiskFull(message)
            | Self::DiskReadOnly(message)
            | Self::DiskFailed(message) => message,
        }
    }

    /// An earlier call failed half-way, and what is in memory cannot be relied on.
    pub(crate) fn broken() -> Self {
        Self::Unavailable("an earlier call to the state store failed; restart the node".to_owned())
    }

    pub(crate) fn corrupt(what: impl fmt::Display) -> Self {
        Self::Corruption(format!("the state store is damaged: {what}; rebuild it from the block log"))
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl std::error::Error for StateError {}

impl From<fjall::Error> for StateError {
    /// A full disk or a refused file is for the operator; whatever else the database says of its own files means that they are damaged.
    fn from(error: fjall::Error) -> Self {
        match error {
            // STO-020
            fjall::Error::Locked => Self::Conflict("the state store is open in another process; stop that one first".to_owned()),
            fjall::Error::Io(cause) => Self::from_io(&cause),
            fjall::Error::Storage(fjall::LsmError::Io(cause)) => Self::from_table(&cause),
            fjall::Error::Poisoned => Self::Unavailable("an earlier write to the state store failed; restart the node".to_owned()),
            fjall::Error::InvalidVersion(found) => {
                Self::Configuration(format!("the state store has database format {found:?}, which this version does not read"))
            }
            other => Self::corrupt(format!("{other:?}")),
        }
    }
}

impl StateError {
    /// A table that is missing or cut is damage; one that the disk does not take or give is not, and must not be thrown away for it.
    fn from_table(cause: &std::io::Error) -> Self {
        match cause.kind() {
            std::io::ErrorKind::NotFound
            | std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::IsADirectory
            | std::io::ErrorKind::AlreadyExists
            | std::io::ErrorKind::InvalidInput => Self::corrupt(cause),
            _ => Self::from_io(cause),
        }
    }

    pub(crate) fn from_io(cause: &std::io::Error) -> Self {
        match cause.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => Self::corrupt(cause),
            // STO-009
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
                Self::DiskFull(format!("no room to write the state store: {cause}; make room and start the node again"))
            }
            std::io::ErrorKind::ReadOnlyFilesystem => Self::DiskReadOnly(format!(
                "the disk of the state store is read-only: {cause}; see the system's log, repair it or mount it writable, and start the node again"
            )),
            _ => Self::DiskFailed(format!(
                "the system refused an operation on the state store: {cause}; check the disk and the folder's rights"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StateError;
    use std::io::{Error, ErrorKind};

    #[test]
    fn sto_009_full_and_read_only_disks_are_told_from_other_refusals() {
        for number in [28, 122, 27] {
            assert!(matches!(StateError::from_io(&Error::from_raw_os_error(number)), StateError::DiskFull(_)));
        }
        assert!(matches!(StateError::from_io(&Error::from_raw_os_error(30)), StateError::DiskReadOnly(_)));
        for number in [5, 13] {
            assert!(matches!(StateError::from_io(&Error::from_raw_os_error(number)), StateError::DiskFailed(_)));
        }
    }

    #[test]
    fn sto_009_disk_that_refuses_a_table_is_not_damage() {
        let refused = |cause: Error| StateError::from(fjall::Error::Storage(fjall::LsmError::Io(cause)));
        assert!(matches!(refused(Error::new(ErrorKind::StorageFull, "in a wrapper")), StateError::DiskFull(_)));
        assert!(matches!(refused(Error::from_raw_os_error(30)), StateError::DiskReadOnly(_)));
        assert!(matches!(refused(Error::from_raw_os_error(5)), StateError::DiskFailed(_)));
        for kind in [ErrorKind::NotFound, ErrorKind::UnexpectedEof, ErrorKind::InvalidData] {
            assert!(matches!(refused(Error::from(kind)), StateError::Corruption(_)));
        }
    }
}
