-- A workflow may end without an answer (STORE_WORKFLOW_NO_ANSWER = 6). A CHECK has nothing to do with how rows are kept, so
-- the text of the table is changed and no row is written anew (sqlite.org/lang_altertable.html, "removing a CHECK").
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (status BETWEEN 0 AND 5)', 'CHECK (status BETWEEN 0 AND 6)')
WHERE type = 'table' AND name = 'workflows';
PRAGMA writable_schema = RESET;

PRAGMA user_version = 15;
