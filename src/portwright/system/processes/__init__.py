"""Programs that start programs: command lines, wrappers, shells, scripts, cron, supervisors."""
