"""The tables of a store, version by version; docs/store.md describes them for those who query them."""

APPLICATION = 0x50577374
"""What marks a SQLite file as a store of ours (PRAGMA application_id)."""

FIRST = (
    """CREATE TABLE rulesets (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  version TEXT NOT NULL,
  cards TEXT NOT NULL)""",
    """CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,
  finished TEXT,
  ruleset INTEGER NOT NULL REFERENCES rulesets)""",
    """CREATE TABLE results (
  id INTEGER PRIMARY KEY,
  host TEXT NOT NULL,
  about TEXT NOT NULL,
  ruleset INTEGER NOT NULL REFERENCES rulesets,
  manifest TEXT NOT NULL,
  seal TEXT NOT NULL,
  looks BLOB NOT NULL,
  document BLOB NOT NULL,
  files_read INTEGER NOT NULL,
  rules_checked INTEGER NOT NULL)""",
    "CREATE INDEX results_by_host ON results (host, ruleset, about)",
    """CREATE TABLE run_hosts (
  run INTEGER NOT NULL REFERENCES runs,
  position INTEGER NOT NULL,
  host TEXT NOT NULL,
  result INTEGER NOT NULL REFERENCES results,
  reused INTEGER NOT NULL,
  PRIMARY KEY (run, position)) WITHOUT ROWID""",
    """CREATE TABLE blobs (
  sha256 TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  data BLOB NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE findings (
  result INTEGER NOT NULL REFERENCES results,
  rule TEXT, severity TEXT, rule_severity TEXT, confidence TEXT, likelihood TEXT,
  path TEXT, line INTEGER, "column" INTEGER, message TEXT,
  unit TEXT, app TEXT, protocol TEXT, address TEXT, port INTEGER, end_port INTEGER, sysctl TEXT,
  predicts TEXT, step TEXT, fingerprint TEXT)""",
    "CREATE INDEX findings_by_result ON findings (result)",
    """CREATE TABLE coverage (
  result INTEGER NOT NULL REFERENCES results,
  kind TEXT, path TEXT, line INTEGER, unit TEXT, reason TEXT)""",
    "CREATE INDEX coverage_by_result ON coverage (result)",
    """CREATE TABLE listeners (
  result INTEGER NOT NULL REFERENCES results,
  app TEXT, unit TEXT, activates TEXT, protocol TEXT, address TEXT, port INTEGER, end_port INTEGER,
  origin TEXT, starts TEXT, random INTEGER, private_network INTEGER,
  bind_user TEXT, can_bind INTEGER, error TEXT, reuse_address INTEGER, reuse_port INTEGER, confidence TEXT,
  path TEXT, line INTEGER)""",
    "CREATE INDEX listeners_by_result ON listeners (result)",
    """CREATE TABLE sysctls (
  result INTEGER NOT NULL REFERENCES results,
  key TEXT, value TEXT, boot TEXT, reload TEXT, running TEXT, is_default INTEGER, confidence TEXT,
  path TEXT, line INTEGER)""",
    "CREATE INDEX sysctls_by_result ON sysctls (result)",
    """CREATE TABLE units (
  result INTEGER NOT NULL REFERENCES results,
  unit TEXT, state TEXT, starts TEXT, user TEXT)""",
    "CREATE INDEX units_by_result ON units (result)",
    """CREATE VIEW last_results AS
  SELECT run_hosts.host AS host, run_hosts.result AS result FROM run_hosts
  WHERE run_hosts.run = (SELECT max(id) FROM runs WHERE finished IS NOT NULL)""",
)

SECOND = (
    """CREATE TABLE run_groups (
  run INTEGER NOT NULL REFERENCES runs,
  name TEXT NOT NULL,
  host TEXT NOT NULL,
  PRIMARY KEY (run, name, host)) WITHOUT ROWID""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (FIRST, SECOND)
"""What makes each version of the one before; the first one of an empty file. A store's version is their number (PRAGMA user_version)."""

INSERTS = {
    "findings": "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "coverage": "INSERT INTO coverage VALUES (?, ?, ?, ?, ?, ?)",
    "listeners": "INSERT INTO listeners VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "sysctls": "INSERT INTO sysctls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "units": "INSERT INTO units VALUES (?, ?, ?, ?, ?)",
}
