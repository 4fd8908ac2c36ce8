-- The sums that `nataris ledger check` compares which are over every row of a large table: check_sums.c fills them.

-- By transaction.
CREATE TEMP TABLE parts (
    transaction_number INTEGER PRIMARY KEY,
    entries, total, moved, -- how many, the sum of all, and of the positive
    -- Sums of each kind of account; of given credit, apart what came in and what went out.
    wallet, earnings, network, given_out, given_in, escrow,
    wallet_account, earnings_account, network_account, given_out_account, given_in_account, -- the one there is;
    escrow_account                                                                          -- NULL: none; -1: several
);
CREATE TEMP TABLE sums (ledger_account INTEGER PRIMARY KEY, amount_nano);

-- What the totals say of the rows that are there, less what those say themselves.
CREATE TEMP TABLE usage_more (account_number, month, model, key_number, kind, requests, prompt_tokens, completion_tokens,
                              charge_nano, given_nano,
                              PRIMARY KEY (account_number, month, model, key_number, kind)) WITHOUT ROWID;
INSERT INTO usage_more
    SELECT account_number, month, model, key_number, kind, requests - rolled_requests,
           prompt_tokens - rolled_prompt_tokens, completion_tokens - rolled_completion_tokens,
           charge_nano - rolled_charge_nano, given_nano - rolled_given_nano
    FROM usage_totals;
CREATE TEMP TABLE earned_month_more (account_number, month, generations, amount_nano, tokens, given_nano,
                                     PRIMARY KEY (account_number, month)) WITHOUT ROWID;
INSERT INTO earned_month_more
    SELECT account_number, month, generations - rolled_generations, amount_nano - rolled_amount_nano,
           tokens - rolled_tokens, given_nano - rolled_given_nano
    FROM earned_totals;
