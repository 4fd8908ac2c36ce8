-- What was let in can be thrown out. A device that was removed stays here, with its record and what its owner earned with
-- it; so does its key, which nobody can come with again. Nor with one that was replaced.
ALTER TABLE devices ADD COLUMN standing INTEGER NOT NULL DEFAULT 0 CHECK (standing BETWEEN 0 AND 2); -- serving, quarantined, removed
ALTER TABLE devices ADD COLUMN standing_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN standing_ms INTEGER NOT NULL DEFAULT 0; -- since when; 0: since it joined

CREATE TABLE replaced_keys (
    public_key    BLOB    NOT NULL PRIMARY KEY CHECK (length(public_key) = 32),
    device_number INTEGER NOT NULL REFERENCES devices (number),
    replaced_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A join token can be revoked, and one may be for a new key of a device that is there.
ALTER TABLE join_tokens ADD COLUMN revoked_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE join_tokens ADD COLUMN device_id TEXT NOT NULL DEFAULT '';

PRAGMA user_version = 18;
