-- Words that agree with the program's: a generation is one text asked of a model, a job is what POST /v1/jobs makes.
-- Renaming rewrites the schema only (views, triggers and indexes follow), not a row. The indexes keep their names:
-- SQLite cannot rename one, and making that over all ids of generations again would take minutes on a large file.
ALTER TABLE jobs RENAME TO generations;
ALTER TABLE job_parts RENAME TO generation_parts;
ALTER TABLE async_jobs RENAME TO jobs;
ALTER TABLE generation_parts RENAME COLUMN job_number TO generation_number;
ALTER TABLE transactions RENAME COLUMN job_number TO generation_number;
ALTER TABLE earned RENAME COLUMN job_number TO generation_number;
ALTER TABLE earned_until RENAME COLUMN job_number TO generation_number;

-- What a generation was for and what was asked for (enum store_purpose, enum store_generation_kind). Until now only ids
-- told it: this is the last time that they are read for that. No CHECK: it would read every row now, and cost each
-- settlement a little.
ALTER TABLE generations ADD COLUMN purpose INTEGER NOT NULL DEFAULT 0; -- request, job, step, title, summary
ALTER TABLE generations ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;    -- chat, inference
UPDATE generations SET purpose = 1 WHERE id GLOB 'job_*';
UPDATE generations SET purpose = 2 WHERE id GLOB 'step_*';
UPDATE generations SET purpose = 3 WHERE id GLOB 'title_*';
UPDATE generations SET purpose = 4 WHERE id GLOB 'summary_*';
UPDATE generations SET kind = 1 WHERE id GLOB 'inf_*';
UPDATE generations SET kind = 1 WHERE id IN (SELECT id FROM jobs WHERE kind = 1);

-- How a step's prompt was made, so that whoever goes on with it after a crash makes the same.
ALTER TABLE workflow_steps ADD COLUMN scale INTEGER NOT NULL DEFAULT 0; -- 0: of an older program, which did not tell
ALTER TABLE workflow_steps ADD COLUMN shrunk INTEGER NOT NULL DEFAULT 0; -- it may say less than it was to: a budget

PRAGMA user_version = 14;
