"""Reports: findings, facts and the port space as one kind of text each; data in, str out."""
