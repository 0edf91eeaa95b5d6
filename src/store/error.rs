//! Kinds of database errors: outages, rejected rows and a full disk. Everything else is a bug.

/// Whether the database rejects a row, so that other rows of the same statement can be written without it.
pub fn is_row_error(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. });
    };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        // Data, constraints, limits of a program, and what a trigger says, are about rows.
        return ["22", "23", "54", "P0"].iter().any(|class| code.starts_with(class));
    }
    // TOOBIG, CONSTRAINT and MISMATCH are about rows; the code's lower byte is the kind.
    matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(18..=20))
}

/// Whether the database is busy, full or cannot be reached, as opposed to a fault in a statement or in the data.
pub fn is_outage(error: &sqlx::Error) -> bool {
    let error = match error {
        sqlx::Error::Database(error) => error,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => return true,
        _ => return false,
    };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        // Connections, conflicts of transactions, resources, locks, operators, and the system.
        return ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class));
    }
    // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR; FULL, CANTOPEN, PROTOCOL. The lower byte is the kind.
    matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(5..=10 | 13..=15))
}

/// Whether there was no room left to write.
pub fn is_disk_full(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return code == "53100";
    }
    code.parse::<u32>().is_ok_and(|code| code & 0xff == 13)
}

/// Whether the database, or its disk, is read-only.
pub fn is_read_only(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return code == "25006";
    }
    code.parse::<u32>().is_ok_and(|code| code & 0xff == 8)
}
