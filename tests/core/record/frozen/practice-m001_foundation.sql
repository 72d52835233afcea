CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);

CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");

CREATE TABLE operator (
            id TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, demo INTEGER NOT NULL,
            active INTEGER NOT NULL, pin_hash TEXT NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY (id, version)
        ) STRICT;

CREATE TABLE device (
            id INTEGER PRIMARY KEY, chair INTEGER NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL,
            name TEXT NOT NULL, serial TEXT NOT NULL, bound_us INTEGER NOT NULL, forgotten_us INTEGER
        ) STRICT;

CREATE UNIQUE INDEX device_once ON device (address) WHERE forgotten_us IS NULL;

CREATE TABLE setting (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL, at_us INTEGER NOT NULL
        ) STRICT;

CREATE INDEX setting_by_key ON setting (key, id);

CREATE TABLE login (
            id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, operator TEXT NOT NULL, outcome TEXT NOT NULL
        ) STRICT;

INSERT INTO "_sqlite_migrations" (id, migration_set, name, applied_at) VALUES (1, 'practice', 'm001_foundation', '2026-11-25 22:49:08.670735+00:00');

INSERT INTO "operator" (id, version, name, role, demo, active, pin_hash, at_us) VALUES ('ada', 1, 'Ada', 'dentist', 0, 1, '$argon2id$none', 1800000000000000);

INSERT INTO "operator" (id, version, name, role, demo, active, pin_hash, at_us) VALUES ('bo', 1, 'Bo', 'dentist', 0, 1, '$argon2id$none', 1800000000000000);

INSERT INTO "device" (id, chair, kind, address, name, serial, bound_us, forgotten_us) VALUES (1, 1, 'hub', 'F0:01', 'Hub', 'SH-0001', 1800000000000000, NULL);

INSERT INTO "setting" (id, key, value, at_us) VALUES (1, 'practice.name', '"Elm Street"', 1800000000000000);

INSERT INTO "login" (id, at_us, operator, outcome) VALUES (1, 1800000000000000, 'ada', 'in');

CREATE TRIGGER operator_no_update BEFORE UPDATE ON operator BEGIN SELECT RAISE(ABORT, 'operator is append-only'); END;

CREATE TRIGGER operator_no_delete BEFORE DELETE ON operator BEGIN SELECT RAISE(ABORT, 'operator is append-only'); END;

CREATE TRIGGER setting_no_update BEFORE UPDATE ON setting BEGIN SELECT RAISE(ABORT, 'setting is append-only'); END;

CREATE TRIGGER setting_no_delete BEFORE DELETE ON setting BEGIN SELECT RAISE(ABORT, 'setting is append-only'); END;

CREATE TRIGGER login_no_update BEFORE UPDATE ON login BEGIN SELECT RAISE(ABORT, 'login is append-only'); END;

CREATE TRIGGER login_no_delete BEFORE DELETE ON login BEGIN SELECT RAISE(ABORT, 'login is append-only'); END;

