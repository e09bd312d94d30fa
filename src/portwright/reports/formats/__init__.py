"""A file for each format of reports: what it writes for each command that has it."""
