"""A command is one file: `run(options)` returns its exit code. A name with a hyphen has an underscore here."""
