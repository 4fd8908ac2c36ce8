-- Webhooks' deliveries and their events count against a quota of their account (store/quota.h, kind 4), as 0022_kept.sql has it
-- for other rows: rows are deliveries, bytes are bodies of events and what receivers have answered. An event goes with the last
-- of its deliveries. Each webhook knows how many of its deliveries wait, and how many events were not kept for it.
ALTER TABLE deliveries ADD COLUMN account_number INTEGER NOT NULL DEFAULT 0; -- of the webhook
ALTER TABLE webhooks ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;          -- deliveries
ALTER TABLE webhooks ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;          -- events, ever
ALTER TABLE webhooks ADD COLUMN dropped_ms INTEGER NOT NULL DEFAULT 0;       -- the last of them; 0: none

UPDATE deliveries SET account_number = coalesce((SELECT account_number FROM webhooks
    WHERE number = deliveries.webhook_number), 0);
UPDATE webhooks SET waiting = (SELECT count(*) FROM deliveries WHERE webhook_number = webhooks.number AND state = 0);
CREATE INDEX deliveries_ended ON deliveries (account_number, number) WHERE state > 0;
INSERT INTO kept SELECT account_number, 4, count(*), sum(length(response)) FROM deliveries WHERE account_number <> 0
    GROUP BY account_number;
INSERT INTO kept SELECT account_number, 4, 0, sum(length(body)) FROM webhook_events WHERE true GROUP BY account_number
    ON CONFLICT (account_number, kind) DO UPDATE SET byte_count = byte_count + excluded.byte_count;

CREATE TRIGGER webhook_events_kept_added AFTER INSERT ON webhook_events BEGIN
    INSERT INTO kept (account_number, kind, row_count, byte_count) VALUES (NEW.account_number, 4, 0, length(NEW.body))
        ON CONFLICT (account_number, kind) DO UPDATE SET byte_count = byte_count + excluded.byte_count;
END;
CREATE TRIGGER webhook_events_kept_deleted AFTER DELETE ON webhook_events BEGIN
    UPDATE kept SET byte_count = byte_count - length(OLD.body) WHERE account_number = OLD.account_number AND kind = 4;
END;
CREATE TRIGGER deliveries_kept_added AFTER INSERT ON deliveries BEGIN
    INSERT INTO kept (account_number, kind, row_count, byte_count) VALUES (NEW.account_number, 4, 1, length(NEW.response))
        ON CONFLICT (account_number, kind) DO UPDATE SET row_count = row_count + 1,
        byte_count = byte_count + excluded.byte_count;
    UPDATE webhooks SET waiting = waiting + 1 WHERE number = NEW.webhook_number AND NEW.state = 0;
END;
CREATE TRIGGER deliveries_kept_response AFTER UPDATE OF response ON deliveries
    WHEN length(NEW.response) <> length(OLD.response) BEGIN
    UPDATE kept SET byte_count = byte_count + length(NEW.response) - length(OLD.response)
        WHERE account_number = NEW.account_number AND kind = 4;
END;
CREATE TRIGGER deliveries_kept_state AFTER UPDATE OF state ON deliveries WHEN NEW.state <> OLD.state BEGIN
    UPDATE webhooks SET waiting = waiting + (NEW.state = 0) - (OLD.state = 0) WHERE number = NEW.webhook_number;
END;
CREATE TRIGGER deliveries_kept_deleted AFTER DELETE ON deliveries BEGIN
    UPDATE kept SET row_count = row_count - 1, byte_count = byte_count - length(OLD.response)
        WHERE account_number = OLD.account_number AND kind = 4;
    UPDATE webhooks SET waiting = waiting - 1 WHERE number = OLD.webhook_number AND OLD.state = 0;
    DELETE FROM webhook_events WHERE number = OLD.event_number
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_number = OLD.event_number);
END;

PRAGMA user_version = 25;
