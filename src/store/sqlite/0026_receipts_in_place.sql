-- A receipt stands in its generation's own row, without what that row says already (receipt_pack.h), and the row of its
-- day is written by and by: a settlement writes no page more than without a receipt.
ALTER TABLE generations ADD COLUMN receipt_day INTEGER;   -- a number in receipt_days; NULL: it has no receipt
ALTER TABLE generations ADD COLUMN receipt_place INTEGER; -- in its day, from 1
-- The salt of its digests (16 bytes; zeros: its account was erased), the hash before (32), and the packed bytes.
ALTER TABLE generations ADD COLUMN receipt BLOB;
UPDATE generations SET receipt_day = r.day_number, receipt_place = r.place,
                       receipt = CAST(r.salt || r.previous || x'00000000' || r.bytes AS BLOB)
    FROM receipts r WHERE r.generation_number = generations.number;

-- Of the newest day, count and head are as they were behind the generation with this number.
ALTER TABLE receipt_days ADD COLUMN last_generation INTEGER NOT NULL DEFAULT 0;
UPDATE receipt_days SET last_generation = coalesce((SELECT max(generation_number) FROM receipts WHERE day_number = number), 0);

DROP TABLE receipts;
CREATE TRIGGER receipts_no_update BEFORE UPDATE OF number, receipt_day, receipt_place, receipt ON generations
    WHEN new.number <> old.number OR new.receipt_day IS NOT old.receipt_day OR new.receipt_place IS NOT old.receipt_place
         OR substr(new.receipt, 17) IS NOT substr(old.receipt, 17)
    BEGIN SELECT raise(ABORT, 'receipts are never changed'); END;

PRAGMA user_version = 26;
