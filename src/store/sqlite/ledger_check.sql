-- What `nataris ledger check` proves. A query gives one line of text for each problem, so a sound ledger gives none.
-- Kinds of transactions and the numbers of ledger accounts: 0002_money.sql, 0019_wallets.sql. The tables of ledger_check_tables.sql are
-- there and filled.

-- Sums by job and key, for the queries below. Adding row by row to a table takes half the time of GROUP BY, which would
-- sort: what belongs together lies together, or the groups are few.
CREATE TEMP TABLE settled (generation_number INTEGER PRIMARY KEY, settlements);
INSERT INTO settled SELECT generation_number, 1 FROM transactions WHERE kind = 0
    ON CONFLICT DO UPDATE SET settlements = settlements + 1;
CREATE TEMP TABLE spent (key_number INTEGER PRIMARY KEY, charge_nano);
INSERT INTO spent SELECT key_number, charge_nano FROM usage_totals WHERE true
    ON CONFLICT DO UPDATE SET charge_nano = charge_nano + excluded.charge_nano;

-- Settlements of generations whose rows were rolled up, and by ledger account their entries less what the totals say of
-- those rows.
CREATE TEMP TABLE gone (transaction_number INTEGER PRIMARY KEY);
INSERT INTO gone
    SELECT number FROM transactions t
    WHERE kind = 0 AND generation_number <= (SELECT generation_number FROM rolled_up)
          AND NOT EXISTS (SELECT 1 FROM generations j WHERE j.number = t.generation_number);
CREATE TEMP TABLE gone_sums (ledger_account INTEGER PRIMARY KEY, amount_nano);
INSERT INTO gone_sums
    SELECT ledger_account, amount_nano FROM entries
    WHERE (SELECT count(*) FROM gone) > 0 AND transaction_number IN (SELECT transaction_number FROM gone)
    ON CONFLICT DO UPDATE SET amount_nano = amount_nano + excluded.amount_nano;
INSERT INTO gone_sums
    SELECT 16 * account_number, rolled_charge_nano - rolled_given_nano FROM usage_totals WHERE rolled_charge_nano <> 0
    ON CONFLICT DO UPDATE SET amount_nano = amount_nano + excluded.amount_nano;
INSERT INTO gone_sums
    SELECT 16 * account_number + 2, rolled_given_nano FROM usage_totals WHERE rolled_given_nano <> 0
    ON CONFLICT DO UPDATE SET amount_nano = amount_nano + excluded.amount_nano;
INSERT INTO gone_sums
    SELECT 16 * account_number + 2, -rolled_given_nano FROM earned_totals WHERE rolled_given_nano <> 0
    ON CONFLICT DO UPDATE SET amount_nano = amount_nano + excluded.amount_nano;
INSERT INTO gone_sums
    SELECT 16 * account_number + 1, rolled_given_nano - rolled_amount_nano FROM earned_totals
    WHERE rolled_amount_nano <> 0
    ON CONFLICT DO UPDATE SET amount_nano = amount_nano + excluded.amount_nano;
INSERT INTO gone_sums
    SELECT 1, (SELECT coalesce(sum(rolled_amount_nano), 0) FROM earned_totals)
              - (SELECT coalesce(sum(rolled_charge_nano), 0) FROM usage_totals)
    WHERE true ON CONFLICT DO UPDATE SET amount_nano = amount_nano + excluded.amount_nano;

-- Most transactions settle a job of one device, most jobs have one settlement, and all of it is right: one look at each is
-- enough for them. The queries below look closer at the others.
CREATE TEMP TABLE odd (number INTEGER PRIMARY KEY);
INSERT INTO odd
    SELECT t.number FROM transactions t LEFT JOIN parts p ON p.transaction_number = t.number
         LEFT JOIN generations j ON j.number = t.generation_number
    WHERE NOT (t.kind = 0 AND coalesce(p.entries, 0) >= 2 AND p.moved IS t.amount_nano
               AND coalesce(j.charge_nano, 0) > 0 AND p.wallet IS j.given_nano - j.charge_nano
               AND p.given_out IS -j.given_nano AND p.given_in IS j.provider_given_nano AND p.escrow IS 0
               AND p.earnings IS j.provider_nano - j.provider_given_nano
               AND p.network IS j.charge_nano - j.provider_nano
               AND p.wallet_account IS iif(j.charge_nano > j.given_nano, 16 * j.account_number, NULL)
               AND p.given_out_account IS iif(j.given_nano > 0, 16 * j.account_number + 2, NULL)
               AND p.given_in_account IS iif(j.provider_given_nano > 0, 16 * j.provider_account_number + 2, NULL)
               AND p.earnings_account
                   IS iif(j.provider_nano > j.provider_given_nano, 16 * j.provider_account_number + 1, NULL)
               AND p.network_account IS iif(j.charge_nano > j.provider_nano, 1, NULL));
CREATE TEMP TABLE odd_jobs (number INTEGER PRIMARY KEY);
INSERT INTO odd_jobs
    SELECT j.number FROM generations j LEFT JOIN settled s ON s.generation_number = j.number
    WHERE (j.charge_nano <> 0 AND coalesce(s.settlements, 0) <> 1)
          OR (j.outcome = 1 AND (j.charge_nano <> 0 OR j.provider_nano <> 0))
          OR j.charge_nano < 0 OR j.provider_nano NOT BETWEEN 0 AND j.charge_nano
          OR j.given_nano NOT BETWEEN 0 AND j.charge_nano OR j.provider_given_nano NOT BETWEEN 0 AND j.given_nano
          OR j.provider_nano - j.provider_given_nano NOT BETWEEN 0 AND iif(j.provider_account_number = 0, j.provider_nano,
                                                                          j.charge_nano - j.given_nano);

-- By earner: what is in `earned` less what the jobs up to the last slice say.
CREATE TEMP TABLE earned_more (account_number INTEGER PRIMARY KEY, jobs, amount_nano, tokens, given_nano);
INSERT INTO earned_more
    SELECT account_number, count(*), sum(amount_nano), sum(tokens), sum(given_nano) FROM earned GROUP BY 1;
INSERT INTO earned_more
    SELECT provider_account_number, -1, -provider_nano, -(prompt_tokens + completion_tokens), -provider_given_nano
    FROM generations
    WHERE provider_nano <> 0 AND provider_account_number <> 0 AND number <= (SELECT generation_number FROM earned_until)
    ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs, amount_nano = amount_nano + excluded.amount_nano,
                              tokens = tokens + excluded.tokens, given_nano = given_nano + excluded.given_nano;
INSERT INTO earned_more
    SELECT account_number, -1, -sum(amount_nano), -sum(prompt_tokens + completion_tokens), -sum(given_nano)
    FROM generation_parts
    WHERE generation_number <= (SELECT generation_number FROM earned_until) GROUP BY account_number, generation_number
    HAVING sum(amount_nano) > 0
    ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs, amount_nano = amount_nano + excluded.amount_nano,
                              tokens = tokens + excluded.tokens, given_nano = given_nano + excluded.given_nano;

-- Jobs of several devices: what the parts come to, and what the entries give to each earner.
CREATE TEMP TABLE parted (generation_number INTEGER PRIMARY KEY, parts, prompt_tokens, completion_tokens, amount_nano,
                          given_nano);
INSERT INTO parted
    SELECT generation_number, count(*), sum(prompt_tokens), sum(completion_tokens), sum(amount_nano), sum(given_nano)
    FROM generation_parts GROUP BY 1;
CREATE TEMP TABLE shares (generation_number, ledger_account, amount_nano,
                          PRIMARY KEY (generation_number, ledger_account));
INSERT INTO shares
    SELECT generation_number, 16 * account_number + 1, sum(amount_nano - given_nano) FROM generation_parts GROUP BY 1, 2;
INSERT INTO shares
    SELECT generation_number, 16 * account_number + 2, sum(given_nano) FROM generation_parts GROUP BY 1, 2;
INSERT INTO shares
    SELECT t.generation_number, e.ledger_account, -e.amount_nano
    FROM parted d CROSS JOIN transactions t ON t.generation_number = d.generation_number AND t.kind = 0
         CROSS JOIN entries e ON e.transaction_number = t.number
    WHERE e.ledger_account >= 16 AND e.ledger_account % 16 IN (1, 2) AND e.amount_nano > 0
    ON CONFLICT DO UPDATE SET amount_nano = amount_nano + excluded.amount_nano;

SELECT printf('transaction %d sums to %d, not to 0', transaction_number, total) FROM parts WHERE total <> 0;

SELECT printf('all entries together sum to %d, not to 0', total)
FROM (SELECT sum(amount_nano) AS total FROM sums) WHERE total <> 0;

SELECT printf('transaction %d has fewer than two entries', t.number)
FROM odd o CROSS JOIN transactions t ON t.number = o.number LEFT JOIN parts p ON p.transaction_number = t.number
WHERE coalesce(p.entries, 0) < 2;

SELECT printf('transaction %d says that it moves %d, but its entries move %d', t.number, t.amount_nano, p.moved)
FROM odd o CROSS JOIN transactions t ON t.number = o.number JOIN parts p ON p.transaction_number = t.number
WHERE t.amount_nano <> p.moved;

SELECT printf('entries name transaction %d, which does not exist', p.transaction_number)
FROM parts p LEFT JOIN transactions t ON t.number = p.transaction_number WHERE t.number IS NULL;

SELECT printf('ledger account %d does not exist but has entries', s.ledger_account)
FROM sums s LEFT JOIN accounts a ON a.number = s.ledger_account / 16
WHERE NOT coalesce(s.ledger_account BETWEEN 1 AND 4 OR (a.number IS NOT NULL AND s.ledger_account % 16 < 5), 0);

SELECT printf('ledger account %d has the cached balance %d, but its entries sum to %d',
              b.ledger_account, b.amount_nano, coalesce(s.amount_nano, 0))
FROM balances b LEFT JOIN sums s ON s.ledger_account = b.ledger_account
WHERE b.amount_nano <> coalesce(s.amount_nano, 0);

SELECT printf('ledger account %d has no cached balance, but its entries sum to %d', s.ledger_account, s.amount_nano)
FROM sums s LEFT JOIN balances b ON b.ledger_account = s.ledger_account
WHERE b.ledger_account IS NULL AND s.amount_nano <> 0;

SELECT printf('%s of account %d is below zero: %d', CASE ledger_account % 16 WHEN 0 THEN 'the wallet'
              WHEN 1 THEN 'what is owed' WHEN 2 THEN 'the given credit' ELSE 'the escrow' END,
              ledger_account / 16, amount_nano)
FROM sums WHERE ledger_account >= 16 AND amount_nano < 0;

SELECT printf('job %s was charged %d and has %d settlements, not 1', j.id, j.charge_nano, coalesce(s.settlements, 0))
FROM odd_jobs o CROSS JOIN generations j ON j.number = o.number LEFT JOIN settled s ON s.generation_number = j.number
WHERE j.charge_nano <> 0 AND coalesce(s.settlements, 0) <> 1;

SELECT printf('job %s failed and has a charge', id) FROM odd_jobs o CROSS JOIN generations j ON j.number = o.number
WHERE outcome = 1 AND (charge_nano <> 0 OR provider_nano <> 0);

SELECT printf('job %s was charged %d, of which %d went to the provider', id, charge_nano, provider_nano)
FROM odd_jobs o CROSS JOIN generations j ON j.number = o.number
WHERE charge_nano < 0 OR provider_nano NOT BETWEEN 0 AND charge_nano;

SELECT printf('job %s was charged %d, of it %d of given credit, and earned %d, of it %d of given credit', j.id,
              j.charge_nano, j.given_nano, j.provider_nano, j.provider_given_nano + coalesce(d.given_nano, 0))
FROM generations j LEFT JOIN parted d ON d.generation_number = j.number
WHERE (j.number IN (SELECT number FROM odd_jobs) OR d.generation_number IS NOT NULL)
      AND (j.given_nano NOT BETWEEN 0 AND j.charge_nano
           OR j.provider_given_nano + coalesce(d.given_nano, 0) NOT BETWEEN 0 AND j.given_nano
           OR j.provider_nano - j.provider_given_nano - coalesce(d.given_nano, 0)
              NOT BETWEEN 0 AND j.charge_nano - j.given_nano);

SELECT printf('transaction %d settles a job that %s', t.number, iif(j.number IS NULL, 'does not exist', 'was free'))
FROM odd o CROSS JOIN transactions t ON t.number = o.number LEFT JOIN generations j ON j.number = t.generation_number
WHERE t.kind = 0 AND coalesce(j.charge_nano, 0) = 0
      AND NOT (j.number IS NULL AND t.number IN (SELECT transaction_number FROM gone));

SELECT printf('transaction %d does not have the parts of job %s', t.number, j.id)
FROM odd o CROSS JOIN transactions t ON t.number = o.number JOIN generations j ON j.number = t.generation_number
     JOIN parts p ON p.transaction_number = t.number LEFT JOIN parted d ON d.generation_number = j.number
WHERE t.kind = 0
      AND (p.wallet <> j.given_nano - j.charge_nano OR p.given_out <> -j.given_nano OR p.escrow <> 0
           OR p.given_in <> j.provider_given_nano + coalesce(d.given_nano, 0)
           OR p.earnings <> j.provider_nano - p.given_in OR p.network <> j.charge_nano - j.provider_nano
           OR p.wallet_account IS NOT iif(j.charge_nano > j.given_nano, 16 * j.account_number, NULL)
           OR p.given_out_account IS NOT iif(j.given_nano > 0, 16 * j.account_number + 2, NULL)
           OR (d.generation_number IS NULL
               AND (p.earnings_account
                    IS NOT iif(j.provider_nano > j.provider_given_nano, 16 * j.provider_account_number + 1, NULL)
                    OR p.given_in_account
                       IS NOT iif(j.provider_given_nano > 0, 16 * j.provider_account_number + 2, NULL)))
           OR p.network_account IS NOT iif(j.charge_nano > j.provider_nano, 1, NULL));

SELECT printf('the %d parts of job %d do not add up to it', d.parts, d.generation_number)
FROM parted d LEFT JOIN generations j ON j.number = d.generation_number
WHERE d.parts < 2 OR d.prompt_tokens IS NOT j.prompt_tokens OR d.completion_tokens IS NOT j.completion_tokens
      OR d.amount_nano IS NOT j.provider_nano OR j.provider_account_number <> 0;

SELECT printf('ledger account %d got %d less than its parts of job %d', ledger_account, amount_nano, generation_number)
FROM shares WHERE amount_nano <> 0;

-- Grants come from promotions, refunds from refunds, into the wallets; payouts leave the earnings. Escrow takes from what
-- its account earned, and gives back there, or to whoever paid, or to revenue.
SELECT printf('transaction %d moves money in a way its kind does not allow', t.number)
FROM odd o CROSS JOIN transactions t ON t.number = o.number JOIN parts p ON p.transaction_number = t.number
WHERE CASE t.kind
      WHEN 0 THEN 0
      WHEN 1 THEN p.wallet <= 0 OR p.given_in_account IS NOT NULL OR p.network_account IS NOT 2
      WHEN 2 THEN p.wallet < 0 OR p.wallet + p.given_in <= 0 OR p.network_account IS NOT 4
      WHEN 3 THEN p.earnings >= 0 OR p.wallet_account IS NOT NULL OR p.given_in_account IS NOT NULL
                  OR p.network_account IS NOT 3
      WHEN 4 THEN p.earnings > 0 OR p.escrow <= 0 OR p.wallet_account IS NOT NULL OR p.given_in_account IS NOT NULL
                  OR p.network_account IS NOT NULL
      WHEN 5 THEN p.earnings < 0 OR p.escrow >= 0 OR p.wallet_account IS NOT NULL OR p.network_account IS NOT NULL
      WHEN 6 THEN p.wallet < 0 OR p.escrow >= 0 OR p.earnings_account IS NOT NULL OR p.network_account IS NOT NULL
      WHEN 7 THEN p.escrow >= 0 OR p.earnings_account IS NOT NULL OR p.wallet_account IS NOT NULL
                  OR p.given_in_account IS NOT NULL OR p.network NOT IN (-p.escrow)
      WHEN 8 THEN p.wallet >= 0 OR p.given_in IS NOT -p.wallet
      ELSE p.given_in <= 0 OR p.wallet_account IS NOT NULL OR p.network_account IS NOT 2 END
      OR (t.kind NOT IN (0, 4) AND p.given_out_account IS NOT NULL)
      OR (t.kind NOT IN (0, 3, 4, 5) AND p.earnings_account IS NOT NULL)
      OR (t.kind NOT IN (0, 4, 5, 6, 7) AND p.escrow_account IS NOT NULL)
      OR (t.kind <> 0 AND (coalesce(p.earnings_account, 16 * t.account_number + 1) <> 16 * t.account_number + 1
                           OR coalesce(p.given_out_account, 16 * t.account_number + 2) <> 16 * t.account_number + 2))
      OR (t.kind NOT IN (0, 6)
          AND (coalesce(p.wallet_account, 16 * t.account_number) <> 16 * t.account_number
               OR coalesce(p.given_in_account, 16 * t.account_number + 2) <> 16 * t.account_number + 2));

SELECT printf('account %d has %d in escrow by what waits there, but ledger account %d has %d', w.ledger_account / 16,
              w.amount_nano, w.ledger_account, coalesce(s.amount_nano, 0))
FROM (SELECT 16 * account_number + 3 AS ledger_account, sum(iif(state = 0, paid_nano, 0)) AS amount_nano FROM escrow
      GROUP BY 1
      UNION ALL SELECT 16 * account_number + 4, sum(iif(state = 0, given_nano, 0)) FROM escrow GROUP BY 1) w
     LEFT JOIN sums s ON s.ledger_account = w.ledger_account
WHERE w.amount_nano <> coalesce(s.amount_nano, 0);

SELECT printf('ledger account %d has %d in escrow, and nothing waits there', s.ledger_account, s.amount_nano)
FROM sums s WHERE s.ledger_account >= 16 AND s.ledger_account % 16 IN (3, 4) AND s.amount_nano <> 0
     AND NOT EXISTS (SELECT 1 FROM escrow x WHERE x.account_number = s.ledger_account / 16);

SELECT printf('key %s has spent %d by its cache, but its jobs were charged %d', k.id, k.spent_nano,
              coalesce(s.charge_nano, 0))
FROM keys k LEFT JOIN spent s ON s.key_number = k.number
WHERE k.spent_nano <> coalesce(s.charge_nano, 0);

SELECT printf('of account %d, what is listed as earned differs from its jobs by %d jobs, %d nano-dollars, %d tokens, '
              || '%d nano-dollars of given credit', account_number, jobs, amount_nano, tokens, given_nano)
FROM earned_more WHERE jobs <> 0 OR amount_nano <> 0 OR tokens <> 0 OR given_nano <> 0;

SELECT printf('of account %d in the month %d, what is kept by day as earned differs by %d nano-dollars', account_number,
              month, sum(amount_nano))
FROM (SELECT account_number, utc_month(day * 86400000) AS month, paid_nano AS amount_nano FROM earned_days
      UNION ALL SELECT account_number, month, given_nano - amount_nano FROM earned_totals)
GROUP BY account_number, month HAVING sum(amount_nano) <> 0;

SELECT 'there is no number of the last job that is listed as earned' WHERE (SELECT count(*) FROM earned_until) <> 1;

SELECT printf('of account %d in the month %d, what is kept as used of %s differs from its jobs by %d requests, %d and %d '
              || 'tokens, %d nano-dollars', account_number, month, model, requests, prompt_tokens, completion_tokens,
              charge_nano)
FROM usage_more
WHERE requests <> 0 OR prompt_tokens <> 0 OR completion_tokens <> 0 OR charge_nano <> 0 OR given_nano <> 0;

SELECT printf('of account %d in the month %d, what is kept as earned differs from its list by %d jobs, %d nano-dollars, '
              || '%d tokens', account_number, month, generations, amount_nano, tokens)
FROM earned_month_more WHERE generations <> 0 OR amount_nano <> 0 OR tokens <> 0 OR given_nano <> 0;

SELECT printf('%d settlements are of jobs that were rolled up, but %d such jobs were', found, settled)
FROM (SELECT (SELECT count(*) FROM gone) AS found, (SELECT settled FROM rolled_up) AS settled) WHERE found IS NOT settled;

SELECT printf('ledger account %d: the settlements of jobs that were rolled up differ by %d from what is kept of them',
              ledger_account, amount_nano)
FROM gone_sums WHERE amount_nano <> 0;

SELECT printf('more is rolled up than there was for account %d in the month %d', account_number, month)
FROM usage_totals
WHERE requests < rolled_requests OR prompt_tokens < rolled_prompt_tokens OR completion_tokens < rolled_completion_tokens
      OR charge_nano < rolled_charge_nano OR rolled_requests < 0 OR rolled_charge_nano < 0;
