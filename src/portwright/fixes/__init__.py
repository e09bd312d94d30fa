"""Changes planned, proven and written as a playbook."""
