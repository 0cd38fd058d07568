-- A file has one writer, so its log has an order. Only PostgreSQL needs a change.
SELECT 1;
