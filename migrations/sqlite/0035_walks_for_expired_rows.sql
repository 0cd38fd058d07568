-- What has expired is found by walking through the tables. Each assertion, sign-in and redemption wrote a page more for each of these indexes.

DROP INDEX used_identifiers_by_expiry;
DROP INDEX sessions_by_expiry;
DROP INDEX authorization_codes_by_expiry;
DROP INDEX device_codes_by_expiry;
DROP INDEX pushed_requests_by_expiry;
DROP INDEX refresh_families_by_expiry;
DROP INDEX session_clients_by_expiry;
DROP INDEX logout_outbox_by_expiry;
