-- Answers that several devices made, one after the other: what each did, in order. A job that one device made has no rows
-- here: its row in jobs says it all. Where there are parts, jobs.provider_account_number is 0 (the earners are here), and
-- jobs.device_id is the last one.
CREATE TABLE job_parts (
    number            INTEGER PRIMARY KEY,
    job_number        INTEGER NOT NULL,
    account_number    INTEGER NOT NULL, -- who owns the device
    device_id         TEXT    NOT NULL,
    prompt_tokens     INTEGER NOT NULL, -- the prompt's share goes to the last
    completion_tokens INTEGER NOT NULL,
    amount_nano       INTEGER NOT NULL CHECK (amount_nano >= 0)
) STRICT;
CREATE INDEX job_parts_by_job ON job_parts (job_number);

-- The operator has checked this device: it gets requests with privacyLevel "verified".
ALTER TABLE devices ADD COLUMN verified INTEGER NOT NULL DEFAULT 0 CHECK (verified IN (0, 1));

-- How reliable a device was when it was last seen; the gateway that it comes back to goes on from there.
CREATE TABLE device_records (
    device_number INTEGER PRIMARY KEY,
    jobs          INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    reviews       INTEGER NOT NULL,
    success       INTEGER NOT NULL, -- thousandths
    uptime        INTEGER NOT NULL, -- thousandths
    kept_ms       INTEGER NOT NULL,
    prefill_factor INTEGER NOT NULL, -- its speeds against the average of its models' devices, thousandths; 0: not known
    decode_factor  INTEGER NOT NULL
) STRICT;

-- What the operator should look at: claims that cannot be true, wrong answers to known questions. The newest of each
-- device; nothing follows by itself.
CREATE TABLE reviews (
    number        INTEGER PRIMARY KEY,
    device_number INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL,
    reason        TEXT    NOT NULL,
    job_id        TEXT    NOT NULL -- empty: of no job
) STRICT;
CREATE INDEX reviews_by_device ON reviews (device_number, number);

PRAGMA user_version = 5;
