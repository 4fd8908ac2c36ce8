-- What is believed of a device goes by the audits that it has passed since it last failed one, and by the slots that good
-- generations have earned it (docs/PLACEMENT.md). Devices of before begin at 0 with both.
ALTER TABLE device_records ADD COLUMN audits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device_records ADD COLUMN earned INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 17;
