-- The time of the password change, if the person of the account set the password. A version that does not know
-- the column moves password_changed_at alone, and then the two differ: another person set the password.
ALTER TABLE accounts ADD COLUMN password_own_at bigint;

-- The audit shows who set a password. A link lives for a day, and its user is in the audit as the person, so a
-- password counts as the person's own only if nobody created a link within the day before it. Under row level
-- security only latchkey_operator sees the rows.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    UPDATE accounts a SET password_own_at = a.password_changed_at
     WHERE a.password_changed_at IS NOT NULL AND a.password_hash IS NOT NULL
       AND EXISTS (SELECT 1 FROM audit_records r
                    WHERE r.actor = 'account:' || a.account_id AND r.at = a.password_changed_at
                      AND r.tenant_id = a.tenant_id AND r.action = 'account.password_set'
                      AND r.subject = a.account_id)
       AND NOT EXISTS (SELECT 1 FROM audit_records r
                        WHERE r.tenant_id = a.tenant_id
                          AND r.at BETWEEN a.password_changed_at - 86400 AND a.password_changed_at
                          AND r.action = 'account.password_link_made' AND r.subject = a.account_id);
    SET LOCAL ROLE NONE;
END
$rows$;
