-- Of SQLite only: here most rows end with their partitions. Every database has the same migrations by name.
SELECT 1;
