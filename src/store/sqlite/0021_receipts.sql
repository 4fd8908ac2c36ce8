-- Receipts of settled generations (docs/RECEIPTS.md), each chained to the one before, in the order of their settlements, by
-- the transaction that settles. Generations of before have none.
CREATE TABLE receipts (
    generation_number INTEGER PRIMARY KEY,
    day_number        INTEGER NOT NULL, -- in receipt_days
    place             INTEGER NOT NULL, -- in its day, from 1
    previous          BLOB    NOT NULL CHECK (length(previous) = 32),
    salt              BLOB    NOT NULL CHECK (length(salt) = 16), -- of its digests; zeros: its account was erased
    bytes             BLOB    NOT NULL
) STRICT;

-- What is left of a day when its receipts are rolled up with their generations. A day has a second row when the clock was
-- set back by more than a day.
CREATE TABLE receipt_days (
    number           INTEGER PRIMARY KEY,
    day              INTEGER NOT NULL, -- UTC, since 1970
    first_generation INTEGER NOT NULL, -- the number of its first receipt; those of the others grow
    count            INTEGER NOT NULL,
    head             BLOB    NOT NULL CHECK (length(head) = 32)
) STRICT;
CREATE INDEX receipt_days_by_day ON receipt_days (day);

CREATE TRIGGER receipts_no_update BEFORE UPDATE OF generation_number, day_number, place, previous, bytes ON receipts
    BEGIN SELECT raise(ABORT, 'receipts are never changed'); END;
CREATE TRIGGER receipt_days_no_delete BEFORE DELETE ON receipt_days
    BEGIN SELECT raise(ABORT, 'heads of receipts are never deleted'); END;

PRAGMA user_version = 21;
