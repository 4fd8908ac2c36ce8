-- Who does not want any prompt of theirs shown to a device that scores answers (docs/AUDITS.md).
ALTER TABLE accounts ADD COLUMN unaudited INTEGER NOT NULL DEFAULT 0 CHECK (unaudited IN (0, 1));

PRAGMA user_version = 23;
