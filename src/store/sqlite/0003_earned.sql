-- What the owners of devices earned, in the order in which they ask for it: a row for each earner of a job. An index over
-- jobs would say the same, but each settlement would then write to the place of another owner. The writer adds jobs here
-- a slice at a time, sorted; readers look at the jobs behind the last slice themselves.
-- A row has its own amount and tokens: a job may come to have several earners.
DROP INDEX jobs_by_earner;
CREATE TABLE earned (
    account_number INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL, -- the job's
    job_number     INTEGER NOT NULL,
    amount_nano    INTEGER NOT NULL CHECK (amount_nano > 0),
    tokens         INTEGER NOT NULL, -- prompt and completion
    PRIMARY KEY (account_number, created_ms, job_number)
) STRICT, WITHOUT ROWID;

-- One row: the number of the last job of the last slice.
CREATE TABLE earned_until (
    number     INTEGER PRIMARY KEY CHECK (number = 1),
    job_number INTEGER NOT NULL
) STRICT;

INSERT INTO earned
    SELECT provider_account_number, created_ms, number, provider_nano, prompt_tokens + completion_tokens
    FROM jobs WHERE provider_nano > 0 ORDER BY provider_account_number, created_ms, number;
INSERT INTO earned_until SELECT 1, coalesce(max(number), 0) FROM jobs;

PRAGMA user_version = 3;
