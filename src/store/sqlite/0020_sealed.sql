-- Every text of a client is sealed, not only those of conversations: requests and results of jobs, stored answers, workflows
-- and their steps, what webhooks are sent and what their receivers answer. What belongs to no conversation is sealed under a
-- key of its account, which has a row among the keys of conversations, so that all such columns name a key in one way:
-- answers.conversation_number and workflows.conversation_number are its number, or that of a conversation's key. 0 remains:
-- a text that was written before, as it is; those go when their time is over.
CREATE TABLE account_seals (
    account_number INTEGER PRIMARY KEY,
    seal_number    INTEGER NOT NULL -- in conversation_keys; 0: the account was erased, and nothing of it is kept any more
) STRICT;

ALTER TABLE jobs ADD COLUMN seal_number INTEGER NOT NULL DEFAULT 0;           -- of body and result
ALTER TABLE webhook_events ADD COLUMN seal_number INTEGER NOT NULL DEFAULT 0; -- of body
ALTER TABLE deliveries ADD COLUMN seal_number INTEGER NOT NULL DEFAULT 0;     -- of response

PRAGMA user_version = 20;
