-- Of PostgreSQL only: a file has no roles. Every database has the same migrations by name.
SELECT 1;
