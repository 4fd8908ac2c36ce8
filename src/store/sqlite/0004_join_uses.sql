-- A join token enrols so many devices, then no more. Tokens made before are for one.
ALTER TABLE join_tokens ADD COLUMN uses_left INTEGER NOT NULL DEFAULT 1 CHECK (uses_left >= 0);

PRAGMA user_version = 4;
