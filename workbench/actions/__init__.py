"""What acts: jobs, runbooks, backup, recovery, configuration. Not built yet: the place is kept."""
