-- What each account has kept for it, in rows and bytes (store/quota.h), so that its quotas are looked at without counting.
-- The triggers keep the sums with the rows themselves, whoever adds or deletes them: clients, time, `account erase`. Sums of
-- parts (a conversation's messages, a workflow's steps) stand in the row that they belong to, so that deleting that is one
-- step. Bytes are those of texts, as they are stored.
CREATE TABLE kept (
    account_number INTEGER NOT NULL,
    kind           INTEGER NOT NULL, -- enum store_kept: conversations, jobs, workflows, stored answers
    row_count      INTEGER NOT NULL,
    byte_count     INTEGER NOT NULL,
    PRIMARY KEY (account_number, kind)
) STRICT, WITHOUT ROWID;

ALTER TABLE conversations ADD COLUMN byte_count INTEGER NOT NULL DEFAULT 0; -- of its texts and messages
ALTER TABLE workflows ADD COLUMN byte_count INTEGER NOT NULL DEFAULT 0;     -- of its texts and steps
ALTER TABLE jobs ADD COLUMN reserved_bytes INTEGER NOT NULL DEFAULT 0;      -- for its answer, until it has ended
ALTER TABLE answers ADD COLUMN account_number INTEGER NOT NULL DEFAULT 0;   -- 0: of an older program, and not counted

UPDATE conversations SET byte_count = length(title) + length(summary) + length(system) + coalesce((SELECT
    sum(length(m.content)) FROM conversation_messages m WHERE m.conversation_number = conversations.number), 0);
UPDATE workflows SET byte_count = length(task) + coalesce((SELECT length(request) + length(answer) + length(error)
    + length(extra) FROM workflow_texts WHERE workflow_number = workflows.number), 0) + coalesce((SELECT
    sum(length(output)) FROM workflow_steps WHERE workflow_number = workflows.number), 0);
UPDATE answers SET account_number = coalesce(
    (SELECT account_number FROM account_seals WHERE seal_number = answers.conversation_number),
    (SELECT account_number FROM conversations WHERE number = answers.conversation_number), 0)
WHERE conversation_number <> 0;
INSERT INTO kept SELECT account_number, 0, count(*), sum(byte_count) FROM conversations GROUP BY account_number;
INSERT INTO kept SELECT account_number, 1, count(*), sum(length(body) + length(result)) FROM jobs GROUP BY account_number;
INSERT INTO kept SELECT account_number, 2, count(*), sum(byte_count) FROM workflows GROUP BY account_number;
INSERT INTO kept SELECT account_number, 3, count(*), sum(length(content)) FROM answers WHERE account_number <> 0
    GROUP BY account_number;

CREATE TRIGGER conversations_kept_added AFTER INSERT ON conversations BEGIN
    UPDATE conversations SET byte_count = length(title) + length(summary) + length(system) WHERE number = NEW.number;
    INSERT INTO kept (account_number, kind, row_count, byte_count) VALUES (NEW.account_number, 0, 1,
        length(NEW.title) + length(NEW.summary) + length(NEW.system))
        ON CONFLICT (account_number, kind) DO UPDATE SET row_count = row_count + 1,
        byte_count = byte_count + excluded.byte_count;
END;
CREATE TRIGGER conversations_kept_texts AFTER UPDATE OF title, summary, system ON conversations BEGIN
    UPDATE conversations SET byte_count = byte_count + length(NEW.title) + length(NEW.summary) + length(NEW.system)
        - length(OLD.title) - length(OLD.summary) - length(OLD.system) WHERE number = NEW.number;
    UPDATE kept SET byte_count = byte_count + length(NEW.title) + length(NEW.summary) + length(NEW.system)
        - length(OLD.title) - length(OLD.summary) - length(OLD.system)
        WHERE account_number = NEW.account_number AND kind = 0;
END;
CREATE TRIGGER conversation_messages_kept_added AFTER INSERT ON conversation_messages BEGIN
    UPDATE conversations SET byte_count = byte_count + length(NEW.content) WHERE number = NEW.conversation_number;
    UPDATE kept SET byte_count = byte_count + length(NEW.content) WHERE kind = 0 AND account_number =
        (SELECT account_number FROM conversations WHERE number = NEW.conversation_number);
END;
CREATE TRIGGER conversations_kept_deleted AFTER DELETE ON conversations BEGIN
    UPDATE kept SET row_count = row_count - 1, byte_count = byte_count - OLD.byte_count
        WHERE account_number = OLD.account_number AND kind = 0;
END;

CREATE TRIGGER jobs_kept_added AFTER INSERT ON jobs BEGIN
    INSERT INTO kept (account_number, kind, row_count, byte_count) VALUES (NEW.account_number, 1, 1,
        length(NEW.body) + length(NEW.result) + NEW.reserved_bytes)
        ON CONFLICT (account_number, kind) DO UPDATE SET row_count = row_count + 1,
        byte_count = byte_count + excluded.byte_count;
END;
CREATE TRIGGER jobs_kept_texts AFTER UPDATE OF body, result, reserved_bytes ON jobs BEGIN
    UPDATE kept SET byte_count = byte_count + length(NEW.body) + length(NEW.result) + NEW.reserved_bytes
        - length(OLD.body) - length(OLD.result) - OLD.reserved_bytes
        WHERE account_number = NEW.account_number AND kind = 1;
END;
CREATE TRIGGER jobs_kept_deleted AFTER DELETE ON jobs BEGIN
    UPDATE kept SET row_count = row_count - 1,
        byte_count = byte_count - length(OLD.body) - length(OLD.result) - OLD.reserved_bytes
        WHERE account_number = OLD.account_number AND kind = 1;
END;

CREATE TRIGGER workflows_kept_added AFTER INSERT ON workflows BEGIN
    INSERT INTO kept (account_number, kind, row_count, byte_count) VALUES (NEW.account_number, 2, 1, 0)
        ON CONFLICT (account_number, kind) DO UPDATE SET row_count = row_count + 1;
    UPDATE workflows SET byte_count = length(task) WHERE number = NEW.number;
END;
CREATE TRIGGER workflows_kept_bytes AFTER UPDATE OF byte_count ON workflows BEGIN
    UPDATE kept SET byte_count = byte_count + NEW.byte_count - OLD.byte_count
        WHERE account_number = NEW.account_number AND kind = 2;
END;
CREATE TRIGGER workflow_texts_kept_added AFTER INSERT ON workflow_texts BEGIN
    UPDATE workflows SET byte_count = byte_count + length(NEW.request) + length(NEW.answer) + length(NEW.error)
        + length(NEW.extra) WHERE number = NEW.workflow_number;
END;
CREATE TRIGGER workflow_texts_kept_changed AFTER UPDATE ON workflow_texts BEGIN
    UPDATE workflows SET byte_count = byte_count + length(NEW.request) + length(NEW.answer) + length(NEW.error)
        + length(NEW.extra) - length(OLD.request) - length(OLD.answer) - length(OLD.error) - length(OLD.extra)
        WHERE number = NEW.workflow_number;
END;
-- A step is replaced by its next state: what it had goes first.
CREATE TRIGGER workflow_steps_kept BEFORE INSERT ON workflow_steps BEGIN
    UPDATE workflows SET byte_count = byte_count + length(NEW.output) - coalesce((SELECT length(output)
        FROM workflow_steps WHERE workflow_number = NEW.workflow_number AND number = NEW.number), 0)
        WHERE number = NEW.workflow_number;
END;
CREATE TRIGGER workflows_kept_deleted AFTER DELETE ON workflows BEGIN
    UPDATE kept SET row_count = row_count - 1, byte_count = byte_count - OLD.byte_count
        WHERE account_number = OLD.account_number AND kind = 2;
END;

CREATE TRIGGER answers_kept_added AFTER INSERT ON answers WHEN NEW.account_number <> 0 BEGIN
    INSERT INTO kept (account_number, kind, row_count, byte_count) VALUES (NEW.account_number, 3, 1,
        length(NEW.content)) ON CONFLICT (account_number, kind) DO UPDATE SET row_count = row_count + 1,
        byte_count = byte_count + excluded.byte_count;
END;
CREATE TRIGGER answers_kept_deleted AFTER DELETE ON answers WHEN OLD.account_number <> 0 BEGIN
    UPDATE kept SET row_count = row_count - 1, byte_count = byte_count - length(OLD.content)
        WHERE account_number = OLD.account_number AND kind = 3;
END;

PRAGMA user_version = 22;
